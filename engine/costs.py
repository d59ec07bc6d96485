"""What the steps of a plan cost on this machine: measured once, kept in the XDG cache.

The planner only uses costs to choose between ways that give the same answer (score every allowed
row or fetch the best of each side, one thread or more), so two machines never answer differently.
What may change an answer is chosen by counts. Small indexes do not measure: they use `USUAL`.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np

from unify.engine import durable, rescore
from unify.engine.compiled import cache_folder
from unify.engine.postings import WINDOW, Lists, topk

NAME = "costs.json"
VERSION = 2  # of what is measured
REPEATS = 7


@dataclass(frozen=True, slots=True)
class Costs:
    """Nanoseconds on one core.

    Attributes:
        posting: adding one posting to its accumulator.
        row: clearing and scanning one accumulator.
        latent_byte: one byte of a flat scan over latents.
        rescore: scoring one row exactly on both sides, its latent of 512 values.
        call: handing a part of the work to another thread and back.
    """

    posting: float
    row: float
    latent_byte: float
    rescore: float
    call: float


USUAL = Costs(posting=1.0, row=0.1, latent_byte=0.035, rescore=1_500.0, call=50_000.0)


@cache
def machine_costs() -> Costs:
    """Return the costs of this machine, from the cache or measured now (about half a second)."""
    folder = cache_folder()
    if folder is None:
        return measure()
    path = folder / NAME
    machine = {
        "version": VERSION, "processor": _processor(), "cores": os.cpu_count(),
        "numpy": np.__version__,
    }  # fmt: skip
    try:
        record = json.loads(path.read_text("utf-8"))
        if record["machine"] == machine:
            return Costs(**record["costs"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # not there, or not ours: it is measured again
    costs = measure()
    try:
        text = json.dumps({"machine": machine, "costs": asdict(costs)}, indent=1)
        durable.replace_file(path, text.encode())
    except OSError:
        pass  # a cache that cannot be written costs the next process half a second
    return costs


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model n"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def measure() -> Costs:
    """Measure each step on made-up rows with the compiled kernels."""
    rng = np.random.default_rng(0)
    lists = _lists(rng, 4 * WINDOW, 8)
    empty = Lists(lists.postings, lists.size, lists.count, lists.terms[:0], lists.factors[:0])
    scan = _fastest(lambda: topk(empty, None, 100, True))
    full = _fastest(lambda: topk(lists, None, 100, True))
    halved = _fastest(lambda: topk(empty, None, 100, True, threads=2))
    latents = rng.standard_normal((8_192, 512)).astype(np.float16)
    query, rows = rng.standard_normal(512), np.sort(rng.choice(8_192, 500, replace=False))
    exact = _fastest(lambda: rescore.latent_scores(latents, rows, query, True))
    indptr, terms = np.arange(0, 8_193 * 100, 100), np.tile(np.arange(100, dtype=np.uint16), 8_192)
    forward = (indptr, terms, np.ones(len(terms), np.float16))
    asked = rescore.sought(terms[:100:5], np.ones(20, np.float32), 100)
    sparse = _fastest(lambda: rescore.lexicon_scores(forward, rows, asked, True))
    return Costs(
        posting=max(full - scan, 1.0) / len(lists.postings[1]),
        row=scan / lists.count,
        latent_byte=_flat_scan(latents),
        rescore=(exact + sparse) / len(rows),
        call=max(halved - scan / 2, 1_000.0),
    )


def _lists(rng: np.random.Generator, count: int, terms: int) -> Lists:
    """Return postings in which a fifth of the rows hold each of some terms."""
    held = rng.random((count // WINDOW, terms, WINDOW)) < 0.2
    indptr = np.concatenate([[0], np.cumsum(held.sum(axis=2).ravel())]).astype(np.int64)
    ids = np.nonzero(held)[2].astype(np.uint16)
    codes = rng.integers(1, 256, len(ids)).astype(np.uint8)
    factors = np.full(terms, 0.01)
    return Lists((indptr, ids, codes), terms, count, np.arange(terms, dtype=np.uint16), factors)


def _flat_scan(latents: np.ndarray) -> float:
    from unify.engine.latents import load_faiss

    faiss = load_faiss()
    kind = faiss.ScalarQuantizer.QT_fp16
    index = faiss.IndexScalarQuantizer(latents.shape[1], kind, faiss.METRIC_INNER_PRODUCT)
    index.add_sa_codes(latents.view(np.uint8))
    query = latents[:1].astype(np.float32)
    return _fastest(lambda: index.search(query, 100)) / latents.nbytes


def _fastest(call: Callable[[], object]) -> float:
    """Return the least of some runs in nanoseconds, after one that does not count."""
    call()
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter_ns()
        call()
        times.append(time.perf_counter_ns() - started)
    return float(min(times))
