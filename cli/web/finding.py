"""From a request to an answer: what `unify search` asks, with videos known by id, as models.

The engine does the work; this module only puts its records into models.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np

from unify.cli import finding
from unify.cli.finding import Question
from unify.cli.jsonio import gap_of, plan_fields
from unify.cli.web import answers
from unify.cli.web.library import View
from unify.cli.web.models import DefinedName
from unify.engine.absence import faint
from unify.engine.answer import Answer, Hit
from unify.engine.errors import UsageError
from unify.engine.like import Like
from unify.engine.tracks import peak_s
from unify.engine.types import EncodedQuery

_LIKE_TERMS = 24  # a moment or picture shows some hundred; the rest weigh next to nothing


def search(view: View, question: Question) -> answers.SearchAnswer:
    """Answer a question; its `like` is `VIDEO_ID@SECONDS`.

    Raises:
        QueryError: it cannot be read.
        UsageError: an option, or `like`, names what there is not.
    """
    started = time.perf_counter()
    placed = located(view, question)
    answer = finding.ask(view.searcher, placed)
    times = {stage: round(ms, 3) for stage, ms in answer.times_ms.items()}
    hits = _hits(view, answer, answer.query)
    absent = list(faint(view.searcher, answer))
    silence = None if hits else _silence(view, placed, answer)
    times["total"] = round(1000 * (time.perf_counter() - started), 3)
    return answers.SearchAnswer.model_construct(
        query=_understood(view, answer, question),
        hits=hits,
        exact=answer.exact,
        weak=bool(hits) and all(hit.weak for hit in answer),
        allowed=answer.plan.allowed,
        missing=[each.word for each in absent],
        faint=absent,
        silence=silence,
        subtitled=view.searcher.speaks,
        generation=view.generation,
        times_ms=times,
        gap=gap_of(answer),
        plan=answers.Plan.model_construct(**plan_fields(answer)),
    )


def common(view: View, question: Question, top: int) -> answers.Facets:
    """Return the terms that tell the best hits of a question from the library.

    Weak hits count only where there are no others.

    Raises:
        QueryError: it cannot be read.
        UsageError: an option, or `like`, names what there is not.
    """
    found, moments = finding.common(view.searcher, located(view, question), top, view.counts)
    return answers.Facets(facets=list(found), moments=moments)


def located(view: View, question: Question) -> Question:
    """Return a question whose `like` names a path, as the engine knows videos."""
    if not question.like:
        return question
    place = Like.read(question.like)
    if not place.video.isdecimal() or len(place.video) > 10:
        raise UsageError(f"{place.video} is no video id", "write like=VIDEO_ID@SECONDS")
    return replace(question, like=f"{view.path(int(place.video))}@{place.time_s!r}")


def _silence(view: View, question: Question, answer: Answer) -> answers.Silence:
    why = finding.silence(view.searcher, question, answer)
    return answers.Silence(
        unmet=[answers.Unmet(**asdict(one)) for one in why.unmet],
        nearest=[
            answers.Nearest(
                lacks=list(near.lacks),
                moments=near.moments,
                best=next(iter(_hits(view, [best] if best else [], answer.query)), None),
            )
            for near, best in why.nearest
        ],
        best_score=why.best_score,
    )


def _hits(view: View, hits: Sequence[Hit], query: EncodedQuery) -> list[answers.FoundMoment]:
    ids = np.array([hit.moment for hit in hits], np.int64)
    owners = view.backend.video_ids(ids).tolist()
    return [_hit(view, hit, owner, query) for hit, owner in zip(hits, owners, strict=True)]


def _hit(view: View, hit: Hit, video_id: int, query: EncodedQuery) -> answers.FoundMoment:
    peak = peak_s(view.backend, hit.moment, query.terms, query.weights)
    return answers.FoundMoment.model_construct(
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
        parts=answers.Parts.model_construct(
            latent=hit.latent_part, lexicon=hit.lexicon_part, base=hit.base, pool=hit.pool_part
        ),
        terms=list(hit.terms),
        weak=hit.weak,
        exact=hit.exact,
        duplicates=hit.duplicates,
    )


def _understood(view: View, answer: Answer, question: Question) -> answers.Understood:
    parsed, terms = answer.parsed, view.searcher.searched(answer)
    by_picture = question.like or question.shown is not None
    return answers.Understood(
        text=parsed.text,
        conditions=[
            answers.Condition(words=list(hard.phrases), negated=hard.negated)
            for hard in parsed.hard
        ],
        filtered=bool(parsed.filters),
        terms=[
            answers.QueryTerm.model_construct(
                term=term.term, weight=term.weight, origin=term.origin,
                own=term.origin == "own", moments=view.moments_showing[term.term],
            )
            for term in (terms[:_LIKE_TERMS] if by_picture else terms)
        ],
        replaced=[
            answers.ReplacedWord(
                word=each.word, spelled=each.spelled, terms=[term for term, _ in each.terms]
            )
            for each in answer.replaced
        ],
        dropped=list(question.options["drop"]),
        defined=[DefinedName(**entry.record()) for entry in answer.defined],
    )  # fmt: skip
