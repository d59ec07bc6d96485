"""The builder's memory: what became of every video, in SQLite (`catalog.sqlite`).

The manifest is the truth for readers, the journal for the builder. Every step publishes first
and commits here second; after a crash between the two, `reconcile` follows the manifest. The
rollback journal with `synchronous=FULL` is SQLite's most durable mode, and leaves one file.

A row's id is the video's id in the whole index and is never given to another one, unless a full
compaction gives all of them new ones. Roots are stored as the manifest stores them, so that the
journal moves together with it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, fields, replace
from functools import cache
from pathlib import Path

from unify.engine.errors import DamagedIndex, IncompatibleIndex, IndexUnavailable
from unify.engine.manifest import Root, Video, resolved_path, stored_path
from unify.indexer import renumbering
from unify.indexer.entries import Copy, Entry, State

NAME = "catalog.sqlite"
SCHEMA = 2
TABLES = """
CREATE TABLE videos (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    root BLOB NOT NULL, rel BLOB NOT NULL,
    size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, digest TEXT NOT NULL,
    state TEXT NOT NULL, note TEXT NOT NULL,
    duration_s REAL NOT NULL, recorded REAL NOT NULL, moments INTEGER NOT NULL,
    width INTEGER NOT NULL, height INTEGER NOT NULL, codec TEXT NOT NULL,
    subtitles TEXT NOT NULL, cues INTEGER NOT NULL
);
CREATE TABLE copies (
    root BLOB NOT NULL, rel BLOB NOT NULL,
    size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, digest TEXT NOT NULL,
    PRIMARY KEY (root, rel)
);
"""


class Journal:
    """An open `catalog.sqlite`; use it as a context manager."""

    def __init__(self, directory: Path, create: bool = True) -> None:
        """Open the journal of an index.

        Args:
            directory: the index.
            create: make it where there is none; else nothing is written, and there may be none of
                its tables yet.

        Raises:
            DamagedIndex: the file is not a sound journal.
            IncompatibleIndex: another version of unify wrote it.
            IndexUnavailable: it does not exist (without `create`), or cannot be written.
        """
        self.path = directory / NAME
        self._stored = cache(lambda root: os.fsencode(stored_path(root, directory)))
        self._root = cache(lambda stored: resolved_path(os.fsdecode(stored), directory))
        mode = "rwc" if create else "rw"
        with self._guarded():
            uri = f"{self.path.absolute().as_uri()}?mode={mode}"
            self._db = sqlite3.connect(uri, uri=True, timeout=30)
            try:
                self._prepare(create)
            except BaseException:
                self._db.close()
                raise

    def _prepare(self, create: bool) -> None:
        self._db.execute("PRAGMA synchronous=FULL")
        if self._db.execute("PRAGMA quick_check").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("its pages are inconsistent")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        self._begun = create or version != 0  # or a build was stopped before it wrote anything
        if version == 0 and create:
            self._db.executescript(f"BEGIN; {TABLES} PRAGMA user_version={SCHEMA}; COMMIT;")
        elif version not in (0, SCHEMA):
            raise IncompatibleIndex(
                f"{self.path} has format {version}, this version of unify reads {SCHEMA}",
                "build the index again into another --index",
            )

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise IndexUnavailable(
                f"cannot use {self.path} ({error})",
                "make room on its disk or check its permissions, then run again",
            ) from None
        except sqlite3.DatabaseError as error:
            raise DamagedIndex(
                f"{self.path} is damaged ({error})",
                "save what can be read of it: unify index repair",
            ) from None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the calls inside one durable step."""
        with self._guarded(), self._db:
            self._db.execute("BEGIN")  # else a new table would not be part of it
            yield

    def entries(self, generation: int = 0) -> list[Entry]:
        """Return all videos, by id.

        Args:
            generation: what the manifest says, on which ids that were announced depend.
        """
        if not self._begun:
            return []
        columns = ", ".join(field.name for field in fields(Entry))
        with self.transaction():
            rows = self._db.execute(f"SELECT {columns} FROM videos ORDER BY id").fetchall()
            new = renumbering.announced(self._db, generation)
        found = [
            Entry(new.get(id_, id_), self._root(root), os.fsdecode(rel), size, mtime, digest,
                  State(state), *rest)
            for id_, root, rel, size, mtime, digest, state, *rest in rows
        ]  # fmt: skip
        return sorted(found, key=lambda entry: entry.id)

    def copies(self) -> list[Copy]:
        """Return all known copies."""
        with self._guarded():
            rows = self._db.execute(
                "SELECT root, rel, size_bytes, mtime_ns, digest FROM copies ORDER BY root, rel"
            ).fetchall()
        return [Copy(self._root(root), os.fsdecode(rel), *rest) for root, rel, *rest in rows]

    def put(self, entry: Entry) -> Entry:
        """Insert or replace a video and return it with its id; inside a transaction."""
        names = [field.name for field in fields(Entry)]
        values = [getattr(entry, name) for name in names]
        values[:3] = [entry.id or None, self._stored(entry.root), os.fsencode(entry.rel)]
        cursor = self._db.execute(
            f"INSERT OR REPLACE INTO videos ({', '.join(names)}) "
            f"VALUES ({', '.join('?' * len(names))})",
            values,
        )
        return replace(entry, id=entry.id or int(cursor.lastrowid or 0))

    def forget(self, ids: Iterable[int]) -> None:
        """Drop videos; their ids are not given again. Inside a transaction."""
        self._db.executemany("DELETE FROM videos WHERE id = ?", [(id_,) for id_ in ids])

    def set_copies(self, copies: Iterable[Copy]) -> None:
        """Replace the list of copies; inside a transaction."""
        self._db.execute("DELETE FROM copies")
        rows = [
            (self._stored(copy.root), os.fsencode(copy.rel), *astuple(copy)[2:]) for copy in copies
        ]
        self._db.executemany("INSERT OR REPLACE INTO copies VALUES (?, ?, ?, ?, ?)", rows)

    def reserve(self, greatest: int) -> None:
        """Give no id up to `greatest` from now on; inside a transaction."""
        used = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'videos'").fetchone()
        if used is None:
            self._db.execute("INSERT INTO sqlite_sequence VALUES ('videos', ?)", (greatest,))
        elif used[0] < greatest:
            self._db.execute(
                "UPDATE sqlite_sequence SET seq = ? WHERE name = 'videos'", (greatest,)
            )

    def announce(self, new: Mapping[int, int], generation: int) -> None:
        """Do `renumbering.announce`, durably."""
        with self.transaction():
            renumbering.announce(self._db, new, generation)

    def follow(self, generation: int) -> None:
        """Do `renumbering.follow`, durably."""
        with self.transaction():
            renumbering.follow(self._db, generation)

    def reconcile(self, live: Mapping[int, Video], roots: list[Root], greatest: int) -> list[Entry]:
        """Make the journal agree with the manifest, and return its videos.

        Args:
            live: the published videos.
            roots: the published roots.
            greatest: the largest id that any row of the index uses, live or not.
        """
        entries = {entry.id: entry for entry in self.entries()}
        paths = {entry.path for entry in entries.values()}
        with self.transaction():
            self.reserve(greatest)
            for entry in list(entries.values()):
                right = _as_published(entry, live.get(entry.id), roots)
                if right != entry:
                    entries[entry.id] = self.put(right)
            for video in live.values():
                lost = _published(video, roots)
                if video.id not in entries and lost.path not in paths:  # the journal was deleted
                    entries[video.id] = self.put(lost)
            whole = {e.path for e in entries.values() if e.state is State.COMPLETE}
            stale = {e.id for e in entries.values() if _is_stale(e, whole)}
            self.forget(stale)
        return [entry for id_, entry in entries.items() if id_ not in stale]


def _published(video: Video, roots: list[Root]) -> Entry:
    """Return an entry for a video of which the manifest alone knows."""
    return Entry(
        video.id, roots[video.root].path, video.rel, -1, -1, state=State.COMPLETE,
        duration_s=video.duration_s, recorded=video.recorded,
    )  # fmt: skip


def _as_published(entry: Entry, video: Video | None, roots: list[Root]) -> Entry:
    """Return an entry as the manifest says it must be."""
    if video is None:
        lost = entry.state is State.COMPLETE
        return replace(entry, state=State.PENDING) if lost else entry
    published = _published(video, roots)
    if published.path != entry.path:  # a rename was published, then the writer was killed
        known = entry.mtime_ns if published.rel == entry.rel else -1  # a root that moved
        entry = replace(entry, root=published.root, rel=published.rel, mtime_ns=known)
    return replace(entry, state=State.COMPLETE)


def _is_stale(entry: Entry, whole: set[str]) -> bool:
    """Whether a published rename has put another video where this one was."""
    return entry.state is not State.COMPLETE and entry.path in whole
