"""From a Milvus collection into an index directory, the same rows bit for bit.

Videos are published in steps, so a pull that was stopped goes on with what is not there yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unify.engine.errors import IndexUnavailable, UsageError
from unify.engine.local import open_snapshot
from unify.engine.manifest import Place, Root, Video
from unify.engine.milvus.backend import MilvusBackend
from unify.engine.milvus.collection import unfinished_push
from unify.engine.milvus.rows import Row, local_rows, read_places
from unify.engine.milvus.store import Store
from unify.engine.segment import MomentSpans
from unify.engine.types import Float64, MomentCodes, SparseRows
from unify.engine.writer import IndexWriter

VIDEOS = 200  # fetched at once
MOMENTS = 5_000  # fetched at once, or those of one video
PUBLISHED = 20_000  # moments that wait to be published
_FACTS = ("video", "places", "duration_s", "recorded")
_ANEW = "it was changed meanwhile: pull into a new directory"


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull did.

    Attributes:
        moments: in the directory at the end.
        videos: that they belong to.
        fetched: moments that were not there before.
        compared: moments of both sides that are the same, by the hashes of all they say.
    """

    moments: int
    videos: int
    fetched: int
    compared: int


def pull(
    backend: MilvusBackend, directory: Path,
    progress: Callable[[int, int], None] | None = None,
) -> Pulled:  # fmt: skip
    """Make an index directory of a tenant's rows.

    Args:
        backend: the collection.
        directory: a new one, or one that an earlier pull began.
        progress: called with moments fetched and moments in all.

    Raises:
        UsageError: the directory holds videos that the collection has not.
        IncompatibleIndex: it was built by another pack or with other settings.
        IndexUnavailable: the server does not answer, or its rows are changing.
    """
    total, fetched = backend.statistics().moments, 0
    if backend.collection.pushing:  # what was before a change would lie beside what is after it
        raise unfinished_push(backend.collection.link)
    store = Store(backend.collection, "Strong")
    roots, videos = _tables(store.fields("part == 0", ["id", *_FACTS]))
    sizes = Counter(store.owners(None))
    with IndexWriter.open(directory, backend.settings) as writer:
        have = writer.live_videos
        strange = [id_ for id_, video in have.items() if _facts(video) != _facts(videos.get(id_))]
        if strange:
            raise UsageError(
                f"{directory} holds videos that the collection has not", "pull into a new directory"
            )
        missing = sorted(set(videos) - set(have))
        done = set(have)
        for ids in _portions(missing, sizes):
            fetched += _add(writer, store, ids, sizes)
            done.update(ids)
            if writer.pending_moments >= PUBLISHED or ids[-1] == missing[-1]:
                writer.publish(roots, [videos[id_] for id_ in sorted(done)])
                if progress:
                    progress(fetched, total)
    return _verified(store, backend, directory, fetched)


def _tables(firsts: Iterable[Any]) -> tuple[list[Root], dict[int, Video]]:
    """Return the roots and the videos of an index directory, from each video's first row."""
    known = {}
    for id_, places, duration_s, recorded in (map(row.get, _FACTS) for row in firsts):
        known[id_] = (read_places(places), duration_s, recorded)
    pairs = sorted({(root, given) for places, *_ in known.values() for given, root, _ in places})
    number = {pair: at for at, pair in enumerate(pairs)}
    videos = {}
    for id_, (places, duration_s, recorded) in sorted(known.items()):
        own, *copies = (Place(number[root, given], rel) for given, root, rel in places)
        videos[id_] = Video(id_, own.root, own.rel, duration_s, recorded, tuple(copies))
    return [Root(given, root) for root, given in pairs], videos


def _facts(video: Video | None) -> object:
    """Return what of a video two indexes agree on, whatever their roots' numbers."""
    return video and (video.rel, video.duration_s, video.recorded, len(video.copies))


def _portions(videos: Sequence[int], sizes: Counter[int]) -> Iterator[list[int]]:
    """Cut videos into parts of `VIDEOS` and, unless it is one video, `MOMENTS` at most."""
    part: list[int] = []
    moments = 0
    for id_ in videos:
        if part and (len(part) == VIDEOS or moments + sizes[id_] > MOMENTS):
            yield part
            part, moments = [], 0
        part.append(id_)
        moments += sizes[id_]
    if part:
        yield part


def _add(writer: IndexWriter, store: Store, ids: Sequence[int], sizes: Counter[int]) -> int:
    """Fetch all moments of some videos and give them to the writer; return how many."""
    by_video: dict[int, list[Row]] = {id_: [] for id_ in ids}
    for row in store.listed(f"video in {list(ids)}"):
        by_video[row.video].append(row)
    for id_, rows in by_video.items():
        if len(rows) != sizes[id_]:
            raise IndexUnavailable("the collection changed while it was read", _ANEW)
        writer.add(id_, *_video(sorted(rows, key=lambda row: row.part)))
    return sum(map(len, by_video.values()))


def _video(rows: list[Row]) -> tuple[MomentSpans, Float64, MomentCodes]:
    """Put the moments of a video together; a frame of two moments is there once."""
    times, where = np.unique(np.concatenate([row.times_s for row in rows]), return_index=True)
    every = SparseRows.concatenate([_sparse(row) for row in rows])
    tracks = SparseRows.concatenate([_one(*every.row(int(at))) for at in where])
    first = np.array([np.searchsorted(times, row.times_s[0]) for row in rows])
    spans = MomentSpans(
        np.array([row.start_s for row in rows]),
        np.array([row.end_s for row in rows]),
        first,
        first + np.array([len(row.times_s) for row in rows]),
    )
    lexicon = SparseRows.concatenate([_one(row.terms, row.weights) for row in rows])
    latents = np.stack([row.latent.astype(np.float32) for row in rows])
    return spans, times, MomentCodes(latents, lexicon, tracks)


def _sparse(row: Row) -> SparseRows:
    indptr, terms, weights = row.tracks
    return SparseRows(indptr, terms, weights.astype(np.float32))


def _one(terms: np.ndarray, weights: np.ndarray) -> SparseRows:
    return SparseRows(np.array([0, len(terms)]), terms, weights.astype(np.float32))


def _verified(store: Store, backend: MilvusBackend, directory: Path, fetched: int) -> Pulled:
    """See that both sides hold the same: an id is a hash of all that a row says.

    Raises:
        IndexUnavailable: they do not.
    """
    snapshot = open_snapshot(directory)
    tenant = backend.collection.link.place.tenant
    here = np.sort(np.fromiter((row.id for row in local_rows(snapshot, tenant)), np.int64))
    there = store.ids(None)
    if not np.array_equal(here, there):
        raise IndexUnavailable(
            f"{directory} has {len(here):,} moments, {backend.name} {len(there):,}, "
            f"{len(np.setxor1d(here, there)):,} of them on one side alone",
            _ANEW,
        )
    return Pulled(len(here), snapshot.statistics().videos, fetched, len(here))
