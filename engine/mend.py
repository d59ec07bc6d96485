"""Make an index whole again out of what is not damaged, losing only what the damage touches.

A segment whose lists alone are damaged is written again from its rows, as a compaction would. One
whose rows are damaged is written again without the videos that the damaged blocks touch
(`engine/blocks.py`, `engine/harm.py`); where these cannot be told, it goes. All other segments
stay as they are.

All is one atomic publish; killed at any instant, the index is as damaged as it was. No damage
gets a fresh checksum: of a block that is not what was written, nothing is taken.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from unify.engine import tables
from unify.engine.ann import ANN, AXES
from unify.engine.blocks import BLOCKS, damaged_ranges
from unify.engine.compact import SEGMENT_MOMENTS, write_parts
from unify.engine.errors import DamagedIndex, IndexUnavailable
from unify.engine.harm import spared
from unify.engine.live_rows import LiveRows, Source
from unify.engine.manifest import Manifest, SegmentEntry, Video
from unify.engine.segment import Segment
from unify.engine.types import UInt32
from unify.engine.verify import check_file, check_rows
from unify.engine.writer import IndexWriter

_POSTINGS = tuple(f"postings_{part}.npy" for part in ("indptr", "ids", "codes"))
_MADE_OF_ROWS = frozenset((ANN, AXES, BLOCKS, "scales.npy", *_POSTINGS))


@dataclass(frozen=True, slots=True)
class Mended:
    """What became of an index.

    Attributes:
        problems: a line for each damaged file or part; none where all is whole.
        lost: videos that could be found and whose moments are gone.
        rewritten: segments that were written again.
        dropped: segments of which nothing could be kept.
    """

    problems: list[str]
    lost: list[Video]
    rewritten: int
    dropped: int


def name_problems(directory: Path, manifest: Manifest) -> list[str]:
    """Return a line for each table of live videos that is not what was written."""
    found = [p for file in manifest.tables[:2] for p in check_file(directory / file.name, file)]
    if found:
        return found
    live = tables.read_videos(directory, manifest).values()
    if any(place.root >= len(manifest.roots) for video in live for place in video.places):
        return [f"{directory}: a video refers to a root that is not there"]
    return []


def whole_tombstones(directory: Path, manifest: Manifest) -> set[int]:
    """Return the ids of tombstoned videos; none where their file is damaged."""
    bad = [p for file in manifest.tables[2:] for p in check_file(directory / file.name, file)]
    return set() if bad else _tombstones(directory, manifest)


def mend(writer: IndexWriter) -> Mended:
    """Publish what is whole, and say what is lost.

    Args:
        writer: of the index, with nothing pending. Its `live_videos` are to be kept.

    Raises:
        IndexUnavailable: a file cannot be read now, the file system refuses, or no segment is
            there at all: their disk may be away.
    """
    before, directory = writer.manifest, writer.directory
    if before.segments and not any(one.folder(directory).is_dir() for one in before.segments):
        raise IndexUnavailable(
            f"no segment of {directory} is there",
            "bring its disk back; if they are gone, delete the index and build it again",
        )
    problems = name_problems(directory, before)
    problems += [p for f in before.tables[2:] for p in check_file(directory / f.name, f)]
    known = writer.live_videos
    segments: list[SegmentEntry] = []
    held: set[int] = set()
    rewritten = dropped = 0
    for entry in before.segments:
        bad, lines = _damage(directory, before, entry, held)
        problems += lines
        parts = _saved(writer, entry, bad) if lines else [entry]
        rewritten += bool(lines and parts)
        dropped += not parts
        for part in parts:
            held |= _videos(Segment(directory, part, before.settings))
        segments += parts
    live = [video for id_, video in known.items() if id_ in held]
    dead = held - known.keys()
    lost = [video for id_, video in known.items() if id_ not in held]
    if not problems and (lost or dead != _tombstones(directory, before)):
        problems = [f"{directory}: its tables and its segments do not agree"]
    if problems:
        writer.replace(live, segments, dead)
    return Mended(problems, lost, rewritten, dropped)


def _tombstones(directory: Path, manifest: Manifest) -> set[int]:
    return set(tables.read_tombstones(directory, manifest).tolist())


def _videos(segment: Segment) -> set[int]:
    return set(np.unique(segment.moments["video"]).tolist())


def _damage(
    directory: Path, manifest: Manifest, entry: SegmentEntry, held: Collection[int]
) -> tuple[set[str], list[str]]:
    """Return the damaged files of a segment, and what is wrong, where all bytes are right, too."""
    folder = entry.folder(directory)
    found = {file.name: check_file(folder / file.name, file) for file in entry.files}
    lines = [line for some in found.values() for line in some]
    if not lines:
        segment = Segment(directory, entry, manifest.settings)
        try:
            lines = [f"{folder}: {what}" for what in check_rows(segment)]
        except DamagedIndex as error:
            lines = [str(error)]
        twice = _videos(segment).intersection(held)
        lines += [f"{folder}: video {video} also lies in another segment" for video in twice]
    return {name for name, some in found.items() if some}, lines


def _saved(writer: IndexWriter, entry: SegmentEntry, bad: Collection[str]) -> list[SegmentEntry]:
    """Write again what can be kept of a segment; nothing of one whose bytes are all right."""
    try:
        rows = _whole_rows(writer, entry, bad) if bad else []
        return write_parts(writer, rows, {}, None) if rows else []
    except (DamagedIndex, FileNotFoundError, IndexError, ValueError):  # what damage may look like
        return []


def _whole_rows(writer: IndexWriter, entry: SegmentEntry, bad: Collection[str]) -> list[LiveRows]:
    """Return the rows of a segment's live videos that no damage touches."""
    directory, settings = writer.directory, writer.manifest.settings
    folder = entry.folder(directory)
    rows = replace(entry, files=tuple(f for f in entry.files if f.name not in _MADE_OF_ROWS))
    owners = np.unique(Segment(directory, rows, settings).moments["video"])
    live = np.fromiter(writer.live_videos, np.uint32, len(writer.live_videos))
    dead: UInt32 = np.setdiff1d(owners, live)
    source = Source(directory, rows, settings, dead)
    harmed = {name for name in bad if name not in _MADE_OF_ROWS}
    if harmed:
        ranges = damaged_ranges(folder, entry, harmed) if BLOCKS not in bad else None
        whole = None if ranges is None else spared(source, folder, ranges)
        if whole is None:
            return []
        source.stretches = source.stretches[whole]
    numbers = {video: video for video in source.stretches["video"].tolist()}
    return LiveRows.arranged([source], numbers, SEGMENT_MOMENTS)
