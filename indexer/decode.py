"""Video files to times and small RGB pictures, through FFmpeg (PyAV).

It must not know what the pictures are for. Untrusted bytes meet native code here: the indexer runs
it in `indexer/worker.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from unify.engine.errors import MediaError
from unify.engine.types import Int64, UInt8
from unify.indexer.container import declared_duration_s, opened, pixel_aspect, reason, recorded
from unify.indexer.damage import Damage, MarkedPackets
from unify.indexer.needed import PacketOrder, Step
from unify.indexer.ports import FrameShape
from unify.indexer.sampling import Timeline
from unify.indexer.scaling import FrameScaler, quarter_turns
from unify.indexer.times import Clock, exact, shown, timed

# Their decoders tell which pictures no other depends on, by the standard, in every stream.
_MARKS_REFERENCES = frozenset({"h264", "mpeg4", "mpeg2video"})


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
        self._damage = Damage()
        self._order = PacketOrder()

    @property
    def damage(self) -> str:
        """What could not be read so far, or ""."""
        return str(self._damage)

    def facts(self) -> VideoFacts:
        """Read what the file says of itself, and its first frame to know which way is up.

        Raises:
            MediaError: it is not a video, or nothing in it decodes.
        """
        with opened(self.path, self._threads) as (container, stream):
            frame = next(self._decoded(container, stream), None)
            if frame is None:
                raise MediaError(f"no picture in it decodes ({self.damage or 'it has none'})")
            width, height = round(frame.width * pixel_aspect(stream)), frame.height
            if quarter_turns(frame) % 2:
                width, height = height, width
            rate = stream.average_rate or stream.guessed_rate
            return VideoFacts(
                duration_s=declared_duration_s(container, stream),
                width=width,
                height=height,
                codec=stream.codec_context.name,
                fps=float(rate) if rate else None,
                recorded=recorded(container, stream),
            )

    def timeline(self) -> Timeline:
        """Read the times of all frames from the packets, without decoding them.

        Declared durations and frame counts are not believed; this reads the whole file.

        Raises:
            MediaError: it is not a video.
        """
        with opened(self.path, self._threads) as (container, stream):
            clock, self._order = Clock(), PacketOrder()
            marked = self._damage.marked = MarkedPackets()
            for packet in self._packets(container, stream):
                clock.add(packet)
                marked.add(packet)
                self._order.add(packet.pts, packet.is_keyframe)
            timeline = clock.timeline(stream, counted="avi" in container.format.name)
            declared_s = declared_duration_s(container, stream) or 0.0
        if not self._damage.cut and declared_s > 1.1 * timeline.duration_s + 1.0:
            self._damage.cut = f"{timeline.duration_s:.1f} s of {declared_s:.1f} s declared"
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
            with opened(self.path, self._threads) as (container, stream):
                scale = FrameScaler(shape, pixel_aspect(stream))
                for frame in exact(self._needed(container, stream, steps), rest):
                    last = rest.pop(0)
                    yield last, scale(frame)
        if rest:
            with opened(self.path, self._threads) as (container, stream):
                scale = FrameScaler(shape, pixel_aspect(stream))
                frames = timed(self._decoded(container, stream), timeline)
                for tick, frame in shown(frames, rest, last):
                    yield tick, scale(frame)

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
                self._damage.cut = reason(error)
                return
            if packet.size:  # the empty one at the end is FFmpeg's own
                yield packet

    def _decoded(self, container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
        """Decode in display order; what does not decode is counted and left out."""
        self._damage.undecoded = 0
        for packet in chain(self._packets(container, stream), [None]):
            try:
                frames = stream.decode(packet)
            except FFmpegError as error:
                if isinstance(error, MemoryError):
                    raise
                self._damage.undecoded += 1
                continue
            self._damage.undecoded += sum(frame.is_corrupt for frame in frames)
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
