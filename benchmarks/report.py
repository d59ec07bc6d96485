"""Runs as markdown."""

from __future__ import annotations

from collections.abc import Iterator

from bars import bars
from runs import Row, Run

HEADER = (
    "| engine | side | k | p50 ms (95 %) | p95 | p99 | recall@k | bytes a moment | p50 / floor "
    "| with accumulators |"
)


def report(run: Run) -> str:
    """Return a run."""
    parts = [_head(run), _rows(run), _batches(run), _memory(run), _bars(run), _failed(run)]
    return "\n\n".join("\n".join(lines) for lines in map(list, parts) if lines)


def _head(run: Run) -> Iterator[str]:
    read, cleared = run.read_bytes, run.cleared_bytes("lexicon")
    yield (
        f"**{run.moments:,} moments, shape {run.shape}**, {run.queries} queries, "
        f"{run.matched:.2f} matched postings for each moment and query; opened in "
        f"{run.open_s:.3f} s; one thread reads {run.bandwidth / 1e9:.1f} GB/s; load "
        f"{run.load:.1f}. Floor: an exact answer must read {read('lexicon') / 1e6:.2f} MB of "
        f"postings and {read('latent') / 1e6:.1f} MB of latents; our lexicon side clears and looks "
        f"through {cleared / 1e6:.2f} MB of accumulators besides."
    )


def _rows(run: Run) -> Iterator[str]:
    yield HEADER
    yield "|---" * (HEADER.count("|") - 1) + "|"
    for row in run.rows:
        low, high = row.p50_range
        cells = (
            f"{row.engine} {row.version}", row.side, str(row.k),
            f"{row.p50:.3f} ({low:.3f}–{high:.3f})", f"{row.p95:.3f}", f"{row.p99:.3f}",
            f"{row.recall:.4f}", f"{row.size_bytes / run.moments:,.0f}", *_floors(run, row),
        )  # fmt: skip
        yield f"| {' | '.join(cells)} |"


def _floors(run: Run, row: Row) -> list[str]:
    """Return times the floor, for our own engines alone: what it counts is ours."""
    if not row.ours:
        return ["", ""]
    return [f"{row.p50 / run.floor_ms(row.side, cleared):.1f}" for cleared in (False, True)]


def _batches(run: Run) -> Iterator[str]:
    if run.batches:
        yield "| queries a second, k=10 | one by one | as a batch | times | same rows |"
        yield "|---|---|---|---|---|"
    for batch in run.batches:
        name = "unify hybrid, exact" if batch.exact else "unify hybrid"
        times = batch.many_s / batch.one_s
        yield (
            f"| {name} | {batch.one_s:,.0f} | {batch.many_s:,.0f} | {times:.2f} "
            f"| {batch.same:.1%} |"
        )


def _memory(run: Run) -> Iterator[str]:
    if run.memory:
        yield "| MB of a process that searches | before opening | peak | of its own |"
        yield "|---|---|---|---|"
    for name, memory in run.memory.items():
        sizes = (memory.imported, memory.peak, memory.anonymous)
        yield f"| {name} | {' | '.join(f'{size / 1e6:,.0f}' for size in sizes)} |"


def _bars(run: Run) -> Iterator[str]:
    yield "| bar | value | at most | |"
    yield "|---|---|---|---|"
    for bar in bars(run):
        value, limit = ("" if x is None else f"{x:.3f}" for x in (bar.value, bar.limit))
        yield f"| {bar.name} | {value} | {limit} | {bar.verdict} |"


def _failed(run: Run) -> Iterator[str]:
    for row in run.rows:
        if row.asked < run.queries:
            yield f"- too slow for all queries: {row.engine}, k={row.k}: asked {row.asked}"
    for name, why in run.failed.items():
        yield f"- not measured: {name}: {why}"
