"""Damaged and endless videos: each is listed with a reason, or indexed; nothing else happens."""

from __future__ import annotations

import os
import resource
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.indexer.building import contents, run_build
from tests.indexer.media import make_video
from tests.reliability import damage
from unify.engine.errors import UsageError
from unify.indexer.decode import VideoFile
from unify.indexer.decoding import Limits
from unify.indexer.entries import State
from unify.indexer.journal import Journal
from unify.indexer.progress import BuildReport

LIMITS = Limits(stall_s=20, total_s=40, memory_bytes=2 << 30)
MORE_BYTES = 150 << 20  # that the parent may take


def index_all(folder: Path, index: Path, limits: Limits) -> BuildReport:
    """Index what is damaged, and see that all of it is accounted for."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report = run_build([folder], index, workers=2, limits=limits)
    more_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert more_kib * 1024 < MORE_BYTES
    live = {Path(path).name for path in contents(index)}
    failed = {Path(path).name: reason for path, reason in report.failed}
    copies = {Path(path).name for path in report.duplicates}
    assert live | failed.keys() | copies == {path.name for path in folder.iterdir()}
    assert not live & failed.keys()
    for name, reason in failed.items():
        assert reason and "\n" not in reason and "Traceback" not in reason, name
        assert "decoder failed" not in reason, f"{name}: an error nobody foresaw: {reason}"
    again = run_build([folder], index, workers=2, limits=limits)
    assert (again.indexed, dict(again.failed)) == (0, dict(report.failed))
    return report


def outcomes(index: Path, ways: dict[str, str]) -> Counter[tuple[str, str]]:
    """How many of each way of damage are failed, noted, or unnoticed."""
    with Journal(index) as journal:
        entries = journal.entries()
    return Counter(
        (
            ways[entry.rel],
            "failed" if entry.state is State.FAILED else "noted" if entry.note else "unnoticed",
        )
        for entry in entries
    )


def test_damaged_videos(tmp_path):
    folder = tmp_path / "videos"
    folder.mkdir()
    damage.make(folder, 33, seed=1)
    index_all(folder, tmp_path / "index", LIMITS)


@pytest.mark.soak
def test_many_damaged_videos(tmp_path):
    folder = tmp_path / "videos"
    folder.mkdir()
    ways = damage.make(folder, 330, seed=2)
    began_s = time.monotonic()
    report = index_all(folder, tmp_path / "index", LIMITS)
    print(f"{time.monotonic() - began_s:.0f} s, {len(report.failed)} failed")  # noqa: T201
    for (way, outcome), count in sorted(outcomes(tmp_path / "index", ways).items()):
        print(way, outcome, count)  # noqa: T201


@pytest.mark.soak
def test_endless_videos_end_at_their_limit(tmp_path):
    folder = tmp_path / "videos"
    folder.mkdir()
    damage.make_endless(folder)
    began_s = time.monotonic()
    report = index_all(folder, tmp_path / "index", Limits(stall_s=10, total_s=15))
    assert time.monotonic() - began_s < 200
    print(report.failed, report.damaged)  # noqa: T201


def test_what_is_no_file_is_listed_and_not_opened(tmp_path):
    folder = tmp_path / "videos"
    folder.mkdir()
    make_video(folder / "a.mp4", 50)
    os.mkfifo(folder / "a.srt")
    os.mkfifo(folder / "pipe.mp4")
    (folder / "zero.mkv").symlink_to("/dev/zero")
    report = run_build([folder], tmp_path / "index")
    assert (report.indexed, report.failed) == (1, [])
    assert [note for _, note in report.damaged] == [
        "subtitles a.srt: cannot be read (not a regular file)"
    ]
    assert sorted(Path(path).name for path, _ in report.unreadable) == ["pipe.mp4", "zero.mkv"]
    with pytest.raises(UsageError, match="neither a file nor a folder"):
        run_build([folder / "pipe.mp4"], tmp_path / "index")


def test_a_stream_that_begins_in_the_middle_takes_nothing_away(tmp_path):
    """A recording of MPEG-TS may get its sound later than FFmpeg looks ahead (5 MB)."""
    silent = make_video(tmp_path / "silent.ts", 60).read_bytes()
    loud = damage.make_with_sound(tmp_path / "loud.ts", 60).read_bytes()
    path = tmp_path / "both.ts"
    path.write_bytes(silent * 260 + loud + silent * 60)
    video = VideoFile(str(path))
    assert len(video.timeline().ticks) >= 60 * 321
    assert video.damage == ""
