"""From a Milvus collection into an index directory, the same rows bit for bit.

Videos are published in steps, so a pull that was stopped goes on with what is not there yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unify.engine.errors import IndexUnavailable, UsageError
from unify.engine.local import open_snapshot
from unify.engine.manifest import Place, Root, Video
from unify.engine.milvus.backend import MilvusBackend
from unify.engine.milvus.rows import Row, local_rows
from unify.engine.segment import MomentSpans
from unify.engine.types import Float64, MomentCodes, SparseRows
from unify.engine.writer import IndexWriter

VIDEOS = 200  # fetched at once
PUBLISHED = 20_000  # moments held in memory at most, before they are published
SAMPLED = 100


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull did.

    Attributes:
        moments: in the directory at the end.
        videos: that they belong to.
        fetched: moments that were not there before.
        compared: rows of both sides that are the same bit for bit.
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
        IndexUnavailable: the server does not answer, or its rows changed meanwhile.
    """
    total, fetched = backend.statistics().moments, 0
    roots, videos = _tables(backend.store.listed("part == 0"))
    with IndexWriter.open(directory, backend.settings) as writer:
        have = writer.live_videos
        strange = [id_ for id_, video in have.items() if _facts(video) != _facts(videos.get(id_))]
        if strange:
            raise UsageError(
                f"{directory} holds videos that the collection has not", "pull into a new directory"
            )
        missing = sorted(set(videos) - set(have))
        done = set(have)
        for at in range(0, len(missing), VIDEOS):
            ids = missing[at : at + VIDEOS]
            fetched += _add(writer, backend, ids)
            done.update(ids)
            if writer.pending_moments >= PUBLISHED or ids[-1] == missing[-1]:
                writer.publish(roots, [videos[id_] for id_ in sorted(done)])
                if progress:
                    progress(fetched, total)
    return _verified(backend, directory, fetched)


def _tables(firsts: Iterable[Row]) -> tuple[list[Root], dict[int, Video]]:
    """Return the roots and the videos of an index directory, from each video's first row."""
    known = {row.video: (row.places, row.duration_s, row.recorded) for row in firsts}
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


def _add(writer: IndexWriter, backend: MilvusBackend, ids: Sequence[int]) -> int:
    """Fetch all moments of some videos and give them to the writer; return how many."""
    by_video: dict[int, list[Row]] = {id_: [] for id_ in ids}
    for row in backend.store.listed(f"video in {list(ids)}"):
        by_video[row.video].append(row)
    for id_, rows in by_video.items():
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


def _verified(backend: MilvusBackend, directory: Path, fetched: int) -> Pulled:
    """See that both sides hold the same.

    Raises:
        IndexUnavailable: they do not.
    """
    snapshot = open_snapshot(directory)
    here, there = snapshot.statistics(), backend.statistics()
    ids = np.array([row.id for row in local_rows(snapshot)], np.int64)
    sample = ids[:: max(1, len(ids) // SAMPLED)][:SAMPLED]
    if (here.moments, here.videos) != (there.moments, there.videos):
        raise IndexUnavailable(
            f"{directory} has {here.moments:,} moments, {backend.name} {there.moments:,}",
            "it was changed meanwhile: pull into a new directory",
        )
    return Pulled(here.moments, here.videos, fetched, len(backend.store.rows(sample)))
