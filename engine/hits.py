"""From the results of a plan to hits: where each lies, what its score is made of, and why.

It must not know how results are found.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from unify.engine.answer import Answer, Hit, Source, TermMatch
from unify.engine.backend import Backend
from unify.engine.execute import Outcome
from unify.engine.explain import TermTrack
from unify.engine.fusion import Affine, ByServer, Fuse
from unify.engine.lexicon import Lexicon
from unify.engine.types import EncodedQuery, Int64, UInt16


def make_hits(
    backend: Backend, lexicon: Lexicon, query: EncodedQuery, fusion: Fuse, outcome: Outcome,
    weak: float, offset: int, pooled: bool, reasons: bool,
) -> tuple[Hit, ...]:  # fmt: skip
    """Return the hits of an outcome, with both sides' parts of their scores.

    Args:
        backend: holds the rows.
        lexicon: names the terms.
        query: what was looked for, shown and said.
        fusion: made one score of two.
        outcome: the results.
        weak: score below which a hit is weak.
        offset: results to leave out from the top.
        pooled: whether scores are means of several moments.
        reasons: whether to tell the terms that hits share with the query.
    """
    ids = outcome.ids[offset:]
    matching = _Matching(backend, lexicon, query, ids) if reasons else None
    hits = []
    for row, (moment, score, latent, raw, (latent_part, lexicon_part)) in enumerate(
        zip(
            ids.tolist(), outcome.scores[offset:].tolist(), outcome.latent[offset:].tolist(),
            outcome.lexicon[offset:].tolist(), outcome.parts[offset:].tolist(), strict=True,
        )
    ):  # fmt: skip
        base = _base(fusion, score)
        facts = backend.facts(moment)
        hits.append(
            Hit(
                rank=row + offset + 1,
                video=facts.video,
                path=facts.path,
                moment=moment,
                start_s=facts.start_s,
                end_s=facts.end_s,
                score=score,
                latent=latent,
                lexicon=raw,
                latent_part=latent_part,
                lexicon_part=lexicon_part,
                base=base,
                terms=matching.of(row, raw, lexicon_part) if matching else (),
                exact=outcome.exact,
                weak=score < weak,
                copies=facts.copies,
                pool_part=score - (latent_part + lexicon_part + base) if pooled else 0.0,
            )
        )
    return tuple(hits)


def with_reasons(backend: Backend, lexicon: Lexicon, found: Answer) -> tuple[Hit, ...]:
    """Return the hits of an answer with the terms that they share with its query.

    Args:
        backend: holds the rows.
        lexicon: names the terms.
        found: hits that were made without reasons.
    """
    ids = np.array([hit.moment for hit in found], np.int64)
    matching = _Matching(backend, lexicon, found.asked, ids)
    return tuple(
        replace(hit, terms=matching.of(row, hit.lexicon, hit.lexicon_part))
        for row, hit in enumerate(found)
    )


def _base(fusion: Fuse, score: float) -> float:
    """Return what of a score no side gives: a constant, or all of it where a server has fused."""
    if isinstance(fusion, ByServer):
        return score
    return fusion.base if isinstance(fusion, Affine) else 0.0


class _Matching:
    """What query and moments share, taken out of matrices at once: a hit has no time for numpy."""

    def __init__(self, backend: Backend, lexicon: Lexicon, query: EncodedQuery, ids: Int64) -> None:
        weights = backend.term_weights(ids, query.terms)  # (n, Q)
        products = weights * query.weights.astype(np.float64)
        self._backend, self._words, self._ids = backend, lexicon.terms, ids.tolist()
        self._terms, self._query = query.terms.tolist(), query.weights.tolist()
        self._order = np.argsort(-np.abs(products), axis=1, kind="stable").tolist()
        self._weights, self._products = weights.tolist(), products.tolist()

    def of(self, row: int, raw: float, part: float) -> tuple[TermMatch, ...]:
        """Return the terms of a row, the largest part first.

        Args:
            row: which of the moments.
            raw: its lexicon score.
            part: what that side gives to its score.
        """
        share = part / raw if raw else 0.0
        size, weights, products = len(self._words), self._weights[row], self._products[row]
        columns = [column for column in self._order[row] if weights[column]]
        said = [term for column in columns if (term := self._terms[column]) >= size]
        said_s = _said_s(self._backend, self._ids[row], np.array(said, np.uint16)) if said else {}
        return tuple(
            TermMatch(
                self._words[term % size], self._query[column], weights[column], products[column],
                products[column] * share, Source.PICTURES if term < size else Source.SUBTITLES,
                said_s.get(term, ()),
            )
            for column in columns
            for term in (self._terms[column],)
        )  # fmt: skip


def _said_s(
    backend: Backend, moment: int, said: UInt16
) -> dict[int, tuple[tuple[float, float], ...]]:
    """Return when each of some words is said in a moment, by id."""
    times, weights = backend.tracks(moment, said)
    return {
        int(term): tuple(TermTrack("", times, weights[:, column]).ranges(1.0))
        for column, term in enumerate(said)
    }
