"""From one generation of an index to the next, by one writer at a time.

Order of a publish: segment files, then tables, then the manifest swap, each durable before the
next; a crash anywhere leaves the old generation whole, and what it orphaned is removed by the
next writer. What an older generation names stays while a reader claims it (`engine/claims.py`),
and within one writer's life for one more generation, so that a reader that has just read the old
manifest can mostly open what it names; where it cannot, it reads the newer manifest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TextIO

from unify.engine import claims, durable, tables
from unify.engine.builder import SegmentBuilder
from unify.engine.errors import IncompatibleIndex, IndexUnavailable, NoIndex
from unify.engine.lock import TABLES, guarded, is_segment, take
from unify.engine.manifest import (
    IndexSettings,
    Manifest,
    Root,
    SegmentEntry,
    Video,
    read_manifest,
    renew_copy,
    restore_manifest,
    write_manifest,
)
from unify.engine.segment import MomentSpans
from unify.engine.types import Float64, MomentCodes

_CLAIMED = re.compile(r"videos-\d+\.npy")

__all__ = ["IndexSettings", "IndexWriter", "MomentSpans", "Root", "Video"]


class IndexWriter:
    """Holds the lock of an index directory; use it as a context manager."""

    def __init__(
        self, directory: Path, manifest: Manifest, lock: TextIO, live_videos: dict[int, Video]
    ) -> None:
        self.directory = directory
        self.manifest = manifest
        self._lock = lock
        self._builder = SegmentBuilder(manifest.settings)
        self._previous = manifest
        self._uncertain = False  # a publish has failed: which generation is on the disk?
        self.live_videos = live_videos

    @classmethod
    def open(
        cls,
        directory: Path,
        settings: IndexSettings,
        live: Callable[[Path, Manifest], dict[int, Video]] = tables.read_videos,
    ) -> IndexWriter:
        """Open an index for writing, creating it (as an empty generation 0) where there is none.

        Where the manifest is gone and its copy is whole, there is one.

        Args:
            directory: the index.
            settings: what it is, or shall be, built with.
            live: reads its live videos, under the lock.

        Raises:
            UsageError: the folder cannot be written, or holds no index but other files.
            IndexUnavailable: another process is writing it.
            IncompatibleIndex: it was built by another pack or with other settings.
            DamagedIndex: its manifest is damaged.
        """
        with guarded(directory):
            lock = take(directory)
        try:
            with guarded(directory):
                try:
                    manifest = read_manifest(directory)
                except NoIndex:  # or it has gone: what it named must not be swept for that
                    if not restore_manifest(directory):
                        write_manifest(directory, Manifest(0, settings))
                    manifest = read_manifest(directory)
                check_settings(manifest.settings, settings)
                # Its writer may have died before the manifest's new name was durable: what only
                # the generation before it needs must not be removed yet.
                durable.sync_folder(directory)
                renew_copy(directory)
                writer = cls(directory, manifest, lock, live(directory, manifest))
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

        Raises:
            IndexUnavailable: the file system refuses; this writer publishes no more.
        """
        with self._once():
            return self._publish(roots, videos)

    def _publish(self, roots: Sequence[Root], videos: Sequence[Video]) -> Manifest:
        segments = self.manifest.segments
        if self._builder.moments:
            made = self._builder.write(self.directory, self.next_segment())
            segments = (*segments, made)
        dead = self._dead_after({video.id for video in videos})
        manifest = self._swap(roots, videos, segments, dead)
        self._builder = SegmentBuilder(manifest.settings)
        self._sweep()
        return manifest

    def replace(
        self, videos: Sequence[Video], segments: Sequence[SegmentEntry], dead: Collection[int]
    ) -> Manifest:
        """Publish the same videos in other segments, and remove those that went.

        Args:
            videos: the live videos, under the ids that they have in these segments.
            segments: all live segments; new ones were written under ids of `next_segment`.
            dead: ids of tombstoned videos, of which these segments still hold rows.

        Raises:
            IndexUnavailable: the file system refuses; this writer publishes no more.
        """
        with self._once():
            manifest = self._swap(self.manifest.roots, videos, segments, dead)
            self._previous = manifest  # the point is to give the room back now
            self._sweep()
            return manifest

    def _swap(
        self,
        roots: Sequence[Root],
        videos: Sequence[Video],
        segments: Sequence[SegmentEntry],
        dead: Collection[int],
    ) -> Manifest:
        generation = self.manifest.generation + 1
        entries = tables.write_tables(self.directory, generation, videos, dead)
        durable.sync_folder(self.directory)
        manifest = self.manifest.next(
            roots=tuple(roots), segments=tuple(segments), tables=entries,
            videos=len(videos), tombstones=len(dead),
        )  # fmt: skip
        write_manifest(self.directory, manifest)
        self._previous, self.manifest = self.manifest, manifest
        self.live_videos = {video.id: video for video in videos}
        return manifest

    def next_segment(self) -> int:
        """Return a free segment id, above all that are in use or that a reader may still hold."""
        folders = (self.directory / "segments").glob("*")
        there = [int(path.stem) for path in folders if is_segment(path)]
        return max([*there, *(segment.id for segment in self.manifest.segments)], default=0) + 1

    def writing(self) -> AbstractContextManager[None]:
        """Turn what the file system refuses into one clear line."""
        return guarded(self.directory)

    @contextmanager
    def _once(self) -> Iterator[None]:
        """Publish, unless that has failed before.

        After a failed fsync nobody knows which generation a reader sees: another one of the same
        number would overwrite files under it. The next writer reads what is there.
        """
        if self._uncertain:
            raise IndexUnavailable(
                f"cannot write the index {self.directory}: an earlier publish has failed",
                "run again",
            )
        self._uncertain = True
        with self.writing():
            yield
        self._uncertain = False

    def _dead_after(self, live: set[int]) -> set[int]:
        old = tables.read_tombstones(self.directory, self.manifest).tolist()
        return ({*old, *self.live_videos} | self._builder.video_ids()) - live

    def _sweep(self) -> None:
        """Remove our own files that no generation needs which may still be read."""
        keep: set[Path] = set()
        for manifest in (self._previous, self.manifest):
            keep |= {self.directory / file.name for file in manifest.tables}
            keep |= {segment.folder(self.directory) for segment in manifest.segments}
        old = [p for p in set(self.directory.iterdir()) - keep if TABLES.fullmatch(p.name)]
        # Held until all is removed: a reader that comes late waits, and finds its files gone.
        taken = {p: claims.take(p) for p in old if _CLAIMED.fullmatch(p.name)}
        held = {_generation(p) for p, claim in taken.items() if claim is None}
        for path in old:
            if _generation(path) not in held:
                durable.remove(path)
        for path in set((self.directory / "segments").glob("*")) - keep:
            # Which segments a held generation names is not known any more: all are kept.
            if is_segment(path) and (path.suffix or not held):
                durable.remove(path)


def _generation(path: Path) -> str:
    """Return the generation in the name of a table."""
    return path.stem.rpartition("-")[2]


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
