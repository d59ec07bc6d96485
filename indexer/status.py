"""How an index stands: what is in it, what failed, what is missing, as a whole and by root."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from unify.engine import tables
from unify.engine.local import open_snapshot
from unify.engine.manifest import IndexSettings, Root, read_manifest
from unify.indexer.discover import gone
from unify.indexer.entries import Entry, State
from unify.indexer.journal import NAME, Journal


@dataclass(frozen=True, slots=True)
class RootStatus:
    """What an index holds of one PATH.

    Attributes:
        given: the PATH as the user wrote it.
        path: the same, absolute.
        there: whether something lies at it now.
        videos: searchable videos.
        video_s: their seconds.
        copies: files whose content is indexed under another path.
        failed: videos that cannot be read.
        pending: videos that a build did not get to.
        missing: searchable videos whose file is gone.
    """

    given: str
    path: str
    there: bool
    videos: int
    video_s: float
    copies: int
    failed: int
    pending: int
    missing: int


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
        copies: those files, as (path, path of the indexed video).
        failed: (path, reason) of videos that cannot be read.
        subtitled: searchable videos of which subtitles say something.
        damaged: (path, note) of searchable videos of which a part cannot be read.
        missing: searchable videos whose file is gone.
        roots: the same by PATH.
    """

    settings: IndexSettings
    generation: int
    videos: int
    moments: int
    video_s: float
    size_bytes: int
    pending: int
    duplicates: int
    copies: list[tuple[str, str]]
    failed: list[tuple[str, str]]
    subtitled: int
    damaged: list[tuple[str, str]]
    missing: list[str]
    roots: list[RootStatus]


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file that an index knows, under one of its roots.

    Attributes:
        root: the PATH that it was found under.
        rel: its path relative to that.
    """

    root: Root
    rel: str

    @property
    def shown(self) -> str:
        """As the user would write it."""
        return os.path.normpath(os.path.join(self.root.given, self.rel))  # noqa: PTH118 - fast

    @property
    def path(self) -> str:
        """Absolute."""
        return os.path.normpath(os.path.join(self.root.path, self.rel))  # noqa: PTH118


def status(directory: Path) -> Status:
    """Look at an index without changing it. Without its journal, what that knew is left out.

    Raises:
        IndexUnavailable: there is none.
        DamagedIndex: its manifest, tables or journal are damaged.
    """
    manifest = read_manifest(directory)
    roots = {root.path: root for root in manifest.roots}
    videos = tables.read_videos(directory, manifest)
    files = {id_: KnownFile(manifest.roots[v.root], v.rel) for id_, v in videos.items()}
    copies = [
        (KnownFile(manifest.roots[copy.root], copy.rel), files[video.id])
        for video in videos.values()
        for copy in video.copies
    ]
    entries = journalled(directory, manifest.generation)
    live = [entry for entry in entries if entry.id in videos]

    def in_state(state: State) -> list[tuple[KnownFile, str]]:
        some = [e for e in entries if e.state is state and e.id not in videos]
        return [(KnownFile(roots.get(e.root, Root(e.root, e.root)), e.rel), e.note) for e in some]

    failed, pending = in_state(State.FAILED), in_state(State.PENDING)
    missing = [file for file in files.values() if gone(file.path)]
    walk = os.walk(directory)  # unlike rglob it minds no folder that a writer has just removed
    return Status(
        settings=manifest.settings,
        generation=manifest.generation,
        videos=len(videos),
        moments=open_snapshot(directory).statistics().moments,
        video_s=sum(video.duration_s for video in videos.values()),
        size_bytes=sum(_size_bytes(Path(at, name)) for at, _, names in walk for name in names),
        pending=len(pending),
        duplicates=len(copies),
        copies=[(file.shown, of.shown) for file, of in copies],
        failed=[(file.shown, why) for file, why in failed],
        subtitled=sum(entry.cues > 0 for entry in live),
        damaged=[(files[entry.id].shown, entry.note) for entry in live if entry.note],
        missing=[file.shown for file in missing],
        roots=_by_root(
            [(file.root, videos[id_].duration_s) for id_, file in files.items()],
            copies=[file for file, _ in copies],
            failed=[file for file, _ in failed],
            pending=[file for file, _ in pending],
            missing=missing,
        ),
    )


def _by_root(
    videos: Sequence[tuple[Root, float]], **others: Sequence[KnownFile]
) -> list[RootStatus]:
    """Count by root.

    Args:
        videos: the root and the seconds of each searchable video.
        others: what else is counted, by the field that counts it.
    """
    counts = {name: Counter(file.root for file in files) for name, files in others.items()}
    number = Counter(root for root, _ in videos)
    seconds = dict.fromkeys(number, 0.0)
    for root, duration_s in videos:
        seconds[root] += duration_s
    roots = set(number).union(*counts.values())
    return [
        RootStatus(
            given=root.given,
            path=root.path,
            there=not gone(root.path),
            videos=number[root],
            video_s=seconds.get(root, 0.0),
            **{name: count[root] for name, count in counts.items()},
        )
        for root in sorted(roots, key=lambda root: root.path)
    ]


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:  # a writer has just replaced it
        return 0


def journalled(directory: Path, generation: int) -> list[Entry]:
    """Return what the journal of an index knows; nothing without one.

    Raises:
        DamagedIndex: it is damaged.
    """
    if not (directory / NAME).exists():
        return []
    with Journal(directory, create=False) as journal:
        return journal.entries(generation)
