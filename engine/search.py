"""From a sentence to hits: parse, encode, plan, execute, and say why.

Knows a `QueryEncoder` and a `Backend`, not which ones.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from unify.engine.backend import Backend, Condition
from unify.engine.errors import DamagedIndex, QueryError, UsageError
from unify.engine.fusion import Affine, Mode, affine
from unify.engine.lexicon import words_of
from unify.engine.planner import BUDGET, Outcome, Plan, execute, make_plan
from unify.engine.ports import QueryEncoder
from unify.engine.query import Hard, ParsedQuery, parse
from unify.engine.types import EncodedQuery

MAX_K = 10_000


@dataclass(frozen=True, slots=True)
class TermMatch:
    """One term that query and moment share.

    Attributes:
        term: the word.
        query: its weight in the query.
        moment: its weight in the moment.
        product: query * moment; products add up to the raw lexicon score.
        part: the product's share of the hit's score.
    """

    term: str
    query: float
    moment: float
    product: float
    part: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A moment that answers a query.

    Attributes:
        rank: from 1.
        video: its path as given to `build`.
        path: its absolute path.
        moment: its id in this snapshot.
        start_s: where it begins, in seconds.
        end_s: where it ends.
        score: what hits are ordered by; the sum of `latent_part`, `lexicon_part` and `base`.
        latent: raw latent score, an inner product of unit vectors.
        lexicon: raw lexicon score, a sparse inner product.
        latent_part: the latent side's share of the score.
        lexicon_part: the lexicon side's share.
        base: the constant of this query (see `engine/fusion.py`).
        terms: every matching term, the largest part first.
        exact: whether the answer is certified identical to brute force.
        weak: whether the fused score lies below the pack's cut-off.
    """

    rank: int
    video: str
    path: str
    moment: int
    start_s: float
    end_s: float
    score: float
    latent: float
    lexicon: float
    latent_part: float
    lexicon_part: float
    base: float
    terms: tuple[TermMatch, ...]
    exact: bool
    weak: bool


@dataclass(frozen=True, slots=True)
class Answer(Sequence[Hit]):
    """The hits of one query, and how they were found; a sequence of `Hit`.

    Attributes:
        hits: best first.
        parsed: the query as it was understood.
        plan: what was decided.
        outcome: what happened.
        missing: known words of the query that no moment holds.
        times_ms: milliseconds by stage, in order.
    """

    hits: tuple[Hit, ...]
    parsed: ParsedQuery
    plan: Plan
    outcome: Outcome
    missing: tuple[str, ...]
    times_ms: dict[str, float]

    @property
    def exact(self) -> bool:
        """Whether the answer is certified identical to brute force over stored values."""
        return self.outcome.exact

    def __len__(self) -> int:
        return len(self.hits)

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    @overload
    def __getitem__(self, index: int) -> Hit: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Hit, ...]: ...
    def __getitem__(self, index: int | slice) -> Hit | tuple[Hit, ...]:
        return self.hits[index]


class Searcher:
    """Answers queries over one snapshot with one pack."""

    def __init__(self, backend: Backend, encoder: QueryEncoder) -> None:
        self.backend = backend
        self.encoder = encoder

    def search(
        self,
        query: str,
        k: int = 10,
        *,
        mode: Mode | str = Mode.FUSED,
        moments: bool = False,
        budget: int = BUDGET,
    ) -> Answer:
        """Find the moments that a query describes.

        Args:
            query: a plain sentence, or the language of `engine/query.py`.
            k: how many hits, 1 to 10,000.
            mode: which sides score: fused, latent or lexicon.
            moments: return every moment; otherwise one hit a video, its best moment.
            budget: how many rows each side may fetch before the answer is `approximate`.

        Raises:
            QueryError: the query is empty, too long, or a hard condition names an unknown word.
            UsageError: k or mode is not one of the above.
        """
        if not 1 <= k <= MAX_K:
            raise UsageError(f"k is {k}", f"use 1 to {MAX_K:,}")
        times = {}
        started = time.perf_counter()
        parsed = parse(query)
        conditions = [condition for hard in parsed.hard for condition in self._conditions(hard)]
        encoded = self.encode(parsed)
        if encoded.latent is None and not (len(encoded.terms) or conditions or parsed.filters):
            raise QueryError("the query holds no word", "say what to look for in words")
        times["encode"] = 1000 * (time.perf_counter() - started)
        started = time.perf_counter()
        mode = _mode(mode)
        fusion = affine(encoded, self.encoder.calibration, mode)
        shows = self.encoder.calibration.shows
        allowed = self.backend.allowed(parsed.filters, conditions, shows)
        plan = make_plan(self.backend, encoded, fusion, allowed, k, not moments, budget)
        times["plan"] = 1000 * (time.perf_counter() - started)
        try:
            outcome = execute(plan, self.backend, encoded, fusion, allowed)
            times |= outcome.times_ms
            started = time.perf_counter()
            hits = self._hits(outcome, encoded, fusion, mode)
        except (IndexError, KeyError, ValueError) as error:
            raise DamagedIndex(
                f"the index holds values out of range ({error})", "see where: unify index verify"
            ) from error
        missing = self._missing(parsed)
        times["explain"] = 1000 * (time.perf_counter() - started)
        return Answer(hits, parsed, plan, outcome, missing, times)

    def encode(self, parsed: ParsedQuery) -> EncodedQuery:
        """Encode the plain text, then apply the boosts to the lexicon weights.

        A boosted term that the encoder left out gets the mean weight of the others, or 1.
        """
        size = len(self.encoder.lexicon)
        encoded = EncodedQuery(None, np.zeros(0, np.uint16), np.zeros(0, np.float32))
        if any(letter.isalnum() for letter in parsed.text):
            encoded = self.encoder.encode_query(parsed.text)
        if not parsed.boosts:
            return encoded
        usual = float(encoded.weights.mean()) if len(encoded.weights) else 1.0
        dense = np.zeros(size, np.float32)
        dense[encoded.terms] = encoded.weights
        for phrase, factor in parsed.boosts:
            for term in self._terms(phrase):
                dense[term] = (dense[term] or usual) * factor
        terms = np.flatnonzero(dense).astype(np.uint16)
        return EncodedQuery(encoded.latent, terms, dense[terms])

    def _terms(self, phrase: str) -> list[int]:
        """Return the term of a phrase, or the terms of its words."""
        whole = self.encoder.lexicon.lookup(phrase)
        return self.encoder.lexicon.term_ids(phrase) if whole is None else [whole]

    def _conditions(self, hard: Hard) -> list[Condition]:
        """Return a hard condition in term ids; `+"red car"` needs both words to show."""
        terms = []
        for phrase in hard.phrases:
            whole = self.encoder.lexicon.lookup(phrase)
            words = words_of(phrase)
            if whole is None and len(words) > 1:
                if hard.negated or len(hard.phrases) > 1:
                    raise QueryError(
                        f"{phrase!r} is no term of the lexicon", "use single words", hard.position
                    )
                return [
                    condition
                    for word in words
                    for condition in self._conditions(Hard((word,), False, hard.position))
                ]
            term = self.encoder.lexicon.lookup(words[0]) if whole is None and words else whole
            if term is None:
                raise QueryError(
                    f"{phrase!r} is not in the lexicon", self._advice(phrase), hard.position
                )
            terms.append(term)
        return [Condition(tuple(terms), hard.negated)]

    def _advice(self, phrase: str) -> str:
        near = self.encoder.lexicon.suggest(phrase)
        plain = "drop the operator to search for it as a plain word"
        return f"did you mean {', '.join(near)}? or {plain}" if near else plain

    def _missing(self, parsed: ParsedQuery) -> tuple[str, ...]:
        terms = np.unique(np.array(self.encoder.lexicon.term_ids(parsed.text), np.uint16))
        counts = self.backend.postings_count(terms)
        return tuple(self.encoder.lexicon.terms[int(term)] for term in terms[counts == 0])

    def _hits(
        self, outcome: Outcome, query: EncodedQuery, fusion: Affine, mode: Mode
    ) -> tuple[Hit, ...]:
        weights = self.backend.term_weights(outcome.ids, query.terms)  # (n, Q)
        products = weights * query.weights.astype(np.float64)
        hits = []
        for i, moment in enumerate(outcome.ids.tolist()):
            matches = [
                TermMatch(
                    self.encoder.lexicon.terms[int(query.terms[j])],
                    float(query.weights[j]),
                    float(weights[i, j]),
                    float(products[i, j]),
                    float(products[i, j] * fusion.lexicon_scale),
                )
                for j in np.flatnonzero(weights[i])
            ]
            facts = self.backend.facts(moment)
            score = float(outcome.scores[i])
            hits.append(
                Hit(
                    rank=i + 1,
                    video=facts.video,
                    path=facts.path,
                    moment=moment,
                    start_s=facts.start_s,
                    end_s=facts.end_s,
                    score=score,
                    latent=float(outcome.latent[i]),
                    lexicon=float(outcome.lexicon[i]),
                    latent_part=float(outcome.latent[i]) * fusion.latent_scale,
                    lexicon_part=float(outcome.lexicon[i]) * fusion.lexicon_scale,
                    base=fusion.base,
                    terms=tuple(sorted(matches, key=lambda match: -abs(match.product))),
                    exact=outcome.exact,
                    weak=mode is Mode.FUSED and score < self.encoder.calibration.weak,
                )
            )
        return tuple(hits)


def _mode(mode: Mode | str) -> Mode:
    try:
        return Mode(mode)
    except ValueError:
        raise UsageError(f"no mode {mode!r}", f"use one of {', '.join(Mode)}") from None
