"""The journal and the manifest of an index while it is being built, kept in step.

Publish first, journal second: killed at any instant, the next build follows the manifest.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType

from unify.engine import tables
from unify.engine.manifest import Place, Root, Video
from unify.engine.writer import IndexWriter
from unify.indexer.discover import Discovery, is_under
from unify.indexer.entries import Copy, Entry, State
from unify.indexer.journal import Journal
from unify.indexer.plan import Plan


class Catalog:
    """Knows the videos of an index, in both."""

    def __init__(self, writer: IndexWriter, journal: Journal) -> None:
        self.writer = writer
        self._journal = journal
        self._dead = set(tables.read_tombstones(writer.directory, writer.manifest).tolist())
        journal.follow(writer.manifest.generation)
        greatest = max([*writer.live_videos, *self._dead], default=0)
        known = journal.reconcile(MappingProxyType(writer.live_videos), writer.roots, greatest)
        self.entries = {entry.id: entry for entry in known}
        self.copies = journal.copies()
        self._given = {root.path: root.given for root in writer.roots}
        self._finished: list[Entry] = []
        self._moved: dict[str, str] = {}  # roots that stand elsewhere now
        self._waiting = self._pending()  # paths whose content is still to be indexed

    def knows_under(self, found: Discovery) -> bool:
        """Whether any video is known under the named PATHs."""
        return any(is_under(e.path, p) for e in self.entries.values() for p in found.named)

    @property
    def files(self) -> list[Entry | Copy]:
        """All files that the index knows."""
        return [*self.entries.values(), *self.copies]

    @property
    def published(self) -> set[str]:
        """Absolute paths of the videos that can be searched now, whatever is known of them."""
        return {self._path(video) for video in self.writer.live_videos.values()}

    def shown(self, file: Entry | Copy) -> str:
        """Return a file's path as the user would write it."""
        return os.path.normpath(Path(self._given.get(file.root, file.root)) / file.rel)

    def follow(self, plan: Plan, found: Discovery) -> None:
        """Publish what files alone have changed, then write the plan into the journal."""
        self._given |= {c.root.path: c.root.given for c in found.candidates}
        gone = [*plan.removed, *plan.replaced]
        for entry in gone:
            del self.entries[entry.id]
        self._waiting = self._pending() | {job.candidate.path for job in plan.jobs}
        for entry in (*plan.renamed, *plan.touched):
            self.entries[entry.id] = entry
        self.copies = plan.copies
        self.publish()
        with self._journal.transaction():
            self._journal.forget(entry.id for entry in gone)
            for entry in (*plan.renamed, *plan.touched):
                self._journal.put(entry)
            self._journal.set_copies(plan.copies)
            for number, job in enumerate(plan.jobs):
                entry = self._journal.put(self._with_safe_id(job.entry))
                self.entries[entry.id] = entry
                plan.jobs[number] = replace(job, entry=entry)

    def _with_safe_id(self, entry: Entry) -> Entry:
        """Take an id back under which rows lie in a segment: they would come to life again."""
        if entry.id not in self._dead:
            return entry
        self._journal.forget([entry.id])
        del self.entries[entry.id]
        return replace(entry, id=0)

    def finish(self, entry: Entry) -> None:
        """Note a video whose rows the writer has."""
        self._finished.append(replace(entry, state=State.COMPLETE))

    def fail(self, entry: Entry) -> list[Entry]:
        """Note a video that cannot be decoded; return it, and the copies that fail with it."""
        same = [c for c in self.copies if entry.digest and c.digest == entry.digest]
        failed = [entry, *(replace(entry, id=0, subtitles="", **asdict(copy)) for copy in same)]
        self.copies = [copy for copy in self.copies if copy not in same]
        self._waiting -= {one.path for one in failed}
        with self._journal.transaction():
            failed = [self._journal.put(one) for one in failed]
            if same:
                self._journal.set_copies(self.copies)
        self.entries |= {one.id: one for one in failed}
        return failed

    def publish(self) -> bool:
        """Publish the finished videos, then note them complete; return whether anything was new."""
        finished, self._finished = self._finished, []
        with self._journal.transaction():
            for entry in finished:
                self._journal.put(replace(entry, state=State.PENDING))
        self._waiting -= {entry.path for entry in finished}
        self.entries |= {entry.id: entry for entry in finished}
        roots, videos = self._table()
        new = videos != list(self.writer.live_videos.values()) or roots != self.writer.roots
        if new:
            self.writer.publish(roots, videos)
        with self._journal.transaction():
            for entry in finished:
                self._journal.put(entry)
        return new

    def move(self, moved: Mapping[str, Root]) -> None:
        """Publish that roots stand elsewhere, then write it into the journal.

        Args:
            moved: the new root by the path of the old one.
        """
        self._moved = {old: root.path for old, root in moved.items()}
        self._given |= {root.path: root.given for root in moved.values()}
        changed = [
            replace(entry, root=self._moved[entry.root])
            for entry in self.entries.values()
            if entry.root in moved
        ]
        self.entries |= {entry.id: entry for entry in changed}
        self._waiting = self._pending()
        self.copies = [replace(c, root=self._moved.get(c.root, c.root)) for c in self.copies]
        self.publish()
        with self._journal.transaction():
            for entry in changed:
                self._journal.put(entry)
            self._journal.set_copies(self.copies)

    def _pending(self) -> set[str]:
        return {e.path for e in self.entries.values() if e.state is State.PENDING}

    def _table(self) -> tuple[list[Root], list[Video]]:
        """Return the roots and the live videos as they shall be published, by id."""
        live = {e.id: e for e in self.entries.values() if e.state is State.COMPLETE}
        copies: dict[str, list[Copy]] = {entry.digest: [] for entry in live.values()}
        for copy in sorted(self.copies, key=lambda copy: (copy.root, copy.rel)):
            if copy.digest and copy.digest in copies:
                copies[copy.digest].append(copy)
        old = dict(self._outgoing())
        homes = {e.root for e in live.values()} | {root for root, _ in old.values()}
        paths = sorted(homes | {copy.root for some in copies.values() for copy in some})
        number = {path: at for at, path in enumerate(paths)}
        videos = {
            id_: replace(video, root=number[root], copies=()) for id_, (root, video) in old.items()
        }
        for e in live.values():
            places = tuple(Place(number[copy.root], copy.rel) for copy in copies[e.digest])
            videos[e.id] = Video(e.id, number[e.root], e.rel, e.duration_s, e.recorded, places)
        roots = [Root(self._given.get(path, path), path) for path in paths]
        return roots, [videos[id_] for id_ in sorted(videos)]

    def _outgoing(self) -> Iterator[tuple[int, tuple[str, Video]]]:
        """Yield the videos, and their roots, that are found until new content is indexed."""
        for video in self.writer.live_videos.values():
            if video.id not in self.entries and self._path(video) in self._waiting:
                yield video.id, (self._root(video), video)

    def _root(self, video: Video) -> str:
        """Return where the root of a published video stands now."""
        root = self.writer.roots[video.root].path
        return self._moved.get(root, root)

    def _path(self, video: Video) -> str:
        return os.path.normpath(Path(self._root(video)) / video.rel)
