"""Several PATHs in one index, and content that lies in more than one place."""

import os
import shutil
from pathlib import Path

import pytest

from tests.indexer.building import NumberEncoder, contents, ids, run_build
from tests.indexer.media import make_video
from unify.engine.local import open_snapshot
from unify.engine.manifest import read_manifest
from unify.engine.query import parse
from unify.engine.tables import read_videos


@pytest.fixture
def roots(tmp_path: Path) -> tuple[Path, Path]:
    one, two = tmp_path / "one", tmp_path / "two"
    for number, folder in enumerate((one, two)):
        folder.mkdir()
        make_video(folder / "a.mp4", [2 * number])
        make_video(folder / "b.mp4", [2 * number + 1])
    return one, two


def test_one_root_alone_is_brought_up_to_date(roots, tmp_path):
    (one, two), index = roots, tmp_path / "index"
    run_build([one, two], index)
    before = contents(index)
    (one / "a.mp4").unlink()
    (two / "a.mp4").unlink()
    report = run_build([one], index)
    assert (report.skipped, report.removed, report.missing) == (1, 1, [str(two / "a.mp4")])
    del before[str(one / "a.mp4")]
    assert contents(index) == before


@pytest.mark.parametrize("named", [[0, 1], [1, 0], [1]])
def test_a_video_that_moves_to_another_root(roots, tmp_path, named):
    index = tmp_path / "index"
    run_build(roots, index)
    published = read_videos(index, read_manifest(index)).values()
    (known,) = (video.id for video in published if (video.root, video.rel) == (0, "a.mp4"))
    (roots[0] / "a.mp4").rename(roots[1] / "moved.mp4")
    encoder = NumberEncoder()
    report = run_build([roots[i] for i in named], index, encoder)
    assert (report.renamed, report.indexed, report.removed, encoder.frames) == (1, 0, 0, 0)
    assert ids(index)["moved.mp4"] == known


def test_copies_in_several_roots(roots, tmp_path):
    (one, two), index = roots, tmp_path / "index"
    shutil.copy(one / "a.mp4", two / "twin.mp4")
    shutil.copy(one / "a.mp4", one / "z.mp4")
    run_build([one, two], index)
    snapshot = open_snapshot(index)
    (twice,) = (video for video in snapshot.videos.all.values() if video.copies)
    (moment,) = snapshot.moments_of(str(two / "twin.mp4")).tolist()
    facts = snapshot.facts(moment)
    assert (facts.path, facts.video_id) == (str(one / "a.mp4"), twice.id)
    assert facts.copies == (str(one / "z.mp4"), str(two / "twin.mp4"))
    allowed = snapshot.allowed(parse("x path:twin").filters, [], 1.0)
    assert (allowed.moments, allowed.videos) == (1, 1)
    assert snapshot.allowed(parse("x path:twin path:one").filters, [], 1.0).moments == 0
    (two / "twin.mp4").unlink()
    run_build([two], index)
    assert open_snapshot(index).facts(moment).copies == (str(one / "z.mp4"),)
    before = read_manifest(index).generation
    run_build([one, two], index)
    assert read_manifest(index).generation == before


def test_a_video_goes_on_at_a_copy_in_a_root_that_is_not_named(roots, tmp_path):
    (one, two), index = roots, tmp_path / "index"
    shutil.copy(one / "a.mp4", two / "twin.mp4")
    run_build([one, two], index)
    (one / "a.mp4").unlink()
    encoder = NumberEncoder()
    report = run_build([one], index, encoder)
    assert (report.renamed, report.removed, encoder.frames) == (1, 0, 0)
    assert str(two / "twin.mp4") in contents(index)
    assert run_build([one, two], index, encoder).skipped == 4


def test_a_root_under_an_absolute_name_that_is_not_normal(roots, tmp_path):
    index = roots[0] / ".unify"
    odd = Path(str(tmp_path) + os.sep + "two/../one")
    run_build([odd], index)
    assert run_build([odd], index).generation == 1
    assert read_manifest(index).roots[0].given == str(roots[0])


def test_an_interrupted_build_ends_with_the_same_ids(roots, tmp_path):
    class Interrupted(NumberEncoder):
        def encode_frames(self, frames):
            if self.frames:
                raise KeyboardInterrupt
            return super().encode_frames(frames)

    run_build(roots, tmp_path / "whole")
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            run_build(roots, tmp_path / "index", Interrupted())
    run_build(roots, tmp_path / "index")
    whole, index = (
        read_videos(tmp_path / name, read_manifest(tmp_path / name)) for name in ("whole", "index")
    )
    assert index == whole
