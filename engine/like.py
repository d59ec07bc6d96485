"""More like this: a moment's own latent and words are the query, text beside them.

The moment is a stored one, or a picture or clip that was encoded as one. The text is parsed as
always, so operators and filters hold. Where there is text, the moment's row and the encoded
sentence are added at equal length on each side, the moment's times a weight.

Scores are in the usual unit, standard deviations above the mean for this query: the pack's
statistics are those of moments, so mean and deviation hold whatever the query was made of. But
pictures are nearer to pictures than to sentences, so that no threshold for sentences applies: no
hit is `weak`. So the fusion is that of sentences, too: of 110 clips it finds another moment by a
picture of it in 92 of 100 cases, as each side alone does (`benchmarks/by_picture.py`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from unify.engine.answer import Answer, Hit
from unify.engine.backend import Backend
from unify.engine.errors import UsageError
from unify.engine.options import MAX_K, Options
from unify.engine.pooling import read_pool
from unify.engine.query import ParsedQuery
from unify.engine.search import Searcher
from unify.engine.spread import spread
from unify.engine.types import EncodedQuery, Float32

_TIME = re.compile(r"(?:\d+:(?:[0-5]\d:)?[0-5]\d|\d+)(?:\.\d*)?|\.\d+")
_AFTER_S = 1.0  # a player may call the last picture's time what is the next one's
_OVERLAPPING = 8  # hits that may overlap the moment itself, and are left out


@dataclass(frozen=True, slots=True)
class Like:
    """A place in a video: `VIDEO@SECONDS`."""

    video: str
    time_s: float

    @classmethod
    def read(cls, text: str) -> Like:
        """Read `VIDEO@12.5`, or a time as hits show it: `VIDEO@1:02:05`.

        Raises:
            UsageError: it is not of this form.

        >>> Like.read("clips/a@b.mp4@12.5"), Like.read("a.mp4@1:02:05").time_s
        (Like(video='clips/a@b.mp4', time_s=12.5), 3725.0)
        """
        video, _, time = text.rpartition("@")
        if not (video and _TIME.fullmatch(time)):
            raise UsageError(
                f"cannot read {text!r}", "write VIDEO@SECONDS, as in: a.mp4@12.5 or a.mp4@1:02:05"
            )
        seconds = 0.0
        for part in time.split(":"):
            seconds = 60 * seconds + float(part)
        return cls(video, seconds)


def moment_at(backend: Backend, place: Like) -> int:
    """Return the moment of a video whose middle is nearest to a time, of those that hold it.

    Raises:
        UsageError: no such video is indexed, it has no moment, or it ends before that time.
    """
    moments = backend.moments_of(place.video).tolist()
    if not moments:
        raise UsageError(f"{place.video} has no moment", "build the index again")
    spans = [(fact.start_s, fact.end_s) for fact in map(backend.facts, moments)]
    ends_s = max(end_s for _, end_s in spans)
    if place.time_s > ends_s + _AFTER_S:
        raise UsageError(
            f"{place.video} has no second {place.time_s:g}", f"its pictures end at {ends_s:.1f} s"
        )

    def distance(at: int) -> tuple[float, float]:
        start_s, end_s = spans[at]
        outside = max(start_s - place.time_s, place.time_s - end_s, 0.0)
        return outside, abs((start_s + end_s) / 2 - place.time_s)

    return int(moments[min(range(len(moments)), key=distance)])


def search_like(
    searcher: Searcher, moment: int, text: str = "", k: int = 10, weight: float = 1.0,
    **options: Any,
) -> Answer:  # fmt: skip
    """Find moments like a stored one.

    With one hit a video its own video takes part, by the best of its other moments; but not where
    videos are pooled, for the known moment would be in its mean.

    Args:
        searcher: the index and its pack.
        moment: the id of the one that is known; it, and what overlaps it, is no hit.
        text: words beside it, in the query language; may be empty.
        k: how many hits.
        weight: how much the moment counts beside the words.
        options: further fields of `Options`.

    Raises:
        QueryError: the text cannot be read.
        UsageError: an option or the weight has a value that it cannot have.
    """
    chosen = Options(k=k, **options)
    shown = stored_query(searcher.backend, len(searcher.encoder.lexicon), moment)

    def others(depth: int, moments: bool) -> Answer:
        more = min(MAX_K, depth + _OVERLAPPING)
        wider = replace(chosen, k=more, offset=0, moments=moments, reasons=False)
        found = _find(searcher, shown, text, weight, wider)
        return replace(found, hits=_others(searcher.backend, found.hits, moment)[:depth])

    if chosen.moments or read_pool(chosen.pool) > 1:
        found = others(chosen.k + chosen.offset, chosen.moments)
        found = replace(found, hits=found.hits[chosen.offset :])
    else:
        found = spread(lambda depth: others(depth, True), chosen.k, chosen.offset, 1)
    return searcher.with_reasons(found) if chosen.reasons else found


def search_shown(
    searcher: Searcher, shown: EncodedQuery, text: str = "", k: int = 10, weight: float = 1.0,
    **options: Any,
) -> Answer:  # fmt: skip
    """Find moments like a picture or a clip.

    Args:
        searcher: the index and its pack.
        shown: the picture or clip as that pack encodes it.
        text: words beside it, in the query language; may be empty.
        k: how many hits.
        weight: how much the picture or clip counts beside the words.
        options: further fields of `Options`.

    Raises:
        QueryError: the text cannot be read.
        UsageError: an option or the weight has a value that it cannot have.
    """
    found = _find(searcher, shown, text, weight, Options(k=k, **options))
    return replace(found, hits=tuple(replace(hit, weak=False) for hit in found))


def _find(
    searcher: Searcher, shown: EncodedQuery, text: str, weight: float, options: Options
) -> Answer:
    if not 0 < weight <= 100:
        raise UsageError(f"what is shown weighs {weight:g}", "use a weight up to 100")
    parsed = options.parse(text) if text.strip() else ParsedQuery("")
    query = _mixed(shown, searcher.encode(parsed), weight, len(searcher.encoder.lexicon))
    return searcher.run(parsed, query, options)


def stored_query(backend: Backend, size: int, moment: int) -> EncodedQuery:
    """Return a stored moment as a query: its latent, and the words that it shows.

    Args:
        backend: holds the rows.
        size: V.
        moment: its id.
    """
    ids = np.array([moment], np.int64)
    weights = backend.term_weights(ids, np.arange(size, dtype=np.uint16))[0]
    terms = np.flatnonzero(weights).astype(np.uint16)
    return EncodedQuery(_unit(backend.latents(ids)[0]), terms, weights[terms].astype(np.float32))


def _mixed(shown: EncodedQuery, said: EncodedQuery, weight: float, size: int) -> EncodedQuery:
    """Add a moment and a sentence, each side at equal length."""
    latent = shown.latent
    if latent is not None and said.latent is not None:
        latent = _unit(np.float32(weight) * latent + said.latent)
    if not len(said.terms):
        return EncodedQuery(latent, shown.terms, shown.weights)
    length = float(np.linalg.norm(said.weights))
    dense = np.zeros(size, np.float32)
    dense[shown.terms] = _unit(shown.weights) * np.float32(weight * length)
    dense[said.terms] += said.weights
    terms = np.flatnonzero(dense).astype(np.uint16)
    return EncodedQuery(latent, terms, dense[terms])


def _unit(row: Float32) -> Float32:
    length = float(np.linalg.norm(row))
    return (row / length).astype(np.float32) if length else row.astype(np.float32)


def _others(backend: Backend, hits: tuple[Hit, ...], moment: int) -> tuple[Hit, ...]:
    """Leave out the moment itself and what overlaps it, and rank the rest anew."""
    own = backend.facts(moment)
    kept = (
        hit
        for hit in hits
        if hit.path != own.path or hit.end_s <= own.start_s or hit.start_s >= own.end_s
    )
    return tuple(replace(hit, rank=rank, weak=False) for rank, hit in enumerate(kept, start=1))
