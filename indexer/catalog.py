"""The journal and the manifest of an index while it is being built, kept in step.

Publish first, journal second: killed at any instant, the next build follows the manifest.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from unify.engine import tables
from unify.engine.manifest import Root, Video
from unify.engine.writer import IndexWriter
from unify.indexer.discover import Discovery, is_under
from unify.indexer.journal import Entry, Journal, State
from unify.indexer.plan import Plan


class Catalog:
    """Knows the videos of an index, in both."""

    def __init__(self, writer: IndexWriter, journal: Journal) -> None:
        self.writer = writer
        self._journal = journal
        dead = tables.read_tombstones(writer.directory, writer.manifest).tolist()
        greatest = max([*writer.live_videos, *dead], default=0)
        known = journal.reconcile(MappingProxyType(writer.live_videos), writer.roots, greatest)
        self.entries = {entry.id: entry for entry in known}
        self._given = {root.path: root.given for root in writer.roots}
        self._finished: list[Entry] = []
        self._waiting: set[str] = set()  # paths whose content is still to be indexed

    def knows_under(self, found: Discovery) -> bool:
        """Whether any video is known under the named PATHs."""
        return any(is_under(e.path, p) for e in self.entries.values() for p in found.named)

    def shown(self, entry: Entry) -> str:
        """Return an entry's path as the user would write it."""
        return os.path.normpath(Path(self._given.get(entry.root, entry.root)) / entry.rel)

    def follow(self, plan: Plan, found: Discovery) -> None:
        """Publish what files alone have changed, then write the plan into the journal."""
        self._given |= {c.root.path: c.root.given for c in found.candidates}
        gone = [*plan.removed, *plan.replaced]
        for entry in gone:
            del self.entries[entry.id]
        pending = (e.path for e in self.entries.values() if e.state is State.PENDING)
        self._waiting = {*pending, *(job.candidate.path for job in plan.jobs)}
        for entry in (*plan.renamed, *plan.touched):
            self.entries[entry.id] = entry
        self.publish()
        with self._journal.transaction():
            self._journal.forget(entry.id for entry in gone)
            for entry in (*plan.renamed, *plan.touched):
                self._journal.put(entry)
            self._journal.set_copies(plan.copies)
            for number, job in enumerate(plan.jobs):
                entry = self._journal.put(job.entry)
                self.entries[entry.id] = entry
                plan.jobs[number] = replace(job, entry=entry)

    def finish(self, entry: Entry) -> None:
        """Note a video whose rows the writer has."""
        self._finished.append(replace(entry, state=State.COMPLETE))

    def fail(self, entry: Entry) -> None:
        """Note a video that cannot be read."""
        self._waiting.discard(entry.path)
        self.entries[entry.id] = entry
        with self._journal.transaction():
            self._journal.put(entry)

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

    def _table(self) -> tuple[list[Root], list[Video]]:
        """Return the roots and the live videos as they shall be published, by id."""
        live = {
            entry.id: (entry.root, Video(entry.id, 0, entry.rel, entry.duration_s, entry.recorded))
            for entry in self.entries.values()
            if entry.state is State.COMPLETE
        }
        for video in self.writer.live_videos.values():
            root = self.writer.roots[video.root].path
            path = os.path.normpath(Path(root) / video.rel)
            if video.id not in self.entries and path in self._waiting:
                live[video.id] = (root, video)  # until its new content is indexed
        paths = sorted({root for root, _ in live.values()})
        numbers = {path: number for number, path in enumerate(paths)}
        roots = [Root(self._given.get(path, path), path) for path in paths]
        videos = [replace(video, root=numbers[root]) for _, (root, video) in sorted(live.items())]
        return roots, videos
