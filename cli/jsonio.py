"""The versioned JSON lines that scripts read, as docs/howto.md says. Fields are only ever added."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unify.engine.answer import Answer, Hit, TermMatch
    from unify.engine.facets import Facet
    from unify.engine.wording import SearchedTerm

SCHEMA = 1


def emit(record: dict[str, Any]) -> None:
    """Print one object as one line of stdout."""
    typer.echo(json.dumps({"schema": SCHEMA, **record}, allow_nan=False))


def hit_record(hit: Hit, query_id: int) -> dict[str, Any]:
    """Return a hit as JSON fields."""
    return {
        "query_id": query_id,
        "rank": hit.rank,
        "video": hit.video,
        "path": hit.path,
        "moment": hit.moment,
        "start_s": hit.start_s,
        "end_s": hit.end_s,
        "score": hit.score,
        "latent": hit.latent,
        "lexicon": hit.lexicon,
        "parts": {
            "latent": hit.latent_part,
            "lexicon": hit.lexicon_part,
            "base": hit.base,
            **({"pool": hit.pool_part} if hit.pool_part else {}),
        },
        "terms": [_term_record(match) for match in hit.terms],
        "exact": hit.exact,
        "copies": list(hit.copies),
        "duplicates": hit.duplicates,
        "weak": hit.weak,
    }


def _term_record(match: TermMatch) -> dict[str, Any]:
    fields = asdict(match)
    return fields if match.said_s else {k: v for k, v in fields.items() if k != "said_s"}


def facets_record(found: Sequence[Facet], moments: int) -> dict[str, Any]:
    """Return what the good hits have in common as JSON fields."""
    return {"facets": [asdict(facet) for facet in found], "moments": moments}


def plan_record(
    answer: Answer, query_id: int, searched: Sequence[SearchedTerm] = ()
) -> dict[str, Any]:
    """Return how a query was answered as JSON fields."""
    return {
        "query_id": query_id,
        "hits": len(answer),
        "exact": answer.exact,
        "gap": gap_of(answer),
        "missing": list(answer.missing),
        "searched": [asdict(term) for term in searched],
        "replaced": [asdict(word) for word in answer.replaced],
        "defined": [entry.record() for entry in answer.defined],
        "times_ms": {stage: round(ms, 4) for stage, ms in answer.times_ms.items()},
        "plan": plan_fields(answer),
    }


def plan_fields(answer: Answer) -> dict[str, Any]:
    """Return what was planned and what came of it, as the JSON lines and REST both say it."""
    plan, outcome = answer.plan, answer.outcome
    return {
        "structure": plan.structure,
        "latent": plan.latent,
        "lexicon": plan.lexicon,
        "moments": plan.moments,
        "allowed": plan.allowed,
        "approximate": plan.approximate,
        "postings": plan.postings,
        "threads": plan.threads,
        "estimates_ms": {stage: round(ms, 4) for stage, ms in plan.estimates_ms.items()},
        "rounds": outcome.rounds,
        "depth": outcome.depth,
        "fetched": dict(outcome.fetched),
        "candidates": outcome.candidates,
    }


def gap_of(answer: Answer) -> float | None:
    """Return how far an unseen moment could be ahead; None where nothing bounds it."""
    gap = answer.outcome.gap
    return gap if math.isfinite(gap) else None
