from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.indexer.media import make_video, number_of
from unify.engine.errors import MediaError
from unify.indexer.ahead import ReadAhead
from unify.indexer.decoding import (
    Batch,
    DecodeProcess,
    Event,
    Finished,
    Limits,
    Started,
    worker_command,
)
from unify.indexer.ports import FrameShape
from unify.indexer.worker import Decoder, Request

SHAPE = FrameShape(80, 60, "squash")
ROOT = Path(__file__).resolve().parents[2]

# A worker that reads a request and then does what the path's name says, or answers honestly.
ODD_WORKER = """
import json, os, signal, sys, time
sys.path.insert(0, {root!r})
from unify.indexer import worker
honest = worker.answer
def answer(request, wire):
    name = os.path.basename(request.path)
    if name.startswith("hang"):
        time.sleep(3600)
    if name.startswith("alive"):
        for _ in range(10):
            time.sleep(0.3)
            wire.send(worker.Kind.ALIVE)
    if name.startswith("endless"):
        while True:
            time.sleep(0.05)
            wire.send(worker.Kind.ALIVE)
    if name.startswith("crash"):
        os.kill(os.getpid(), signal.SIGSEGV)
    if name.startswith("half"):
        wire._out.write(b"\\0\\1\\0")
        wire._out.flush()
        os._exit(3)
    if name.startswith("exit"):
        print("out of luck", file=sys.stderr, flush=True)
        os._exit(3)
    honest(request, wire)
worker.answer = answer
worker.main([str(os.getppid()), str(4 << 30)])
"""


def odd(limits: Limits | None = None) -> DecodeProcess:
    return DecodeProcess(limits, command=[sys.executable, "-c", ODD_WORKER.format(root=str(ROOT))])


def request(path: Path, fps: float = 1.0) -> Request:
    return Request(str(path), fps, SHAPE, Decoder.PYAV)


@pytest.fixture
def video(tmp_path) -> Path:
    return make_video(tmp_path / "good.mp4", 1000)


def numbers(events: list[Event]) -> list[int]:
    return [number_of(f) for e in events if isinstance(e, Batch) for f in e.frames]


def test_a_video_comes_in_batches(video):
    process = DecodeProcess(batch=16)
    events = list(process.decode(request(video)))
    process.close()
    assert isinstance(events[0], Started)
    assert events[0].duration_s == 40.0
    assert isinstance(events[-1], Finished)
    assert [len(e.frames) for e in events if isinstance(e, Batch)] == [16, 16, 8]
    assert numbers(events) == list(range(12, 1000, 25))


def test_one_process_reads_many_videos(video):
    process = DecodeProcess()
    pids = set()
    for _ in range(3):
        assert len(numbers(list(process.decode(request(video))))) == 40
        pids.add(process._process.pid)
    with pytest.raises(MediaError, match="No such file"):
        list(process.decode(request(video.with_name("absent.mp4"))))
    pids.add(process._process.pid)
    process.close()
    assert len(pids) == 1


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("crash.mp4", r"decoder crashed \(signal 11, SIGSEGV\)"),
        ("exit.mp4", r"decoder ended with code 3 \(out of luck\)"),
        ("half.mp4", r"decoder ended with code 3"),
        ("hang.mp4", r"made no progress for 0.5 s"),
        ("endless.mp4", r"took more than 2 s"),
    ],
)
def test_a_bad_video_costs_itself_alone(video, name, says):
    process = odd(Limits(stall_s=0.5 if name == "hang.mp4" else 30, total_s=2))
    if name == "hang.mp4":  # the start of the interpreter must not count as a hang
        process._limits = Limits(stall_s=30)
        list(process.decode(request(video)))
        process._limits = Limits(stall_s=0.5)
    with pytest.raises(MediaError, match=says):
        list(process.decode(request(video.with_name(name))))
    process._limits = Limits()
    assert len(numbers(list(process.decode(request(video))))) == 40
    process.close()


def test_signs_of_life_keep_a_slow_video_alive(video):
    slow = video.with_name("alive.mp4")
    video.rename(slow)
    process = odd()
    with pytest.raises(MediaError):
        list(process.decode(request(video)))  # gone; starts the interpreter
    process._limits = Limits(stall_s=2)
    assert len(numbers(list(process.decode(request(slow))))) == 40
    process.close()


def test_an_abandoned_video_does_not_leak_into_the_next(video, tmp_path):
    process = DecodeProcess(batch=4)
    events = process.decode(request(video, fps=25.0))
    next(events)
    next(events)
    events.close()
    other = make_video(tmp_path / "other.mp4", [99] * 9)
    assert set(numbers(list(process.decode(request(other))))) == {99}
    process.close()


def test_memory_is_limited(tmp_path):
    path = make_video(tmp_path / "big.mp4", 10, size=(3840, 2160), preset="ultrafast")
    process = DecodeProcess(Limits(memory_bytes=250 << 20))
    with pytest.raises(MediaError):
        list(process.decode(request(path)))
    process.close()


PARENT = """
import sys
sys.path.insert(0, {root!r})
from unify.indexer.decoding import DecodeProcess
from unify.indexer.ports import FrameShape
from unify.indexer.worker import Decoder, Request
process = DecodeProcess(batch=1)
events = process.decode(Request(sys.argv[1], 25.0, FrameShape(640, 480, "squash"), Decoder.PYAV))
next(events)
print(process._process.pid, flush=True)
sys.stdin.read()
"""


def test_the_worker_dies_with_its_parent(video):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(root=str(ROOT)), str(video)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    worker = int(parent.stdout.readline())
    os.kill(parent.pid, signal.SIGKILL)
    parent.communicate()
    for _ in range(200):
        if not alive(worker):
            return
        time.sleep(0.05)
    os.kill(worker, signal.SIGKILL)
    pytest.fail("the worker outlived its parent by 10 s")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return b") Z " not in Path(f"/proc/{pid}/stat").read_bytes()
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_the_worker_loads_only_what_it_needs():
    command = [*worker_command(1 << 40)[:2], "-c"]
    code = "import unify.indexer.worker, sys, json; print(json.dumps(sorted(sys.modules)))"
    run = subprocess.run(
        [*command, code],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    loaded = {name.partition(".")[0] for name in json.loads(run.stdout)}
    assert not loaded & {"numba", "faiss", "openvino", "torch", "onnxruntime", "sqlite3", "rich"}


def test_requests_survive_any_file_name():
    name = b'caf\xe9 \n "x" \xff.mp4'.decode("utf-8", "surrogateescape")
    sent = Request(name, 0.5, SHAPE, Decoder.DECORD)
    line = sent.to_line()
    assert line.count(b"\n") == 1
    assert Request.from_line(line) == sent


def test_reading_ahead_keeps_the_order(tmp_path):
    paths = [make_video(tmp_path / f"{i}.mp4", [i] * (9 + i)) for i in range(8)]
    paths.insert(3, tmp_path / "absent.mp4")

    def work(path: Path, process: DecodeProcess):
        yield from process.decode(request(path))

    seen = []
    processes = [DecodeProcess(), DecodeProcess()]
    with ReadAhead[Path, Event](work, processes) as ahead:
        for path, events in ahead.run(paths):
            try:
                seen.append((path, set(numbers(list(events)))))
            except MediaError:
                seen.append((path, set()))
    assert seen == [(p, {int(p.stem)} if p.stem != "absent" else set()) for p in paths]
    assert all(process._process is None for process in processes)


def test_stopping_early_ends_threads_and_workers(video):
    def work(path: Path, process: DecodeProcess):
        yield from process.decode(request(path, fps=25.0))

    process = DecodeProcess(batch=1)
    with pytest.raises(KeyboardInterrupt), ReadAhead[Path, Event](work, [process]) as ahead:
        for _, events in ahead.run([video] * 5):
            next(events)
            raise KeyboardInterrupt
    assert process._process is None
    assert np.all([not thread.is_alive() for thread in ahead._threads])
