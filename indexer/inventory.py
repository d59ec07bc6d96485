"""All videos of an index, one by one: what `status` counts."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np

from unify.engine.local import open_snapshot
from unify.engine.manifest import Root
from unify.engine.segment import Segment
from unify.indexer.discover import gone, is_under
from unify.indexer.entries import State
from unify.indexer.status import KnownFile, journalled


@dataclass(frozen=True, slots=True)
class Item:
    """A video of an index. Paths are as the user wrote them.

    Attributes:
        video: its path.
        state: "indexed", "missing" (the same, but its file is gone), "pending" or "failed".
        note: why it failed, or what of it could not be read; or "".
        duration_s: seconds; 0 unless it is indexed, as are the others.
        recorded: seconds since 1970 UTC.
        moments: how many it has.
        copies: other files of the same content.
    """

    video: str
    state: str
    note: str
    duration_s: float = 0.0
    recorded: float = 0.0
    moments: int = 0
    copies: tuple[str, ...] = ()


def inventory(directory: Path, wanted: Sequence[str] = ()) -> list[Item]:
    """List the videos of an index by path, without changing it.

    Args:
        directory: the index.
        wanted: files, folders and globs, as the user writes them, of which one must fit the video
            or a copy of it; none: all.

    Raises:
        IndexUnavailable: there is none.
        DamagedIndex: its manifest, tables or journal are damaged.
    """
    opened = open_snapshot(directory)  # a writer may publish meanwhile
    manifest, videos = opened.manifest, opened.videos.all
    roots = {root.path: root for root in manifest.roots}
    entries = journalled(directory, manifest.generation)
    notes = {entry.id: entry.note for entry in entries}
    moments = _moments(opened.segments)
    found: list[tuple[Item, list[KnownFile]]] = []
    for video in videos.values():
        files = [KnownFile(manifest.roots[place.root], place.rel) for place in video.places]
        item = Item(
            files[0].shown,
            "missing" if gone(files[0].path) else "indexed",
            notes.get(video.id, ""),
            video.duration_s,
            video.recorded,
            moments[video.id],
            tuple(file.shown for file in files[1:]),
        )
        found.append((item, files))
    for entry in entries:
        if entry.id not in videos and entry.state in (State.PENDING, State.FAILED):
            file = KnownFile(roots.get(entry.root, Root(entry.root, entry.root)), entry.rel)
            found.append((Item(file.shown, str(entry.state), entry.note), [file]))
    fitting = [item for item, files in found if any(_fits(file, wanted) for file in files)]
    return sorted(fitting, key=lambda item: item.video)


def _moments(segments: Iterable[Segment]) -> Counter[int]:
    counts: Counter[int] = Counter()
    for segment in segments:
        ids, rows = np.unique(segment.moments["video"], return_counts=True)
        counts.update(dict(zip(ids.tolist(), rows.tolist(), strict=True)))
    return counts


def _fits(file: KnownFile, wanted: Sequence[str]) -> bool:
    return not wanted or any(
        is_under(file.path, os.path.abspath(path))  # noqa: PTH100 - links stay
        or is_under(file.shown, os.path.normpath(path))
        or fnmatchcase(file.shown, path)
        for path in wanted
    )
