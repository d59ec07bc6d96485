"""The picture tower: RGB frames to features, in OpenVINO, always in float32.

Frames go through one at a time on as many streams as there are processors: fastest on a CPU
(`benchmarks/runtimes.py`), and a frame's feature cannot depend on its neighbours. It must not
know what the features are used for.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np

from unify.engine.types import Float32, UInt8

HINTS = {
    # Some processors would otherwise compute in bfloat16, which gives other vectors.
    "INFERENCE_PRECISION_HINT": "f32",
    "EXECUTION_MODE_HINT": "ACCURACY",
    "PERFORMANCE_HINT": "THROUGHPUT",
}


class VisionTower:
    """An OpenVINO graph with an output named `pooled`.

    Args:
        graph: the `.xml` file; its weights stand beside it as `.bin`.
        height: pixels.
        width: pixels.
    """

    def __init__(self, graph: Path, height: int, width: int) -> None:
        ov = load_openvino()
        core = ov.Core()
        model = core.read_model(graph)
        model.reshape([1, height, width, 3])
        self._compiled = core.compile_model(model, "CPU", HINTS)
        self._pooled = self._compiled.output("pooled")
        self._width = int(self._pooled.shape[1])
        self._queue = ov.AsyncInferQueue(self._compiled)

    def encode(self, frames: UInt8) -> Float32:
        """Encode (F, height, width, 3) uint8 frames to (F, C) float32."""
        out = np.empty((len(frames), self._width), np.float32)

        def keep(request: Any, row: int) -> None:
            out[row] = request.get_tensor(self._pooled).data[0]

        self._queue.set_callback(keep)
        for row, frame in enumerate(frames):
            self._queue.start_async({0: frame[None]}, row)
        self._queue.wait_all()
        return out


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
