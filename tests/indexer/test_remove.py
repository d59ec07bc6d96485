import shutil
from pathlib import Path

import pytest

from tests.indexer.building import contents, ids, run_build
from tests.indexer.media import make_video
from unify.engine.errors import NoIndex, UsageError
from unify.engine.manifest import read_manifest
from unify.indexer.agreement import disagreements
from unify.indexer.progress import VideoStarted
from unify.indexer.remove import remove
from unify.indexer.status import status


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    (folder / "deep").mkdir(parents=True)
    for number, name in enumerate(("a", "b", "deep/c", "deep/d")):
        make_video(folder / f"{name}.mp4", [number])
    (folder / "deep" / "bad.mp4").write_text("no video")
    return folder


@pytest.fixture
def index(tmp_path: Path, clips: Path) -> Path:
    run_build([clips], tmp_path / "index")
    return tmp_path / "index"


def names(index: Path) -> list[str]:
    return sorted(ids(index))


def test_files_and_folders(clips, index):
    done = remove([str(clips / "a.mp4"), str(clips / "deep")], index)
    removed = ("a.mp4", "deep/c.mp4", "deep/d.mp4")
    assert sorted(done.removed) == [str(clips / name) for name in removed]
    assert done.forgotten == [str(clips / "deep" / "bad.mp4")]
    assert done.generation == read_manifest(index).generation == 2
    assert list(contents(index)) == [str(clips / "b.mp4")]
    assert status(index).failed == []
    assert disagreements(index) == []


def test_a_later_build_indexes_again_what_is_still_there(clips, index):
    before = contents(index)
    remove([str(clips / "deep")], index)
    (clips / "deep" / "d.mp4").unlink()
    report = run_build([clips], index)
    assert (report.indexed, report.skipped, report.removed) == (1, 2, 0)
    del before[str(clips / "deep" / "d.mp4")]
    assert contents(index) == before


def test_files_that_are_gone_already(clips, index):
    shutil.rmtree(clips)
    remove([str(clips / "deep" / "c.mp4")], index)
    assert names(index) == ["a.mp4", "b.mp4", "deep/d.mp4"]


def test_paths_as_they_are_shown_and_from_here(clips, index, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    run_build(["clips"], index := tmp_path / "other")
    monkeypatch.chdir(clips / "deep")
    assert remove(["../a.mp4"], index).removed == ["clips/a.mp4"]
    assert remove(["clips/deep/"], index).removed == ["clips/deep/c.mp4", "clips/deep/d.mp4"]
    assert names(index) == ["b.mp4"]


def test_a_video_goes_on_at_a_copy(clips, index):
    shutil.copy(clips / "a.mp4", clips / "deep" / "twin.mp4")
    run_build([clips], index)
    assert status(index).copies == [(str(clips / "deep" / "twin.mp4"), str(clips / "a.mp4"))]
    before = ids(index)["a.mp4"]
    done = remove([str(clips / "a.mp4")], index)
    assert (done.removed, done.forgotten) == ([], [])
    assert done.kept == [(str(clips / "a.mp4"), str(clips / "deep" / "twin.mp4"))]
    assert ids(index)["deep/twin.mp4"] == before
    done = remove([str(clips / "deep")], index)
    assert str(clips / "deep" / "twin.mp4") in done.removed
    assert names(index) == ["b.mp4"]


def test_a_video_is_removed_though_its_new_content_waits_for_a_build(clips, index):
    make_video(clips / "a.mp4", [77])

    def stop(event: object) -> None:
        if isinstance(event, VideoStarted):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_build([clips], index, progress=stop)
    assert "a.mp4" in names(index)
    done = remove([str(clips / "a.mp4")], index)
    assert (done.removed, done.forgotten) == ([str(clips / "a.mp4")], [])
    assert "a.mp4" not in names(index)


def test_a_copy_alone(clips, index):
    shutil.copy(clips / "a.mp4", clips / "twin.mp4")
    run_build([clips], index)
    done = remove([str(clips / "twin.mp4")], index)
    assert (done.removed, done.forgotten) == ([], [str(clips / "twin.mp4")])
    assert status(index).copies == []


def test_nothing_is_removed_when_one_path_is_wrong(clips, index, tmp_path):
    with pytest.raises(UsageError, match="nothing of nowhere is in the index"):
        remove([str(clips / "a.mp4"), "nowhere"], index)
    assert len(names(index)) == 4
    with pytest.raises(NoIndex):
        remove(["a"], tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_other_roots_stay_as_they_are(clips, index, tmp_path):
    (tmp_path / "more").mkdir()
    make_video(tmp_path / "more" / "x.mp4", [9])
    run_build([tmp_path / "more"], index)
    remove([str(clips)], index)
    found = status(index)
    assert [(root.path, root.videos) for root in found.roots] == [(str(tmp_path / "more"), 1)]
    report = run_build([tmp_path / "more"], index)
    assert (report.skipped, report.indexed) == (1, 0)


def test_a_dry_run_changes_nothing(clips, index):
    shutil.copy(clips / "a.mp4", clips / "twin.mp4")
    run_build([clips], index)
    before, journal = read_manifest(index), (index / "catalog.sqlite").read_bytes()
    asked = [str(clips / "a.mp4"), str(clips / "deep")]
    told = remove(asked, index, dry_run=True)
    assert read_manifest(index) == before
    assert (index / "catalog.sqlite").read_bytes() == journal
    done = remove(asked, index)
    told.generation = done.generation
    assert told == done
    assert len(done.removed) == 2


@pytest.mark.parametrize("above", ["clips", "."])
def test_all_at_once_only_when_it_is_said(clips, index, tmp_path, above):
    with pytest.raises(UsageError, match=r"all 5 videos off the index; .*--dry-run; .*--all"):
        remove([str(tmp_path / above)], index)
    assert len(names(index)) == 4
    assert len(remove([str(tmp_path / above)], index, dry_run=True).removed) == 4
    assert len(remove([str(tmp_path / above)], index, everything=True).removed) == 4
    assert names(index) == []
