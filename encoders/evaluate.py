"""How well a pack finds held-out items: recall at mid-rank, by the engine's own fusion.

Scores are computed from what an index would store (float16 latents, the kept lexicon weights)
and fused by `unify.engine.fusion`, so that a published figure is what users get. It must not
know how heads are trained.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from unify.engine.fusion import Affine, Mode, affine
from unify.engine.types import Calibration, EncodedQuery, Float32, Float64, Int64, SparseRows

Fusion = Callable[[EncodedQuery, Calibration, Mode], Affine]


@dataclass(frozen=True, slots=True)
class Recall:
    """Percent of queries whose right item is ranked 1, in the first 5 and 10; median rank."""

    at_1: float
    at_5: float
    at_10: float
    median: float

    @property
    def mean(self) -> float:
        """Mean of the three percentages: one figure to choose by."""
        return (self.at_1 + self.at_5 + self.at_10) / 3

    def __str__(self) -> str:
        return f"{self.at_1:.1f} | {self.at_5:.1f} | {self.at_10:.1f} | {self.median:g}"


@dataclass(frozen=True, slots=True)
class Scores:
    """Raw scores of every query with every item.

    Attributes:
        queries: the encoded queries.
        latent: (Q, M) float64.
        lexicon: (Q, M) float64.
        right: (Q,) the right item of each query.
        moment_terms: median number of weights of an item.
    """

    queries: Sequence[EncodedQuery]
    latent: Float64
    lexicon: Float64
    right: Int64
    moment_terms: float

    def fused(
        self, calibration: Calibration, mode: Mode = Mode.FUSED, fusion: Fusion = affine
    ) -> Float64:
        """Return (Q, M) scores as a search gives them."""
        maps = [fusion(query, calibration, mode) for query in self.queries]
        scales = np.array([[m.latent_scale, m.lexicon_scale, m.base] for m in maps])
        fused = self.latent * scales[:, :1] + self.lexicon * scales[:, 1:2] + scales[:, 2:]
        return np.asarray(fused, np.float64)

    def recall(
        self, calibration: Calibration, mode: Mode = Mode.FUSED, fusion: Fusion = affine
    ) -> Recall:
        """Return the recall of one mode."""
        return recall(mid_ranks(self.fused(calibration, mode, fusion), self.right))


def score(
    queries: Sequence[EncodedQuery], latents: Float32, lexicon: SparseRows, terms: int, right: Int64
) -> Scores:
    """Score every query with every item.

    Args:
        queries: each with a latent.
        latents: (M, D) unit vectors; rounded to float16, as an index stores them.
        lexicon: M rows.
        terms: V.
        right: (Q,) the right item of each query.
    """
    texts = np.stack([q.latent for q in queries if q.latent is not None])
    stored = latents.astype(np.float16).astype(np.float32)
    columns = np.ascontiguousarray(to_dense(lexicon, terms).T)  # (V, M)
    sparse = np.stack([q.weights @ columns[q.terms] for q in queries])
    return Scores(
        queries,
        (texts @ stored.T).astype(np.float64),
        sparse.astype(np.float64),
        right,
        float(np.median(np.diff(lexicon.indptr))),
    )


def to_dense(rows: SparseRows, terms: int) -> Float32:
    """Return (rows, V) weights."""
    dense = np.zeros((len(rows), terms), np.float32)
    dense[np.repeat(np.arange(len(rows)), np.diff(rows.indptr)), rows.terms] = rows.weights
    return dense


def mid_ranks(scores: Float64, right: Int64) -> Float64:
    """Return the rank of each query's right item; items that tie with it count half.

    >>> mid_ranks(np.array([[3.0, 2.0, 2.0, 1.0], [1.0, 1.0, 1.0, 1.0]]), np.array([1, 0])).tolist()
    [2.5, 2.5]
    """
    own = scores[np.arange(len(right)), right][:, None]
    ahead, ties = (scores > own).sum(axis=1), (scores == own).sum(axis=1) - 1
    return np.asarray(ahead + ties / 2 + 1, np.float64)


def recall(ranks: Float64) -> Recall:
    """Summarise ranks.

    >>> recall(np.array([1.0, 3.0, 7.0, 20.0]))
    Recall(at_1=25.0, at_5=50.0, at_10=75.0, median=5.0)
    """
    first, five, ten = (100 * float((ranks <= k).mean()) for k in (1, 5, 10))
    return Recall(first, five, ten, float(np.median(ranks)))
