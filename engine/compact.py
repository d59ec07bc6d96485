"""Merge segments into fewer, larger ones, and drop the rows of tombstoned videos.

A build publishes small segments; each costs a query a fixed amount, and more than some hundred
of them more open files than a process may have. Compaction is tiered: small segments are merged
once the ones below them together are a fair part of them, so that a row is rewritten a number of
times logarithmic in the size of the index, not at every compaction; a segment of which many rows
are dead is rewritten whatever its size. An index that is rewritten in seconds is rewritten whole.
Everything is streamed: memory holds one window of 65,536 rows, some 150 bytes a row of index and
the sample that the lists of `engine/ann.py` are trained on (together 600 MB for a full segment),
never its vectors.

Scores before and after are the same to the last bit: latents, rows, spans and times are copied;
postings are made anew. What is written depends on the live rows alone, which are put in the order
of numbers that the caller gives its videos (by content, `indexer/compaction.py`). So an index that
was built through crashes and one that was not are the same bytes once they are rewritten whole: a
build keeps the ids that it has planned however often it is interrupted. A `full` compaction also
makes these numbers the ids, and the bytes are the same whatever was added and removed, and when.
It must not know what queries ask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeAlias

import numpy as np
import numpy.typing as npt

from unify.engine import arrays, durable, latents, tables
from unify.engine.blocks import has_blocks
from unify.engine.errors import DamagedIndex
from unify.engine.live_rows import LiveRows, Source
from unify.engine.manifest import IndexSettings, SegmentEntry, read_manifest
from unify.engine.postings import WINDOW
from unify.engine.segment import (
    LATENTS,
    MOMENT,
    Size,
    codes_of,
    invert,
    scales_of,
    write_segment,
)
from unify.engine.types import Float16, Float32, UInt32
from unify.engine.writer import IndexWriter

SEGMENT_MOMENTS = 2_000_000  # 2 GB of latents at D = 512; written in minutes
WHOLE_MOMENTS = 200_000  # an index up to this size is rewritten whole
GROWTH = 4  # a segment is merged when it is at most so many times what is smaller, together
DEAD_SHARE = 0.2  # of a segment's rows; above, it is rewritten
MANY, MANY_ROWS = 8, 10_000  # segments to merge, or dead rows, from which compacting is advised

Progress: TypeAlias = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Compaction:
    """What a compaction did.

    Attributes:
        rewritten: moments that were written anew; 0 where there was nothing to do.
        rows_before: moments in all segments, tombstoned ones included.
        rows_after: the same afterwards.
        segments_before: live segments.
        segments_after: the same afterwards.
        bytes_before: size of all segments.
        bytes_after: the same afterwards.
    """

    rewritten: int
    rows_before: int
    rows_after: int
    segments_before: int
    segments_after: int
    bytes_before: int
    bytes_after: int


def rewrite(
    writer: IndexWriter,
    numbers: Mapping[int, int],
    full: bool = False,
    progress: Progress | None = None,
) -> Compaction:
    """Compact an index, in one atomic publish; killed at any instant, the old one stays whole.

    Args:
        writer: of the index, with nothing pending.
        numbers: by what live videos are ordered, by id; no number twice.
        full: rewrite everything, and give each video its number as its new id.
        progress: called with rows rewritten so far and rows to be rewritten.

    Raises:
        DamagedIndex: a file is not what was written; nothing is changed then.
        IndexUnavailable: the file system refuses.
    """
    before, directory = writer.manifest, writer.directory
    dead = tables.read_tombstones(directory, before)
    sources = [Source(directory, entry, before.settings, dead) for entry in before.segments]
    _check_known(sources, writer, dead)
    chosen = _chosen(sources, full)
    old = [sources[i] for i in chosen]
    parts = LiveRows.arranged(old, numbers, SEGMENT_MOMENTS)
    changed = {id_: new for id_, new in numbers.items() if full and id_ != new}
    dated = full and not all(has_blocks(entry) for entry in before.segments)
    same = len(parts) == len(old) and all(part.whole for part in parts)
    wanted = changed or dated or not same
    if wanted:
        kept = [source for i, source in enumerate(sources) if i not in chosen]
        for source in old:
            source.check()
        for source in kept:
            source.check(("moments.npy",))  # what is taken from them
        made = write_parts(writer, parts, changed, progress)
        held = np.unique(np.concatenate([np.zeros(0, "<u4"), *(s.videos for s in kept)]))
        segments = [*(source.entry for source in kept), *made]
        videos = [replace(v, id=changed.get(v.id, v.id)) for v in writer.live_videos.values()]
        writer.replace(videos, segments, np.intersect1d(held, dead).tolist())
    after = writer.manifest
    return Compaction(
        sum(map(len, parts)) if wanted else 0,
        before.moments, after.moments, len(before.segments), len(after.segments),
        sum(entry.size_bytes for entry in before.segments),
        sum(entry.size_bytes for entry in after.segments),
    )  # fmt: skip


def _check_known(sources: Sequence[Source], writer: IndexWriter, dead: UInt32) -> None:
    known = np.union1d(np.fromiter(writer.live_videos, np.uint32, len(writer.live_videos)), dead)
    for source in sources:
        strange = np.setdiff1d(source.videos, known)
        if len(strange):
            raise DamagedIndex(
                f"{source.entry.folder(writer.directory)}: nothing is known of video {strange[0]}",
                "see all damage with: unify index verify",
            )


def _chosen(sources: Sequence[Source], full: bool) -> list[int]:
    live = [len(source) for source in sources]
    if full or sum(live) <= WHOLE_MOMENTS:
        return list(range(len(sources)))
    return choose(live, [source.entry.moments for source in sources])


def choose(live: Sequence[int], rows: Sequence[int]) -> list[int]:
    """Return which segments of a large index to rewrite.

    Args:
        live: rows of live videos, by segment.
        rows: all rows, by segment.

    >>> choose([4, 4, 4, 1000], [4, 4, 4, 1000])  # the large one is left until more have come
    [0, 1, 2]
    >>> choose([250, 4, 2000], [250, 4, 2000]), choose([600, 9000], [1000, 9000])
    ([], [0])
    """
    small = sorted(
        (i for i, n in enumerate(live) if n <= SEGMENT_MOMENTS // 2), key=live.__getitem__
    )
    below = count = 0
    for position, i in enumerate(small):
        if position and live[i] <= GROWTH * below:
            count = position + 1
        below += live[i]
    worn = [i for i, n in enumerate(live) if rows[i] - n > DEAD_SHARE * rows[i]]
    return sorted({*small[:count], *worn})


def advisable(directory: Path) -> bool:
    """Return whether compacting would make an index faster or notably smaller."""
    manifest = read_manifest(directory)
    dead = tables.read_tombstones(directory, manifest)
    sources = [Source(directory, entry, manifest.settings, dead) for entry in manifest.segments]
    live, rows = [len(source) for source in sources], [s.entry.moments for s in sources]
    chosen = choose(live, rows)
    return len(chosen) >= MANY or sum(rows[i] - live[i] for i in chosen) >= MANY_ROWS


def write_parts(
    writer: IndexWriter,
    parts: Sequence[LiveRows],
    changed: Mapping[int, int],
    progress: Progress | None,
) -> list[SegmentEntry]:
    """Write each part as a new segment, not published yet, with the ids of some videos changed.

    Args:
        writer: of the index.
        parts: the rows.
        changed: new ids of videos, by the old ones.
        progress: as `rewrite` has it.
    """
    tell = _counter(sum(map(len, parts)), progress)
    settings = writer.manifest.settings
    with writer.writing():
        return [
            write_segment(
                writer.directory,
                writer.next_segment(),
                settings.latent_dim,
                partial(_fill, rows=part, settings=settings, changed=changed, tell=tell),
            )
            for part in parts
        ]


def _counter(total: int, progress: Progress | None) -> Callable[[int], None]:
    done = 0

    def add(rows: int) -> None:
        nonlocal done
        done += rows
        if progress:
            progress(done, total)

    return add


def _fill(
    folder: Path,
    rows: LiveRows,
    settings: IndexSettings,
    changed: Mapping[int, int],
    tell: Callable[[int], None],
) -> Size:
    """Write all files of a merged segment."""
    count = len(rows)
    arrays.save_blocks(folder / "moments.npy", MOMENT, count, _renumbered(rows, changed))
    arrays.save_blocks(folder / "frames.npy", "<f8", rows.frames, rows.times())
    scales = _scales(rows, settings.stored_terms)
    arrays.save(folder / "scales.npy", scales)
    for name in ("forward", "tracks"):
        indptr = np.concatenate([[0], np.cumsum(rows.lengths(name))]).astype(np.int64)
        total = int(indptr[-1])
        arrays.save(folder / f"{name}_indptr.npy", indptr)
        arrays.save_blocks(folder / f"{name}_terms.npy", "<u2", total, rows.terms(name))
        arrays.save_blocks(folder / f"{name}_weights.npy", "<f2", total, rows.weights(name))
    postings = _write_postings(folder, count, scales)

    def vectors() -> Iterator[Float16]:
        for block in rows.latents():
            yield block
            tell(len(block))

    latents.write_flat(folder / LATENTS, vectors(), count, settings.latent_dim)
    return Size(count, rows.frames, postings)


def _renumbered(rows: LiveRows, changed: Mapping[int, int]) -> Iterator[npt.NDArray[np.void]]:
    for block in rows.moments():
        ids, owner = np.unique(block["video"], return_inverse=True)
        new = np.array([changed.get(id_, id_) for id_ in ids.tolist()], np.uint32)
        block["video"] = new[owner]
        yield block


def _scales(rows: LiveRows, size: int) -> Float32:
    """Return (size,) scales of codes: those that a build of these rows alone would choose."""
    largest = np.zeros(size, np.float32)
    for terms, weights in zip(rows.terms("forward"), rows.weights("forward"), strict=True):
        np.maximum.at(largest, terms, weights.astype(np.float32))
    return scales_of(largest)


def _write_postings(folder: Path, count: int, scales: Float32) -> int:
    """Invert the forward rows just written, a window at a time; return how many postings."""
    indptr = arrays.load(folder / "forward_indptr.npy", "<i8", count + 1)
    total = int(indptr[-1])
    terms = arrays.load(folder / "forward_terms.npy", "<u2", total)
    weights = arrays.load(folder / "forward_weights.npy", "<f2", total)
    starts = [np.zeros(1, np.int64)]

    def write(ids_file: BinaryIO, codes_file: BinaryIO) -> None:
        arrays.write_header(ids_file, "<u2", total)
        arrays.write_header(codes_file, "|u1", total)
        for row in range(0, count, WINDOW):
            ends = indptr[row : row + WINDOW + 1]
            span = slice(int(ends[0]), int(ends[-1]))
            codes = codes_of(terms[span], weights[span], scales)
            lists, ids, list_codes = invert(ends - ends[0], terms[span], codes, len(scales))
            starts.append(lists[1:] + ends[0])
            ids_file.write(ids.data)
            codes_file.write(list_codes.data)

    codes_path = folder / "postings_codes.npy"
    durable.write_file(
        folder / "postings_ids.npy",
        lambda ids: durable.write_file(codes_path, lambda codes: write(ids, codes)),
    )
    arrays.save(folder / "postings_indptr.npy", np.concatenate(starts))
    return total
