"""Frames and stills to small RGB pictures of one shape: turned, scaled and cut."""

from __future__ import annotations

import io

import av
import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

from unify.engine.errors import MediaError
from unify.engine.types import UInt8
from unify.indexer.container import OPTIONS, reason
from unify.indexer.ports import FrameShape

# Bit-exact: the same picture on every processor.
_SCALING = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.BITEXACT


class FrameScaler:
    """Turns, scales and cuts decoded frames to a `FrameShape`, in one pass over the big picture.

    Args:
        shape: what the encoder wants.
        pixel_aspect: width of a pixel divided by its height.
    """

    def __init__(self, shape: FrameShape, pixel_aspect: float = 1.0) -> None:
        self._shape = shape
        self._pixel_aspect = pixel_aspect
        self._reformatter = VideoReformatter()

    def __call__(self, frame: VideoFrame) -> UInt8:
        """Return (height, width, 3) uint8 RGB, upright."""
        turns = quarter_turns(frame)
        width, height = self._scaled_size(frame, turns)
        if turns % 2:
            width, height = height, width
        small = self._reformatter.reformat(
            frame, width=width, height=height, format="rgb24", interpolation=_SCALING
        )
        upright = np.rot90(small.to_ndarray(), turns)
        top = (upright.shape[0] - self._shape.height) // 2
        left = (upright.shape[1] - self._shape.width) // 2
        cut = upright[top : top + self._shape.height, left : left + self._shape.width]
        return np.ascontiguousarray(cut, dtype=np.uint8)

    def _scaled_size(self, frame: VideoFrame, turns: int) -> tuple[int, int]:
        """Return the upright size before the cut."""
        want = self._shape
        if want.fit == "squash":
            return want.width, want.height
        width, height = frame.width * self._pixel_aspect, float(frame.height)
        if turns % 2:
            width, height = height, width
        scale = max(want.width / width, want.height / height)
        return max(want.width, round(width * scale)), max(want.height, round(height * scale))


def quarter_turns(frame: VideoFrame) -> int:
    """Return how many quarter turns, counter-clockwise, bring a frame upright."""
    return round(frame.rotation / 90) % 4


def decode_image(data: bytes, shape: FrameShape) -> UInt8:
    """Decode a still (JPEG, PNG, ...) exactly as a video frame would be.

    Returns:
        (height, width, 3) uint8 RGB.

    Raises:
        MediaError: the bytes are not a picture.
    """
    try:
        with av.open(io.BytesIO(data), "r", options=OPTIONS) as container:
            for frame in container.decode(video=0):
                return FrameScaler(shape)(frame)
    except (FFmpegError, IndexError) as error:
        raise MediaError(f"not a picture ({reason(error)})") from None
    raise MediaError("not a picture (nothing decodes)")


def scale_picture(picture: UInt8, shape: FrameShape) -> UInt8:
    """Scale an RGB picture (height, width, 3) exactly as a video frame would be."""
    return FrameScaler(shape)(VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24"))
