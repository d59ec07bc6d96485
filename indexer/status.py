"""How an index stands: what is in it, what failed, what is missing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from unify.engine import tables
from unify.engine.local import open_snapshot
from unify.engine.manifest import IndexSettings, read_manifest
from unify.indexer.discover import gone
from unify.indexer.journal import NAME, Entry, Journal, State


@dataclass(frozen=True, slots=True)
class Status:
    """An index as `status` found it. Paths are as the user wrote them.

    Attributes:
        settings: pack, fps, window, decoder.
        generation: the published generation.
        videos: searchable videos.
        moments: their moments.
        video_s: their seconds.
        size_bytes: all files of the index.
        pending: videos that a build did not get to.
        duplicates: files whose content is indexed under another path.
        failed: (path, reason) of videos that cannot be read.
        damaged: (path, note) of searchable videos of which a part cannot be read.
        missing: searchable videos whose file is gone.
    """

    settings: IndexSettings
    generation: int
    videos: int
    moments: int
    video_s: float
    size_bytes: int
    pending: int
    duplicates: int
    failed: list[tuple[str, str]]
    damaged: list[tuple[str, str]]
    missing: list[str]


def status(directory: Path) -> Status:
    """Look at an index without changing it. Without its journal, what that knew is left out.

    Raises:
        IndexUnavailable: there is none.
        DamagedIndex: its manifest, tables or journal are damaged.
    """
    manifest = read_manifest(directory)
    videos = tables.read_videos(directory, manifest)
    entries, copies = _journalled(directory)
    given = {root.path: root.given for root in manifest.roots}

    def shown(entry: Entry) -> str:
        return os.path.normpath(Path(given.get(entry.root, entry.root)) / entry.rel)

    live = [entry for entry in entries if entry.id in videos]
    return Status(
        settings=manifest.settings,
        generation=manifest.generation,
        videos=len(videos),
        moments=open_snapshot(directory).statistics().moments,
        video_s=sum(video.duration_s for video in videos.values()),
        size_bytes=sum(map(_size_bytes, directory.rglob("*"))),
        pending=sum(e.state is State.PENDING and e.id not in videos for e in entries),
        duplicates=copies,
        failed=[(shown(e), e.note) for e in entries if e.state is State.FAILED],
        damaged=[(shown(entry), entry.note) for entry in live if entry.note],
        missing=[shown(entry) for entry in live if gone(entry.path)],
    )


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:  # a writer has just replaced it
        return 0


def _journalled(directory: Path) -> tuple[list[Entry], int]:
    if not (directory / NAME).exists():
        return [], 0
    with Journal(directory, create=False) as journal:
        return journal.entries(), len(journal.copies())
