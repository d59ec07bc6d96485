"""The other decoder: decord, for those who ask for it.

It has not been released since 2021, has no AV1 and gives up on damage, so `decode.py` stays the
default. Facts, times and the choice of frames are `decode.py`'s, so that both see the same frames.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from typing import Any

import av
import numpy as np

from unify.engine.errors import MediaError, MissingPackage
from unify.engine.types import Int64, UInt8
from unify.indexer.container import reason
from unify.indexer.decode import VideoFile
from unify.indexer.ports import FrameShape
from unify.indexer.sampling import Timeline
from unify.indexer.scaling import FrameScaler


class DecordFile(VideoFile):
    """One video, its frames decoded by decord, which turns them upright itself."""

    def frames(
        self, timeline: Timeline, chosen: Int64, shape: FrameShape
    ) -> Iterator[tuple[float, UInt8]]:
        """Decode the chosen frames; see `VideoFile.frames`.

        Raises:
            MediaError: decord cannot read the file.
        """
        decord: Any = importlib.import_module("decord")
        facts = self.facts()
        try:
            reader = decord.VideoReader(str(self.path))
            if len(reader) != len(timeline.ticks):
                raise MediaError(
                    f"decord sees {len(reader)} frames where {len(timeline.ticks)} are stored",
                    "decode it with pyav",
                )
            for number in chosen.tolist():
                self._alive()
                picture = np.ascontiguousarray(reader[number].asnumpy())
                height, width = picture.shape[:2]
                scale = FrameScaler(shape, facts.width * height / (facts.height * width))
                frame = av.VideoFrame.from_ndarray(picture, "rgb24")
                yield float(timeline.times_s[number]), scale(frame)
        except (decord.DECORDError, RuntimeError) as error:
            why = reason(error).partition(" [")[0][:200]
            raise MediaError(f"decord cannot read it ({why})", "decode it with pyav") from None


def require_decord() -> None:
    """See that decord is installed, without importing it: its native code belongs in a worker.

    Raises:
        MissingPackage: it is not.
    """
    if importlib.util.find_spec("decord") is None:
        raise MissingPackage(
            "the decoder decord is not installed", "pip install 'unify-search[decord]'"
        )
