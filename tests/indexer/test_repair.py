"""A damaged index, repaired and built again, is the index of a fresh build."""

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.indexer.building import contents, run_build
from tests.indexer.media import make_video
from tests.reliability import scenes
from tests.reliability.faults import Disk, Fault, Killed
from unify.engine import blocks
from unify.engine.errors import DamagedIndex, IndexUnavailable, NoIndex
from unify.engine.manifest import COPY, NAME, read_manifest
from unify.engine.verify import verify
from unify.engine.writer import IndexWriter
from unify.indexer.agreement import disagreements
from unify.indexer.compaction import compact
from unify.indexer.remove import remove
from unify.indexer.repair import repair
from unify.indexer.status import status


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


def problems(index: Path) -> list[str]:
    return verify(index) or disagreements(index)


def whole_bytes(index: Path) -> dict[str, bytes]:
    """What an index comes to, whatever was done to it before."""
    compact(index, full=True)
    (entry,) = read_manifest(index).segments
    return {path.name: path.read_bytes() for path in entry.folder(index).iterdir()}


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    folder.mkdir()
    for number in range(6):
        make_video(folder / f"{number}.mp4", range(number, number + 3))
    shutil.copy(folder / "0.mp4", folder / "twin.mp4")
    (folder / "bad.mp4").write_text("no video")
    return folder


@pytest.fixture
def index(tmp_path: Path, clips: Path, monkeypatch) -> Path:
    """Two segments: what was indexed first, compacted, and a late video."""
    scenes.hasten(monkeypatch)
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 64)
    late = shutil.move(clips / "5.mp4", tmp_path / "5.mp4")
    run_build([clips], tmp_path / "index", workers=1)
    compact(tmp_path / "index")
    shutil.move(late, clips / "5.mp4")
    run_build([clips], tmp_path / "index", workers=1)
    return tmp_path / "index"


def every_kind(index: Path) -> list[str]:
    """A file of each kind, but for the journal, which may hide a flipped bit in unused room."""
    manifest = read_manifest(index)
    inside = manifest.segments[0].folder(index).iterdir()
    tables = [file.name for file in manifest.tables]
    return [NAME, COPY, *tables, *(str(path.relative_to(index)) for path in sorted(inside))]


def test_one_flipped_byte_in_any_file(index, clips, tmp_path):
    before, fresh = contents(index), tmp_path / "fresh"
    run_build([clips], fresh, workers=1)
    goal = whole_bytes(fresh)
    names = every_kind(index)
    assert len(names) >= 17
    rng = random.Random(0)
    for name in names:
        copy = Path(shutil.copytree(index, tmp_path / "damaged"))
        flip(copy / name, rng.randrange((copy / name).stat().st_size))
        try:
            assert any(name in line for line in problems(copy)), name
        except DamagedIndex as error:
            assert name == NAME in str(error)
        done = repair(copy)
        assert any(name in line for line in done.problems), name
        assert problems(copy) == [], name
        assert done.unknown == []
        left = contents(copy)
        lost = {str(clips / Path(path).name) for path in done.lost}
        assert left == {path: rows for path, rows in before.items() if path not in lost}
        assert len(lost) <= 5, name
        assert status(copy).pending == len(lost)
        again = run_build([clips], copy, workers=1)
        assert (again.indexed, len(again.failed)) == (len(lost), 1)
        assert contents(copy) == before
        assert status(copy).copies == status(index).copies
        assert repair(copy).problems == []
        assert whole_bytes(copy) == goal, name
        shutil.rmtree(copy)


def row_page(path: Path) -> None:
    """Zero the last page of the journal."""
    data = path.read_bytes()
    path.write_bytes(data[:-4096] + bytes(4096))


def other_count(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE videos SET moments = 77 WHERE id = 2")
    db.close()


@pytest.mark.parametrize(
    ("harm", "unknown"),
    [
        (lambda path: path.write_bytes(b"nothing of it"), 6),
        (lambda path: flip(path, 3), 0),
        (lambda path: path.write_bytes(path.read_bytes()[:4096]), 6),
        (row_page, None),
        (other_count, 1),
    ],
)
def test_a_damaged_journal(index, clips, harm: Callable[[Path], None], unknown):
    before, copies = contents(index), status(index).copies
    harm(index / "catalog.sqlite")
    found = problems(index)
    assert "catalog.sqlite" in found[0]
    done = repair(index)
    assert done.problems
    assert done.lost == []
    assert contents(index) == before
    assert problems(index) == []
    if unknown is not None:
        assert len(done.unknown) == unknown
    if unknown == 0:
        assert status(index).copies == copies
    again = run_build([clips], index, workers=1)
    assert again.indexed == len(done.unknown)
    assert contents(index) == before
    assert problems(index) == []


def test_tables_and_a_segment_at_once(index, clips):
    before = contents(index)
    manifest = read_manifest(index)
    flip(index / manifest.tables[1].name, 0)
    flip(manifest.segments[1].folder(index) / "latents.faiss", -1)
    done = repair(index)
    assert done.lost == [str(clips / "5.mp4")]
    assert status(index).copies == [(str(clips / "twin.mp4"), str(clips / "0.mp4"))]
    run_build([clips], index, workers=1)
    assert contents(index) == before


def test_what_was_removed_does_not_come_back(index, clips):
    """The journal is a step behind, and the tables are damaged."""
    gone = str(clips / "1.mp4")
    journal = (index / "catalog.sqlite").read_bytes()
    remove([gone], index)
    (index / "catalog.sqlite").write_bytes(journal)
    after = contents(index)
    flip(index / read_manifest(index).tables[1].name, 0)
    repair(index)
    assert gone not in after
    assert contents(index) == after


def test_a_journal_that_is_busy_is_not_lost(index, monkeypatch):
    def busy(*_args: object, **_options: object) -> None:
        raise sqlite3.OperationalError("database is locked")

    before = contents(index)
    flip(index / read_manifest(index).tables[1].name, 0)
    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", busy)
        with pytest.raises(IndexUnavailable, match="run again"):
            repair(index)
    repair(index)
    assert contents(index) == before


def test_without_its_manifest_a_build_finds_the_copy(index, clips):
    before = contents(index)
    (index / NAME).unlink()
    (index / "note.txt").write_text("somebody's")
    assert run_build([clips], index, workers=1).indexed == 0
    assert contents(index) == before


def test_another_format_of_the_copy_alone(index):
    data = (index / COPY).read_bytes()
    (index / COPY).write_bytes(data.replace(b'"format": 3', b'"format": 2'))
    assert f"{COPY} has index format 2" in problems(index)[0]
    assert len(repair(index).problems) == 1
    assert problems(index) == []


def test_too_much_is_said_and_nothing_is_changed(index):
    manifest = read_manifest(index)
    flip(index / manifest.tables[1].name, 0)
    (index / "catalog.sqlite").unlink()
    with pytest.raises(DamagedIndex, match="nothing tells which videos these are"):
        repair(index)
    assert read_manifest(index) == manifest
    flip(index / NAME, 40)
    flip(index / COPY, 40)
    with pytest.raises(DamagedIndex, match="no whole copy; nothing can be saved"):
        repair(index)


def test_a_whole_index_no_index_and_a_writer(index, tmp_path):
    before = read_manifest(index)
    done = repair(index)
    assert (done.problems, done.lost, done.unknown) == ([], [], [])
    assert read_manifest(index) == before
    with pytest.raises(NoIndex):
        repair(tmp_path / "none")
    with (
        IndexWriter.open(index, before.settings),
        pytest.raises(IndexUnavailable, match="another process"),
    ):
        repair(index)


def test_killed_at_any_step_it_can_be_run_again(index, clips, tmp_path, monkeypatch):
    before = contents(index)
    manifest = read_manifest(index)
    flip(manifest.segments[0].folder(index) / "latents.faiss", -1)
    flip(index / manifest.tables[2].name, -1)
    flip(index / NAME, 40)
    (index / "catalog.sqlite").write_bytes((index / "catalog.sqlite").read_bytes()[:-4096])

    def killed(at: int) -> tuple[Path, list[str]]:
        copy = Path(shutil.copytree(index, tmp_path / f"copy-{at}"))
        disk = Disk(copy, Fault.KILLED if at else None, at)
        with monkeypatch.context() as patch, suppress(Killed):
            disk.install(patch)
            repair(copy)
        return copy, disk.steps

    _, steps = killed(0)
    assert {"rename manifest.json", "rename catalog.sqlite"} <= set(steps)
    for at in random.Random(0).sample(range(1, len(steps) + 1), 15):
        copy, _ = killed(at)
        repair(copy)
        assert problems(copy) == [], (at, steps[at - 1])
        run_build([clips], copy, workers=1)
        assert contents(copy) == before
        assert status(copy).pending == 0
