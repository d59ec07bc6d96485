import os
import signal
import threading
import time

import pytest

from tests.indexer.media import make_video
from unify.engine.errors import MediaError
from unify.indexer.cut import CutMode, CutRequest
from unify.indexer.decoding import Limits
from unify.indexer.jobs import JobProcess


def test_pictures_clocks_and_cuts_come_out_of_the_process(tmp_path):
    path = make_video(tmp_path / "a b\nü.mp4", 50)
    with JobProcess() as process:
        time_s, jpeg = process.picture(str(path), 1.0, 64)
        assert time_s == pytest.approx(1.0)
        assert jpeg[:2] == b"\xff\xd8"
        assert process.clock(str(path)).rate == 25
        out = tmp_path / "cut.mp4"
        got = process.cut(CutRequest(str(path), 1.0, 1.4, CutMode.EXACT, str(out)))
        assert (got.pictures, got.left_out) == (10, ())
        assert out.stat().st_size > 0


def test_a_bad_file_costs_itself_alone(tmp_path):
    (tmp_path / "junk.mp4").write_bytes(b"junk" * 100)
    path = make_video(tmp_path / "a.mp4", 10)
    with JobProcess() as process:
        with pytest.raises(MediaError, match="not a video"):
            process.picture(str(tmp_path / "junk.mp4"), 0.0, 64)
        first = process._process
        assert process.picture(str(path), 0.0, 64)[1]
        assert process._process is first


def test_a_process_that_dies_is_told_and_replaced(tmp_path):
    path = make_video(tmp_path / "a.mp4", 10)
    with JobProcess() as process:
        process.picture(str(path), 0.0, 64)
        victim = process._process
        os.kill(victim.pid, signal.SIGSTOP)
        threading.Timer(0.2, os.kill, (victim.pid, signal.SIGKILL)).start()
        with pytest.raises(MediaError, match="crashed \\(signal 9\\)"):
            process.picture(str(path), 0.0, 64)
        assert process.picture(str(path), 0.0, 64)[1]


def test_a_process_that_hangs_is_ended(tmp_path):
    path = make_video(tmp_path / "a.mp4", 10)
    for limits, says in (
        (Limits(stall_s=0.3), "no progress for 0.3 s"),
        (Limits(total_s=0.3), "more than 0.3 s"),
    ):
        with JobProcess() as process:
            process.picture(str(path), 0.0, 64)
            hung = process._process
            process._limits = limits
            os.kill(hung.pid, signal.SIGSTOP)
            started = time.monotonic()
            with pytest.raises(MediaError, match=says):
                process.picture(str(path), 0.0, 64)
            assert time.monotonic() - started < 5
            assert hung.poll() == -signal.SIGKILL


@pytest.mark.parametrize("behind", [0, 3])
def test_a_process_gives_way_as_far_as_it_is_told(tmp_path, behind):
    path = make_video(tmp_path / "a.mp4", 10)
    own = os.getpriority(os.PRIO_PROCESS, 0)
    with JobProcess(Limits(behind=behind)) as process:
        assert process.picture(str(path), 0.0, 64)[1]
        pid = process._process.pid
        assert os.getpriority(os.PRIO_PROCESS, pid) == min(19, own + behind)


def test_a_job_is_interrupted_from_another_thread(tmp_path):
    path = make_video(tmp_path / "a.mp4", 10)
    with JobProcess() as process:
        process.picture(str(path), 0.0, 64)
        busy = process._process
        os.kill(busy.pid, signal.SIGSTOP)
        threading.Timer(0.2, process.interrupt).start()
        with pytest.raises(MediaError, match="crashed \\(signal 9\\)"):
            process.picture(str(path), 0.0, 64)
        assert busy.poll() == -signal.SIGKILL
        with pytest.raises(MediaError, match="interrupted"):
            process.picture(str(path), 0.0, 64)
        assert process._process is None
