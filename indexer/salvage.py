"""What can be read of a damaged journal, and what a journal knows that damaged tables said."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Any

from unify.engine import durable
from unify.engine.manifest import Root, Video, stored_path
from unify.indexer.entries import Entry, State
from unify.indexer.journal import NAME, SCHEMA, TABLES

_NAMES = [field.name for field in fields(Entry)]
_COLUMNS, _DIGEST = ", ".join(_NAMES), _NAMES.index("digest")
_PAGE_BYTES = 4096  # as SQLite makes them
_BY_PATH = ("root", "rel")  # stored as bytes


def videos_of(
    entries: Iterable[Entry], roots: Sequence[Root], dead: Collection[int]
) -> dict[int, Video]:
    """Return the searchable videos that a journal knows, by id ascending, without their copies.

    Args:
        entries: the journal's.
        roots: the published roots.
        dead: tombstoned ids, which a journal that is a step behind may still have.
    """
    number = {root.path: at for at, root in enumerate(roots)}
    return {
        e.id: Video(e.id, number[e.root], e.rel, e.duration_s, e.recorded)
        for e in sorted(entries, key=lambda entry: entry.id)
        if e.state is State.COMPLETE and e.root in number and e.id not in dead
    }


def renew_journal(directory: Path, live: Mapping[int, Video], roots: Sequence[Root]) -> None:
    """Put a new journal in the place of a damaged one, with what it says of searchable videos.

    Of these alone it can be told whether a row is right: the manifest's tables know them, too.
    Their copies are those of the tables, where the content is known.
    """
    path = directory / NAME
    old = path.read_bytes()
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(f"{TABLES} PRAGMA user_version={SCHEMA};")
        rows = dict(_readable(_repaged(old, db.serialize()), live)) | dict(_readable(old, live))
        places = ", ".join("?" * len(fields(Entry)))
        db.executemany(f"INSERT INTO videos ({_COLUMNS}) VALUES ({places})", rows.values())
        stored = [os.fsencode(stored_path(root.path, directory)) for root in roots]
        copies = [
            (stored[copy.root], os.fsencode(copy.rel), -1, -1, row[_DIGEST])
            for id_, row in rows.items()
            for copy in live[id_].copies
        ]
        db.executemany("INSERT OR REPLACE INTO copies VALUES (?, ?, ?, ?, ?)", copies)
        db.commit()
        data = db.serialize()
    path.with_name(f"{NAME}-journal").unlink(missing_ok=True)  # belongs to the damaged one
    durable.replace_file(path, data)


def _repaged(old: bytes, new: bytes) -> bytes:
    """Return a journal with the first page of a new one.

    That says where the tables begin, which is the same in all, and at byte 28 how many pages there
    are (https://www.sqlite.org/fileformat2.html).
    """
    pages = (len(old) // _PAGE_BYTES).to_bytes(4, "big")
    return new[:28] + pages + new[32:_PAGE_BYTES] + old[_PAGE_BYTES:]


def _readable(data: bytes, live: Mapping[int, Video]) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Yield the rows, by id, of live videos that can be read and agree with the manifest."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.deserialize(data)
        for video in live.values():
            try:
                row = db.execute(
                    f"SELECT {_COLUMNS} FROM videos WHERE id = ?", (video.id,)
                ).fetchone()
            except sqlite3.Error:  # its page
                continue
            if row is not None and _agrees(row, video):
                yield video.id, row


def _agrees(row: tuple[Any, ...], video: Video) -> bool:
    known = dict(zip((field.name for field in fields(Entry)), row, strict=True))
    kinds = {"int": int, "float": float}
    for field in fields(Entry):
        kind = bytes if field.name in _BY_PATH else kinds.get(str(field.type), str)
        if type(known[field.name]) is not kind:
            return False
    return (
        known["state"] in list(State)
        and known["rel"] == os.fsencode(video.rel)
        and (known["duration_s"], known["recorded"]) == (video.duration_s, video.recorded)
    )
