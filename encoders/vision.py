"""The picture tower: RGB frames to features, EfficientNet-Lite in OpenVINO, always in float32.

The graph is built from named tensors: the stem (everything up to `STEM_BLOCKS`), which stays as
it was pre-trained, and the top, which training grounds and which therefore comes from the heads
file. Frames go through one at a time on as many streams as there are processors, or as
`OMP_NUM_THREADS` allows: fastest on a CPU (`benchmarks/runtimes.py`), and a frame's feature
cannot depend on its neighbours. It must not know what the features are used for.

Architecture: https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite
(inverted residual blocks, Sandler et al. 2018, arXiv:1801.04381, figure 4; ReLU6; no squeeze and
excitation). Batch normalisation is folded into the convolutions.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from unify.engine.types import Float32, UInt8

BLOCKS = 21  # EfficientNet-Lite2
STRIDED = (1, 4, 7, 15)  # blocks that halve height and width
STEM_BLOCKS = 16  # blocks of the frozen stem; the top has the rest
MEAN, SCALE = 127.0, 128.0  # MEAN_RGB and STDDEV_RGB of the released models

HINTS = {
    # Some processors would otherwise compute in bfloat16, which gives other vectors.
    "INFERENCE_PRECISION_HINT": "f32",
    "EXECUTION_MODE_HINT": "ACCURACY",
    "PERFORMANCE_HINT": "THROUGHPUT",
}

Tensors = Mapping[str, npt.NDArray[Any]]


class VisionTower:
    """EfficientNet-Lite up to the pooled feature, or up to the end of its stem.

    Args:
        tensors: `first`, `BLOCK.expand`, `BLOCK.depthwise`, `BLOCK.project` and `last`, each as
            `.weight` (out, in, kernel, kernel) and `.bias` (out,).
        height: pixels.
        width: pixels.
        stem_only: give the stem's feature map instead of the pooled feature, for training.
    """

    def __init__(self, tensors: Tensors, height: int, width: int, stem_only: bool = False) -> None:
        ov = load_openvino()
        model = _graph(tensors, height, width, stem_only)
        # OpenVINO does not look at it; Ray sets it to the processors that an actor may use.
        threads = os.environ.get("OMP_NUM_THREADS", "")
        hints = HINTS | ({"INFERENCE_NUM_THREADS": threads} if threads.isdecimal() else {})
        self._compiled = ov.Core().compile_model(model, "CPU", hints)
        self._shape = tuple(self._compiled.output(0).shape)[1:]
        self._queue = ov.AsyncInferQueue(self._compiled)

    def encode(self, frames: UInt8) -> Float32:
        """Encode (F, height, width, 3) uint8 frames to (F, C), or (F, C, H', W') of the stem."""
        out = np.empty((len(frames), *self._shape), np.float32)

        def keep(request: Any, row: int) -> None:
            out[row] = request.get_output_tensor(0).data[0]

        self._queue.set_callback(keep)
        for row, frame in enumerate(frames):
            self._queue.start_async({0: frame[None]}, row)
        self._queue.wait_all()
        return out


def _graph(tensors: Tensors, height: int, width: int, stem_only: bool) -> Any:
    """Return the OpenVINO model for one (1, height, width, 3) uint8 frame."""
    ov = load_openvino()
    ops = importlib.import_module("openvino.opset13")
    frame = ops.parameter([1, height, width, 3], np.uint8, name="frame")
    x = ops.divide(
        ops.subtract(ops.convert(frame, "f32"), ops.constant(np.float32(MEAN))),
        ops.constant(np.float32(SCALE)),
    )
    x = ops.transpose(x, ops.constant(np.array([0, 3, 1, 2])))
    x = _relu6(ops, _convolve(ops, x, tensors, "first", 2))
    for block in range(STEM_BLOCKS if stem_only else BLOCKS):
        x = _block(ops, x, tensors, block)
    if not stem_only:
        x = _relu6(ops, _convolve(ops, x, tensors, "last", 1))
        x = ops.reduce_mean(x, ops.constant(np.array([2, 3])), keep_dims=False)
    return ov.Model([x], [frame], "efficientnet")


def _block(ops: Any, x: Any, tensors: Tensors, block: int) -> Any:
    y, stride = x, 2 if block in STRIDED else 1
    if f"{block}.expand.weight" in tensors:
        y = _relu6(ops, _convolve(ops, y, tensors, f"{block}.expand", 1))
    y = _relu6(ops, _convolve(ops, y, tensors, f"{block}.depthwise", stride))
    y = _convolve(ops, y, tensors, f"{block}.project", 1)
    same = stride == 1 and list(y.shape) == list(x.shape)
    return ops.add(x, y) if same else y


def _convolve(ops: Any, x: Any, tensors: Tensors, name: str, stride: int) -> Any:
    weight = np.asarray(tensors[f"{name}.weight"], np.float32)
    bias = np.asarray(tensors[f"{name}.bias"], np.float32)[None, :, None, None]
    rest = [stride, stride], [0, 0], [0, 0], [1, 1], "same_upper"
    if weight.shape[1] == 1 and name.endswith("depthwise"):
        y = ops.group_convolution(x, ops.constant(weight[:, None]), *rest)
    else:
        y = ops.convolution(x, ops.constant(weight), *rest)
    return ops.add(y, ops.constant(bias))


def _relu6(ops: Any, x: Any) -> Any:
    return ops.clamp(x, 0.0, 6.0)


def load_openvino() -> Any:
    """Import OpenVINO without its model converter, whose import reports usage to a server.

    The converter is not needed to run a graph; OpenVINO's own `__init__` goes on without it.
    """
    name = "openvino.tools.ovc"
    if "openvino" in sys.modules:
        return sys.modules["openvino"]
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        return importlib.import_module("openvino")
    finally:
        del sys.modules[name]
