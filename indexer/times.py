"""Which picture shows when: from the times of packets to frames that are told apart.

Clocks in files jump, stand still or are missing; what is wrong with them is mended here. It must
not know how pictures are scaled or where they go.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from unify.engine.errors import MediaError
from unify.indexer.sampling import Timeline


class Clock:
    """Collects the times of packets."""

    def __init__(self) -> None:
        self._ticks = array("q")
        self._end = 0
        self._typical = 0
        self._last_dts: int | None = None
        self._broken = False  # a packet without a time, or a clock that jumps back

    def add(self, packet: Packet[VideoStream]) -> None:
        """Note the next packet."""
        self._typical = packet.duration or self._typical
        if packet.is_discard:
            return
        if packet.dts is not None:
            self._broken |= self._last_dts is not None and packet.dts < self._last_dts
            self._last_dts = packet.dts
        self._broken |= packet.pts is None
        tick = packet.pts or 0
        self._ticks.append(tick)
        self._end = max(self._end, tick + (packet.duration or 0))

    def timeline(self, stream: VideoStream, counted: bool) -> Timeline:
        """Return when each frame shows; `counted`: the container stores no times.

        Raises:
            MediaError: there was no packet.
        """
        if not self._ticks:
            raise MediaError("no picture in it (the video stream is empty)")
        tick_s = float(stream.time_base or 0) or 1e-3
        rate = float(stream.average_rate or stream.guessed_rate or 25)
        step = self._typical or max(1, round(1 / (rate * tick_s)))
        if self._broken:
            ticks = np.arange(len(self._ticks), dtype=np.int64) * step
        else:
            ticks = np.unique(np.frombuffer(self._ticks, np.int64))
        last = int(ticks[-1])
        end = self._end if self._end > last and not self._broken else last + step
        duration_s = (end - int(ticks[0])) * tick_s
        return Timeline(ticks, tick_s, duration_s, counted or self._broken)


def timed(frames: Iterable[VideoFrame], timeline: Timeline) -> Iterator[tuple[int, VideoFrame]]:
    """Give each decoded frame its tick; frames whose time goes back are dropped."""
    last = int(timeline.ticks[0]) - 1
    for number, frame in enumerate(frames):
        if timeline.counted:
            if number >= len(timeline.ticks):
                return
            tick = int(timeline.ticks[number])
        else:
            tick = frame.pts if frame.pts is not None else last
        if tick > last:
            last = tick
            yield tick, frame


def exact(frames: Iterable[VideoFrame], wanted: Sequence[int]) -> Iterator[VideoFrame]:
    """Yield the frames of the wanted ticks, up to the first that is missing or damaged."""
    ticks = iter(tuple(wanted))
    tick = next(ticks, None)
    for frame in frames:
        if tick is None or frame.is_corrupt or frame.pts is None or frame.pts > tick:
            return
        if frame.pts == tick:
            tick = next(ticks, None)
            yield frame


def shown(
    frames: Iterable[tuple[int, VideoFrame]], wanted: list[int], last: int | None
) -> Iterator[tuple[int, VideoFrame]]:
    """Yield the frames that show at the wanted ticks, each once and none up to tick `last`."""
    index, before = 0, None
    last = -(1 << 63) if last is None else last
    for tick, frame in frames:
        while index < len(wanted) and tick >= wanted[index]:
            best = (tick, frame) if tick == wanted[index] or before is None else before
            index += 1
            if best[0] > last:
                last = best[0]
                yield best
        if index == len(wanted):
            return
        before = (tick, frame)
    if before is not None and before[0] > last:
        yield before
