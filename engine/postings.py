"""Top-k over windowed postings: add up one accumulator a window, then select.

A window of 65,536 moments keeps its accumulator (128 KiB) in the L2 cache, which is what makes
adding a posting cost a fraction of a nanosecond instead of two. Two implementations: numba for
large indexes, numpy for small ones, where importing numba costs more than all the scoring. Their
scores are rounded (up to integers, or to float32), and they say by how much an exact score may
be above; whoever wants exact scores computes them from the forward rows. With weights above 0
only a row without a match scores 0.

Compiled, not every posting is read: see `window_topk` in `engine/kernels.py`.
"""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from unify.engine import kernels
from unify.engine.compiled import compiled
from unify.engine.types import Bool, Float32, Float64, Int64, UInt8, UInt16

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

WINDOW = kernels.WINDOW
_MOST_TERMS = 4_096  # more would leave too few units between roundings
_EPS = float(np.finfo(np.float32).eps)

Postings: TypeAlias = tuple[Int64, UInt16, UInt8]  # indptr (windows * V + 1,), ids (N,), codes (N,)


@dataclass(frozen=True, slots=True)
class Best:
    """The best rows of a segment.

    Attributes:
        rows: (n,) int64, best first, ties by row.
        scores: (n,) float32, rounded.
        slack: an exact score is above by at most that.
    """

    rows: Int64
    scores: Float32
    slack: float


@dataclass(frozen=True, slots=True)
class Lists:
    """A segment's postings, as a query reads them.

    Attributes:
        postings: the arrays.
        size: V.
        count: M.
        terms: (Q,) the query's terms.
        factors: (Q,) float64 query weight times the term's scale: a posting adds factor * code.
    """

    postings: Postings
    size: int
    count: int
    terms: UInt16
    factors: Float64

    @property
    def excess(self) -> float:
        """Return by how much codes, which are weights rounded up, may take too much off a score."""
        return float(-np.minimum(self.factors, 0).sum())


def topk(
    lists: Lists, allow: Bool | None, k: int, fast: bool, threads: int = 1, above: float = -np.inf
) -> Best:
    """Return the k best rows of a segment by sparse dot product, rows without a match included.

    Args:
        lists: what to read.
        allow: (M,) rows that may be returned, or None for all.
        k: how many, at least 1.
        fast: use compiled kernels.
        threads: to share the windows, where there are enough.
        above: rows that score no more may be left out.
    """
    k = min(k, lists.count)
    fast = fast and len(lists.terms) <= _MOST_TERMS
    if fast:
        return _topk_compiled(lists, allow, k, threads, float(above))  # compiled for one type
    return _topk_numpy(lists, allow, k)


def _topk_compiled(lists: Lists, allow: Bool | None, k: int, threads: int, above: float) -> Best:
    allowed = np.ones(1, np.bool_) if allow is None else allow
    kernel = compiled(kernels.window_topk)

    def part(begin: int, end: int) -> tuple[Int64, Float32, float]:
        rows, scores = np.empty(k, np.int64), np.empty(k, np.float32)
        found, unit, _ = kernel(
            *lists.postings, lists.size, begin, end, lists.terms, lists.factors, allowed,
            allow is None, above, rows, scores,
        )  # fmt: skip
        return rows[:found], scores[:found], unit

    cuts = _cuts(lists.count, threads)
    if len(cuts) == 1:
        rows, scores, unit = part(*cuts[0])
    else:
        parts = list(pool().map(lambda cut: part(*cut), cuts))
        rows = np.concatenate([rows for rows, _, _ in parts])
        scores, unit = np.concatenate([scores for _, scores, _ in parts]), parts[0][2]
        order = np.lexsort((rows, -scores))[:k]
        rows, scores = rows[order], scores[order]
    return Best(rows, scores, kernels.FULL * _EPS * unit + lists.excess)


def _cuts(count: int, threads: int) -> list[tuple[int, int]]:
    """Split rows at windows into as many nearly equal parts as there are threads."""
    windows = -(-count // WINDOW)
    parts = min(threads, windows)
    edges = [windows * part // parts * WINDOW for part in range(parts + 1)]
    return [(a, min(b, count)) for a, b in itertools.pairwise(edges)]


@cache
def pool() -> ThreadPoolExecutor:
    """Return the threads that kernels run on."""
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(os.cpu_count(), "unify")


os.register_at_fork(after_in_child=pool.cache_clear)  # threads do not survive a fork


def _topk_numpy(lists: Lists, allow: Bool | None, k: int) -> Best:
    indptr, ids, codes = lists.postings
    totals = np.zeros(lists.count)
    terms = lists.terms.astype(np.int64)
    for start in range(0, lists.count, WINDOW):
        at = terms + start // WINDOW * lists.size
        spans = [
            slice(a, b) for a, b in zip(indptr[at].tolist(), indptr[at + 1].tolist(), strict=True)
        ]
        if not spans:
            break
        rows = np.concatenate([ids[span] for span in spans])
        added = np.concatenate(
            [
                codes[span] * factor
                for span, factor in zip(spans, lists.factors.tolist(), strict=True)
            ]
        )
        part = totals[start : start + WINDOW]
        part += np.bincount(rows, added, len(part))
    scores = totals.astype(np.float32)
    rows = np.arange(lists.count) if allow is None else np.flatnonzero(allow)
    rows, scores = best(rows, scores[rows], k)
    slack = 2 * _EPS * 255 * float(np.abs(lists.factors).sum())
    return Best(rows, scores, slack + lists.excess)


def best(ids: Int64, scores: Float32, k: int) -> tuple[Int64, Float32]:
    """Select the k best of ascending ids, ties to the lower id, best first."""
    if k < len(ids):
        least = np.partition(scores, -k)[-k]
        above, ties = np.flatnonzero(scores > least), np.flatnonzero(scores == least)
        kept = np.concatenate([above, ties[: k - len(above)]])  # of many zeros, few are sorted
        ids, scores = ids[kept], scores[kept]
    order = np.argsort(-scores, kind="stable")[:k]
    return ids[order].astype(np.int64), scores[order]
