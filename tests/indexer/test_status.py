import shutil
from pathlib import Path

import pytest

from tests.indexer.building import run_build
from tests.indexer.media import make_video
from unify.indexer.journal import NAME
from unify.indexer.progress import VideoStarted
from unify.indexer.status import status


def test_everything_by_root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one, two, index = Path("one"), tmp_path / "two", tmp_path / "index"
    one.mkdir()
    two.mkdir()
    make_video(one / "a.mp4", 500)
    make_video(one / "lost.mp4", [3])
    make_video(two / "b.mp4", [4])
    shutil.copy(one / "a.mp4", two / "a2.mp4")
    shutil.copy(one / "a.mp4", one / "a1.mp4")
    (two / "bad.mp4").write_text("no video")
    run_build([one, two], index)
    (one / "lost.mp4").unlink()
    make_video(two / "later.mp4", [5])

    def stop(event: object) -> None:
        if isinstance(event, VideoStarted):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_build([two], index, progress=stop)
    found = status(index)
    assert (found.videos, found.moments, found.duplicates, found.pending) == (3, 6, 2, 1)
    assert found.copies == [("one/a1.mp4", "one/a.mp4"), (str(two / "a2.mp4"), "one/a.mp4")]
    assert [path for path, _ in found.failed] == [str(two / "bad.mp4")]
    assert found.missing == ["one/lost.mp4"]
    first, second = found.roots
    assert (first.given, first.path, first.there) == ("one", str(tmp_path / "one"), True)
    assert (first.videos, first.copies, first.failed, first.pending, first.missing) == (
        2,
        1,
        0,
        0,
        1,
    )
    assert (second.videos, second.copies, second.failed, second.pending) == (1, 1, 1, 1)
    assert first.video_s + second.video_s == found.video_s
    shutil.rmtree(two)
    assert [root.there for root in status(index).roots] == [True, False]


def test_without_its_journal(tmp_path):
    make_video(tmp_path / "a.mp4", [3])
    shutil.copy(tmp_path / "a.mp4", tmp_path / "b.mp4")
    (tmp_path / "bad.mp4").write_text("no video")
    index = tmp_path / "index"
    run_build([tmp_path], index)
    (index / NAME).unlink()
    found = status(index)
    assert (found.videos, found.failed, found.pending) == (1, [], 0)
    assert found.copies == [(str(tmp_path / "b.mp4"), str(tmp_path / "a.mp4"))]
