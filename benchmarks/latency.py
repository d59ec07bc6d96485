"""How long a query takes: our sides and the whole search, beside other engines in the same run.

    python benchmarks/latency.py [--moments 20000 200000] [--shape topics] [--queries 200]
                                 [--peers all | none | NAME...] [--folder DIR] [--out DIR]
                                 [--lists-alone]

Protocol. The library is synthetic (`library.py`), made under `--folder` when it is not there, and
every engine (`ours.py`, `peers.py`) keeps its index there too. Times are taken as `timing.py` says:
engines in turn at every step, each with another query, one thread each; but `unify hybrid` and its
exact form use the threads that the planner chooses. Times are without the text encoder; an engine
that is more than its search tells its own. A peer that cannot be had, or fails, is listed with the
reason; what our own engines raise ends the run. Peers get at most 200,000 moments. Recall is that
of `truth.py`, of each engine's own side. The floor is the time that memory needs to deliver what
an exact answer must read, postings of 3 bytes and latents of 2 D bytes, at the bandwidth measured
in this run; beside it, the same with the accumulators that our lexicon side clears and looks
through. Batches (`throughput.py`) and memory (`memory.py`) are of our search alone. Where a flat
scan reads more than the memory keeps, it drives out what all others need: `--lists-alone` leaves
out what scans flat.

Writes `latency.json`, `latency.md` and three plots to `--out`, after each size what there is so
far, and the tables to stdout.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from bars import bars
from engines import OURS, Collection, Engine, open_engines, version
from library import Library
from memory import measured
from ours import ENGINES, FLAT
from peers import PEERS
from plots import plot
from report import report
from runs import KS, Row, Run
from synthetic import SEGMENT
from throughput import batches
from timing import PERCENTILES, bandwidth, median_range, on_one_thread, take
from truth import Truth
from workload import SHAPES

from unify.engine.local import open_snapshot

PEER_MOMENTS = 200_000


def measure(
    library: Library, kinds: Sequence[type[Engine]], folder: Path, lists_alone: bool = False
) -> Run:
    """Open all engines and time them; close them whatever happens."""
    ours = [kind for kind in ENGINES if not (lists_alone and kind in FLAT)]
    exactly = (False,) if lists_alone else (False, True)
    started = time.perf_counter()
    backend = open_snapshot(library.index)
    open_s = time.perf_counter() - started
    asked = [int(backend.postings_count(query.terms).sum()) for query in library.queries]
    matched = float(np.mean(asked)) / library.moments
    made = library.truth()
    memory = {
        f"unify hybrid{', exact' * exact}": found
        for exact in exactly
        if (found := measured(library, exact))
    }
    batch = batches(library, exactly)
    collection = cache(lambda: Collection.of(library))
    rows = []
    with ExitStack() as stack:
        opened = open_engines([*ours, *kinds], library, collection, folder)
        for engine in opened.engines:
            stack.callback(engine.close)
        speeds, failed, live = [bandwidth()], dict(opened.failed), list(opened.engines)
        for k in KS:
            timed = take(live, library.queries, k)
            failed |= timed.failed
            live = [engine for engine in live if engine.name not in timed.failed]
            rows += [
                _row(engine, k, timed.times_ms[engine.name], timed.rows[engine.name], made)
                for engine in live
            ]
            speeds.append(bandwidth())
    return Run(
        library.shape, library.moments, len(library.queries), max(speeds), matched, open_s,
        os.getloadavg()[0], tuple(rows), tuple(batch), memory, failed,
    )  # fmt: skip


def _row(engine: Engine, k: int, times_ms: list[float], found: list[Any], made: Truth) -> Row:
    p50, p95, p99 = np.percentile(times_ms, PERCENTILES).tolist()
    return Row(
        engine.name, str(engine.side), version(engine.package), k, p50, median_range(times_ms),
        p95, p99, made[engine.side].recall(found, k), engine.size_bytes, engine.package == OURS,
        len(times_ms),
    )  # fmt: skip


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        model = platform.processor()
    packages = (OURS, "numpy", "numba", "faiss-cpu")
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "versions": {package: version(package) for package in packages},
    }


def write(runs: Sequence[Run], folder: Path) -> None:
    """Write runs as JSON, as markdown and as plots."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "schema": 2,
        "machine": machine(),
        "runs": [
            asdict(run) | {"bars": [asdict(bar) | {"verdict": bar.verdict} for bar in bars(run)]}
            for run in runs
        ],
    }
    (folder / "latency.json").write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    (folder / "latency.md").write_text("\n\n".join(map(report, runs)) + "\n", "utf-8")
    plot(runs, folder)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="Latency beside other engines.")
    parser.add_argument("--moments", type=int, nargs="+", default=[20_000, 200_000])
    parser.add_argument("--shape", choices=SHAPES, default="topics")
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--peers", nargs="+", default=["all"], choices=["all", "none", *PEERS])
    parser.add_argument("--lists-alone", action="store_true", help="leave out flat scans")
    parser.add_argument("--segment", type=int, default=SEGMENT, help="moments of a segment")
    parser.add_argument("--folder", type=Path, default=Path(".bench"))
    parser.add_argument("--out", type=Path, default=Path(".bench/latency"))
    options = parser.parse_args()
    on_one_thread()
    runs: list[Run] = []
    for moments in sorted(options.moments):
        library = Library.at(
            options.folder, options.shape, moments, options.queries, options.segment
        )
        names = PEERS if "all" in options.peers else [n for n in PEERS if n in options.peers]
        kinds = [PEERS[name] for name in names] if moments <= PEER_MOMENTS else []
        runs.append(measure(library, kinds, library.index.with_name("peers"), options.lists_alone))
        sys.stdout.write(report(runs[-1]) + "\n\n")
        sys.stdout.flush()
        write(runs, options.out)


if __name__ == "__main__":
    main()
