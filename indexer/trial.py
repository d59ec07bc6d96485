"""Tries the decoder on clips made here: whether each common codec really gives its pictures back.

It must not know what the finding is used for.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import av
import numpy as np
from av.codec import codecs_available
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from unify.engine.errors import MediaError
from unify.engine.types import UInt8
from unify.indexer.decode import VideoFile
from unify.indexer.ports import FrameShape

_ENCODERS = {  # by codec, each quick and silent
    "h264": ("libx264", {"preset": "ultrafast"}),
    "hevc": ("libx265", {"preset": "ultrafast", "x265-params": "log-level=none"}),
    # Not libsvtav1: run by root, it gives this process the highest real-time priority.
    "av1": ("libaom-av1", {"usage": "realtime", "cpu-used": "8"}),
    "vp9": ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}),
    "mpeg4": ("mpeg4", {}),
}
_SIDE = 64  # pixels; the least that every encoder takes
_FRAMES = 4
_OFF = 24.0  # of 255, on average: lossy, but the same picture


def version() -> str:
    """Return, for people, which FFmpeg decodes."""
    libavcodec = ".".join(str(part) for part in av.library_versions["libavcodec"])
    return f"PyAV {av.__version__}, libavcodec {libavcodec}"


def tried() -> dict[str, str]:
    """Return for each common codec what is wrong with it here, "" for nothing.

    A clip of it is encoded into a temporary file and decoded as the indexer does. Where this
    FFmpeg cannot encode it, only whether it has a decoder is looked at.
    """
    with tempfile.TemporaryDirectory(prefix="unify-trial-") as folder:
        return {
            codec: _fault(codec, encoder, options, Path(folder) / f"{codec}.mkv")
            for codec, (encoder, options) in _ENCODERS.items()
        }


def make_clip(path: Path, encoder: str = "mpeg4", options: dict[str, str] | None = None) -> UInt8:
    """Write a clip of a few equal pictures and return the picture, (height, width, 3) uint8 RGB.

    Raises:
        FFmpegError: it cannot be encoded.
    """
    ramp = np.linspace(32, 224, _SIDE)
    picture = np.stack(np.broadcast_arrays(ramp[:, None], ramp[None, :], 128.0), -1).astype("uint8")
    with av.open(str(path), "w") as container:
        stream = container.add_stream(encoder, rate=4, options=options or {})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = _SIDE, _SIDE, "yuv420p"
        for number in range(_FRAMES):
            frame = VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return picture


def _fault(codec: str, encoder: str, options: dict[str, str], path: Path) -> str:
    if codec not in codecs_available:
        return "there is no decoder"
    if encoder not in codecs_available:
        return ""
    try:
        picture = make_clip(path, encoder, options)
    except (FFmpegError, OSError) as error:
        return f"no clip can be made to try it ({error})"
    try:
        video = VideoFile(str(path))
        timeline = video.timeline()
        chosen = np.arange(len(timeline.ticks))
        shape = FrameShape(_SIDE, _SIDE, "squash")
        decoded = [got for _, got in video.frames(timeline, chosen, shape)]
    except MediaError as error:
        return error.message
    if len(decoded) != _FRAMES:
        return f"{len(decoded)} of {_FRAMES} pictures decode"
    off = max(float(np.abs(got.astype(float) - picture).mean()) for got in decoded)
    return "" if off < _OFF else f"its pictures are wrong by {off:.0f} of 255"
