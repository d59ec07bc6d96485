"""The truth by brute force, and how much of it an engine finds.

It must not know what an index is, or how an engine works: only which rows it returns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import scipy.sparse
from workload import Block

from unify.engine.fusion import Mode, affine
from unify.engine.types import Calibration, EncodedQuery, Float64, Int64, SparseRows

KEPT = 256  # best rows remembered of a query: more than any k, ties included
TIE = 1e-6


@dataclass(frozen=True, slots=True)
class Best:
    """The best rows of n queries on one side, best first.

    Attributes:
        rows: (n, r) int64, r <= `KEPT`; a row is a moment's place in the order of writing.
        scores: (n, r) float64; -inf for a row that is no answer.
    """

    rows: Int64
    scores: Float64

    def recall(self, found: Sequence[Int64 | None], k: int) -> float:
        """Return the mean share of the k best that was found, ties counted as right.

        A query that has fewer than k answers is judged by those it has, one that has none not at
        all. A row counts once, however often it was returned.

        Args:
            found: rows by query, best first, of which k are looked at; None: not asked.
            k: below `KEPT`.

        Raises:
            ValueError: more rows tie than are remembered, so that nobody knows what is right.
        """
        shares = []
        for rows, best, scores in zip(found, self.rows, self.scores, strict=True):
            wanted = int(np.isfinite(scores[:k]).sum())
            if not wanted or rows is None:
                continue
            least = scores[wanted - 1] - TIE * max(abs(scores[0]), abs(scores[wanted - 1]))
            if len(best) == KEPT and scores[-1] >= least:
                raise ValueError(f"more than {KEPT} rows tie for place {wanted}")
            right = np.intersect1d(rows[:k], best[scores >= least])
            shares.append(min(wanted, len(right)) / wanted)
        return float(np.mean(shares)) if shares else 1.0


Truth: TypeAlias = dict[Mode, Best]


def truth(
    blocks: Iterable[Block],
    queries: Sequence[EncodedQuery],
    calibration: Calibration,
    terms: int,
    modes: Sequence[Mode] = tuple(Mode),
) -> Truth:
    """Score every moment for every query in float64, a block at a time.

    On the lexicon side alone a moment without a term of the query is no answer: engines leave it
    out, and which of them come first says nothing.

    Args:
        blocks: all moments, in order.
        queries: n of them, each with a latent.
        calibration: for the fused scores.
        terms: V.
        modes: sides to rank by.
    """
    latents = np.stack([q.latent for q in queries if q.latent is not None]).astype(np.float64)
    asked = _matrix(queries, terms)
    maps = {mode: [affine(query, calibration, mode) for query in queries] for mode in modes}
    empty = Best(np.zeros((len(queries), 0), np.int64), np.zeros((len(queries), 0)))
    best = dict.fromkeys(modes, empty)
    first = 0
    for block in blocks:
        latent = latents @ block.latents.astype(np.float64).T  # (n, m)
        lexicon = (asked @ csr(block.rows, terms).T).toarray()
        for mode in modes:
            pairs = zip(maps[mode], latent, lexicon, strict=True)
            scores = np.stack([one(lat, lex) for one, lat, lex in pairs])
            if mode is Mode.LEXICON:
                scores[lexicon == 0] = -np.inf
            best[mode] = _merge(best[mode], scores, first)
        first += len(block.rows)
    return best


def _merge(best: Best, scores: Float64, first: int) -> Best:
    """Keep the best of what was kept and of rows `first`, `first + 1`, ..., ties to the lower."""
    new = np.broadcast_to(np.arange(first, first + scores.shape[1]), scores.shape)
    rows = np.concatenate([best.rows, new], axis=1)
    scores = np.concatenate([best.scores, scores], axis=1)
    if rows.shape[1] > KEPT:
        part = np.argpartition(-scores, KEPT, axis=1)[:, :KEPT]
        rows, scores = np.take_along_axis(rows, part, 1), np.take_along_axis(scores, part, 1)
    order = np.lexsort((rows, -scores), axis=1)
    return Best(np.take_along_axis(rows, order, 1), np.take_along_axis(scores, order, 1))


def csr(rows: SparseRows, terms: int) -> scipy.sparse.csr_array:
    """Return rows as a (M, V) float64 matrix."""
    shape = (len(rows), terms)
    columns = rows.terms.astype(np.int32)
    return scipy.sparse.csr_array((rows.weights.astype(np.float64), columns, rows.indptr), shape)


def _matrix(queries: Sequence[EncodedQuery], terms: int) -> scipy.sparse.csr_array:
    counts = [len(query.terms) for query in queries]
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    columns = np.concatenate([query.terms for query in queries])
    return csr(SparseRows(indptr, columns, np.concatenate([q.weights for q in queries])), terms)
