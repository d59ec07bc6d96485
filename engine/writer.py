"""From one generation of an index to the next, by one writer at a time.

Order of a publish: segment files, then tables, then the manifest swap, each durable before the
next; a crash anywhere leaves the old generation whole, and what it orphaned is removed by the
next writer. Files that the previous generation still names are kept for one more generation,
so that a reader that has just read the old manifest can open what it names.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TextIO

from unify.engine import durable, tables
from unify.engine.errors import IncompatibleIndex, IndexUnavailable, UsageError
from unify.engine.manifest import (
    IndexSettings,
    Manifest,
    Root,
    Video,
    read_manifest,
    write_manifest,
)
from unify.engine.segment import MomentSpans, SegmentBuilder
from unify.engine.types import Float64, MomentCodes

__all__ = ["IndexSettings", "IndexWriter", "MomentSpans", "Root", "Video"]


class IndexWriter:
    """Holds the lock of an index directory; use it as a context manager."""

    def __init__(self, directory: Path, manifest: Manifest, lock: TextIO) -> None:
        self.directory = directory
        self.manifest = manifest
        self._lock = lock
        self._builder = SegmentBuilder(manifest.settings)
        self._previous = manifest
        self.live_videos = tables.read_videos(directory, manifest)

    @classmethod
    def open(cls, directory: Path, settings: IndexSettings) -> IndexWriter:
        """Open an index for writing, creating it (as an empty generation 0) where there is none.

        Raises:
            IndexUnavailable: another process is writing it.
            IncompatibleIndex: it was built by another pack or with other settings.
            DamagedIndex: its manifest is damaged.
        """
        lock = _lock(directory)
        try:
            try:
                manifest = read_manifest(directory)
            except IndexUnavailable as error:
                if isinstance(error, IncompatibleIndex) or (directory / "manifest.json").exists():
                    raise
                manifest = Manifest(0, settings)
                write_manifest(directory, manifest)
            check_settings(manifest.settings, settings)
            writer = cls(directory, manifest, lock)
            writer._sweep()
            return writer
        except BaseException:
            lock.close()
            raise

    def __enter__(self) -> IndexWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lock.close()

    @property
    def roots(self) -> list[Root]:
        """The roots of the published generation."""
        return list(self.manifest.roots)

    @property
    def pending_moments(self) -> int:
        """Moments added since the last publish."""
        return self._builder.moments

    def add(
        self, video_id: int, spans: MomentSpans, frame_times: Float64, codes: MomentCodes
    ) -> None:
        """Buffer one whole video; see `SegmentBuilder.add`."""
        self._builder.add(video_id, spans, frame_times, codes)

    def publish(self, roots: Sequence[Root], videos: Sequence[Video]) -> Manifest:
        """Make buffered rows and the given videos the current generation, in one atomic step.

        Args:
            roots: all roots that the videos refer to.
            videos: the live videos, all of them; rows of any other video are tombstoned.
        """
        segments = self.manifest.segments
        if self._builder.moments:
            segments = (*segments, self._builder.write(self.directory, self._next_segment()))
        live = {video.id for video in videos}
        dead = self._dead_after(live)
        generation = self.manifest.generation + 1
        entries = tables.write_tables(self.directory, generation, videos, dead)
        durable.sync_folder(self.directory)
        manifest = self.manifest.next(
            roots=tuple(roots), segments=segments, tables=entries,
            videos=len(videos), tombstones=len(dead),
        )  # fmt: skip
        write_manifest(self.directory, manifest)
        self._previous, self.manifest = self.manifest, manifest
        self.live_videos = {video.id: video for video in videos}
        self._builder = SegmentBuilder(manifest.settings)
        self._sweep()
        return manifest

    def _next_segment(self) -> int:
        return max((segment.id for segment in self.manifest.segments), default=0) + 1

    def _dead_after(self, live: set[int]) -> set[int]:
        old = tables.read_tombstones(self.directory, self.manifest).tolist()
        return ({*old, *self.live_videos} | self._builder.video_ids()) - live

    def _sweep(self) -> None:
        """Remove what neither this generation nor the one before it names."""
        keep: set[Path] = set()
        for manifest in (self._previous, self.manifest):
            keep |= {self.directory / file.name for file in manifest.tables}
            keep |= {segment.folder(self.directory) for segment in manifest.segments}
        for pattern in ("videos-*", "tombstones-*", "*.tmp"):
            for path in set(self.directory.glob(pattern)) - keep:
                path.unlink()
        for path in set((self.directory / "segments").glob("*")) - keep:
            shutil.rmtree(path)


def _lock(directory: Path) -> TextIO:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = (directory / "lock").open("w")
    except OSError as error:
        raise UsageError(
            f"cannot write an index in {directory}: {error.strerror}", "choose another --index"
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise IndexUnavailable(
            f"another process is writing {directory}", "wait for it, or stop it, and try again"
        ) from None
    return lock


def check_settings(have: IndexSettings, want: IndexSettings) -> None:
    """Check that a build may add to an index.

    Raises:
        IncompatibleIndex: naming what differs.
    """
    if have.fingerprint != want.fingerprint:
        raise IncompatibleIndex(
            f"the index was built by pack {have.pack} ({have.fingerprint[:12]}), "
            f"not {want.pack} ({want.fingerprint[:12]})",
            f"use --pack {have.pack}, or another --index",
        )
    for name in ("fps", "window_s", "decoder", "latent_dim", "lexicon_size"):
        old, new = getattr(have, name), getattr(want, name)
        if old != new:
            raise IncompatibleIndex(
                f"the index was built with {name} {old}, not {new}",
                f"use {old}, or another --index",
            )
