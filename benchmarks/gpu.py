"""What a GPU gives: flat search over latents, a whole engine's search, and encoding of frames.

    python benchmarks/gpu.py [--sizes N ...] [--folder DIR]

Protocol: unit vectors drawn at random, D = 512, stored as the index stores them. `FlatLatents`
searches them on the GPU (float32 there) and with FAISS on one thread of the CPU, the 10 and 100
best, one query at a time in turns, warm, and 256 queries at once; p50 of 50. `floor` is the bytes
on the GPU over its bandwidth as a copy of 4 GiB shows it (bytes read and written). `same` is the
share of the CPU's 100 best that the GPU finds, `worst` its largest error against float64.
Encoding: a CLIP of the size of ViT-B/32 with random weights, frames of 224 x 224 already on the
host, in batches of `unify.encoders.hf`, float32 as shipped.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from unify.engine.latents import FlatLatents, gpu, map_flat, write_flat

DIM, BLOCK, QUERIES = 512, 500_000, 50
HEADER = (
    "| vectors | best | GPU p50 ms | CPU p50 ms | ratio | floor ms "
    "| 256 at once, ms each | same | worst |"
)


def main() -> None:
    """Print one table a part."""
    parser = argparse.ArgumentParser(description="What a GPU gives.")
    parser.add_argument("--sizes", type=int, nargs="*", default=[200_000, 2_000_000])
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    options = parser.parse_args()
    if gpu() is None or not torch.cuda.is_available():
        raise SystemExit("FAISS or torch sees no GPU here: pip install 'unify-search[gpu,hf]'")
    bandwidth = _bandwidth()
    _say(f"{torch.cuda.get_device_name()}, {bandwidth / 1e12:.2f} TB/s, torch {torch.__version__}")
    _say(HEADER + "\n" + "|---" * HEADER.count(" |") + "|")
    for size in options.sizes:
        _search(size, options.folder, bandwidth)
    _encode()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _bandwidth() -> float:
    source = torch.ones(2**30, device="cuda")
    target = torch.empty_like(source)
    seconds = _seconds(lambda: (target.copy_(source), torch.cuda.synchronize()))
    return 2 * source.nbytes / seconds


def _seconds(call: Callable[[], object], runs: int = 9) -> float:
    call()
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def _drawn(size: int) -> Iterator[np.ndarray]:
    torch.manual_seed(0)
    for start in range(0, size, BLOCK):
        rows = torch.randn(min(BLOCK, size - start), DIM, device="cuda")
        yield torch.nn.functional.normalize(rows).half().cpu().numpy()


def _search(size: int, folder: Path, bandwidth: float) -> None:
    path = folder / f"flat-{size}"
    write_flat(path, _drawn(size), size, DIM)
    torch.cuda.empty_cache()
    started = time.perf_counter()
    flat = FlatLatents(path, size, DIM)
    _say(f"copied to the GPU in {time.perf_counter() - started:.1f} s")
    stored = map_flat(path, size, DIM)
    queries = next(_drawn(256)).astype(np.float32)
    for k in (10, 100):
        times: dict[str, list[float]] = {"gpu": [], "cpu": []}
        same, worst = [], 0.0
        for query in queries[: QUERIES if size < 5_000_000 else 12]:
            started = time.perf_counter()
            rows, scores = flat.topk_on_gpu(query[None], k)[0]
            times["gpu"].append(time.perf_counter() - started)
            started = time.perf_counter()
            own, _ = flat.topk_on_cpu(query, k)
            times["cpu"].append(time.perf_counter() - started)
            same.append(len(set(rows) & set(own)) / k)
            exact = stored[rows].astype(np.float64) @ query.astype(np.float64)
            worst = max(worst, float(np.abs(exact - scores).max()))
        batch = _seconds(lambda k=k: flat.topk_on_gpu(queries, k), 3) / len(queries)
        one, other = (1e3 * statistics.median(times[name]) for name in ("gpu", "cpu"))
        _say(
            f"| {size:,} | {k} | {one:.2f} | {other:.2f} | {other / one:.1f} "
            f"| {4e3 * size * DIM / bandwidth:.2f} | {1e3 * batch:.3f} "
            f"| {statistics.mean(same):.4f} | {worst:.1e} |"
        )
    path.unlink()


def _encode() -> None:
    import transformers

    from unify.encoders.hf import FRAME_BATCH

    torch.manual_seed(0)
    model = transformers.CLIPModel(transformers.CLIPConfig()).eval()
    frames = torch.rand(FRAME_BATCH, 3, 224, 224)
    for device, runs in (("cuda", 9), ("cpu", 3)):
        model.to(device)

        def encode(device: str = device) -> object:
            with torch.inference_mode():
                out = model.get_image_features(pixel_values=frames.to(device))
                return getattr(out, "pooler_output", out).cpu()

        seconds = _seconds(encode, runs)
        _say(f"ViT-B/32, {device}: {FRAME_BATCH / seconds:,.0f} frames a second")


if __name__ == "__main__":
    main()
