"""Memory that does not grow with the length of a video."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests.indexer.media import make_video
from tests.reliability.test_kill import children, needs_proc
from unify.engine.manifest import read_manifest
from unify.engine.tables import read_videos

ROOT = Path(__file__).resolve().parents[2]
HOURS = 3
MOST_BYTES = 600_000_000  # of all processes together, pages that they share counted each time


def make_long(path: Path, seconds: int) -> Path:
    """Write a video that shows the same 20 seconds again and again, by copying its packets."""
    short = make_video(path.with_name("short.mp4"), 200, rate=10, size=(320, 240))
    with av.open(str(short)) as source, av.open(str(path), "w") as out:
        stream = source.streams.video[0]
        copied = out.add_stream_from_template(stream)
        packets = [packet for packet in source.demux(stream) if packet.size]
        length = round(20 / Fraction(stream.time_base))
        times = [(packet.pts, packet.dts) for packet in packets]
        for turn in range(seconds // 20):
            for packet, (pts, dts) in zip(packets, times, strict=True):
                packet.pts, packet.dts = pts + turn * length, dts + turn * length
                packet.stream = copied
                packet.time_base = stream.time_base
                out.mux(packet)
    short.unlink()
    return path


def resident_bytes(pid: int) -> int:
    """Memory that a process and those below it have now."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0
    own = pages * os.sysconf("SC_PAGE_SIZE")
    return own + sum(map(resident_bytes, children(pid)))


@needs_proc
@pytest.mark.soak
def test_three_hours_of_video_take_no_more_memory_than_a_minute(tmp_path):
    path = make_long(tmp_path / "long.mp4", HOURS * 3600)
    index = tmp_path / "index"
    command = [sys.executable, "-m", "unify", "index", "build", path, "--index", index]
    began_s, most, log = time.monotonic(), 0, tmp_path / "log"
    with log.open("wb") as said, subprocess.Popen(command, cwd=ROOT, stderr=said) as process:
        while process.poll() is None:
            most = max(most, resident_bytes(process.pid))
            time.sleep(0.1)
    assert process.returncode == 0, log.read_text()
    (video,) = read_videos(index, read_manifest(index)).values()
    print(f"{most / 1e6:.0f} MB, {time.monotonic() - began_s:.0f} s")  # noqa: T201
    assert video.duration_s == pytest.approx(HOURS * 3600, abs=1)
    assert most <= MOST_BYTES
