"""How times are taken: every engine at every step, each with another query, in a drawn order.

It must not know which engines there are, or what becomes of the figures.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from engines import OURS, Engine, reason

from unify.engine.types import EncodedQuery, Float64

WARM_UP = 20  # steps
MOST_S = 120.0  # of one engine, whose later queries are then left out
SEED = 2024
PERCENTILES = (50, 95, 99)
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"), "1"
)


def on_one_thread() -> None:
    """Start the script anew with one thread a library, which read this when they are loaded."""
    if not ONE_THREAD.items() <= os.environ.items():
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | ONE_THREAD)


@dataclass(frozen=True, slots=True)
class Timed:
    """What engines took and found, by name.

    Attributes:
        times_ms: of each query.
        rows: found, by query; None for one that was not asked.
        failed: why an engine gave up; it is in neither of the others.
    """

    times_ms: dict[str, list[float]] = field(default_factory=dict)
    rows: dict[str, list[Any]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def take(engines: Sequence[Engine], queries: Sequence[EncodedQuery], k: int) -> Timed:
    """Time engines together, and those by themselves that would disturb the others."""
    together = [engine for engine in engines if not engine.apart]
    timed = interleave(together, queries, k)
    for engine in engines:
        if engine.apart:
            alone = interleave([engine], queries, k)
            timed.times_ms.update(alone.times_ms)
            timed.rows.update(alone.rows)
            timed.failed.update(alone.failed)
    return timed


def interleave(engines: Sequence[Engine], queries: Sequence[EncodedQuery], k: int) -> Timed:
    """Ask every engine every query once, after a warm-up.

    At each step every engine gets one query, so that noise of the machine falls on all alike. No
    two get the same one, since the second might find in a cache what the first has read; and the
    order is drawn anew, so that none always follows the same other. An engine that has taken
    `MOST_S` seconds is asked no more: it would hold up the others for hours.

    Raises:
        Exception: what one of our own engines raises; a peer that fails is left out.
    """
    timed, rng, count = Timed(), np.random.default_rng(SEED), len(queries)
    apart = max(1, count // max(1, len(engines)))
    left_s = {engine.name: MOST_S for engine in engines}
    for engine in engines:
        timed.times_ms[engine.name] = []
        timed.rows[engine.name] = [None] * count
    for step in range(-min(WARM_UP, count), count):
        for place in rng.permutation(len(engines)).tolist():
            engine, at = engines[place], (step + place * apart) % count
            if engine.name in timed.failed or left_s[engine.name] < 0:
                continue
            started = time.perf_counter()
            try:
                elapsed_ms, rows = _ask(engine, queries[at], at, k)
            except Exception as error:  # a peer fails in ways of its own
                if engine.package == OURS:
                    raise
                timed.failed[engine.name] = reason(error)
                del timed.times_ms[engine.name], timed.rows[engine.name]
                continue
            left_s[engine.name] -= time.perf_counter() - started
            if step >= 0 or left_s[engine.name] < 0:
                timed.times_ms[engine.name].append(elapsed_ms)
                timed.rows[engine.name][at] = rows
    return timed


def _ask(engine: Engine, query: EncodedQuery, number: int, k: int) -> tuple[float, Any]:
    prepared = engine.prepare(query, f"q{number}", k)
    started = time.perf_counter()
    answer = engine.search(prepared, k)
    elapsed_ms = 1000 * (time.perf_counter() - started)
    return elapsed_ms if answer.own_ms is None else answer.own_ms, answer.rows


def median_range(times_ms: Sequence[float]) -> tuple[float, float]:
    """Return between which times the median lies, at 95 %: the order statistics around it.

    https://en.wikipedia.org/wiki/Median#Nonparametric_confidence_interval, without any assumption
    on how times are distributed. With fewer than six, the least and the greatest.
    """
    ordered: Float64 = np.sort(times_ms)
    half = 0.98 * np.sqrt(len(ordered))
    low = max(0, int(np.floor(len(ordered) / 2 - half)))
    high = min(len(ordered) - 1, int(np.ceil(len(ordered) / 2 + half)))
    return float(ordered[low]), float(ordered[high])


def bandwidth() -> float:
    """Return what one thread reads, in bytes a second: the best of five dot products of 256 MB."""
    values = np.ones(1 << 26, np.float32)
    best = np.inf
    for _ in range(5):
        started = time.perf_counter()
        np.dot(values, values)
        best = min(best, time.perf_counter() - started)
    return float(values.nbytes / best)
