"""Check every byte of an index, and that its parts agree.

Opening an index checks sizes and headers only; this reads everything. It reports all that it
finds instead of stopping at the first.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import numpy as np

from unify.engine import arrays, claims, durable, tables
from unify.engine.ann import AnnLatents
from unify.engine.errors import DamagedIndex, IncompatibleIndex, IndexUnavailable, NoIndex
from unify.engine.manifest import COPY, FileEntry, Manifest, read_manifest
from unify.engine.postings import WINDOW
from unify.engine.segment import Segment, codes_of, invert


def verify(directory: Path, progress: Callable[[int, int], None] | None = None) -> list[str]:
    """Return a line for each problem of the current generation; none when it is whole.

    Args:
        directory: the index.
        progress: called with bytes read so far and bytes in all.

    Raises:
        IndexUnavailable: there is no index, or it cannot be read now.
        IncompatibleIndex: another version of unify wrote it.
        DamagedIndex: the manifest itself cannot be read.
    """
    while True:
        manifest = read_manifest(directory)
        with ExitStack() as stack:
            with suppress(FileNotFoundError, IndexUnavailable):  # said below, by name
                for table in manifest.tables[:1]:  # no writer removes what is being checked
                    stack.enter_context(claims.share(directory / table.name))
            problems = _verify(directory, manifest, progress)
        # A writer may have published, and removed what this generation names, before the claim.
        if not problems or read_manifest(directory).generation == manifest.generation:
            return problems


def _verify(
    directory: Path, manifest: Manifest, progress: Callable[[int, int], None] | None
) -> list[str]:
    files = list(_files(directory, manifest))
    total = sum(file.size_bytes for _, file in files)
    problems, done = copy_problems(directory), 0
    for path, file in files:
        problems += check_file(path, file)
        done += file.size_bytes
        if progress:
            progress(done, total)
    if problems:
        return problems  # contents cannot be trusted: nothing more to compare
    try:
        return [*_check_tables(directory, manifest), *_check_segments(directory, manifest)]
    except (DamagedIndex, FileNotFoundError) as error:
        return [str(error)]


def _files(directory: Path, manifest: Manifest) -> Iterator[tuple[Path, FileEntry]]:
    for file in manifest.tables:
        yield directory / file.name, file
    for segment in manifest.segments:
        for file in segment.files:
            yield segment.folder(directory) / file.name, file


def copy_problems(directory: Path) -> list[str]:
    """Return a line when the manifest's copy is damaged; an older index has none."""
    try:
        read_manifest(directory, COPY)
    except NoIndex:
        return []
    except (DamagedIndex, IncompatibleIndex) as error:
        return [error.message]
    return []


def check_file(path: Path, file: FileEntry) -> list[str]:
    """Return a line when a file is not, byte for byte, the one that was written.

    Raises:
        IndexUnavailable: it cannot be read now.
    """
    try:
        size = path.stat().st_size
        if size != file.size_bytes:
            return [f"{path}: {size} bytes, expected {file.size_bytes}"]
        if durable.sha256_of(path) != file.sha256:
            return [f"{path}: its bytes are not the ones that were written"]
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EIO):
            with arrays.reading(path):
                raise  # of a file that is not looked at nobody knows whether it is damaged
        return [f"{path}: {error.strerror}"]
    return []


def _check_tables(directory: Path, manifest: Manifest) -> list[str]:
    live = tables.read_videos(directory, manifest)
    dead = set(tables.read_tombstones(directory, manifest).tolist())
    held: set[int] = set()
    for entry in manifest.segments:
        segment = Segment(directory, entry, manifest.settings)
        held |= set(np.unique(segment.moments["video"]).tolist())
    problems = []
    if (len(live), len(dead)) != (manifest.videos, manifest.tombstones):
        problems.append(f"{directory}: the manifest counts other videos than its tables hold")
    places = (place for video in live.values() for place in video.places)
    if any(place.root >= len(manifest.roots) for place in places):
        problems.append(f"{directory}: a video refers to a root that is not there")
    for what, ids in (
        ("both live and tombstoned", dead & live.keys()),
        ("live but in no segment", live.keys() - held),
        ("in a segment but neither live nor tombstoned", held - live.keys() - dead),
    ):
        problems += [f"{directory}: video {video} is {what}" for video in sorted(ids)]
    return problems


def _check_segments(directory: Path, manifest: Manifest) -> list[str]:
    problems: list[str] = []
    owners: dict[int, int] = {}
    for entry in manifest.segments:
        segment = Segment(directory, entry, manifest.settings)
        where = entry.folder(directory)
        problems += [f"{where}: {what}" for what in check_rows(segment)]
        for video in np.unique(segment.moments["video"]).tolist():
            if video in owners:
                problems.append(f"{where}: video {video} also lies in segment {owners[video]}")
            owners[video] = entry.id
    return problems


def check_rows(segment: Segment) -> Iterator[str]:
    """Yield what is wrong inside one segment: ranges, orders, and the three views of a weight.

    Raises:
        DamagedIndex: a file holds something else.
    """
    yield from _check_moments(segment)
    for name, (indptr, terms, weights) in (
        ("forward", segment.forward), ("tracks", segment.tracks),
    ):  # fmt: skip
        if indptr[0] != 0 or (np.diff(indptr) < 0).any():
            yield f"{name} rows are out of order"
        elif len(terms) and int(terms.max()) >= segment.stored_terms:
            yield f"{name} terms are out of range"
        elif not (np.isfinite(weights) & (weights > 0)).all():
            yield f"{name} weights are not finite and above 0"
    if not _same_postings(segment):
        yield "postings and forward rows do not agree"


def _check_moments(segment: Segment) -> Iterator[str]:
    moments, frames = segment.moments, len(segment.frames)
    if not (moments["first"] < moments["last"]).all() or (moments["last"] > frames).any():
        yield "a moment's frames are out of range"
    if not np.isfinite(segment.frames).all():
        yield "a frame has no time"
    if not (moments["start_s"] < moments["end_s"]).all():
        yield "a moment ends before it starts"
    blocks = range(0, len(moments), WINDOW)  # an answer for each value of all would be gigabytes
    if not all(np.isfinite(segment.latents[at : at + WINDOW]).all() for at in blocks):
        yield "a latent is not finite"
    if segment.ann_path:
        AnnLatents(segment.ann_path, len(segment), segment.latent_dim)  # raises


def _same_postings(segment: Segment) -> bool:
    """Compare postings with forward rows turned to postings again, a window at a time."""
    lists, ids, codes = segment.postings
    indptr, terms, weights = segment.forward
    size = segment.stored_terms
    if len(ids) != len(terms) or lists[0] != 0:
        return False
    for window, row in enumerate(range(0, len(segment), WINDOW)):
        ends = indptr[row : row + WINDOW + 1]
        span = slice(int(ends[0]), int(ends[-1]))
        expected = invert(
            ends - ends[0], terms[span], codes_of(terms[span], weights[span], segment.scales), size
        )
        held = lists[window * size : (window + 1) * size + 1]
        same = np.array_equal(expected[0], held - ends[0])
        same = same and np.array_equal(expected[1], ids[span])
        if not (same and np.array_equal(expected[2], codes[span])):
            return False
    return True
