"""What a search gives back: hits with every part of their scores, and how they were found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import overload

from unify.engine.dictionary import Entry
from unify.engine.execute import Outcome
from unify.engine.planner import Plan
from unify.engine.query import ParsedQuery
from unify.engine.types import EncodedQuery
from unify.engine.wording import Replaced


class Source(StrEnum):
    """What tells that a term is in a moment."""

    PICTURES = "pictures"
    SUBTITLES = "subtitles"


@dataclass(frozen=True, slots=True)
class TermMatch:
    """One term that query and moment share.

    Attributes:
        term: the word.
        query: its weight in the query.
        moment: its weight in the moment.
        product: query * moment; products add up to the raw lexicon score.
        part: the product's share of the hit's score.
        source: what tells so; a word that shows and is said is two matches.
        said_s: (start, end) in seconds from first to last picture while it is said; empty for
            what shows, of which `engine/explain.py` says when.
    """

    term: str
    query: float
    moment: float
    product: float
    part: float
    source: Source = Source.PICTURES
    said_s: tuple[tuple[float, float], ...] = ()


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
        score: what hits are ordered by; the sum of `latent_part`, `lexicon_part`, `base` and
            `pool_part`.
        latent: raw latent score, an inner product of unit vectors.
        lexicon: raw lexicon score, a sparse inner product.
        latent_part: the latent side's share of the score.
        lexicon_part: the lexicon side's share.
        base: the constant of this query (see `engine/fusion.py`); the score that a server fused.
        terms: every matching term, the largest part first.
        exact: whether the answer is certified identical to brute force.
        weak: whether the fused score lies below the pack's cut-off.
        copies: absolute paths of other files of the same content.
        pool_part: what the mean of a video's best moments lies above its best one, at most 0.
        duplicates: near-duplicates that are folded into it (`engine/duplicates.py`).
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
    copies: tuple[str, ...] = ()
    pool_part: float = 0.0
    duplicates: int = 0


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
        query: what was looked for in pictures, encoded.
        asked: the same, and what was looked for in what is said.
        replaced: words of the query that the lexicon lacks, and what was searched for instead.
        not_dropped: words of `Options.drop` that the query was not looked for by anyway.
    """

    hits: tuple[Hit, ...]
    parsed: ParsedQuery
    plan: Plan
    outcome: Outcome
    missing: tuple[str, ...]
    times_ms: dict[str, float]
    query: EncodedQuery
    asked: EncodedQuery
    replaced: tuple[Replaced, ...] = ()
    not_dropped: tuple[str, ...] = ()

    @property
    def defined(self) -> tuple[Entry, ...]:
        """The names of the user's dictionary in the query, which were read as their definitions."""
        return self.parsed.defined

    @property
    def scored(self) -> bool:
        """Whether anything was looked for; filters and `-word` alone only leave moments out."""
        return self.asked.latent is not None or len(self.asked.terms) > 0

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
