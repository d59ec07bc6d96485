"""From a request to an answer: what `unify search` asks, with videos known by id, as models.

The engine does the work; this module only puts its records into models.
"""

from __future__ import annotations

import time
from dataclasses import asdict, replace

import numpy as np

from unify.cli import finding
from unify.cli.finding import Question
from unify.cli.web import models
from unify.cli.web.library import View
from unify.engine.absence import faint
from unify.engine.answer import Answer, Hit
from unify.engine.errors import UsageError
from unify.engine.like import Like
from unify.engine.tracks import peak_s
from unify.engine.types import EncodedQuery

_LIKE_TERMS = 24  # a moment shows some hundred; the rest weigh next to nothing


def search(view: View, question: Question) -> models.SearchAnswer:
    """Answer a question; its `like` is `VIDEO_ID@SECONDS`.

    Raises:
        QueryError: it cannot be read.
        UsageError: an option, or `like`, names what there is not.
    """
    started = time.perf_counter()
    answer = finding.ask(view.searcher, _placed(view, question))
    times = {stage: round(ms, 3) for stage, ms in answer.times_ms.items()}
    ids = np.array([hit.moment for hit in answer], np.int64)
    owners = view.backend.video_ids(ids).tolist()
    hits = [_hit(view, hit, owner, answer.query) for hit, owner in zip(answer, owners, strict=True)]
    missing = [each.word for each in faint(view.searcher, answer)]
    times["total"] = round(1000 * (time.perf_counter() - started), 3)
    return models.SearchAnswer.model_construct(
        query=_understood(view, answer, question),
        hits=hits,
        exact=answer.exact,
        weak=bool(hits) and all(hit.weak for hit in answer),
        allowed=answer.plan.allowed,
        missing=missing,
        subtitled=view.searcher.speaks,
        generation=view.generation,
        times_ms=times,
    )


def common(view: View, question: Question, top: int) -> models.Facets:
    """Return the terms that tell the best hits of a question from the library.

    Weak hits count only where there are no others.

    Raises:
        QueryError: it cannot be read.
        UsageError: an option, or `like`, names what there is not.
    """
    found, moments = finding.common(view.searcher, _placed(view, question), top, view.counts)
    return models.Facets(facets=list(found), moments=moments)


def _placed(view: View, question: Question) -> Question:
    """Return a question whose `like` names a path, as the engine knows videos."""
    if not question.like:
        return question
    place = Like.read(question.like)
    if not place.video.isdecimal() or len(place.video) > 10:
        raise UsageError(f"{place.video} is no video id", "write like=VIDEO_ID@SECONDS")
    return replace(question, like=f"{view.path(int(place.video))}@{place.time_s!r}")


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
            latent=hit.latent_part, lexicon=hit.lexicon_part, base=hit.base, pool=hit.pool_part
        ),
        terms=list(hit.terms),
        weak=hit.weak,
        exact=hit.exact,
        duplicates=hit.duplicates,
    )


def _understood(view: View, answer: Answer, question: Question) -> models.Understood:
    parsed, terms = answer.parsed, view.searcher.searched(answer)
    return models.Understood(
        text=parsed.text,
        conditions=[
            models.Condition(words=list(hard.phrases), negated=hard.negated)
            for hard in parsed.hard
        ],
        filtered=bool(parsed.filters),
        terms=[
            models.QueryTerm(
                **asdict(term),
                own=term.origin == "own",
                moments=int(view.counts[view.lexicon.lookup(term.term)]),
            )
            for term in (terms[:_LIKE_TERMS] if question.like else terms)
        ],
        replaced=[
            models.ReplacedWord(
                word=each.word, spelled=each.spelled, terms=[term for term, _ in each.terms]
            )
            for each in answer.replaced
        ],
        dropped=list(question.options["drop"]),
    )  # fmt: skip
