"""What a run of the latency benchmark found: rows by engine, and what they are judged against."""

from __future__ import annotations

from dataclasses import dataclass

from memory import Memory
from throughput import Batch
from workload import DIM

KS = (10, 100)
POSTING_BYTES, LATENT_BYTES = 3, 2 * DIM
CLEARED_BYTES = 2 * 2  # accumulators of 16 bits, cleared once and looked through once


@dataclass(frozen=True, slots=True)
class Row:
    """One engine at one k.

    Attributes:
        engine: its name.
        side: what it ranks by.
        version: of its package.
        k: how many rows were asked for.
        p50: milliseconds.
        p50_range: between which the median lies, at 95 %.
        p95: milliseconds.
        p99: milliseconds.
        recall: of the truth, at k.
        size_bytes: of its index.
        ours: whether it is one of our own.
        asked: queries; a slow engine is asked fewer.
    """

    engine: str
    side: str
    version: str
    k: int
    p50: float
    p50_range: tuple[float, float]
    p95: float
    p99: float
    recall: float
    size_bytes: int
    ours: bool
    asked: int


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
        load: of the machine in the minute before the last query, processes that want to run.
        rows: by engine and k.
        batches: a batch against one by one.
        memory: of a process that searches, by `hybrid` and `hybrid, exact`.
        failed: why a peer is missing.
    """

    shape: str
    moments: int
    queries: int
    bandwidth: float
    matched: float
    open_s: float
    load: float
    rows: tuple[Row, ...]
    batches: tuple[Batch, ...]
    memory: dict[str, Memory]
    failed: dict[str, str]

    def row(self, engine: str, k: int) -> Row | None:
        """Return one row, None when the engine was not there."""
        return next((row for row in self.rows if (row.engine, row.k) == (engine, k)), None)

    def read_bytes(self, side: str) -> float:
        """Return what an exact answer must read: the floor, in bytes."""
        lexicon = self.matched * self.moments * POSTING_BYTES
        latent = self.moments * LATENT_BYTES
        return {"lexicon": lexicon, "latent": latent, "fused": lexicon + latent}[side]

    def cleared_bytes(self, side: str) -> float:
        """Return what our lexicon side clears and looks through besides: its accumulators."""
        return 0.0 if side == "latent" else float(self.moments * CLEARED_BYTES)

    def floor_ms(self, side: str, cleared: bool) -> float:
        """Return the milliseconds that memory needs for it, with the accumulators or without."""
        read = self.read_bytes(side) + (self.cleared_bytes(side) if cleared else 0.0)
        return 1000 * read / self.bandwidth
