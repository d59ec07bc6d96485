from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.indexer.building import contents, run_build
from tests.indexer.media import make_video
from unify.indexer.interrupts import held_back
from unify.indexer.status import status

ROOT = Path(__file__).resolve().parents[2]

# Builds, and says on stdout when a phase is reached; the phase then takes its time.
BUILD = """
import signal, sys, time
from pathlib import Path
from tests.indexer.building import NumberEncoder, run_build
from unify.engine.writer import IndexWriter
from unify.indexer import build, discover, encode
from unify.indexer.progress import VideoFinished
phase, index, clips = sys.argv[1:]
finished = []
def reached():
    print("reached", flush=True)
def progress(event):
    if isinstance(event, VideoFinished):
        finished.append(event)
class Encoder(NumberEncoder):
    def encode_frames(self, frames):
        if phase == "encode" and finished:
            reached()
            for _ in range(100):
                time.sleep(0.01)
        return super().encode_frames(frames)
honest_digest, honest_publish = discover.digest, IndexWriter.publish
def digest(path):
    if phase == "decode" and path.endswith("b.mp4"):
        while not finished:  # the first video is encoded meanwhile
            time.sleep(0.01)
        reached()
        time.sleep(30)  # a disk that does not answer
    return honest_digest(path)
def publish(self, *arguments):
    if phase == "publish" and finished:
        reached()
        until = time.monotonic() + 0.7
        while time.monotonic() < until:
            time.sleep(0.01)
    return honest_publish(self, *arguments)
encode.digest, IndexWriter.publish = digest, publish
if phase == "publish":
    build._PUBLISH_MOMENTS = 1
try:
    run_build([clips], Path(index), Encoder(), progress=progress)
except KeyboardInterrupt:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as the command line does
    print("stopped", flush=True)
    sys.exit(130)
"""


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("phase", ["decode", "encode", "publish"])
def test_ctrl_c_stops_within_two_seconds_and_keeps_what_is_finished(tmp_path, phase, twice):
    clips, index = tmp_path / "clips", tmp_path / "index"
    clips.mkdir()
    make_video(clips / "a.mp4", 50)
    make_video(clips / "b.mp4", range(100, 400))
    make_video(clips / "c.mp4", range(500, 700))
    process = subprocess.Popen(
        [sys.executable, "-c", BUILD, phase, str(index), str(clips)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "reached\n"
    began_s = time.monotonic()
    process.send_signal(signal.SIGINT)
    if twice:
        time.sleep(0.1)
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
    said, complained = process.communicate(timeout=20)
    assert time.monotonic() - began_s < 2
    assert process.returncode == 130, complained
    assert "stopped" in said
    assert not complained
    kept = contents(index)
    assert str(clips / "a.mp4") in kept
    assert len(kept) < 3
    assert status(index).pending == 3 - len(kept)
    assert run_build([clips], index).indexed == 3 - len(kept)
    assert len(contents(index)) == 3


def test_an_interrupt_is_held_back_until_the_end():
    done = []
    with pytest.raises(KeyboardInterrupt), held_back():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        done.append(True)
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_inside_is_not_hidden():
    with pytest.raises(ValueError, match="inside"), held_back():
        raise ValueError("inside")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_threads_are_left_alone():
    seen = []

    def work() -> None:
        with held_back():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]
