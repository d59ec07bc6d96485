"""How well a pack finds items: recall at mid-rank, by the engine's own fusion.

Scores are computed from what an index would store (float16 latents, the kept lexicon weights)
and fused by `unify.engine.fusion`, so that a published figure is what users get. It must not
know how heads are trained, nor where items come from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from unify.encoders.word_forms import STOP_WORDS
from unify.engine.fusion import Affine, Mode, affine
from unify.engine.lexicon import Lexicon, words_of
from unify.engine.types import Calibration, EncodedQuery, Float32, Float64, Int64, SparseRows

Fusion = Callable[[EncodedQuery, Calibration, Mode], Affine]
BLOCK = 512  # queries scored at once: 12 MB a side for 3,000 items


@dataclass(frozen=True, slots=True)
class Recall:
    """Percent of queries whose right item is ranked 1, in the first 5 and 10; median, mean rank."""

    at_1: float
    at_5: float
    at_10: float
    median: float
    mean_rank: float

    @property
    def mean(self) -> float:
        """Mean of the three percentages: one figure to choose by."""
        return (self.at_1 + self.at_5 + self.at_10) / 3

    def __str__(self) -> str:
        return f"{self.at_1:.1f} | {self.at_5:.1f} | {self.at_10:.1f} | {self.median:g}"


@dataclass(frozen=True, slots=True)
class Overlap:
    """What an inverted index makes of the lexicon side.

    Attributes:
        text_terms: mean non-zero weights of a query.
        video_terms: mean non-zero weights of an item.
        multiplications: expected of one query with one item, the sum over terms of
            P(query has it) * P(item has it) (Paria et al. 2020, arXiv:2004.05665, section 3).
        disjoint: queries that share no term with their right item.
    """

    text_terms: float
    video_terms: float
    multiplications: float
    disjoint: int


@dataclass(frozen=True, slots=True)
class Scores:
    """Raw scores of queries with every item.

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


class Gallery:
    """Items as an index stores them, ready to be scored.

    Scores are summed in float64 and rounded to float32: equal items tie wherever they stand.

    Args:
        latents: (M, D) unit vectors; rounded to float16.
        lexicon: M rows.
        terms: V.
    """

    def __init__(self, latents: Float32, lexicon: SparseRows, terms: int) -> None:
        self._latents = latents.astype(np.float16).astype(np.float64).T  # (D, M)
        by_term = np.argsort(lexicon.terms, kind="stable")
        counts = np.diff(lexicon.indptr)
        self._items = np.repeat(np.arange(len(lexicon)), counts)[by_term]
        self._weights = lexicon.weights[by_term].astype(np.float64)
        self._starts = np.searchsorted(lexicon.terms[by_term], np.arange(terms + 1))
        self._moment_terms = float(np.median(counts))

    def __len__(self) -> int:
        return int(self._latents.shape[1])

    def scores(self, queries: Sequence[EncodedQuery], right: Int64) -> Scores:
        """Score queries with every item; a side that a query lacks scores 0."""
        nothing = np.zeros(len(self._latents), np.float32)
        texts = np.stack([nothing if q.latent is None else q.latent for q in queries])
        sparse = np.stack([self._lexicon_scores(query) for query in queries])
        return Scores(
            queries,
            (texts.astype(np.float64) @ self._latents).astype(np.float32).astype(np.float64),
            sparse.astype(np.float32).astype(np.float64),
            right,
            self._moment_terms,
        )

    def blocks(self, queries: Sequence[EncodedQuery], right: Int64) -> Iterator[Scores]:
        """Score queries some at a time."""
        for start in range(0, len(queries), BLOCK):
            part = slice(start, start + BLOCK)
            yield self.scores(queries[part], right[part])

    def _lexicon_scores(self, query: EncodedQuery) -> Float64:
        if not len(query.terms):
            return np.zeros(len(self))
        pairs = zip(query.terms.tolist(), query.weights.tolist(), strict=True)
        spans = [(slice(self._starts[t], self._starts[t + 1]), weight) for t, weight in pairs]
        items = np.concatenate([self._items[span] for span, _ in spans])
        products = np.concatenate([self._weights[span] * weight for span, weight in spans])
        return np.asarray(np.bincount(items, products, len(self)), np.float64)


def score(
    queries: Sequence[EncodedQuery], latents: Float32, lexicon: SparseRows, terms: int, right: Int64
) -> Scores:
    """Score every query with every item at once.

    Args:
        queries: to be scored.
        latents: (M, D) unit vectors; rounded to float16, as an index stores them.
        lexicon: M rows.
        terms: V.
        right: (Q,) the right item of each query.
    """
    return Gallery(latents, lexicon, terms).scores(queries, right)


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
    Recall(at_1=25.0, at_5=50.0, at_10=75.0, median=5.0, mean_rank=7.75)
    """
    first, five, ten = (100 * float((ranks <= k).mean()) for k in (1, 5, 10))
    return Recall(first, five, ten, float(np.median(ranks)), float(ranks.mean()))


def overlap(queries: Sequence[EncodedQuery], rows: SparseRows, terms: int, right: Int64) -> Overlap:
    """Count the terms of queries and items, and how they meet.

    Args:
        queries: to be counted.
        rows: of the M items.
        terms: V.
        right: (Q,) the right item of each query.
    """
    asked = np.bincount(np.concatenate([q.terms for q in queries]), minlength=terms)
    shown = np.bincount(rows.terms, minlength=terms)
    pairs = zip(queries, right.tolist(), strict=True)
    return Overlap(
        text_terms=float(asked.sum() / len(queries)),
        video_terms=float(shown.sum() / len(rows)),
        multiplications=float(asked @ shown / len(queries) / len(rows)),
        disjoint=sum(not np.isin(query.terms, rows.row(item)[0]).any() for query, item in pairs),
    )


def word_coverage(captions: Iterable[str], lexicon: Lexicon) -> float:
    """Return the share of words, stop words left out, that the lexicon has.

    >>> word_coverage(["the dog barks", "a dog"], Lexicon(["dog"]))
    0.6666666666666666
    """
    words = [word for text in captions for word in words_of(text) if word not in STOP_WORDS]
    return sum(lexicon.lookup(word) is not None for word in words) / max(1, len(words))
