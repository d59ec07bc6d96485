"""The table of live videos and the list of tombstoned ones, as immutable files of a generation.

A rename, a removal or a new duration is a new generation of these small files; segments, which
know videos by id alone, stay as they are.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from unify.engine import arrays, durable
from unify.engine.manifest import FileEntry, Manifest, Video
from unify.engine.types import UInt32

_ROW = np.dtype(
    [
        ("id", "<u4"),
        ("root", "<u4"),
        ("path_end", "<u8"),
        ("duration_s", "<f8"),
        ("recorded", "<f8"),
    ]
)


def names(generation: int) -> tuple[str, str, str]:
    """Return the file names of one generation: video table, paths, tombstones."""
    return (f"videos-{generation}.npy", f"videos-{generation}.txt", f"tombstones-{generation}.npy")


def write_tables(
    directory: Path, generation: int, videos: Sequence[Video], tombstones: Collection[int]
) -> tuple[FileEntry, ...]:
    """Write the tables of a generation and describe them; the caller publishes them."""
    paths = [os.fsencode(video.rel) for video in videos]
    table = np.zeros(len(videos), _ROW)
    table["id"] = [video.id for video in videos]
    table["root"] = [video.root for video in videos]
    table["path_end"] = np.cumsum([len(path) for path in paths])
    table["duration_s"] = [video.duration_s for video in videos]
    table["recorded"] = [video.recorded for video in videos]
    dead = np.array(sorted(tombstones), dtype="<u4")
    table_path, text_path, dead_path = (directory / name for name in names(generation))
    arrays.save(table_path, table)
    durable.write_file(text_path, lambda file: file.write(b"".join(paths)))
    arrays.save(dead_path, dead)
    return tuple(FileEntry.of(path) for path in (table_path, text_path, dead_path))


def read_videos(directory: Path, manifest: Manifest) -> dict[int, Video]:
    """Read the live videos of a generation, by id. No tables: no videos."""
    if not manifest.tables:
        return {}
    table = arrays.load(directory / manifest.tables[0].name, _ROW, manifest.videos)
    text = (directory / manifest.tables[1].name).read_bytes()
    videos, start = {}, 0
    for id_, root, end, duration_s, recorded in table.tolist():
        videos[id_] = Video(id_, root, os.fsdecode(text[start:end]), duration_s, recorded)
        start = end
    return videos


def read_tombstones(directory: Path, manifest: Manifest) -> UInt32:
    """Read the ids of tombstoned videos of a generation, ascending."""
    if not manifest.tables:
        return np.zeros(0, np.uint32)
    dead: UInt32 = arrays.load(directory / manifest.tables[2].name, "<u4", manifest.tombstones)
    return dead
