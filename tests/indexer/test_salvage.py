import random
import sqlite3
from pathlib import Path

import pytest

from unify.engine.errors import DamagedIndex
from unify.engine.manifest import Root, Video
from unify.indexer.entries import Entry, State
from unify.indexer.journal import NAME, Journal
from unify.indexer.salvage import renew_journal, videos_of

ROOT = Root("clips", "/abs/clips")


@pytest.fixture
def entries(tmp_path: Path) -> list[Entry]:
    """So many that their rows fill some pages."""
    made = [
        Entry(
            0, ROOT.path, f"{'deep/' * 20}{n}.mp4", n, n, f"{n:064x}", State.COMPLETE, "", n / 7, n
        )
        for n in range(200)
    ]
    with Journal(tmp_path) as journal, journal.transaction():
        return [journal.put(entry) for entry in made]


def read(directory: Path) -> list[Entry]:
    with Journal(directory) as journal:
        return journal.entries()


def test_what_can_be_read_is_kept(tmp_path, entries):
    live = videos_of(entries, [ROOT], ())
    assert len(live) == 200
    sound = (tmp_path / NAME).read_bytes()
    pages = range(len(sound) // 4096)
    assert len(pages) > 9
    left = []  # rows, without each page
    for page in pages:
        (tmp_path / NAME).write_bytes(
            sound[: page * 4096] + bytes(4096) + sound[(page + 1) * 4096 :]
        )
        renew_journal(tmp_path, live, [ROOT])
        kept = read(tmp_path)
        assert set(kept) <= set(entries)
        left.append(len(kept))
    assert left[0] == 200  # the first can be written anew
    assert sum(150 < count < 200 for count in left) > len(left) / 2


def test_nothing_comes_of_noise(tmp_path, entries):
    live = videos_of(entries, [ROOT], ())
    (tmp_path / NAME).write_bytes(random.Random(0).randbytes(9000))
    with pytest.raises(DamagedIndex, match="save what can be read of it: unify index repair"):
        Journal(tmp_path)
    renew_journal(tmp_path, live, [ROOT])
    assert read(tmp_path) == []


@pytest.mark.parametrize(
    "change",
    ["duration_s = 1e9", "recorded = 'x'", "rel = x'41'", "state = 'lost'", "digest = 7.5"],
)
def test_rows_that_the_manifest_contradicts_are_not(tmp_path, entries, change):
    live = videos_of(entries, [ROOT], ())
    with sqlite3.connect(tmp_path / NAME) as db:
        db.execute(f"UPDATE videos SET {change} WHERE id = 5")
    db.close()
    renew_journal(tmp_path, live, [ROOT])
    digest = change.startswith("digest")  # text all the same: SQLite makes it so
    assert [entry.id for entry in read(tmp_path)] == [n for n in range(1, 201) if digest or n != 5]


def test_of_what_can_be_searched_alone(entries):
    pending = Entry(201, ROOT.path, "new.mp4", 1, 1)
    other = Entry(202, "/elsewhere", "a.mp4", 1, 1, state=State.COMPLETE)
    assert list(videos_of([other, pending, *entries[:2]], [ROOT], ())) == [1, 2]
    assert videos_of(entries[4:5], [ROOT], ()) == {5: Video(5, 0, entries[4].rel, 4 / 7, 4.0)}
    assert list(videos_of(entries[:3], [ROOT], {2})) == [1, 3]
