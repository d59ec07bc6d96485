from __future__ import annotations

import os
import shutil
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.indexer.building import NumberEncoder, contents, ids, run_build, settings_for
from tests.indexer.media import make_audio, make_video
from unify.engine.errors import (
    DamagedIndex,
    IncompatibleIndex,
    IndexUnavailable,
    UsageError,
)
from unify.engine.manifest import read_manifest
from unify.engine.tables import read_videos
from unify.engine.writer import IndexWriter
from unify.indexer import build as building
from unify.indexer.discover import Choice
from unify.indexer.entries import State
from unify.indexer.journal import NAME, Journal
from unify.indexer.progress import Advanced, Planned, Published, VideoFailed, VideoFinished
from unify.indexer.status import status


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    (folder / "deep").mkdir(parents=True)
    make_video(folder / "long.mp4", 500)
    make_video(folder / "short.mp4", range(600, 620))
    make_video(folder / "deep" / "one.mkv", [55])
    return folder


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "index"


def numbers(seconds: range) -> list[int]:
    """Terms of the frames at the middles of some seconds of a 25 fps video from 0."""
    return [(25 * second + 12) % 64 for second in seconds]


def test_a_first_build(clips, index):
    encoder = NumberEncoder()
    report = run_build([clips], index, encoder)
    found = contents(index)
    assert found[str(clips / "long.mp4")] == [
        (0.0, 8.0, numbers(range(8))),
        (4.0, 12.0, numbers(range(4, 12))),
        (8.0, 16.0, numbers(range(8, 16))),
        (12.0, 20.0, numbers(range(12, 20))),
    ]
    assert found[str(clips / "deep" / "one.mkv")] == [(0.0, pytest.approx(0.04), [55])]
    ((start, end, terms),) = found[str(clips / "short.mp4")]
    assert (start, end, len(terms)) == (0.0, 0.8, 8)
    assert (report.found, report.indexed, report.moments) == (3, 3, 6)
    assert report.video_s == pytest.approx(20.84, abs=0.01)
    assert encoder.frames == 20 + 8 + 1, "each frame is encoded once"
    assert not report.failed + report.damaged + report.missing


def test_nothing_to_do_does_nothing(clips, index):
    run_build([clips], index)
    before = read_manifest(index)
    encoder = NumberEncoder()
    report = run_build([clips], index, encoder)
    assert (report.skipped, report.indexed, encoder.frames) == (3, 0, 0)
    assert read_manifest(index) == before


def test_times_of_recording(clips, index):
    make_video(clips / "dated.mp4", 9, created="2020-02-03T04:05:06Z")
    os.utime(clips / "long.mp4", ns=(0, 1_500_000_000_000_000_000))
    run_build([clips], index)
    videos = read_videos(index, read_manifest(index)).values()
    recorded = {video.rel: video.recorded for video in videos}
    assert recorded["dated.mp4"] == 1580702706
    assert recorded["long.mp4"] == 1_500_000_000


def test_a_touch_is_another_time_of_recording(clips, index):
    run_build([clips], index)
    os.utime(clips / "long.mp4", ns=(0, 1_500_000_000_000_000_000))
    assert run_build([clips], index).indexed == 0
    videos = read_videos(index, read_manifest(index)).values()
    assert 1.5e9 in [video.recorded for video in videos]


def test_new_touched_changed_and_removed_files(clips, index):
    run_build([clips], index)
    before = ids(index)
    make_video(clips / "new.mp4", range(700, 730))
    os.utime(clips / "short.mp4")
    make_video(clips / "deep" / "one.mkv", [99] * 2)
    (clips / "long.mp4").unlink()
    encoder = NumberEncoder()
    report = run_build([clips], index, encoder)
    after = ids(index)
    assert (report.skipped, report.indexed, report.removed) == (1, 2, 1)
    assert encoder.frames == 8 + 2
    assert after["short.mp4"] == before["short.mp4"]
    assert after["deep/one.mkv"] not in before.values()
    assert set(after) == {"new.mp4", "short.mp4", "deep/one.mkv"}
    assert contents(index)[str(clips / "deep" / "one.mkv")][0][2] == [35, 35]
    assert run_build([clips], index).skipped == 3


def test_renamed_files_are_not_decoded_again(clips, index, tmp_path):
    run_build([clips], index)
    before = ids(index)
    (clips / "long.mp4").rename(clips / "deep" / "renamed.mp4")
    shutil.move(clips / "short.mp4", tmp_path / "moved.mp4")
    encoder = NumberEncoder()
    report = run_build([clips, tmp_path / "moved.mp4"], index, encoder)
    assert (report.renamed, report.indexed, report.removed, encoder.frames) == (2, 0, 0, 0)
    assert ids(index) == {
        "deep/renamed.mp4": before["long.mp4"],
        "moved.mp4": before["short.mp4"],
        "deep/one.mkv": before["deep/one.mkv"],
    }
    assert len(contents(index)[str(clips / "deep" / "renamed.mp4")]) == 4
    assert run_build([clips], index).skipped == 2


def test_copies_are_indexed_once_and_told(clips, index):
    shutil.copy(clips / "long.mp4", clips / "copy.mp4")
    report = run_build([clips], index)
    assert report.indexed == 3
    assert report.duplicates == [str(clips / "long.mp4")]
    assert status(index).duplicates == 1
    left_out = run_build([clips], index, choice=Choice(exclude=("long.mp4",)))
    assert (left_out.duplicates, left_out.ignored) == ([], 1)
    assert status(index).duplicates == 1  # still known: it takes over where the other is deleted
    (clips / "copy.mp4").unlink()
    report = run_build([clips], index)
    assert (report.renamed, report.removed, report.duplicates) == (1, 0, [])
    assert len(contents(index)) == 3


def test_an_unmounted_folder_takes_nothing_away(clips, index, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    make_video(other / "x.mp4", 30)
    run_build([clips, other], index)
    shutil.move(clips, tmp_path / "away")
    clips.mkdir()
    with pytest.raises(UsageError, match="no video in"):
        run_build([clips, other], index)
    report = run_build([other], index)
    assert len(report.missing) == 3
    assert len(contents(index)) == 4
    assert sorted(status(index).missing) == sorted(report.missing)
    report = run_build([clips, other], index, prune=True)
    assert (report.removed, report.missing) == (3, [])
    assert set(contents(index)) == {str(other / "x.mp4")}
    with pytest.raises(UsageError, match="no video in"):
        run_build([clips], index, prune=True)


def test_what_fails_is_listed_and_the_rest_is_indexed(clips, index):
    (clips / "text.mp4").write_text("no video")
    (clips / "zero.mp4").write_bytes(b"")
    make_audio(clips / "sound.mp4")
    whole = make_video(clips / "cut.mp4", 100).read_bytes()
    (clips / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    report = run_build([clips], index)
    reasons = {Path(path).name: reason for path, reason in report.failed}
    assert set(reasons) == {"text.mp4", "zero.mp4", "sound.mp4", "cut.mp4"}
    assert "empty" in reasons["zero.mp4"]
    assert "no video stream" in reasons["sound.mp4"]
    assert "cut short" in reasons["cut.mp4"]
    assert len(contents(index)) == 3
    again = run_build([clips], index)
    assert sorted(again.failed) == sorted(report.failed)
    assert (again.skipped, again.indexed) == (3, 0)
    (clips / "cut.mp4").write_bytes(whole)
    (clips / "zero.mp4").unlink()
    mended = run_build([clips], index, retry_failed=True)
    assert mended.indexed == 1
    assert {Path(path).name for path, _ in mended.failed} == {"text.mp4", "sound.mp4"}
    assert len(contents(index)) == 4
    assert len(status(index).failed) == 2


def test_a_copy_of_a_broken_file_fails_with_it(clips, index):
    for name in ("0.mp4", "text.mp4", "z.mp4"):
        (clips / name).write_text("no video")
    first = run_build([clips], index)
    shown = {str(clips / name) for name in ("0.mp4", "text.mp4", "z.mp4")}
    assert {path for path, _ in first.failed} == shown
    assert len({reason for _, reason in first.failed}) == 1
    assert first.duplicates == []
    again = run_build([clips], index)
    assert (sorted(again.failed), again.duplicates) == (sorted(first.failed), [])
    assert sorted(status(index).failed) == sorted(first.failed)
    for name in ("0.mp4", "text.mp4"):
        shutil.copy(clips / "long.mp4", clips / name)
    mended = run_build([clips], index, retry_failed=True)
    assert len(mended.duplicates) == 2
    assert {path for path, _ in mended.failed} == {str(clips / "z.mp4")}


def test_an_index_is_made_when_all_failed(tmp_path, index):
    (tmp_path / "text.mp4").write_text("no video")
    assert len(run_build([tmp_path / "text.mp4"], index).failed) == 1
    assert contents(index) == {}


def test_a_video_that_no_longer_reads_is_no_longer_found(clips, index):
    run_build([clips], index)
    (clips / "long.mp4").write_text("no video any more")
    assert len(run_build([clips], index).failed) == 1
    assert str(clips / "long.mp4") not in contents(index)


def test_old_content_is_found_until_the_new_is_indexed(clips, index, monkeypatch):
    monkeypatch.setattr(building, "_PUBLISH_MOMENTS", 1)
    run_build([clips], index)
    make_video(clips / "deep" / "one.mkv", [99] * 2)
    make_video(clips / "long.mp4", range(800, 1100))
    seen = []
    run_build(
        [clips], index, progress=lambda e: seen.append(contents(index)) if type(e) is Planned else 0
    )
    assert seen[0][str(clips / "long.mp4")][0][2] == numbers(range(8))
    assert contents(index)[str(clips / "long.mp4")][0][2] == [
        (800 + n) % 64 for n in range(12, 200, 25)
    ]


def test_named_files_and_roots_as_given(clips, index, monkeypatch):
    monkeypatch.chdir(clips.parent)
    (clips / "short.mp4").rename(clips / "short.video")
    run_build(["clips/short.video", "clips/deep"], index)
    manifest = read_manifest(index)
    given = {
        os.path.normpath(Path(manifest.roots[v.root].given) / v.rel)
        for v in read_videos(index, manifest).values()
    }
    assert given == {"clips/short.video", "clips/deep/one.mkv"}
    run_build([clips], index)
    assert len(contents(index)) == 3


def test_names_of_any_bytes(clips, index):
    name = os.fsdecode(b"caf\xe9\n.mp4")
    (clips / "short.mp4").rename(clips / name)
    run_build([clips], index)
    assert name in ids(index)
    assert run_build([clips], index).skipped == 3


def test_usage_errors_leave_no_index(clips, index, tmp_path):
    (tmp_path / "void").mkdir()
    for paths, options in (
        ([tmp_path / "absent"], {}),
        ([tmp_path / "void"], {}),
        ([tmp_path / "void"], {"prune": True}),
        ([clips, tmp_path / "void"], {}),
        ([clips], {"workers": 0}),
    ):
        with pytest.raises(UsageError):
            run_build(paths, index, **options)
    encoder = NumberEncoder()
    for settings in (settings_for(encoder, decoder="other"), settings_for(encoder, fps=0)):
        with pytest.raises(UsageError):
            building.build([clips], index, encoder, settings)
    assert not index.exists()


def test_another_pack_another_writer_and_damage(clips, index):
    run_build([clips], index)
    with pytest.raises(IncompatibleIndex):
        run_build([clips], index, NumberEncoder("0" * 64))
    encoder = NumberEncoder()
    with IndexWriter.open(index, settings_for(encoder)), pytest.raises(IndexUnavailable):
        run_build([clips], index)
    (index / NAME).write_bytes(b"no database")
    with pytest.raises(DamagedIndex, match=NAME):
        run_build([clips], index)
    with pytest.raises(DamagedIndex, match=NAME):
        status(index)


def test_without_its_journal_an_index_is_brought_up_to_date(clips, index):
    run_build([clips], index)
    (clips / "short.mp4").unlink()
    run_build([clips], index)
    before = contents(index)
    (index / NAME).unlink()
    assert status(index).videos == 2
    run_build([clips], index)
    assert contents(index) == before
    assert run_build([clips], index).skipped == 2


def test_progress_is_told(clips, index):
    (clips / "text.mp4").write_text("no video")
    events = []
    run_build([clips], index, progress=events.append)
    assert isinstance(events[0], Planned)
    assert events[0].videos == 4
    shares = [event.share for event in events if isinstance(event, Advanced)]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert sum(isinstance(event, VideoFinished) for event in events) == 3
    assert sum(isinstance(event, VideoFailed) for event in events) == 1
    assert isinstance(events[-1], Published)


def test_several_workers_give_the_same_index(clips, index, tmp_path):
    for number in range(6):
        make_video(clips / f"{number}.mp4", [number] * (10 + number))
    run_build([clips], index)
    run_build([clips], tmp_path / "other", workers=3)
    assert contents(index) == contents(tmp_path / "other")
    assert ids(index) == ids(tmp_path / "other")


def test_ctrl_c_publishes_what_is_finished(clips, index):
    def stop(event):
        if isinstance(event, VideoFinished):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_build([clips], index, progress=stop)
    assert set(contents(index)) == {str(clips / "long.mp4")}
    assert status(index).pending == 2
    report = run_build([clips], index)
    assert (report.indexed, report.skipped) == (2, 1)


def test_status(clips, index):
    (clips / "text.mp4").write_text("no video")
    run_build([clips], index)
    found = status(index)
    assert (found.videos, found.moments, found.pending) == (3, 6, 0)
    assert found.video_s == pytest.approx(20.84, abs=0.01)
    assert found.failed[0][0] == str(clips / "text.mp4")
    assert found.settings == settings_for(NumberEncoder())
    assert found.generation == read_manifest(index).generation
    assert found.size_bytes > sum(
        file.size_bytes for s in read_manifest(index).segments for file in s.files
    )
    with pytest.raises(IndexUnavailable):
        status(clips)


class Crash(Exception):
    pass


@pytest.mark.parametrize("when", range(1, 17))
def test_a_crash_at_any_durable_step_loses_and_doubles_nothing(
    clips, index, tmp_path, monkeypatch, when
):
    """Stops the build before its n-th publish or commit, which is after the one before it."""
    monkeypatch.setattr(building, "_PUBLISH_MOMENTS", 1)
    run_build([clips], index)
    (clips / "long.mp4").rename(clips / "renamed.mp4")
    make_video(clips / "short.mp4", range(640, 670))
    make_video(clips / "new.mp4", range(900, 930))
    (clips / "deep" / "one.mkv").unlink()
    steps = []

    def crashing(function):
        def step(*arguments, **options):
            steps.append(function.__name__)
            if len(steps) == when:
                raise Crash
            return function(*arguments, **options)

        return step

    with monkeypatch.context() as patch:
        patch.setattr(IndexWriter, "publish", crashing(IndexWriter.publish))
        patch.setattr(Journal, "transaction", crashing(Journal.transaction))
        with pytest.raises(Crash) if when < 16 else nullcontext():  # there are 15
            run_build([clips], index)
    contents(index)
    run_build([clips], index)
    run_build([clips], tmp_path / "fresh")
    assert contents(index) == contents(tmp_path / "fresh")
    with Journal(index) as journal:
        assert all(entry.state is State.COMPLETE for entry in journal.entries())
        assert len(journal.entries()) == 3
    assert run_build([clips], index).skipped == 3
