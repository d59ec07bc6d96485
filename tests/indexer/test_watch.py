"""The watcher against folders that a script changes between its looks."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.indexer.building import contents, run_build
from tests.indexer.media import make_video
from unify.engine.errors import IncompatibleIndex, IndexUnavailable, UsageError
from unify.indexer.discover import Choice, discover
from unify.indexer.progress import BuildReport
from unify.indexer.watch import Away, Back, Built, Postponed, watch


class Ended(Exception):
    """The script is over."""


def run(paths: Sequence[Path], build, *steps: Callable[[], object], exclude=()) -> list:
    """Watch while a step is done after each look; return (looks so far, event)."""
    script = iter(steps)
    looks = 0

    def sleep(seconds: float) -> None:
        nonlocal looks
        assert seconds == 3.0
        looks += 1
        try:
            next(script)()
        except StopIteration:
            raise Ended from None

    events = []
    with pytest.raises(Ended):
        for event in watch(paths, build, 3.0, exclude, sleep):
            events.append((looks, event))  # noqa: PERF401 - kept when it ends
    return events


class Builds:
    """Takes the place of a build: notes which files it would have seen."""

    def __init__(self) -> None:
        self.seen: list[list[str]] = []

    def __call__(self, paths: Sequence[Path], choice: Choice) -> BuildReport:
        found = discover(paths, choice)
        self.seen.append([candidate.rel for candidate in found.candidates])
        return BuildReport(found=len(found.candidates))


def nothing() -> None:
    pass


def writer(path: Path, data: bytes = b"x") -> Callable[[], None]:
    def write() -> None:
        with path.open("ab") as file:
            file.write(data)

    return write


def test_a_file_is_taken_once_it_stands_still(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"x")
    more, build = writer(tmp_path / "b.mp4"), Builds()
    events = run([tmp_path], build, nothing, more, more, more, nothing, nothing)
    assert [looks for looks, _ in events] == [1, 5]
    assert build.seen == [["a.mp4"], ["a.mp4", "b.mp4"]]


def test_files_that_grow_hold_nothing_else_up(tmp_path):
    more, build = writer(tmp_path / "camera.mp4"), Builds()

    def both(name: str) -> Callable[[], None]:
        def step() -> None:
            more()
            (tmp_path / name).write_bytes(b"x")

        return step

    more()
    run([tmp_path], build, both("a.mp4"), more, both("b.mp4"), more, more)
    assert build.seen == [["a.mp4"], ["a.mp4", "b.mp4"]]


def test_nothing_is_built_while_nothing_changes(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"x")
    build = Builds()
    run([tmp_path], build, *[nothing] * 5)
    assert len(build.seen) == 1
    mtime = (tmp_path / "a.mp4").stat().st_mtime + 10
    run([tmp_path], build, nothing, lambda: os.utime(tmp_path / "a.mp4", (mtime, mtime)), nothing)
    assert len(build.seen) == 3


def test_a_folder_that_goes_and_comes_back_loses_nothing(tmp_path):
    top, away = tmp_path / "top", tmp_path / "away"
    top.mkdir()
    video = make_video(top / "a.mp4", 5)
    index = tmp_path / "index"

    def build(paths: Sequence[Path], choice: Choice) -> BuildReport:
        return run_build(paths, index, choice=choice)

    def come_back() -> None:
        top.rmdir()
        away.rename(top)

    events = run(
        [top], build,
        nothing, lambda: top.rename(away), nothing, top.mkdir, nothing, come_back, nothing, nothing,
    )  # fmt: skip
    kinds = [type(event) for _, event in events]
    assert kinds == [Built, Away, Back]
    assert list(contents(index)) == [str(video)]


def test_one_of_two_folders_goes(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        make_video(tmp_path / name / f"{name}.mp4", [ord(name)])
    index = tmp_path / "index"

    def build(paths: Sequence[Path], choice: Choice) -> BuildReport:
        return run_build(paths, index, choice=choice)

    run(
        [tmp_path / "a", tmp_path / "b"], build,
        nothing, lambda: (tmp_path / "a").rename(tmp_path / "c"), nothing,
        (tmp_path / "b" / "b.mp4").unlink, nothing, nothing,
    )  # fmt: skip
    assert len(contents(index)) == 2  # a's folder is away, b's is suddenly empty


def test_a_disk_that_is_named_beside_the_folder_that_it_lies_in(tmp_path):
    top, disk, index = tmp_path / "top", tmp_path / "top" / "disk", tmp_path / "index"
    disk.mkdir(parents=True)
    make_video(top / "a.mp4", [1])
    make_video(disk / "b.mp4", [2])
    run_build([top, disk], index)

    def unmount() -> None:
        (disk / "b.mp4").rename(tmp_path / "b.mp4")
        make_video(top / "c.mp4", [3])

    def build(paths, choice):
        return run_build(paths, index, choice=choice)

    events = [event for _, event in run([top, disk], build, unmount, nothing, nothing, nothing)]
    assert Away(str(disk), "no video is in it") in events
    assert {Path(path).name for path in contents(index)} == {"a.mp4", "b.mp4", "c.mp4"}
    with pytest.raises(UsageError, match=r"no video in .*disk"):
        run_build([top, disk], index)
    assert len(contents(index)) == 3


def test_a_moved_file_is_renamed_and_a_deleted_one_taken_off(tmp_path):
    top, index = tmp_path / "top", tmp_path / "index"
    (top / "deep").mkdir(parents=True)
    make_video(top / "a.mp4", 5)
    make_video(top / "b.mp4", [7])
    make_video(top / "c.mp4", [9])

    def build(paths: Sequence[Path], choice: Choice) -> BuildReport:
        return run_build(paths, index, choice=choice)

    def change() -> None:
        (top / "a.mp4").rename(top / "deep" / "z.mp4")
        (top / "b.mp4").unlink()

    events = run([top], build, nothing, change, nothing, nothing)
    reports = [event.report for _, event in events]
    assert [(r.indexed, r.renamed, r.removed) for r in reports] == [(3, 0, 0), (0, 1, 1)]
    assert sorted(contents(index)) == [str(top / "c.mp4"), str(top / "deep" / "z.mp4")]


def test_rules_hold(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"x")
    (tmp_path / "b.mov").write_bytes(b"x")
    build = Builds()
    run([tmp_path], build, nothing, nothing, exclude=["*.mov"])
    assert build.seen == [["a.mp4"]]


def test_a_build_that_cannot_run_now_is_tried_again(tmp_path):
    folder, away = tmp_path / "videos", tmp_path / "away"
    folder.mkdir()
    (folder / "a.mp4").write_bytes(b"x")
    errors = [IndexUnavailable("another process is writing it"), UsageError("gone"), None]

    def build(paths: Sequence[Path], choice: Choice) -> BuildReport:
        error = errors.pop(0)
        if isinstance(error, UsageError):
            folder.rename(away)
        if error:
            raise error
        return BuildReport()

    def back() -> None:
        if away.exists():
            away.rename(folder)

    events = run([folder], build, *[back] * 4)
    assert [type(event) for _, event in events] == [Postponed, Postponed, Built]
    assert events[0][1].reason == "another process is writing it"


def test_what_will_never_work_ends_it(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"x")

    def build(paths: Sequence[Path], choice: Choice) -> BuildReport:
        raise IncompatibleIndex("another pack")

    def no_pack(paths: Sequence[Path], choice: Choice) -> BuildReport:
        raise UsageError("no such pack")

    with pytest.raises(IncompatibleIndex):
        list(watch([tmp_path], build, 1.0, sleep=lambda seconds: None))
    with pytest.raises(UsageError, match="no such pack"):
        list(watch([tmp_path], no_pack, 1.0, sleep=lambda seconds: None))
    with pytest.raises(UsageError, match="nowhere"):
        list(watch([tmp_path / "nowhere"], build, 1.0))
    with pytest.raises(UsageError, match="--exclude"):
        list(watch([tmp_path], build, 1.0, ["!"]))
