"""How long a query takes: our sides and the whole search, beside other engines in the same run.

    python benchmarks/latency.py [--moments 20000 200000] [--shape topics] [--queries 200]
                                 [--peers all | none | NAME...] [--folder DIR] [--out DIR]

Protocol. The library is synthetic (`synthetic.py`), made under `--folder` when it is not there, and
every engine (`engines.py`, `peers.py`) keeps its index there too. After a warm-up, each query is
put to every engine before the next query comes, in an order that turns by one each time: noise of
the machine falls on all alike, so ratios inside a run are worth more than its milliseconds. One
thread each, but for those that our planner chooses for a whole search. Times are without the text
encoder; an engine in another process tells its own. A peer that cannot be had is listed with the
reason. Peers get at most 200,000 moments. Recall is that of `recall.py`, of each engine's own side.
The floor is the time that memory needs to deliver what an exact answer must read, postings of 3
bytes and latents of 2 D bytes, at the bandwidth measured in this run.

Writes `latency.json`, `latency.md` and three plots to `--out`, and the tables to stdout.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from engines import OURS, Collection, Engine, open_engines, version
from peers import PEERS
from recall import KS, Library, Truth
from synthetic import DIM, SEGMENT, SHAPES

from unify.engine.local import open_snapshot

PEER_MOMENTS = 200_000
LARGE = 10_000_000
WARM_UP = 20
POSTING_BYTES, LATENT_BYTES = 3, 2 * DIM
PERCENTILES = (50, 95, 99)
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"), "1"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One engine at one k.

    Attributes:
        engine: its name.
        side: what it ranks by.
        version: of its package.
        k: how many rows were asked for.
        p50: milliseconds.
        p95: milliseconds.
        p99: milliseconds.
        recall: of the truth, at k.
        size_bytes: of its index.
        floor_ms: what memory alone needs; 0 where no floor was worked out.
    """

    engine: str
    side: str
    version: str
    k: int
    p50: float
    p95: float
    p99: float
    recall: float
    size_bytes: int
    floor_ms: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the design: `value` must not be above `limit`, or is not known."""

    name: str
    value: float | None
    limit: float

    @property
    def verdict(self) -> str:
        """Pass, miss, or no peer."""
        if self.value is None:
            return "no peer"
        return "pass" if self.value <= self.limit else "MISS"


@dataclass(frozen=True, slots=True)
class Run:
    """All rows of one library.

    Attributes:
        shape: of the library.
        moments: in it.
        queries: asked.
        bandwidth: of one thread, bytes a second.
        matched: postings that a query matches, for each moment.
        open_s: seconds until the index can be searched.
        rows: by engine and k.
        failed: why a peer is missing.
    """

    shape: str
    moments: int
    queries: int
    bandwidth: float
    matched: float
    open_s: float
    rows: tuple[Row, ...]
    failed: dict[str, str]

    def row(self, engine: str, k: int) -> Row | None:
        """Return one row, None when the engine was not there."""
        return next((row for row in self.rows if (row.engine, row.k) == (engine, k)), None)


def bandwidth() -> float:
    """Return what one thread reads, in bytes a second: the best of five dot products of 256 MB."""
    values = np.ones(1 << 26, np.float32)
    best = np.inf
    for _ in range(5):
        started = time.perf_counter()
        np.dot(values, values)
        best = min(best, time.perf_counter() - started)
    return float(values.nbytes / best)


def interleave(
    engines: Sequence[Engine], library: Library, k: int
) -> tuple[dict[str, list[float]], dict[str, list[Any]]]:
    """Put every query to every engine in turn; return milliseconds and rows by engine."""
    times: dict[str, list[float]] = {engine.name: [] for engine in engines}
    found: dict[str, list[Any]] = {engine.name: [] for engine in engines}
    queries = library.queries
    for at in range(-min(WARM_UP, len(queries)), len(queries)):
        turn = at % len(engines)
        for engine in [*engines[turn:], *engines[:turn]]:
            prepared = engine.prepare(queries[at], f"q{at % len(queries)}", k)
            started = time.perf_counter()
            answer = engine.search(prepared, k)
            elapsed = 1000 * (time.perf_counter() - started)
            if at >= 0:
                times[engine.name].append(elapsed if answer.own_ms is None else answer.own_ms)
                found[engine.name].append(answer.rows)
    return times, found


def floors(run_matched: float, moments: int, speed: float) -> dict[str, float]:
    """Return milliseconds of reading by side."""
    lexicon = 1000 * run_matched * moments * POSTING_BYTES / speed
    latent = 1000 * moments * LATENT_BYTES / speed
    return {"lexicon": lexicon, "latent": latent, "fused": lexicon + latent}


def measure(library: Library, shape: str, kinds: Sequence[type[Engine]], folder: Path) -> Run:
    """Open all engines and time them."""
    started = time.perf_counter()
    backend = open_snapshot(library.index)
    open_s = time.perf_counter() - started
    asked = [int(backend.postings_count(query.terms).sum()) for query in library.queries]
    matched = float(np.mean(asked)) / library.moments
    made: Truth = library.truth()
    collection = cache(lambda: Collection.of(library))
    opened = open_engines([*OURS, *kinds], library, collection, folder)
    speed = bandwidth()
    floor = floors(matched, library.moments, speed)
    rows = []
    for k in KS:
        times, found = interleave(opened.engines, library, k)
        for engine in opened.engines:
            p50, p95, p99 = np.percentile(times[engine.name], PERCENTILES).tolist()
            ours = isinstance(engine, OURS)
            rows.append(
                Row(
                    engine.name, str(engine.side), version(engine.package), k, p50, p95, p99,
                    made[engine.side].recall(found[engine.name], k), engine.size_bytes,
                    floor[str(engine.side)] if ours else 0.0,
                )
            )  # fmt: skip
    return Run(
        shape, library.moments, len(library.queries), speed, matched, open_s, tuple(rows),
        opened.failed,
    )  # fmt: skip


def bars(run: Run) -> list[Bar]:
    """Return the design's bars, as ratios in this run: rows against rows."""
    found = [_ratio(run, "unify lexicon", "lucene impact", k, 1 / 5) for k in KS]
    found += _seismic_bars(run)
    for k in KS:
        hybrid, lexicon = run.row("unify hybrid, rows", k), run.row("unify lexicon", k)
        sides = ("unify latent", "unify latent, exact")
        latent = min(row.p50 for row in (run.row(side, k) for side in sides) if row)
        value = hybrid.p50 / (1.2 * (latent + lexicon.p50) + 0.3) if hybrid and lexicon else None
        found.append(
            Bar(f"unify hybrid, rows / (1.2 x both sides alone + 0.3 ms), k={k}", value, 1.0)
        )
    for peer, limit in (("qdrant-edge hybrid", 1 / 2), ("milvus-lite hybrid", 1 / 20)):
        found.append(_ratio(run, "unify hybrid, rows", peer, 10, limit))
        ours, theirs = run.row("unify hybrid, rows", 10), run.row(peer, 10)
        value = theirs.recall - ours.recall if ours and theirs else None
        found.append(Bar(f"recall@10 of {peer} above ours", value, 0.0))
    hybrid = run.row("unify hybrid", 10)
    if run.moments >= LARGE and hybrid:
        found += [
            Bar("hybrid p50, ms", hybrid.p50, 30.0),
            Bar("share of the fused top 10 not found", 1 - hybrid.recall, 0.02),
            Bar("opening, s", run.open_s, 1.0),
        ]
    return found


def _ratio(run: Run, ours: str, theirs: str, k: int, limit: float) -> Bar:
    one, other = run.row(ours, k), run.row(theirs, k)
    value = one.p50 / other.p50 if one and other else None
    return Bar(f"{ours} / {theirs}, p50, k={k}", value, limit)


def _seismic_bars(run: Run) -> list[Bar]:
    """Compare with the fastest Seismic that finds 99 %."""
    ours = run.row("unify lexicon", 100)
    all_of = [row for row in run.rows if row.engine.startswith("seismic") and row.k == 100]
    good = [row.p50 for row in all_of if row.recall >= 0.99]
    speed = ours.p50 / min(good) if ours and good else None
    size = ours.size_bytes / all_of[0].size_bytes if ours and all_of else None
    return [
        Bar("unify lexicon / seismic at recall >= .99, p50, k=100", speed, 1.0),
        Bar("unify lexicon / seismic, bytes", size, 1 / 5),
    ]


def report(run: Run) -> str:
    """Return a run as markdown."""
    lines = [
        f"**{run.moments:,} moments, shape {run.shape}**, {run.queries} queries, "
        f"{run.matched:.2f} matched postings for each moment and query; opened in "
        f"{run.open_s:.3f} s; one thread reads {run.bandwidth / 1e9:.1f} GB/s",
        "",
        "| engine | side | k | p50 ms | p95 | p99 | recall@k | bytes a moment | p50 / floor |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in run.rows:
        floor = f"{row.p50 / row.floor_ms:.1f}" if row.floor_ms else ""
        lines.append(
            f"| {row.engine} {row.version} | {row.side} | {row.k} | {row.p50:.3f} | {row.p95:.3f} "
            f"| {row.p99:.3f} | {row.recall:.4f} | {row.size_bytes / run.moments:,.0f} | {floor} |"
        )
    lines += ["", "| bar | value | at most | |", "|---|---|---|---|"]
    for bar in bars(run):
        value = "" if bar.value is None else f"{bar.value:.3f}"
        lines.append(f"| {bar.name} | {value} | {bar.limit:.3f} | {bar.verdict} |")
    lines += ["", *(f"- not measured: {name}: {why}" for name, why in run.failed.items())]
    return "\n".join(lines)


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        model = platform.processor()
    packages = ("unify-search", "numpy", "numba", "faiss-cpu")
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()],
        "platform": platform.platform(),
        "python": platform.python_version(),
        "versions": {package: version(package) for package in packages},
    }


def plot(runs: Sequence[Run], folder: Path) -> None:
    """Draw recall against latency, latency against size, and bytes a moment."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    last, names = runs[-1], list(dict.fromkeys(row.engine for run in runs for row in run.rows))
    figure, axes = pyplot.subplots(1, len(KS), figsize=(11, 4.5), sharey=True)
    for axis, k in zip(axes, KS, strict=True):
        for row in (row for row in last.rows if row.k == k):
            axis.plot(row.p50, row.recall, "o", label=row.engine)
        axis.set(xscale="log", xlabel="p50, ms", title=f"k={k}, {last.moments:,} moments")
    axes[0].set_ylabel("recall")
    axes[-1].legend(fontsize="x-small")
    _save(figure, folder / "recall.png")
    figure, axis = pyplot.subplots(figsize=(6, 4.5))
    for name in names:
        found = [(run.moments, run.row(name, KS[0])) for run in runs]
        points = [(moments, row.p50) for moments, row in found if row]
        axis.plot(*zip(*points, strict=True), "o-", label=name)
    axis.set(xscale="log", yscale="log", xlabel="moments", ylabel=f"p50, ms, k={KS[0]}")
    axis.legend(fontsize="x-small")
    _save(figure, folder / "size.png")
    figure, axis = pyplot.subplots(figsize=(6, 4.5))
    held = {row.engine: row.size_bytes / last.moments for row in last.rows}
    axis.barh(list(held), list(held.values()))
    axis.set(xlabel=f"bytes a moment, {last.moments:,} moments")
    _save(figure, folder / "bytes.png")
    pyplot.close("all")


def _save(figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="Latency beside other engines.")
    parser.add_argument("--moments", type=int, nargs="+", default=[20_000, 200_000])
    parser.add_argument("--shape", choices=SHAPES, default="topics")
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--peers", nargs="+", default=["all"], choices=["all", "none", *PEERS])
    parser.add_argument("--segment", type=int, default=SEGMENT, help="moments of a segment")
    parser.add_argument("--folder", type=Path, default=Path(".bench"))
    parser.add_argument("--out", type=Path, default=Path(".bench/latency"))
    options = parser.parse_args()
    if not ONE_THREAD.items() <= os.environ.items():  # libraries read this when they are loaded
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | ONE_THREAD)
    runs = []
    for moments in sorted(options.moments):
        library = Library.at(
            options.folder, options.shape, moments, options.queries, options.segment
        )
        names = PEERS if options.peers == ["all"] else [n for n in options.peers if n in PEERS]
        kinds = [PEERS[name] for name in names] if moments <= PEER_MOMENTS else []
        runs.append(measure(library, options.shape, kinds, library.index.with_name("peers")))
        sys.stdout.write(report(runs[-1]) + "\n\n")
        sys.stdout.flush()
    options.out.mkdir(parents=True, exist_ok=True)
    content = {
        "schema": 1,
        "machine": machine(),
        "runs": [
            asdict(run) | {"bars": [asdict(bar) | {"verdict": bar.verdict} for bar in bars(run)]}
            for run in runs
        ],
    }
    (options.out / "latency.json").write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    (options.out / "latency.md").write_text("\n\n".join(map(report, runs)) + "\n", "utf-8")
    plot(runs, options.out)


if __name__ == "__main__":
    main()
