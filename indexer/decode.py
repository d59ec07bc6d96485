"""Video files and stills to small RGB pictures, through FFmpeg (PyAV).

The only module that knows PyAV's containers and streams. It must not know what the pictures are
for. Untrusted bytes meet native code here: the indexer runs it in `indexer/worker.py`.
"""

from __future__ import annotations

import io
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np
from av.codec import codecs_available
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream

from unify.engine.errors import MediaError
from unify.engine.types import Int64, UInt8
from unify.indexer.ports import FrameShape
from unify.indexer.sampling import Timeline

# Bit-exact: the same picture on every processor.
_SCALING = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
# A playlist inside a file must not fetch anything.
_OPTIONS = {"protocol_whitelist": "file"}

Opened: TypeAlias = tuple[InputContainer, VideoStream]


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What a file says of itself; durations are often missing and sometimes wrong.

    Attributes:
        duration_s: declared seconds, or None.
        width: displayed pixels, after rotation and pixel aspect.
        height: displayed pixels, after rotation.
        codec: FFmpeg's name of the decoder.
        fps: declared average frames per second, or None.
        recorded: seconds since 1970 UTC, or None.
    """

    duration_s: float | None
    width: int
    height: int
    codec: str
    fps: float | None
    recorded: float | None


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


def codecs() -> str:
    """Return, for people, which FFmpeg decodes and which common codecs it knows."""
    version = ".".join(str(part) for part in av.library_versions["libavcodec"])
    known = [name for name in ("h264", "hevc", "av1", "vp9", "mpeg4") if name in codecs_available]
    return f"PyAV {av.__version__}, libavcodec {version}: {', '.join(known)}"


def decode_image(data: bytes, shape: FrameShape) -> UInt8:
    """Decode a still (JPEG, PNG, ...) exactly as a video frame would be.

    Returns:
        (height, width, 3) uint8 RGB.

    Raises:
        MediaError: the bytes are not a picture.
    """
    try:
        with av.open(io.BytesIO(data), "r", options=_OPTIONS) as container:
            for frame in container.decode(video=0):
                return FrameScaler(shape)(frame)
    except (FFmpegError, IndexError) as error:
        raise MediaError(f"not a picture ({reason(error)})") from None
    raise MediaError("not a picture (nothing decodes)")


def scale_picture(picture: UInt8, shape: FrameShape) -> UInt8:
    """Scale an RGB picture (height, width, 3) exactly as a video frame would be."""
    return FrameScaler(shape)(VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24"))


def reason(error: Exception) -> str:
    """Return FFmpeg's own words for an error, on one line."""
    return " ".join(str(getattr(error, "strerror", None) or error).split())


class VideoFile:
    """One video, read in passes: `facts`, `timeline`, `frames`.

    Args:
        path: the file.
        alive: called after every packet, so that a watcher can tell slow from stuck.
    """

    def __init__(self, path: str, alive: Callable[[], None] = lambda: None) -> None:
        self.path = Path(path).absolute()  # never read as an URL
        self._alive = alive
        self._damaged = 0
        self._cut = ""

    @property
    def damage(self) -> str:
        """What could not be read so far, or ""."""
        parts = [f"{self._damaged} damaged packets"] if self._damaged else []
        return ", ".join([*parts, *([f"cut short: {self._cut}"] if self._cut else [])])

    def facts(self) -> VideoFacts:
        """Read what the file says of itself, and its first frame to know which way is up.

        Raises:
            MediaError: it is not a video, or nothing in it decodes.
        """
        with self._opened() as (container, stream):
            frame = next(self._decoded(container, stream), None)
            if frame is None:
                raise MediaError(f"no picture in it decodes ({self.damage or 'it has none'})")
            width, height = round(frame.width * _pixel_aspect(stream)), frame.height
            if quarter_turns(frame) % 2:
                width, height = height, width
            rate = stream.average_rate or stream.guessed_rate
            return VideoFacts(
                duration_s=_declared_duration_s(container, stream),
                width=width,
                height=height,
                codec=stream.codec_context.name,
                fps=float(rate) if rate else None,
                recorded=_recorded(container, stream),
            )

    def timeline(self) -> Timeline:
        """Read the times of all frames from the packets, without decoding them.

        Declared durations and frame counts are not believed; this reads the whole file.

        Raises:
            MediaError: it is not a video.
        """
        with self._opened() as (container, stream):
            clock = _Clock()
            for packet in self._packets(container, stream):
                clock.add(packet)
            timeline = clock.timeline(stream, counted="avi" in container.format.name)
            declared_s = _declared_duration_s(container, stream) or 0.0
        if not self._cut and declared_s > 1.1 * timeline.duration_s + 1.0:
            self._cut = f"{timeline.duration_s:.1f} s of {declared_s:.1f} s declared"
        return timeline

    def frames(
        self, timeline: Timeline, chosen: Int64, shape: FrameShape
    ) -> Iterator[tuple[float, UInt8]]:
        """Decode the chosen frames.

        A chosen frame that does not decode is replaced by the one that shows in its place.

        Args:
            timeline: what `timeline` returned.
            chosen: numbers of frames in it, ascending.
            shape: the pictures to make.

        Yields:
            (seconds after the first frame, (height, width, 3) uint8 RGB), times ascending.
        """
        wanted = timeline.ticks[chosen].tolist()
        with self._opened() as (container, stream):
            scale = FrameScaler(shape, _pixel_aspect(stream))
            timed = _timed(self._decoded(container, stream), timeline)
            for tick, frame in _shown(timed, wanted):
                yield (tick - int(timeline.ticks[0])) * timeline.tick_s, scale(frame)

    @contextmanager
    def _opened(self) -> Iterator[Opened]:
        try:
            if self.path.stat().st_size == 0:
                raise MediaError("the file is empty (0 bytes)")
            container = av.open(self.path, "r", options=_OPTIONS, metadata_errors="replace")
        except OSError as error:
            raise MediaError(f"cannot be read ({reason(error)})") from None
        except FFmpegError as error:
            raise MediaError(f"not a video, or cut short ({reason(error)})") from None
        with container:
            pictures = [s for s in container.streams.video if not _is_cover(s)]
            if not pictures:
                raise MediaError(f"no video stream ({_describe(container)})")
            if pictures[0].codec_context is None:
                raise MediaError("no decoder for its video codec")
            pictures[0].thread_type = "AUTO"
            yield container, pictures[0]

    def _packets(
        self, container: InputContainer, stream: VideoStream
    ) -> Iterator[Packet[VideoStream]]:
        demuxed = container.demux(stream)
        while True:
            self._alive()
            try:
                packet = next(demuxed)
            except StopIteration:
                return
            except FFmpegError as error:
                self._cut = reason(error)
                return
            if packet.size:  # the empty one at the end is FFmpeg's own
                yield packet

    def _decoded(self, container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
        """Decode in display order; what does not decode is counted and left out."""
        self._damaged = 0
        for packet in chain(self._packets(container, stream), [None]):
            try:
                frames = stream.decode(packet)
            except FFmpegError:
                self._damaged += 1
                continue
            self._damaged += sum(frame.is_corrupt for frame in frames)
            yield from frames


class _Clock:
    """Collects the times of packets."""

    def __init__(self) -> None:
        self._ticks = array("q")
        self._end = 0
        self._typical = 0
        self._last_dts: int | None = None
        self._broken = False  # a packet without a time, or a clock that jumps back

    def add(self, packet: Packet[VideoStream]) -> None:
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


def _timed(frames: Iterable[VideoFrame], timeline: Timeline) -> Iterator[tuple[int, VideoFrame]]:
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


def _shown(
    frames: Iterable[tuple[int, VideoFrame]], wanted: list[int]
) -> Iterator[tuple[int, VideoFrame]]:
    """Yield the frames that show at the wanted ticks, each once."""
    index, before, last = 0, None, None
    for tick, frame in frames:
        while index < len(wanted) and tick >= wanted[index]:
            best = (tick, frame) if tick == wanted[index] or before is None else before
            index += 1
            if best[0] != last:
                last = best[0]
                yield best
        if index == len(wanted):
            return
        before = (tick, frame)
    if before is not None and before[0] != last:
        yield before


def _is_cover(stream: VideoStream) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


def _describe(container: InputContainer) -> str:
    kinds = sorted({stream.type for stream in container.streams if stream.type != "video"})
    return f"only {', '.join(kinds)}" if kinds else "only a cover picture, or nothing"


def _pixel_aspect(stream: VideoStream) -> float:
    return float(stream.sample_aspect_ratio or 1)


def _declared_duration_s(container: InputContainer, stream: VideoStream) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else None


def _recorded(container: InputContainer, stream: VideoStream) -> float | None:
    for metadata in (container.metadata, stream.metadata):
        try:
            when = datetime.fromisoformat(metadata.get("creation_time", ""))
        except ValueError:
            continue
        seconds = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
        if seconds > 0:  # writers without a clock leave 1904 or 1970
            return seconds
    return None
