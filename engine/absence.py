"""Why nothing was found, or nothing good: what no moment shows, and what leaves none over.

It asks a backend again, after a search; scores and hits are not changed by it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import combinations, islice

import numpy as np

from unify.engine.answer import Answer
from unify.engine.backend import Allowed
from unify.engine.query import Filters, Hard, ParsedQuery
from unify.engine.search import Searcher, damage

_FEW = 8  # rows, of which the best is sought again by exact scores
_SETS = 64  # of conditions that are tried: all there are of six


@dataclass(frozen=True, slots=True)
class Faint:
    """A word of the query that no moment shows.

    Attributes:
        word: a term.
        best: its greatest weight in any moment that meets the filters.
        shows: the weight from which on a moment is held to show it.
    """

    word: str
    best: float
    shows: float


@dataclass(frozen=True, slots=True)
class Met:
    """A hard condition or filter of a query, and how many moments meet it alone.

    Attributes:
        condition: as it may be written, such as `+snow` or `path:holiday`.
        moments: that meet it.
        position: of a hard condition, its offset in the query; of a filter None.
    """

    condition: str
    moments: int
    position: int | None


@dataclass(frozen=True, slots=True)
class Nearly:
    """What a query finds without some of its conditions.

    Attributes:
        lacks: the conditions, as of `Met`.
        moments: that meet all the others.
        parsed: the query without these.
    """

    lacks: tuple[str, ...]
    moments: int
    parsed: ParsedQuery


@dataclass(frozen=True, slots=True)
class Unmet:
    """The conditions of a query that no moment meets at once.

    Attributes:
        alone: each of them.
        nearly: what is found without as few as can be, the most moments first; empty where no
            condition is met, and where there is only one.
    """

    alone: tuple[Met, ...]
    nearly: tuple[Nearly, ...]


@damage()
def faint(searcher: Searcher, found: Answer) -> tuple[Faint, ...]:
    """Return the words of a query that no moment shows or says, of those within its filters.

    Where the filters leave no moment, no word is to blame.
    That is no proof that there is none. Of the 394 words that captions of 111 clips name, no
    clip shows 196 clearly enough; and the best score of these (as a query of one word) is
    above that of words that no caption names in 62 pairs of 100, its latent part in 59.
    """
    words, shows = searcher.encoder.lexicon.terms, searcher.encoder.calibration.shows
    looked_for = set(found.query.terms[found.query.weights > 0].tolist())
    allowed = searcher.backend.allowed(found.parsed.filters, [], shows)
    if not allowed.moments:
        return ()  # it is the filters that leave nothing
    said = set(found.asked.terms.tolist())
    absent = []
    for term in sorted(searcher.interpreter.own(found.parsed) & looked_for):
        best = _greatest(searcher, term, allowed)
        if best < shows and not (
            term + len(words) in said and _greatest(searcher, term + len(words), allowed)
        ):
            absent.append(Faint(words[term], best, shows))
    return tuple(absent)


def _greatest(searcher: Searcher, term: int, allowed: Allowed) -> float:
    """Return the greatest weight of a term, shown or said, in the allowed rows."""
    word, one = np.array([term], np.uint16), np.ones(1, np.float32)
    top = searcher.backend.lexicon_topk(word, one, _FEW, allowed, 1)  # its scores are rounded
    return float(searcher.backend.lexicon_scores(top.ids, word, one).max(initial=0.0))


def unmet(searcher: Searcher, found: Answer, subtitles: bool) -> Unmet:
    """Return how many moments meet each condition of a query alone, and most of them at once.

    Args:
        searcher: what was asked.
        found: its answer, whose conditions leave no moment.
        subtitles: whether what is said met conditions, too.
    """
    parts = [*_filters(found.parsed.filters), *map(_hard, found.parsed.hard)]

    def count(some: Iterable[_Part]) -> int:
        query = _only(found.parsed, some)
        conditions = searcher.conditions(query.hard, subtitles)
        shows = searcher.encoder.calibration.shows
        return searcher.backend.allowed(query.filters, conditions, shows).moments

    with damage():
        alone = [count([part]) for part in parts]
        able = [part for part, moments in zip(parts, alone, strict=True) if moments]
        nearly: list[Nearly] = []
        sizes = range(min(len(able), len(parts) - 1), 0, -1)
        sets = (kept for size in sizes for kept in combinations(able, size))
        for kept in islice(sets, _SETS):
            if nearly and len(parts) - len(kept) > len(nearly[0].lacks):
                break  # larger sets came first
            if moments := count(kept):
                lacks = tuple(part.written for part in parts if part not in kept)
                nearly.append(Nearly(lacks, moments, _only(found.parsed, kept)))
    return Unmet(
        tuple(
            Met(part.written, moments, part.hard.position if part.hard else None)
            for part, moments in zip(parts, alone, strict=True)
        ),
        tuple(sorted(nearly, key=lambda one: -one.moments)),
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """One condition: a filter, or a hard one."""

    written: str
    filters: Filters = field(default_factory=Filters)
    hard: Hard | None = None


def _only(parsed: ParsedQuery, parts: Iterable[_Part]) -> ParsedQuery:
    """Return a query with some of its conditions alone."""
    parts = list(parts)
    filters = Filters(
        sum((part.filters.paths for part in parts), ()),
        max(part.filters.min_s for part in parts),
        min(part.filters.max_s for part in parts),
        max(part.filters.after for part in parts),
        min(part.filters.before for part in parts),
    )
    hard = tuple(part.hard for part in parts if part.hard)
    return replace(parsed, filters=filters, hard=hard)


def _hard(hard: Hard) -> _Part:
    phrases = [f'"{phrase}"' if " " in phrase else phrase for phrase in hard.phrases]
    one = phrases[0] if len(phrases) == 1 else f"({' OR '.join(phrases)})"
    return _Part(("-" if hard.negated else "+") + one, hard=hard)


def _filters(every: Filters) -> Iterator[_Part]:
    for path in every.paths:
        quoted = f'"{path}"' if " " in path else path
        yield _Part(f"path:{quoted}", Filters(paths=(path,)))
    if every.min_s > 0 or math.isfinite(every.max_s):
        span = Filters(min_s=every.min_s, max_s=every.max_s)
        yield _Part(_span(every.min_s, every.max_s), span)
    if math.isfinite(every.after):
        yield _Part(f"after:{_day(every.after)}", Filters(after=every.after))
    if math.isfinite(every.before):
        yield _Part(f"before:{_day(every.before)}", Filters(before=every.before))


def _span(low_s: float, high_s: float) -> str:
    """Return a range of seconds as it may be written; a strict end lies by a trifle inside."""
    low, high = round(low_s, 3), round(high_s, 3)
    if 0 < low == low_s and low <= high == high_s < math.inf:
        return f"len:{low:.9g}-{high:.9g}"
    ends = [f"len:{'>=' if low == low_s else '>'}{low:.9g}"] if low_s > 0 else []
    if math.isfinite(high):
        ends.append(f"len:{'<=' if high == high_s else '<'}{high:.9g}")
    return " ".join(ends)


def _day(instant_s: float) -> str:
    return datetime.fromtimestamp(instant_s, UTC).date().isoformat()
