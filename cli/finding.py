"""What `unify search` asks of the engine: words, a moment or picture, or both; and in which order.

It must not know how answers are printed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unify.engine.absence import Met, Nearly
    from unify.engine.answer import Answer, Hit
    from unify.engine.facets import Facet
    from unify.engine.search import Searcher
    from unify.engine.types import EncodedQuery, Int64

_FACETS_OF = 200  # hits
_LIKE_FACETS_OF = 40  # none of these is weak, so the far ones must be left out
_NEAREST = 3  # ways to loosen a query


@dataclass(frozen=True, slots=True)
class Question:
    """One query of the command line, or of REST.

    Attributes:
        text: words; may be empty beside `like` or `shown`.
        like: `VIDEO@SECONDS`, or "".
        weight: how much that moment, or what is shown, counts beside the words.
        per_video: moments of one video, or None for what the options say.
        in_time: order by video and time instead of by score.
        options: fields of `Options`.
        shown: a picture or clip, encoded; or None.
        distinct: fold near-duplicates into the best of them.
    """

    text: str
    like: str
    weight: float
    per_video: int | None
    in_time: bool
    options: dict[str, Any]
    shown: EncodedQuery | None = None
    distinct: bool = False


def ask(searcher: Searcher, question: Question) -> Answer:
    """Answer a question.

    Raises:
        QueryError: its text cannot be read.
        UsageError: `like` or an option names what there is not.
    """
    from unify.engine.options import Options

    chosen = Options(**question.options)  # checked before its own k is replaced
    few = question.distinct or question.per_video is not None  # many hits are looked at for these
    found = _folded(searcher, _bare(question) if few else question, chosen.k, chosen.offset)
    if few:
        found = searcher.with_reasons(found)
    if question.in_time:
        from unify.engine.spread import by_time

        found = by_time(found)
    return found


def _bare(question: Question) -> Question:
    """Return a question whose hits tell no reasons."""
    return replace(question, options={**question.options, "reasons": False})


def _folded(searcher: Searcher, question: Question, k: int, offset: int) -> Answer:
    """Return so many hits from an offset on, in the order of their scores."""
    if not question.distinct:
        return _page(searcher, question, k, offset)
    from unify.engine.duplicates import distinct

    return distinct(searcher.backend, lambda k: _page(searcher, question, k, 0), k, offset)


def _page(searcher: Searcher, question: Question, k: int, offset: int) -> Answer:
    """Return so many hits from an offset on, near-duplicates among them."""
    options = question.options
    if question.per_video is None:
        return _find(searcher, question, {**options, "k": k, "offset": offset})
    from unify.engine.spread import spread

    every = {**options, "moments": True, "offset": 0}
    return spread(
        lambda depth: _find(searcher, question, {**every, "k": depth}),
        k, offset, question.per_video,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Silence:
    """Why an answer has no hit, where its conditions or the threshold leave none.

    Attributes:
        unmet: the conditions that no moment meets at once.
        nearest: what is found without some of them, and the best hit of that; None where none
            matches, and of a query that goes by a moment, for it might be that moment.
        best_score: the best score there is, where none reaches the threshold.
    """

    unmet: Sequence[Met] = ()
    nearest: Sequence[tuple[Nearly, Hit | None]] = ()
    best_score: float | None = None


def silence(searcher: Searcher, question: Question, found: Answer) -> Silence:
    """Say why an answer has no hit."""
    from unify.engine.absence import unmet
    from unify.engine.options import Options

    first = {**question.options, "k": 1, "offset": 0, "threshold": -math.inf}
    if not found.plan.allowed:
        why = unmet(searcher, found, question.options["subtitles"])
        nearest = why.nearly[:_NEAREST]
        best: list[Hit | None] = [None] * len(nearest)
        if not question.like:
            again = (searcher.run(near.parsed, found.query, Options(**first)) for near in nearest)
            best = [next(iter(matching(one, first)), None) for one in again]
        return Silence(why.alone, list(zip(nearest, best, strict=True)))
    if question.options["threshold"] > -math.inf and not question.options["offset"]:
        below = ask(searcher, replace(question, options=first))
        return Silence(best_score=below[0].score if below.hits else None)
    return Silence()


def common(
    searcher: Searcher, question: Question, top: int, library: Int64 | None = None
) -> tuple[Sequence[Facet], int]:
    """Return the terms that tell the good hits of a question from the library.

    They are the hits that `ask` gives, down to the 200th (with `like` or `shown` the 40th): one a
    video, or as many as `per_video` says, and near-duplicates that are folded count once. Weak hits
    count only where there are no others.

    Args:
        searcher: the index and its pack.
        question: what is asked.
        top: how many terms, at most.
        library: how many moments show each term, where it is at hand; see `facets`.

    Returns:
        the terms, and of how many moments they are.
    """
    import numpy as np

    from unify.engine.facets import facets

    unweak = question.like or question.shown is not None
    depth = _LIKE_FACETS_OF if unweak else _FACETS_OF
    found = _folded(searcher, _bare(question), depth, 0)
    kept = [hit.moment for hit in found if not hit.weak] or [hit.moment for hit in found]
    ids = np.array(kept, np.int64)
    encoder = searcher.encoder
    shows = encoder.calibration.shows
    return facets(searcher.backend, encoder.lexicon, ids, shows, top, library), len(kept)


def _find(searcher: Searcher, question: Question, options: dict[str, Any]) -> Answer:
    return matching(_ranked(searcher, question, options), options)


def matching(found: Answer, options: dict[str, Any]) -> Answer:
    """Leave out what the lexicon side alone ranks for want of a match, unless asked for it.

    The engine ranks every moment. By words alone one that scores 0 holds none of them, and one
    below 0 holds more of what lowers; a threshold of one's own says otherwise.
    """
    from unify.engine.options import Options

    chosen = Options(**options)
    if chosen.mode != "lexicon" or chosen.threshold > -math.inf or not found.scored:
        return found
    return replace(found, hits=tuple(hit for hit in found.hits if hit.score > 0))


def _ranked(searcher: Searcher, question: Question, options: dict[str, Any]) -> Answer:
    if not question.like and question.shown is None:
        return searcher.search(question.text, **options)
    from unify.engine.like import Like, moment_at, search_like, search_shown

    if question.shown is not None:
        return search_shown(
            searcher, question.shown, question.text, weight=question.weight, **options
        )
    moment = moment_at(searcher.backend, Like.read(question.like))
    return search_like(searcher, moment, question.text, weight=question.weight, **options)
