"""Files that go or change between the plan of a build and their turn in it."""

import shutil
from pathlib import Path

from tests.indexer.building import contents, run_build
from tests.indexer.media import make_video
from unify.indexer.progress import Planned
from unify.indexer.status import status


def once_planned(act):
    return lambda event: act() if isinstance(event, Planned) else None


def test_a_disk_that_drops_out_costs_nothing(tmp_path):
    clips, index, away = tmp_path / "clips", tmp_path / "index", tmp_path / "away"
    clips.mkdir()
    make_video(clips / "a.mp4", range(20))
    run_build([clips], index)
    before = contents(index)
    make_video(clips / "a.mp4", range(50, 80))
    make_video(clips / "b.mp4", range(100, 120))
    report = run_build([clips], index, progress=once_planned(lambda: clips.rename(away)))
    assert len(report.failed) == 2
    assert contents(index) == before  # what could be searched still can
    assert status(index).failed == []
    away.rename(clips)
    assert run_build([clips], index).indexed == 2
    run_build([clips], tmp_path / "fresh")
    assert contents(index) == contents(tmp_path / "fresh")


def test_a_file_with_a_copy_that_changes_before_its_turn_never_lends_it_its_rows(tmp_path):
    clips, index = tmp_path / "clips", tmp_path / "index"
    clips.mkdir()
    first, second, other = clips / "a.mp4", clips / "b.mp4", tmp_path / "other.mp4"
    make_video(first, range(20))
    shutil.copy(first, second)
    make_video(other, range(100, 130))
    run_build([clips], index, progress=once_planned(lambda: shutil.copy(other, first)))
    run_build([clips], index)
    run_build([clips], tmp_path / "fresh")
    assert contents(index) == contents(tmp_path / "fresh")


def test_a_file_that_changes_while_it_is_decoded_is_looked_at_again(tmp_path, monkeypatch):
    clips, index = tmp_path / "clips", tmp_path / "index"
    clips.mkdir()
    make_video(clips / "a.mp4", range(20))
    with monkeypatch.context() as patch:
        patch.setattr("unify.indexer.encode._stands", lambda candidate: False)
        run_build([clips], index)
    (Path(clips) / "a.mp4").touch()
    assert run_build([clips], index).indexed == 1
