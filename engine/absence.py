"""Why nothing was found, or nothing good: what no moment shows, and what leaves none over.

It asks a backend again, after a search; scores and hits are not changed by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from unify.engine.answer import Answer
from unify.engine.backend import Allowed
from unify.engine.query import Filters, Hard
from unify.engine.search import Searcher, damage

_FEW = 8  # rows, of which the best is sought again by exact scores


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
    """A hard condition of a query, or all of its filters, and how many moments meet it alone.

    Attributes:
        condition: as it may be written, such as `+snow`; `the filters`.
        moments: that meet it.
    """

    condition: str
    moments: int


@damage()
def faint(searcher: Searcher, found: Answer) -> tuple[Faint, ...]:
    """Return the words of a query that no moment shows or says, of those within its filters.

    That is no proof that there is none. Of the 394 words that captions of 111 clips name, no
    clip shows 196 clearly enough; and the best score of these (as a query of one word) is
    above that of words that no caption names in 62 pairs of 100, its latent part in 59.
    """
    words, shows = searcher.encoder.lexicon.terms, searcher.encoder.calibration.shows
    looked_for = set(found.query.terms[found.query.weights > 0].tolist())
    allowed = searcher.backend.allowed(found.parsed.filters, [], shows)
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


def met(searcher: Searcher, found: Answer, subtitles: bool) -> Iterator[Met]:
    """Yield how many moments meet the filters of a query, and each hard condition, alone.

    Args:
        searcher: what was asked.
        found: its answer.
        subtitles: whether what is said met conditions, too.
    """
    shows, filters = searcher.encoder.calibration.shows, found.parsed.filters
    with damage():
        if filters != Filters():
            yield Met("the filters", searcher.backend.allowed(filters, [], shows).moments)
        for hard in found.parsed.hard:
            meeting = searcher.backend.allowed(
                Filters(), searcher.conditions([hard], subtitles), shows
            )
            yield Met(_written(hard), meeting.moments)


def _written(hard: Hard) -> str:
    phrases = [f'"{phrase}"' if " " in phrase else phrase for phrase in hard.phrases]
    one = phrases[0] if len(phrases) == 1 else f"({' OR '.join(phrases)})"
    return ("-" if hard.negated else "+") + one
