"""One flat scan over latents for many queries: each block of rows is read and widened once.

A single query reads every byte for one product each, so memory sets its pace; a batch does all its
products with a block while it lies in the cache, as one matrix product. Exact, like the flat scan
of one query: sums are float32, and whoever fetches rescores.
"""

from __future__ import annotations

import numpy as np

from unify.engine import exact_kernels
from unify.engine.compiled import compiled
from unify.engine.postings import best
from unify.engine.types import Bool, Float16, Float32, Int64

BLOCK = 8_192  # rows: 16 MiB of float32 at D = 512


def shared_topk(
    latents: Float16, queries: Float32, k: int, allow: Bool | None, fast: bool
) -> list[tuple[Int64, Float32]]:
    """Return each query's k best rows and their scores, best first, ties by row.

    Args:
        latents: (M, D) float16.
        queries: (B, D).
        k: how many, at least 1.
        allow: (M,) rows that may be returned, or None for all.
        fast: use compiled kernels.
    """
    kept = [_Kept(k) for _ in queries]
    block = np.empty((min(BLOCK, len(latents)), latents.shape[1]), np.float32)
    for start in range(0, len(latents), BLOCK):
        part = latents[start : start + BLOCK]
        wide = block[: len(part)]
        if fast:
            compiled(exact_kernels.widen)(part.view(np.uint16), wide)
        else:
            wide[:] = part
        products = queries @ wide.T  # (B, rows)
        rows = np.arange(len(part)) if allow is None else np.flatnonzero(allow[start:][: len(part)])
        if allow is not None:
            products = np.ascontiguousarray(products[:, rows])
        for own, scores in zip(kept, products, strict=True):
            own.add(rows + start, scores)
    return [own.finish() for own in kept]


class _Kept:
    """The best rows of one query so far."""

    def __init__(self, k: int) -> None:
        self._k = k
        self._rows: list[Int64] = []
        self._scores: list[Float32] = []
        self._pending = 0
        self._least = np.float32(-np.inf)  # rows come in ascending order, so a tie with it loses

    def add(self, rows: Int64, scores: Float32) -> None:
        above = np.flatnonzero(scores > self._least)
        self._rows.append(rows[above])
        self._scores.append(scores[above])
        self._pending += len(above)
        if self._pending >= 4 * self._k:
            self._shrink()

    def _shrink(self) -> None:
        rows, scores = best(np.concatenate(self._rows), np.concatenate(self._scores), self._k)
        ascending = np.argsort(rows)
        self._rows, self._scores = [rows[ascending]], [scores[ascending]]
        self._pending = len(rows)
        if len(rows) == self._k:
            self._least = scores[-1]

    def finish(self) -> tuple[Int64, Float32]:
        return best(np.concatenate(self._rows), np.concatenate(self._scores), self._k)
