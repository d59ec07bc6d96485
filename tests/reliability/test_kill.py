"""Builds whose processes are killed or stopped at random instants."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.indexer.building import NumberEncoder, run_build
from tests.indexer.media import make_video
from tests.reliability.scenes import substance
from unify.engine.manifest import read_manifest
from unify.engine.verify import verify
from unify.indexer.agreement import disagreements
from unify.indexer.compaction import compact
from unify.indexer.decoding import Limits
from unify.indexer.progress import VideoStarted

ROOT = Path(__file__).resolve().parents[2]
VIDEOS = 6


@dataclass
class Killer:
    """Kills builds of one index, one after the other, until it is whole; then begins afresh.

    Attributes:
        hits: kills that fell into a build, by whom they hit.
        whole: how often the index became whole.
    """

    folder: Path
    rng: random.Random
    hits: dict[str, int] = field(default_factory=lambda: {"build": 0, "worker": 0})
    whole: int = 0

    def __post_init__(self) -> None:
        self.clips, self.index = self.folder / "clips", self.folder / "index"
        self.clips.mkdir()
        for number in range(VIDEOS):
            frames = range(100 * number, 100 * number + 50 + 30 * number)
            make_video(self.clips / f"{number}.mp4", frames)
        process, began_s = self._start(), time.monotonic()
        assert process.wait() == 0
        self._takes_s = time.monotonic() - began_s
        self._goal = self._finish()

    def kill(self) -> None:
        """Start a build and kill it, or one of its workers, at some instant."""
        whom = self.rng.choice(sorted(self.hits))
        process = self._start()
        time.sleep(self.rng.uniform(0, self._takes_s))
        victims = [process.pid] if whom == "build" else children(process.pid)
        if process.poll() is None and victims:
            os.kill(self.rng.choice(victims), signal.SIGKILL)
            self.hits[whom] += 1
        assert process.wait() in (0, -signal.SIGKILL)
        assert process.returncode == 0 or whom == "build"
        if (self.index / "manifest.json").exists():
            assert verify(self.index) + disagreements(self.index) == []
            if read_manifest(self.index).videos == VIDEOS:
                assert self._finish() == self._goal
                self.whole += 1

    def end(self) -> None:
        """Finish what is left."""
        assert self._finish() == self._goal

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.reliability.builder", self.index, self.clips]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        assert process.stdout is not None
        with process.stdout:
            assert process.stdout.readline() == b"building\n"
        return process

    def _finish(self) -> dict[str, Any]:
        report = run_build([self.clips], self.index, retry_failed=True)
        assert report.failed == []
        compact(self.index)
        result = substance(self.index)
        assert len(result["segments"]) == 1
        shutil.rmtree(self.index)
        return result


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_bytes().rpartition(b")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == pid and fields[0] != b"Z":
            found.append(int(stat.parent.name))
    return found


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


@needs_proc
def test_kill_9(tmp_path):
    killer = Killer(tmp_path, random.Random(1))
    while sum(killer.hits.values()) < 6:
        killer.kill()
    killer.end()


@pytest.mark.soak
@needs_proc
@pytest.mark.parametrize("seed", range(8))
def test_kill_9_many_times(tmp_path, seed):
    killer = Killer(tmp_path, random.Random(100 + seed))
    while sum(killer.hits.values()) < 25:
        killer.kill()
    killer.end()
    print(killer.hits, killer.whole)  # noqa: T201


@needs_proc
def test_a_worker_that_stops_costs_its_video_alone(tmp_path):
    make_video(tmp_path / "a.mp4", 600, rate=1)  # more than fits into a pipe
    make_video(tmp_path / "b.mp4", 50)
    stopped: list[int] = []
    others = set(children(os.getpid()))

    def stop(event):
        if isinstance(event, VideoStarted) and not stopped:
            stopped.extend(set(children(os.getpid())) - others)
            for pid in stopped:
                os.kill(pid, signal.SIGSTOP)

    encoder = NumberEncoder(pause_s=0.02)
    options = {"workers": 1, "limits": Limits(stall_s=3)}
    report = run_build([tmp_path], tmp_path / "index", encoder, progress=stop, **options)
    assert [Path(path).name for path, _ in report.failed] == ["a.mp4"]
    assert report.failed[0][1] == "the decoder made no progress for 3 s"
    assert (len(stopped), report.indexed) == (1, 1)
    assert set(children(os.getpid())) <= others
    assert run_build([tmp_path], tmp_path / "index", retry_failed=True).indexed == 1
