"""What `unify search` asks of the engine: a sentence, a moment, or both, and in which order.

It must not know how answers are printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unify.engine.answer import Answer
    from unify.engine.facets import Facet
    from unify.engine.search import Searcher

_FACETS_OF = 200  # hits
_LIKE_FACETS_OF = 40  # none of these is weak, so the far ones must be left out


@dataclass(frozen=True, slots=True)
class Question:
    """One query of the command line.

    Attributes:
        text: words; may be empty beside `like`.
        like: `VIDEO@SECONDS`, or "".
        weight: how much that moment counts beside the words.
        per_video: moments of one video, or None for what the options say.
        in_time: order by video and time instead of by score.
        options: fields of `Options`.
    """

    text: str
    like: str
    weight: float
    per_video: int | None
    in_time: bool
    options: dict[str, Any]


def ask(searcher: Searcher, question: Question) -> Answer:
    """Answer a question.

    Raises:
        QueryError: its text cannot be read.
        UsageError: `like` or an option names what there is not.
    """
    options = dict(question.options)
    if question.per_video is None:
        found = _find(searcher, question, options)
    else:
        from unify.engine.options import Options
        from unify.engine.spread import spread

        Options(**options)  # checked before its own k is replaced
        k, offset = options.pop("k"), options.pop("offset")
        options["moments"] = True
        found = spread(
            lambda depth: _find(searcher, question, {**options, "k": depth}),
            k, offset, question.per_video,
        )  # fmt: skip
    if question.in_time:
        from unify.engine.spread import by_time

        found = by_time(found)
    return found


def common(searcher: Searcher, question: Question, top: int) -> tuple[Sequence[Facet], int]:
    """Return the terms that tell the good hits of a question from the library.

    Weak hits count only where there are no others.

    Returns:
        the terms, and of how many moments they are.
    """
    import numpy as np

    from unify.engine.facets import facets

    depth = _LIKE_FACETS_OF if question.like else _FACETS_OF
    found = _find(searcher, question, {**question.options, "k": depth, "offset": 0})
    kept = [hit.moment for hit in found if not hit.weak] or [hit.moment for hit in found]
    ids = np.array(kept, np.int64)
    encoder = searcher.encoder
    return facets(searcher.backend, encoder.lexicon, ids, encoder.calibration.shows, top), len(kept)


def _find(searcher: Searcher, question: Question, options: dict[str, Any]) -> Answer:
    if not question.like:
        return searcher.search(question.text, **options)
    from unify.engine.like import Like, moment_at, search_like

    moment = moment_at(searcher.backend, Like.read(question.like))
    return search_like(searcher, moment, question.text, weight=question.weight, **options)
