"""Builds of folders that lie in a PATH under several names."""

from pathlib import Path

import pytest

from tests.indexer.building import contents, ids, run_build
from tests.indexer.media import make_video


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    (folder / "m-real").mkdir(parents=True)
    make_video(folder / "m-real" / "one.mp4", [55])
    make_video(folder / "two.mp4", [66])
    return folder


@pytest.mark.parametrize("name", ["a-link", "z-link"])
def test_a_link_changes_nothing_about_a_folder_that_lies_there_itself(clips, tmp_path, name):
    index = tmp_path / "index"
    run_build([clips], index)
    before = ids(index)
    (clips / name).symlink_to(clips / "m-real")
    report = run_build([clips], index)
    assert (report.found, report.skipped, report.renamed) == (2, 2, 0)
    assert ids(index) == before


def test_videos_behind_two_links_are_those_of_one(clips, tmp_path):
    index = tmp_path / "index"
    (clips / "m-real").rename(tmp_path / "outside")
    (clips / "b-link").symlink_to(tmp_path / "outside")
    run_build([clips], index)
    (clips / "a-link").symlink_to(tmp_path / "outside")
    make_video(tmp_path / "outside" / "one.mp4", [33])
    report = run_build([clips], index)
    assert (report.indexed, report.removed, report.missing) == (1, 1, [])
    run_build([clips], tmp_path / "fresh")
    assert contents(index) == contents(tmp_path / "fresh")


def test_a_video_that_was_found_by_a_link_goes_on_in_the_folder_itself(clips, tmp_path):
    index = tmp_path / "index"
    away = (clips / "m-real").rename(tmp_path / "outside")
    (clips / "a-link").symlink_to(away)
    run_build([clips], index)
    before = ids(index)["a-link/one.mp4"]
    away.rename(clips / "m-real")
    (clips / "a-link").unlink()
    (clips / "a-link").symlink_to(clips / "m-real")
    report = run_build([clips], index)
    assert (report.indexed, report.renamed, report.duplicates) == (0, 1, [])
    assert ids(index)["m-real/one.mp4"] == before
