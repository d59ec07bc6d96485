"""The chapters of a video and their titles, from what an index holds of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from unify.engine.dictionary import NO_NAMES, Dictionary, Entry
from unify.engine.errors import UsageError
from unify.engine.fusion import affine
from unify.engine.query import ParsedQuery, parse
from unify.indexer import chapters as making
from unify.indexer.chapters import Chapter

if TYPE_CHECKING:
    from unify.engine.search import Searcher
    from unify.engine.types import Float64, Int64

_NOTHING = "other"


class Chapters(NamedTuple):
    """Chapters in order, a title of each, and the names in queries that a dictionary defines."""

    found: list[Chapter]
    titles: list[str]
    defined: tuple[Entry, ...] = ()


def chapters_of(
    searcher: Searcher, video: str, queries: Sequence[str], shortest_s: float,
    dictionary: Dictionary = NO_NAMES,
) -> Chapters:  # fmt: skip
    """Return chapters of a video: by queries, or else where what it shows changes.

    With queries every moment goes to the one that it answers best, where it answers any well.
    Without, chapters are named by the terms that tell them from other videos.

    Args:
        searcher: the index and its pack.
        video: its path.
        queries: subjects of chapters.
        shortest_s: least seconds of a chapter.
        dictionary: names that queries may hold.

    Raises:
        UsageError: the video is not indexed, or a query has conditions.
        QueryError: a query cannot be read.
    """
    ids = searcher.backend.moments_of(video)
    facts = [searcher.backend.facts(int(moment)) for moment in ids]
    starts = np.array([fact.start_s for fact in facts])
    ends = np.array([fact.end_s for fact in facts])
    bounds = making.edges(starts, ends, float(ends.max()))
    if not queries:
        found = making.by_change(searcher.backend.latents(ids), bounds, shortest_s)
        return Chapters(found, _titles(searcher, ids, found))
    subjects = [_subject(query, dictionary) for query in queries]
    labels = _labels(searcher, ids, subjects)
    found = making.by_label(labels.tolist(), bounds, shortest_s)
    titles = [_named(queries, labels[chapter.first : chapter.last]) for chapter in found]
    defined = dict.fromkeys(entry for subject in subjects for entry in subject.defined)
    return Chapters(found, titles, tuple(defined))


def _labels(searcher: Searcher, ids: Int64, subjects: Sequence[ParsedQuery]) -> Int64:
    """Return (M,) which subject each moment answers best, or -1 where it answers none well."""
    scores = np.stack([_scores(searcher, ids, subject) for subject in subjects])  # (Q, M)
    best = scores.argmax(axis=0)
    return np.where(scores.max(axis=0) >= searcher.encoder.calibration.weak, best, -1)


def _subject(query: str, dictionary: Dictionary) -> ParsedQuery:
    parsed = parse(query, dictionary=dictionary)
    if parsed.hard or parsed.filters:
        raise UsageError(
            f"a chapter's subject has no conditions, and {query!r} has",
            "leave out +, -, OR and filters, also of names",
        )
    return parsed


def _scores(searcher: Searcher, ids: Int64, subject: ParsedQuery) -> Float64:
    encoded = searcher.encode(subject)
    fused = affine(encoded, searcher.encoder.calibration)
    latent = np.zeros(len(ids))
    if encoded.latent is not None:
        latent = searcher.backend.latent_scores(ids, encoded.latent)
    lexicon = searcher.backend.lexicon_scores(ids, encoded.terms, encoded.weights)
    return fused(latent, lexicon)


def _named(queries: Sequence[str], labels: Int64) -> str:
    """Return the query that most moments of a chapter answer."""
    values, counts = np.unique(labels, return_counts=True)
    label = int(values[counts.argmax()])
    return _NOTHING if label < 0 else queries[label]


def _titles(searcher: Searcher, ids: Int64, found: list[Chapter]) -> list[str]:
    """Return the terms that stand out in each chapter, against what the pack expects of any."""
    calibration = searcher.encoder.calibration
    words = searcher.encoder.lexicon.terms
    every = np.arange(len(words), dtype=np.uint16)
    titles = []
    for chapter in found:
        weights = searcher.backend.term_weights(ids[chapter.first : chapter.last], every)
        above = weights.mean(axis=0) - calibration.term_mean
        top = np.argsort(-above, kind="stable")[:3]
        names = [words[int(term)] for term in top if above[term] > 0]
        titles.append(", ".join(names) or _NOTHING)
    return titles
