"""Video files and stills to small RGB pictures, through FFmpeg (PyAV).

The only module that knows PyAV's containers and streams. It must not know what the pictures are
for. Untrusted bytes meet native code here: the indexer runs it in `indexer/worker.py`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream

from unify.engine.errors import MediaError
from unify.engine.types import Int64, UInt8
from unify.indexer.needed import PacketOrder, Step
from unify.indexer.ports import FrameShape
from unify.indexer.sampling import Timeline
from unify.indexer.times import Clock, exact, shown, timed

# Bit-exact: the same picture on every processor.
_SCALING = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
# A playlist inside a file must not fetch anything.
_OPTIONS = {"protocol_whitelist": "file"}
# Their decoders tell which pictures no other depends on, by the standard, in every stream.
_MARKS_REFERENCES = frozenset({"h264", "mpeg4", "mpeg2video"})

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
        threads: of the decoder; 0: as many as there are processors.
    """

    def __init__(
        self, path: str, alive: Callable[[], None] = lambda: None, threads: int = 0
    ) -> None:
        self.path = Path(path).absolute()  # never read as an URL
        self._alive = alive
        self._threads = threads
        self._damaged = 0
        self._cut = ""
        self._order = PacketOrder()

    @property
    def damage(self) -> str:
        """What could not be read so far, or ""."""
        packets = "1 damaged packet" if self._damaged == 1 else f"{self._damaged:,} damaged packets"
        parts = [packets] if self._damaged else []
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
            clock, self._order = Clock(), PacketOrder()
            for packet in self._packets(container, stream):
                clock.add(packet)
                self._order.add(packet.pts, packet.is_keyframe)
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
        first = int(timeline.ticks[0])
        wanted = timeline.ticks[chosen]
        for tick, picture in self._pictures(timeline, wanted, shape):
            yield (tick - first) * timeline.tick_s, picture

    def _pictures(
        self, timeline: Timeline, wanted: Int64, shape: FrameShape
    ) -> Iterator[tuple[int, UInt8]]:
        """Yield wanted pictures by the short way, and what it does not give by the long one."""
        rest = wanted.tolist()
        last = None
        steps = None if timeline.counted else self._order.steps(wanted)
        if steps is not None:
            with self._opened() as (container, stream):
                scale = FrameScaler(shape, _pixel_aspect(stream))
                for frame in exact(self._needed(container, stream, steps), rest):
                    last = rest.pop(0)
                    yield last, scale(frame)
        if rest:
            with self._opened() as (container, stream):
                scale = FrameScaler(shape, _pixel_aspect(stream))
                frames = timed(self._decoded(container, stream), timeline)
                for tick, frame in shown(frames, rest, last):
                    yield tick, scale(frame)

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
            pictures[0].codec_context.thread_count = self._threads
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
            except IndexError:  # PyAV has no place for a stream that begins later, as in MPEG-TS
                demuxed = container.demux(stream)
                continue
            except FFmpegError as error:
                if isinstance(error, MemoryError):
                    raise
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
            except FFmpegError as error:
                if isinstance(error, MemoryError):
                    raise
                self._damaged += 1
                continue
            self._damaged += sum(frame.is_corrupt for frame in frames)
            yield from frames

    def _needed(
        self, container: InputContainer, stream: VideoStream, steps: bytes
    ) -> Iterator[VideoFrame]:
        """Decode what `steps` says; end at the first sign that the stream is not what it seems."""
        context = stream.codec_context
        skips = _tells_references(stream)
        jumped, fresh = False, True
        with suppress(FFmpegError):
            needed = zip(self._packets(container, stream), steps.rstrip(b"\0"), strict=False)
            for packet, step in needed:
                if step == Step.DROP:
                    jumped = True
                    continue
                if jumped and packet.is_keyframe:
                    yield from stream.decode(None)
                    context.flush_buffers()
                    fresh = True
                jumped = False
                context.skip_frame = "NONREF" if skips and step == Step.REFER else "DEFAULT"
                for frame in stream.decode(packet):
                    if fresh and not frame.key_frame:
                        return
                    fresh = False
                    yield frame
            yield from stream.decode(None)


def _tells_references(stream: VideoStream) -> bool:
    """Whether pictures that no other depends on can be left out one by one.

    An HEVC picture so marked may still serve those of a higher temporal layer: the configuration
    record (ISO/IEC 14496-15, 8.3.2) must say that there is one layer.
    """
    name, extra = stream.codec_context.name, stream.codec_context.extradata or b""
    if name == "hevc":
        return len(extra) > 21 and extra[0] == 1 and (extra[21] >> 3) & 7 == 1
    return name in _MARKS_REFERENCES


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
