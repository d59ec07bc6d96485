"""From a request to an answer: search by words or by a moment, and what the hits have in common.

The engine does the work; this module only puts its records into models.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from unify.cli.web import models
from unify.cli.web.library import View
from unify.engine.answer import Answer, Hit
from unify.engine.errors import UsageError
from unify.engine.facets import facets
from unify.engine.like import Like, moment_at, search_like, stored_query
from unify.engine.options import Options
from unify.engine.query import ParsedQuery, parse
from unify.engine.tracks import peak_s
from unify.engine.types import EncodedQuery

FACETS_OF = 200  # hits
_LIKE_FACETS_OF = 40  # none of these is weak, so the far ones must be left out
_LIKE_TERMS = 24


@dataclass(frozen=True, slots=True)
class Ask:
    """What is looked for.

    Attributes:
        text: a query; may be empty beside `like`.
        like: `VIDEO_ID@SECONDS` of a moment to find more of, or "".
        options: how to search.
    """

    text: str
    like: str
    options: Options


def search(view: View, ask: Ask) -> models.SearchAnswer:
    """Answer a query.

    Raises:
        QueryError: it cannot be read.
        UsageError: an option, or `like`, names what there is not.
    """
    started = time.perf_counter()
    parsed, encoded, answer = _answered(view, ask)
    times = {stage: round(ms, 3) for stage, ms in answer.times_ms.items()}
    ids = np.array([hit.moment for hit in answer], np.int64)
    owners = view.backend.video_ids(ids).tolist()
    hits = [_hit(view, hit, owner, encoded) for hit, owner in zip(answer, owners, strict=True)]
    times["total"] = round(1000 * (time.perf_counter() - started), 3)
    return models.SearchAnswer.model_construct(
        query=_understood(view, parsed, encoded, ask),
        hits=hits,
        exact=answer.exact,
        weak=bool(hits) and all(hit.weak for hit in answer),
        allowed=answer.plan.allowed,
        missing=_missing(view, parsed),
        generation=view.generation,
        times_ms=times,
    )


def common(view: View, ask: Ask, top: int) -> models.Facets:
    """Return the terms that tell the best hits of a query from the library.

    Weak hits count only where there are no others.

    Raises:
        QueryError: the query cannot be read.
        UsageError: an option, or `like`, names what there is not.
    """
    most = _LIKE_FACETS_OF if ask.like else FACETS_OF
    wide = replace(ask, options=replace(ask.options, k=most, offset=0))
    _, _, answer = _answered(view, wide)
    kept = [hit.moment for hit in answer if not hit.weak] or [hit.moment for hit in answer]
    ids = np.array(kept, np.int64)
    found = facets(view.backend, view.lexicon, ids, view.shows, top, view.counts)
    return models.Facets(facets=found, moments=len(ids))


def _answered(view: View, ask: Ask) -> tuple[ParsedQuery, EncodedQuery, Answer]:
    searcher = view.searcher
    if ask.like:
        if ask.options.drop:
            raise UsageError("drop is for words", "leave it out beside like")
        moment = _moment(view, ask.like)
        parsed = parse(ask.text) if ask.text.strip() else ParsedQuery("")
        answer = search_like(searcher, moment, ask.text, **_fields(ask.options))
        return parsed, stored_query(view.backend, len(view.lexicon), moment), answer
    answer = searcher.search(ask.text, **_fields(ask.options))
    return answer.parsed, answer.query, answer


def _fields(options: Options) -> dict[str, Any]:
    return {name: getattr(options, name) for name in Options.__slots__}


def _moment(view: View, like: str) -> int:
    """Return the moment that `VIDEO_ID@SECONDS` names."""
    place = Like.read(like)
    if not place.video.isdecimal() or len(place.video) > 10:
        raise UsageError(f"{place.video} is no video id", "write like=VIDEO_ID@SECONDS")
    return moment_at(view.backend, replace(place, video=view.path(int(place.video))))


def _hit(view: View, hit: Hit, video_id: int, query: EncodedQuery) -> models.FoundMoment:
    peak = peak_s(view.backend, hit.moment, query.terms, query.weights)
    return models.FoundMoment.model_construct(
        rank=hit.rank,
        video_id=video_id,
        video=hit.video,
        moment=hit.moment,
        start_s=hit.start_s,
        end_s=hit.end_s,
        peak_s=(hit.start_s + hit.end_s) / 2 if peak is None else peak,
        score=hit.score,
        latent=hit.latent,
        lexicon=hit.lexicon,
        parts=models.Parts.model_construct(
            latent=hit.latent_part, lexicon=hit.lexicon_part, base=hit.base
        ),
        terms=list(hit.terms),
        weak=hit.weak,
        exact=hit.exact,
    )


def _understood(
    view: View, parsed: ParsedQuery, query: EncodedQuery, ask: Ask
) -> models.Understood:
    own = set(view.lexicon.term_ids(parsed.text))
    order = np.argsort(-query.weights, kind="stable")
    if ask.like:
        order = order[:_LIKE_TERMS]
    return models.Understood(
        text=parsed.text,
        conditions=[
            models.Condition(words=list(hard.phrases), negated=hard.negated)
            for hard in parsed.hard
        ],
        filtered=bool(parsed.filters),
        terms=[
            models.QueryTerm(
                term=view.lexicon.terms[term], weight=weight, own=term in own,
                moments=int(view.counts[term]),
            )
            for term, weight in zip(
                query.terms[order].tolist(), query.weights[order].tolist(), strict=True
            )
        ],
        dropped=list(ask.options.drop),
    )  # fmt: skip


def _missing(view: View, parsed: ParsedQuery) -> list[str]:
    """Return the words of a query that no moment shows clearly, in order."""
    terms = dict.fromkeys(view.lexicon.term_ids(parsed.text))
    return [view.lexicon.terms[term] for term in terms if not view.counts[term]]
