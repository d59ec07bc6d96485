"""How to search: everything that a caller may choose, checked once."""

from __future__ import annotations

import math
from dataclasses import dataclass

from unify.engine.dictionary import NO_NAMES, Dictionary
from unify.engine.errors import UsageError
from unify.engine.fusion import Fusion, Mode
from unify.engine.planner import BUDGET
from unify.engine.pooling import read_pool
from unify.engine.query import ParsedQuery, parse

MAX_K = 10_000


@dataclass(frozen=True, slots=True)
class Options:
    """How to search; the same for every query of a batch.

    Attributes:
        k: how many hits, 1 to 10,000 together with the offset.
        offset: hits to leave out from the top: with the same other options, pages of `exact`
            answers fit together; those of approximate ones within one depth of fetching.
        threshold: least score of a hit. With the default fusion a score means the same from query
            to query, whatever else is in the index.
        mode: which sides score: fused, latent or lexicon.
        fusion: how both sides become one score: affine, rrf, sum or server (its own).
        weights: of the latent and the lexicon side, for rrf and sum.
        moments: return every moment; otherwise one hit a video, its best moment.
        pool: what a video scores: `max`, its best moment's score, or `mean:m`, the mean of its m
            best; not for ranks, nor where a server fuses.
        exact: do without structures that may miss moments.
        budget: rows that each side may fetch before the answer is `approximate`.
        budget_ms: milliseconds after which no further fetch begins, so that a late answer is
            `approximate`; answers may then differ from run to run. None: no such limit.
        subtitles: whether words that are said count, beside those that show. Without them every
            score is that of an index without subtitles.
        expand: whether terms that the pack added to the sentence are looked for, too.
        respell: whether a word that the lexicon lacks is read as one that is spelled alike.
        drop: words that the lexicon side leaves out; the latent side reads the sentence whole.
        dictionary: names that are read as their definitions, in the query and in `drop`.
        reasons: whether hits tell which terms they share with the query. Without, they are cheap
            for those who keep few of them; `Searcher.with_reasons` tells it of these.

    Raises:
        UsageError: a value that is none of these.
    """

    k: int = 10
    offset: int = 0
    threshold: float = -math.inf
    mode: Mode | str = Mode.FUSED
    fusion: Fusion | str = Fusion.AFFINE
    weights: tuple[float, float] = (1.0, 1.0)
    moments: bool = False
    exact: bool = False
    budget: int = BUDGET
    budget_ms: float | None = None
    subtitles: bool = True
    expand: bool = True
    respell: bool = True
    drop: tuple[str, ...] = ()
    pool: str = "max"
    dictionary: Dictionary = NO_NAMES
    reasons: bool = True

    def __post_init__(self) -> None:
        if self.k < 1 or self.offset < 0 or self.k + self.offset > MAX_K:
            beside = f" after an offset of {self.offset}" if self.offset else ""
            raise UsageError(f"k is {self.k}{beside}", f"use 1 to {MAX_K:,} in all")
        if math.isnan(self.threshold):
            raise UsageError("the threshold is no number", "use a score")
        if self.budget_ms is not None and not self.budget_ms > 0:
            raise UsageError(f"the budget is {self.budget_ms} ms", "use a number above 0")
        _one_of(Mode, self.mode)
        _one_of(Fusion, self.fusion)
        if read_pool(self.pool) > 1 and self.moments:
            raise UsageError("moments are not pooled", "leave the pool out, or ask for videos")
        if read_pool(self.pool) > 1 and self.fusion in (Fusion.RRF, Fusion.SERVER):
            raise UsageError(f"{self.fusion} cannot be pooled", "use the fusion affine or sum")

    def parse(self, text: str) -> ParsedQuery:
        """Parse a query; see `query.parse`."""
        return parse(text, self.respell, self.dictionary)

    @property
    def calibrated(self) -> bool:
        """Whether scores are those of the pack's calibrated fusion."""
        return self.mode == Mode.FUSED and self.fusion == Fusion.AFFINE


def _one_of(kind: type[Mode] | type[Fusion], value: str) -> None:
    if value not in tuple(kind):
        raise UsageError(f"no {kind.__name__.lower()} {value!r}", f"use one of {', '.join(kind)}")
