from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from tests.indexer.media import make_video
from unify.engine.errors import MissingPackage
from unify.indexer.decode import VideoFile
from unify.indexer.decode_decord import DecordFile, require_decord
from unify.indexer.decoding import Batch, DecodeProcess
from unify.indexer.ports import FrameShape
from unify.indexer.sampling import choose_frames
from unify.indexer.worker import Decoder, Request

SHAPE = FrameShape(80, 60, "squash")
needs_decord = pytest.mark.skipif(
    importlib.util.find_spec("decord") is None, reason="decord is not installed"
)


def test_without_decord_the_pip_line_is_told(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPackage, match=r"pip install 'unify-search\[decord\]'"):
        require_decord()


def through_worker(path: Path, decoder: Decoder) -> tuple[np.ndarray, np.ndarray]:
    """Times and frames by a decoder in its own process: decord's native code stays out of ours."""
    process = DecodeProcess()
    try:
        request = Request(str(path), 4.0, SHAPE, decoder)
        batches = [event for event in process.decode(request) if isinstance(event, Batch)]
    finally:
        process.close()
    times = np.concatenate([batch.times_s for batch in batches])
    return times, np.concatenate([batch.frames for batch in batches])


@needs_decord
@pytest.mark.parametrize(
    ("suffix", "turns"), [(".mp4", 0), (".mp4", 1), (".mp4", 2), (".mp4", 3), (".mkv", 0)]
)
def test_same_frames_at_the_same_times(tmp_path, suffix, turns):
    path = make_video(tmp_path / f"a{suffix}", 200, turns=turns, size=(320, 240))
    times, frames = through_worker(path, Decoder.PYAV)
    decord_times, decord_frames = through_worker(path, Decoder.DECORD)
    assert np.array_equal(times, decord_times)
    # Before scaling they are equal (next test). PyAV then scales from YUV in one step, decord's
    # full-size RGB is scaled: rounding and half-size colour planes differ at edges.
    difference = np.abs(frames.astype(int) - decord_frames.astype(int))
    assert difference.mean() < 1.0
    assert difference.max() < 48


SCRIPT = """
import sys
import decord, numpy as np
reader = decord.VideoReader(sys.argv[1])
sys.stdout.buffer.write(np.stack([reader[i].asnumpy() for i in range(len(reader))]).tobytes())
"""


@needs_decord
def test_equal_to_the_bit_before_scaling(tmp_path):
    path = make_video(tmp_path / "a.mp4", 60, size=(320, 240))
    run = subprocess.run([sys.executable, "-c", SCRIPT, path], capture_output=True, check=True)
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    found = np.frombuffer(run.stdout, np.uint8).reshape(60, 240, 320, 3)
    assert np.array_equal(found, np.stack(frames))


def test_both_plan_the_same_frames(tmp_path):
    path = str(make_video(tmp_path / "a.mp4", 200))
    ours, other = VideoFile(path).timeline(), DecordFile(path).timeline()
    assert np.array_equal(
        choose_frames(ours.times_s, ours.duration_s, 1.0),
        choose_frames(other.times_s, other.duration_s, 1.0),
    )
