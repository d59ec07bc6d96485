import fcntl
import json
import subprocess
import sys

import pytest

from unify.indexer.live import NAME, Announcer, Build, running_build
from unify.indexer.progress import Advanced, Planned, VideoFailed, VideoFinished, VideoStarted


def test_a_build_is_seen_while_it_runs_and_not_after(tmp_path, monkeypatch):
    monkeypatch.setattr("unify.indexer.live._EVERY_S", 0.0)
    told = []
    with Announcer(tmp_path, told.append) as tell:
        assert running_build(tmp_path) is None
        tell(Planned(4, 100, 0))
        tell(VideoStarted("a.mp4", 9.0))
        tell(Advanced(0.25, 3.5, 12.0))
        tell(VideoFinished("a.mp4", 2, ""))
        assert running_build(tmp_path).left_s == 12.0
        tell(VideoFailed("b.mp4", "no picture"))
        tell(VideoStarted("a name that is much longer.mp4", 9.0))
        tell(VideoStarted("c.mp4", 9.0))
        seen = running_build(tmp_path)
    assert isinstance(seen, Build)
    assert (seen.videos, seen.done, seen.failed) == (4, 1, 1)
    assert (seen.share, seen.video_s, seen.left_s, seen.current) == (0.25, 3.5, 12.0, "c.mp4")
    assert len(told) == 7
    assert running_build(tmp_path) is None and not list(tmp_path.iterdir())


def test_whoever_looks_just_when_it_begins_does_not_hide_a_build(tmp_path, monkeypatch):
    monkeypatch.setattr("unify.indexer.live._EVERY_S", 0.0)
    (tmp_path / NAME).touch()
    with (tmp_path / NAME).open() as looking, Announcer(tmp_path, None) as tell:
        fcntl.flock(looking, fcntl.LOCK_SH)
        tell(Planned(4, 100, 0))
        assert running_build(tmp_path) is None
        fcntl.flock(looking, fcntl.LOCK_UN)
        tell(VideoStarted("a.mp4", 9.0))
        assert running_build(tmp_path).videos == 4


def test_a_killed_build_does_not_look_alive(tmp_path):
    code = (
        "import os, pathlib, sys\n"
        "from unify.indexer.live import Announcer\n"
        "from unify.indexer.progress import Planned\n"
        "Announcer(pathlib.Path(sys.argv[1]), None).__enter__()(Planned(4, 100, 0))\n"
        "print('runs', flush=True); sys.stdin.read()\n"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], **pipes) as process:
        assert process.stdout.readline() == b"runs\n"
        assert running_build(tmp_path).videos == 4
        process.kill()
    assert (tmp_path / NAME).exists() and running_build(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"who": 1}), "\xff"])
def test_a_file_that_says_nothing_is_no_build(tmp_path, text):
    with Announcer(tmp_path, None) as tell:
        tell(Planned(1, 1, 0))
        (tmp_path / NAME).write_text(text, encoding="latin-1")
        assert running_build(tmp_path) is None


def test_where_it_cannot_be_written_the_build_goes_on(tmp_path):
    told = []
    with Announcer(tmp_path / "nowhere", told.append) as tell:
        tell(Planned(1, 1, 0))
    assert told == [Planned(1, 1, 0)]
