import shutil
from pathlib import Path

import pytest

from tests.indexer import building
from tests.indexer.building import NumberEncoder, contents, ids, run_build
from tests.indexer.media import make_video
from unify.engine.errors import NoIndex, UsageError
from unify.engine.local import open_snapshot
from unify.engine.manifest import read_manifest
from unify.indexer import catalog as cataloguing
from unify.indexer.agreement import disagreements
from unify.indexer.reroot import reroot
from unify.indexer.status import status


def library(folder: Path) -> Path:
    (folder / "deep").mkdir(parents=True)
    make_video(folder / "a.mp4", [1])
    make_video(folder / "deep" / "b.mp4", [2])
    shutil.copy2(folder / "a.mp4", folder / "deep" / "copy.mp4")
    (folder / "bad.mp4").write_text("no video")
    return folder


def unchanged(path: Path, index: Path) -> bool:
    """Whether a build of a folder finds all as it was, without encoding or hashing anything."""
    encoder = NumberEncoder()
    before = read_manifest(index).generation
    report = run_build([path], index, encoder)
    assert encoder.frames == 0
    return (report.skipped, report.generation) == (2, before)


def test_a_library_on_another_disk(tmp_path, monkeypatch):
    old, new, index = library(tmp_path / "old"), tmp_path / "disk" / "new", tmp_path / "index"
    run_build([old], index)
    known = ids(index)
    new.parent.mkdir()
    old.rename(new)
    monkeypatch.chdir(tmp_path)
    done = reroot(str(old), Path("disk/new"), index)
    assert (done.roots, done.videos, done.missing) == ([(str(old), str(new))], 2, [])
    assert sorted(contents(index)) == [str(new / "a.mp4"), str(new / "deep" / "b.mp4")]
    assert ids(index) == known
    found = status(index)
    assert found.copies == [("disk/new/deep/copy.mp4", "disk/new/a.mp4")]
    assert [path for path, _ in found.failed] == ["disk/new/bad.mp4"]
    monkeypatch.setattr(building.building, "digest", None)
    assert unchanged(Path("disk/new"), index)
    assert disagreements(index) == []


def test_all_roots_below_a_folder_move_with_it(tmp_path):
    index = tmp_path / "index"
    one, two, other = (library(tmp_path / name) for name in ("disk/one", "disk/two", "other"))
    shutil.rmtree(two / "deep")
    (two / "a.mp4").unlink()
    make_video(two / "c.mp4", [3])
    make_video(other / "a.mp4", [4])
    run_build([one, two, other], index)
    (tmp_path / "disk").rename(tmp_path / "mnt")
    done = reroot(str(tmp_path / "disk"), tmp_path / "mnt", index)
    assert [Path(new).name for _, new in done.roots] == ["one", "two"]
    assert done.missing == []
    moved = [tmp_path / "mnt" / "one", tmp_path / "mnt" / "two", other]
    assert [root.path for root in status(index).roots] == [str(path) for path in moved]


def test_killed_between_manifest_and_journal(tmp_path, monkeypatch):
    old, new, index = library(tmp_path / "old"), tmp_path / "new", tmp_path / "index"
    run_build([old], index)
    old.rename(new)
    monkeypatch.setattr(cataloguing.Journal, "set_copies", None)
    with pytest.raises(TypeError):
        reroot(str(old), new, index)
    monkeypatch.undo()
    assert sorted(contents(index)) == [str(new / "a.mp4"), str(new / "deep" / "b.mp4")]
    encoder = NumberEncoder()
    report = run_build([new], index, encoder)
    assert (report.indexed, report.skipped, encoder.frames) == (0, 2, 0)


def test_what_cannot_be(tmp_path):
    old, index = library(tmp_path / "old"), tmp_path / "index"
    run_build([old], index)
    other = library(tmp_path / "other")
    make_video(other / "a.mp4", [5])
    run_build([other], index)
    (tmp_path / "empty").mkdir()
    for was, now, why in (
        ("nowhere", other, "no root of the index lies at nowhere; its roots are"),
        (str(old), tmp_path / "absent", "is no folder"),
        (str(old), tmp_path / "empty", r"holds nothing of .* \(videos: 2\)"),
        (str(old), other, "is in the index already"),
    ):
        with pytest.raises(UsageError, match=why):
            reroot(was, now, index)
    with pytest.raises(NoIndex):
        reroot(str(old), other, tmp_path / "none")


def test_an_index_moves_together_with_the_library_that_it_lies_in(tmp_path, monkeypatch):
    old, new = library(tmp_path / "old"), tmp_path / "new"
    run_build([old], old / ".unify")
    old.rename(new)
    index = new / ".unify"
    assert sorted(contents(index)) == [str(new / "a.mp4"), str(new / "deep" / "b.mp4")]
    snapshot = open_snapshot(index)
    assert snapshot.manifest.roots[0].given == str(new)
    found = status(index)
    assert (found.missing, found.failed[0][0]) == ([], str(new / "bad.mp4"))
    assert unchanged(new, index)
    shutil.copytree(new, tmp_path / "backup", copy_function=shutil.copy2)
    shutil.rmtree(new)
    assert unchanged(tmp_path / "backup", tmp_path / "backup" / ".unify")


def test_an_index_elsewhere_may_be_moved_alone(tmp_path):
    videos, index = library(tmp_path / "videos"), tmp_path / "index"
    run_build([videos], index)
    index.rename(tmp_path / "moved")
    assert unchanged(videos, tmp_path / "moved")
    (videos / "link").symlink_to(tmp_path / "moved")  # lies elsewhere all the same
    assert unchanged(videos, videos / "link")
    assert read_manifest(tmp_path / "moved").roots[0].path == str(videos)
    assert unchanged(videos, tmp_path / "moved")
