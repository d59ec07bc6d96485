"""The table of live videos and the list of tombstoned ones, as immutable files of a generation.

Copies of a video's file are rows of the table too: readers never open the journal.

A rename, a removal or a new duration is a new generation of these small files; segments, which
know videos by id alone, stay as they are.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unify.engine import arrays, durable
from unify.engine.manifest import FileEntry, Manifest, Place, Video
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
    directory: Path, generation: int, videos: Iterable[Video], tombstones: Collection[int]
) -> tuple[FileEntry, ...]:
    """Write the tables of a generation and describe them; the caller publishes them.

    A video is one row for its own file, followed by one for each copy of it.
    """
    rows, paths = [], []
    for video in sorted(videos, key=lambda video: video.id):
        for place in video.places:
            paths.append(os.fsencode(place.rel))
            rows.append((video.id, place.root, 0, video.duration_s, video.recorded))
    table = np.array(rows, _ROW)
    table["path_end"] = np.cumsum([len(path) for path in paths])
    dead = np.array(sorted(tombstones), dtype="<u4")
    table_path, text_path, dead_path = (directory / name for name in names(generation))
    arrays.save(table_path, table)
    durable.write_file(text_path, lambda file: file.write(b"".join(paths)))
    arrays.save(dead_path, dead)
    return tuple(FileEntry.of(path) for path in (table_path, text_path, dead_path))


class VideoTable(Mapping[int, Video]):
    """The live videos of a generation, by id; each is made when it is asked for.

    Opening an index of 100,000 videos must not make them all.
    """

    def __init__(self, table: npt.NDArray[Any], text: bytes) -> None:
        """Take the two files.

        Args:
            table: (files,) `_ROW` records, ids ascending.
            text: all relative paths, one after the other.
        """
        self._table, self._text = table, text
        ids = table["id"]
        first = np.ones(len(ids), np.bool_)
        first[1:] = ids[1:] != ids[:-1]
        self._starts = np.flatnonzero(first)
        self._ids = ids[self._starts]

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[int]:
        return iter(self._ids.tolist())

    def __getitem__(self, id_: int) -> Video:
        at = int(np.searchsorted(self._ids, id_))
        if at == len(self._ids) or self._ids[at] != id_:
            raise KeyError(id_)
        end = self._starts[at + 1] if at + 1 < len(self) else len(self._table)
        return self._made(int(self._starts[at]), int(end))[id_]

    @cached_property
    def all(self) -> dict[int, Video]:
        """All of them, by id ascending."""
        return self._made(0, len(self._table))

    def _made(self, first: int, last: int) -> dict[int, Video]:
        """Make the videos of some rows."""
        videos: dict[int, Video] = {}
        start = int(self._table["path_end"][first - 1]) if first else 0
        for id_, root, end, duration_s, recorded in self._table[first:last].tolist():
            rel = os.fsdecode(self._text[start:end])
            start = end
            if id_ in videos:
                known = videos[id_]
                videos[id_] = replace(known, copies=(*known.copies, Place(root, rel)))
            else:
                videos[id_] = Video(id_, root, rel, duration_s, recorded)
        return videos


def open_videos(directory: Path, manifest: Manifest) -> VideoTable:
    """Open the live videos of a generation. No tables: no videos."""
    if not manifest.tables:
        return VideoTable(np.zeros(0, _ROW), b"")
    table = arrays.load(directory / manifest.tables[0].name, _ROW)
    path = directory / manifest.tables[1].name
    with arrays.reading(path):
        return VideoTable(table, path.read_bytes())


def read_videos(directory: Path, manifest: Manifest) -> dict[int, Video]:
    """Read the live videos of a generation, by id ascending."""
    return open_videos(directory, manifest).all


def read_tombstones(directory: Path, manifest: Manifest) -> UInt32:
    """Read the ids of tombstoned videos of a generation, ascending."""
    if not manifest.tables:
        return np.zeros(0, np.uint32)
    dead: UInt32 = arrays.load(directory / manifest.tables[2].name, "<u4", manifest.tombstones)
    return dead
