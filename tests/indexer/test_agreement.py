import sqlite3
from pathlib import Path

import pytest

from tests.indexer.building import run_build
from tests.indexer.media import make_video
from unify.indexer.agreement import disagreements
from unify.indexer.journal import NAME


@pytest.fixture
def index(tmp_path: Path) -> Path:
    (tmp_path / "clips").mkdir()
    make_video(tmp_path / "clips" / "a.mp4", 500)
    run_build([tmp_path / "clips"], tmp_path / "index")
    return tmp_path / "index"


def change(index: Path, statement: str) -> None:
    database = sqlite3.connect(index / NAME)
    with database:
        database.execute(statement)
    database.close()


def test_a_sound_journal_and_none_at_all(index):
    assert disagreements(index) == []
    (index / NAME).unlink()
    assert disagreements(index) == []


def test_a_journal_that_is_a_step_behind_is_sound(index):
    change(index, "UPDATE videos SET state = 'pending'")
    assert disagreements(index) == []


def test_faults_are_named(index):
    change(index, "UPDATE videos SET moments = moments + 1")
    (line,) = disagreements(index)
    assert line.endswith("a.mp4 has moments: 5 in it and 4 in the segments")
    columns = "root, rel, size_bytes, mtime_ns, digest, state, note, duration_s, recorded, moments"
    columns += ", width, height, codec, subtitles, cues"
    change(index, f"INSERT INTO videos ({columns}) SELECT {columns} FROM videos")
    assert any(line.endswith("a.mp4 is in it twice") for line in disagreements(index))
    (index / NAME).write_bytes(b"this is no database" * 100)
    (line,) = disagreements(index)
    assert "damaged" in line
