"""A synthetic library's moments and queries, for what no real collection is large enough to show.

IT IS SYNTHETIC: latency, memory and size can be read from it, how well a model finds cannot. A
moment draws two of 1,000 topics. Its latent is the sum of their centres, of noise in the 64
directions that all moments share, and of a little isotropic noise. Its terms are drawn from the
topics' own lists of 200 (the first ones most often) and from a background that falls off as a
shifted Zipf law; the rest of a shape is a head of terms that are drawn for each moment by itself.
Weights are log-normal, larger for rare terms and for those of a topic. A query draws one topic and
does the same, so that sides agree on what is near. Moments stand in random order: a real library,
whose videos keep to their topics, is kinder to engines that skip blocks.

    topics  the workload of the design: 101 terms a moment, 19 a query, 0.49 matched postings for
            each moment and query, 0.29 of the moments hold the most frequent term
    heavy   the same with a head of 32 terms that a third to two thirds of all moments hold, of
            which a query holds six, with small weights: what learned expansion does to words such
            as "video" or "person". Matched postings are 3.6, 7.5 times as many. How heavy real
            heads are differs from model to model: this is a stress, not a measurement
    mini    what the shipped pack gives to 111 real clips and their captions, measured by
            `unify eval FOLDER` (terms a video 126.8, terms a text 64.0, multiplications a pair
            22.0): a head of 200 terms, the first of which 84 % of all moments hold

Everything follows from shape and seed: a block of 8,192 moments is made alone, from its number,
and so is a query. So the same values that were written can be made again to score by brute force.
It must not know how they are stored (`synthetic.py`) or what is measured on them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from unify.engine.types import EncodedQuery, Float32, Float64, Int64, SparseRows, UInt16

BLOCK = 8_192  # moments
TOPICS, TOPIC_TERMS, DIM, SHARED = 1_000, 200, 512, 64
KEPT = 0.8  # share of the draws that are made, so that rows differ in length
TABLE = 1 << 20  # resolution of a drawn distribution


@dataclass(frozen=True, slots=True)
class Shape:
    """How many terms, and how they meet. Draws are more than terms: some come twice.

    Attributes:
        name: of the shape.
        terms: V.
        exponent: of the background's Zipf law.
        shift: added to a term's rank in it.
        moment: draws of a moment from its topics and from the background.
        query: the same of a query.
        head: terms that are drawn each by itself.
        held: share of the moments that hold the first and the last term of the head.
        asked: share of the queries that hold a term of the head.
    """

    name: str
    terms: int
    exponent: float
    shift: float
    moment: tuple[int, int]
    query: tuple[int, int]
    head: int = 0
    held: tuple[float, float] = (0.0, 0.0)
    asked: float = 0.0


SHAPES = {
    shape.name: shape
    for shape in (
        Shape("topics", 30_000, 1.0, 25.0, (71, 66), (14, 10)),
        Shape("heavy", 30_000, 1.0, 25.0, (66, 57), (10, 6), 32, (0.67, 0.33), 0.25),
        Shape("mini", 9_262, 1.0, 25.0, (43, 34), (13, 5), 200, (1.0, 0.17), 0.315),
    )
}


@dataclass(frozen=True, slots=True)
class Block:
    """Some moments: `rows` and their latents (M, D)."""

    latents: Float32
    rows: SparseRows

    def first(self, count: int) -> Block:
        """Return its first moments."""
        end = int(self.rows.indptr[count])
        rows = SparseRows(
            self.rows.indptr[: count + 1], self.rows.terms[:end], self.rows.weights[:end]
        )
        return Block(self.latents[:count], rows)


@dataclass(frozen=True, slots=True)
class Overlap:
    """How terms meet.

    Attributes:
        moment_terms: mean terms of a moment.
        query_terms: mean terms of a query.
        matched: postings that a query matches, for each moment.
        largest: share of the moments that hold the most frequent term.
    """

    moment_terms: float
    query_terms: float
    matched: float
    largest: float

    @staticmethod
    def of(rows: SparseRows, queries: list[EncodedQuery], terms: int) -> Overlap:
        """Measure moments and queries, real or not; `terms` is V."""
        held = np.bincount(rows.terms, minlength=terms) / len(rows)  # (V,)
        asked = np.bincount(np.concatenate([q.terms for q in queries]), minlength=terms)
        matched = float(held @ asked) / len(queries)
        return Overlap(
            float(held.sum()), float(asked.sum()) / len(queries), matched, float(held.max())
        )


class Workload:
    """All moments and queries of a shape and seed, made when they are asked for."""

    def __init__(self, shape: Shape, seed: int = 0) -> None:
        self.shape = shape
        self.seed = seed
        rng = self._rng(0, 0)
        law = 1 / (np.arange(shape.terms) + shape.shift) ** shape.exponent
        rank = rng.permutation(shape.terms)  # of a term in the background
        chances = law[rank] / law.sum()
        self._background = _table(chances)
        # A topic's list holds frequent terms more often than rare ones, but less than it could.
        lists = _table(np.sqrt(chances) / np.sqrt(chances).sum())
        self._lists = lists[rng.integers(0, TABLE, (TOPICS, TOPIC_TERMS))]
        self._impact = (0.25 + rank / shape.terms).astype(np.float32)  # rare terms weigh more
        self._head = np.argsort(rank)[: shape.head].astype(np.uint16)
        self._held = np.geomspace(*shape.held, shape.head) if shape.head else np.zeros(0)
        self._impact[self._head] = 0.2
        self._centres = _unit(rng.standard_normal((TOPICS, DIM), np.float32))
        self._shared = rng.standard_normal((SHARED, DIM), np.float32) / np.float32(np.sqrt(DIM))

    def _rng(self, kind: int, number: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, kind, number])

    def block(self, number: int) -> Block:
        """Make the moments `number * BLOCK` to `(number + 1) * BLOCK`."""
        rng = self._rng(1, number)
        topics = rng.integers(0, TOPICS, (BLOCK, 2))
        rows = self._rows(rng, topics, self.shape.moment, self._held)
        latents = self._centres[topics[:, 0]] + 0.6 * self._centres[topics[:, 1]]
        return Block(self._around(rng, latents), rows)

    def blocks(self, moments: int) -> Iterator[Block]:
        """Make the first `moments` moments, block by block."""
        for number in range(-(-moments // BLOCK)):
            block = self.block(number)
            count = min(BLOCK, moments - number * BLOCK)
            yield block.first(count)

    def queries(self, count: int) -> list[EncodedQuery]:
        """Make the first `count` queries."""
        return [self._query(number) for number in range(count)]

    def _query(self, number: int) -> EncodedQuery:
        rng = self._rng(2, number)
        topic = rng.integers(0, TOPICS, (1, 1))
        asked = np.full(self.shape.head, self.shape.asked)
        rows = self._rows(rng, topic, self.shape.query, asked)
        latent = self._around(rng, self._centres[topic[:, 0]])[0]
        return EncodedQuery(latent, *rows.row(0))

    def _around(self, rng: np.random.Generator, centres: Float32) -> Float32:
        noise = rng.standard_normal((len(centres), SHARED), np.float32) @ self._shared
        own = rng.standard_normal(centres.shape, np.float32) / np.float32(np.sqrt(DIM))
        return _unit(centres + np.float32(0.1) * noise + np.float32(0.5) * own)

    def _rows(
        self, rng: np.random.Generator, topics: Int64, draws: tuple[int, int], head: Float64
    ) -> SparseRows:
        """Draw terms for n rows from their topics (n, t), the background and the head."""
        count = len(topics)
        owner = topics[np.arange(count)[:, None], rng.integers(0, topics.shape[1], (1, draws[0]))]
        place = TOPIC_TERMS * rng.random((count, draws[0]), np.float32) ** 2
        of_topics = self._lists[owner, place.astype(np.int64)]
        of_background = self._background[rng.integers(0, TABLE, (count, draws[1]))]
        of_head = np.where(rng.random((count, len(head))) < head, self._head, of_topics[:, :1])
        drawn = np.concatenate([of_topics, of_head, of_background], axis=1).astype(np.uint32)
        drawn = np.where(rng.random(drawn.shape, np.float32) < KEPT, drawn, drawn[:, :1])
        drawn <<= 1
        drawn[:, draws[0] :] += 1  # sorts a topic's draw of a term before others of it
        drawn.sort(axis=1)
        terms = drawn >> 1
        new = np.diff(terms, axis=1, prepend=np.uint32(0xFFFFFFFF)) != 0
        indptr = np.concatenate([[0], np.cumsum(new.sum(axis=1))]).astype(np.int64)
        kept, other = terms[new].astype(np.uint16), drawn[new] & 1
        spread = np.exp(np.float32(0.5) * rng.standard_normal(len(kept), np.float32))
        weights = self._impact[kept] * spread * np.where(other, np.float32(0.5), np.float32(1))
        return SparseRows(indptr, kept, np.clip(weights, 0.02, 4).astype(np.float32))


def _table(chances: Float64) -> UInt16:
    """Return (TABLE,) terms, each as often as its chance: a draw is then one look-up."""
    ends = np.cumsum(chances)
    at = (np.arange(TABLE) + 0.5) / TABLE * ends[-1]
    terms: UInt16 = np.searchsorted(ends, at).astype(np.uint16)
    return terms


def _unit(vectors: Float32) -> Float32:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Float32 = (vectors / lengths).astype(np.float32)
    return unit
