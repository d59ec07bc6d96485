from __future__ import annotations

import os
import sqlite3
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unify.engine.errors import DamagedIndex, IncompatibleIndex, IndexUnavailable
from unify.engine.manifest import Root, Video
from unify.indexer.entries import Copy, Entry, State
from unify.indexer.journal import NAME, Journal

ROOTS = [Root("clips", "/clips")]
ENTRY = Entry(0, "/clips", os.fsdecode(b"caf\xe9.mp4"), 10, 1 << 60, note="é")


def put(journal: Journal, *entries: Entry) -> list[Entry]:
    with journal.transaction():
        return [journal.put(entry) for entry in entries]


def test_entries_come_back_as_they_were(tmp_path):
    whole = replace(
        ENTRY, digest="d", state=State.COMPLETE, duration_s=1.5, recorded=-2.5, moments=3,
        width=4, height=5, codec="h264",
    )  # fmt: skip
    with Journal(tmp_path) as journal:
        stored = put(journal, ENTRY, whole)
        assert [entry.id for entry in stored] == [1, 2]
    with Journal(tmp_path) as journal:
        assert journal.entries() == stored
        with journal.transaction():
            journal.set_copies([Copy("/clips", os.fsdecode(b"\xff.mp4"), 1, 2, "d")])
        assert journal.copies() == [Copy("/clips", os.fsdecode(b"\xff.mp4"), 1, 2, "d")]


def test_ids_are_never_given_again(tmp_path):
    with Journal(tmp_path) as journal:
        put(journal, ENTRY, ENTRY)
        with journal.transaction():
            journal.forget([1, 2])
        assert put(journal, ENTRY)[0].id == 3
        with journal.transaction():
            journal.reserve(7)
            journal.reserve(5)
        assert put(journal, ENTRY)[0].id == 8
    with Journal(tmp_path) as journal:
        assert put(journal, ENTRY)[0].id == 9


def test_a_failed_transaction_leaves_nothing(tmp_path):
    with Journal(tmp_path) as journal:
        with pytest.raises(ZeroDivisionError), journal.transaction():
            journal.put(ENTRY)
            raise ZeroDivisionError
        assert journal.entries() == []


def test_the_journal_follows_the_manifest(tmp_path):
    with Journal(tmp_path) as journal:
        finished = replace(ENTRY, rel="finished.mp4", digest="d")
        unpublished = replace(ENTRY, rel="unpublished.mp4", state=State.COMPLETE)
        renamed = replace(ENTRY, rel="old.mp4", state=State.COMPLETE)
        failed = replace(ENTRY, rel="failed.mp4", state=State.FAILED)
        put(journal, finished, unpublished, renamed, failed)
        live = {
            1: Video(1, 0, "finished.mp4", 1.0, 2.0),
            3: Video(3, 0, "new.mp4", 1.0, 2.0),
        }
        journal.reconcile(live, ROOTS, 3)
    with Journal(tmp_path) as journal:
        states = {entry.rel: entry.state for entry in journal.entries()}
        assert states == {
            "finished.mp4": State.COMPLETE,
            "unpublished.mp4": State.PENDING,
            "new.mp4": State.COMPLETE,
            "failed.mp4": State.FAILED,
        }
        assert {e.rel: e.mtime_ns for e in journal.entries()}["new.mp4"] == -1


def test_a_published_rename_wins_over_what_was_there(tmp_path):
    with Journal(tmp_path) as journal:
        put(
            journal,
            replace(ENTRY, rel="a.mp4", state=State.COMPLETE),
            replace(ENTRY, rel="b.mp4", state=State.COMPLETE),
        )
        entries = journal.reconcile({1: Video(1, 0, "b.mp4", 1.0, 2.0)}, ROOTS, 2)
        assert [(e.id, e.rel) for e in entries] == [(1, "b.mp4")]
        assert journal.entries() == entries


def test_a_deleted_journal_is_filled_from_the_manifest(tmp_path):
    with Journal(tmp_path) as journal:
        live = {5: Video(5, 0, "a.mp4", 1.0, 2.0)}
        (entry,) = journal.reconcile(live, ROOTS, 9)
        assert (entry.id, entry.path, entry.state) == (5, "/clips/a.mp4", State.COMPLETE)
        assert put(journal, ENTRY)[0].id == 10


@pytest.mark.parametrize("damage", [b"no database at all", b"SQLite format 3\0" + b"\xff" * 200])
def test_a_damaged_journal_is_named(tmp_path, damage):
    (tmp_path / NAME).write_bytes(damage)
    with pytest.raises(DamagedIndex, match=NAME):
        Journal(tmp_path)


def test_damaged_pages_are_found(tmp_path):
    with Journal(tmp_path) as journal:
        put(journal, *[replace(ENTRY, note="x" * 200)] * 200)
    data = bytearray((tmp_path / NAME).read_bytes())
    data[8192:40960] = b"\xab" * 32768
    (tmp_path / NAME).write_bytes(data)
    with pytest.raises(DamagedIndex, match=NAME):
        Journal(tmp_path)


def test_what_cannot_be_opened_is_told(tmp_path):
    with pytest.raises(IndexUnavailable, match=NAME):
        Journal(tmp_path, create=False)
    with pytest.raises(IndexUnavailable, match=NAME):
        Journal(tmp_path / "absent")
    with Journal(tmp_path):
        pass
    database = sqlite3.connect(tmp_path / NAME)
    database.execute("PRAGMA user_version=99")
    database.close()
    with pytest.raises(IncompatibleIndex, match="format 99"):
        Journal(tmp_path)


def test_whoever_only_reads_writes_nothing(tmp_path):
    """A build that was stopped, or met a full disk, before its first table."""
    (tmp_path / NAME).write_bytes(b"")
    with Journal(tmp_path, create=False) as journal:
        assert journal.entries() == []
    assert (tmp_path / NAME).read_bytes() == b""


def test_an_announcement_that_fails_leaves_nothing(tmp_path):
    with Journal(tmp_path) as journal:
        put(journal, ENTRY)
        with pytest.raises(OverflowError):
            journal.announce({1: 1 << 64}, 1)  # once its table is made
        journal.announce({1: 2}, 1)
        assert [entry.id for entry in journal.entries(1)] == [2]


@given(st.permutations(range(1, 7)))
@settings(max_examples=10, deadline=None)
def test_announced_ids_count_from_their_generation_on(new):
    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder)) as journal:
        entries = put(journal, *(replace(ENTRY, rel=f"{i}.mp4") for i in range(6)))
        names = {entry.id: entry.rel for entry in entries}
        ids = dict(zip(sorted(names), new, strict=True))
        for generation in (5, 7):  # the first was never published
            journal.announce(ids, generation)
            assert {e.id: e.rel for e in journal.entries(generation - 1)} == names
            moved = {ids[id_]: rel for id_, rel in names.items()}
            assert {e.id: e.rel for e in journal.entries(generation)} == moved
            journal.follow(generation - (generation == 5))
        assert {e.id: e.rel for e in journal.entries()} == moved
        assert put(journal, ENTRY)[0].id == 7


def test_paths_are_normal():
    assert replace(ENTRY, rel="../x.mp4").path == "/x.mp4"
    assert Copy("/a", "./b", 0, 0, "").path == str(Path("/a/b"))
