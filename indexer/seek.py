"""A look into a video at one time: the picture that shows there, and the file's clock.

Times are those of the index: seconds after the first picture. Whatever a container says of
itself, a seek may land late or not at all, so the pictures that come out decide. Must not know
what the pictures are for. Untrusted bytes meet native code here: run it through
`indexer/jobs.py`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation
from av.video.stream import VideoStream

from unify.engine.errors import MediaError
from unify.indexer.container import opened, reason
from unify.indexer.decode import VideoFile
from unify.indexer.scaling import quarter_turns

_EPS_S = 1e-4  # a float of the index may lie a rounding below the picture it names
_SCALE_BY = Interpolation.AREA | Interpolation.ACCURATE_RND
VAGUE = ("avi", "mpeg")  # they do not store when each picture shows
_QUALITY = "4"  # of 2 (best) to 31, as FFmpeg counts


@dataclass(frozen=True, slots=True)
class Clock:
    """How a file counts its pictures.

    Attributes:
        rate: pictures a second, exact.
        duration_s: from the first picture's start to the last one's end, as declared; or 0.0.
        timecode: of the first picture as the camera wrote it, or "".
        width: stored pixels.
        height: stored pixels.
        sample_rate: of the sound, or 0 without sound.
        channels: of the sound.
    """

    rate: Fraction
    duration_s: float
    timecode: str
    width: int
    height: int
    sample_rate: int
    channels: int


class SeekableFile(VideoFile):
    """One video, entered at any time."""

    @contextmanager
    def entered(self) -> Iterator[Entry]:
        """Open the file and find its first picture, from which times count.

        Raises:
            MediaError: it is not a video, or nothing in it decodes.
        """
        with opened(self.path, self._threads) as (container, stream):
            first = next(self._decoded(container, stream), None)
            if first is None:
                raise MediaError(f"no picture in it decodes ({self.damage or 'it has none'})")
            yield Entry(self, container, stream, _tick(first, 0))

    def pictures(self, container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
        """Decode from where the container stands, in display order."""
        return self._decoded(container, stream)

    def clock(self) -> Clock:
        """Read how the file counts its pictures.

        Raises:
            MediaError: it is not a video.
        """
        with opened(self.path, self._threads) as (container, stream):
            rate = stream.average_rate or stream.guessed_rate or Fraction(25)
            length = (stream.duration or 0) * (stream.time_base or Fraction(0))
            if not length and container.duration:
                length = Fraction(container.duration, av.time_base)
            sound = next(iter(container.streams.audio), None)
            return Clock(
                Fraction(rate),
                float(length),
                _timecode(container),
                stream.width,
                stream.height,
                sound.sample_rate if sound is not None else 0,
                sound.channels if sound is not None else 0,
            )


@dataclass(frozen=True, slots=True)
class Entry:
    """An open file and the time of its first picture, in ticks of the stream."""

    file: SeekableFile
    container: InputContainer
    stream: VideoStream
    origin: int

    @property
    def tick_s(self) -> Fraction:
        """Seconds of one tick."""
        return self.stream.time_base or Fraction(1, 1000)

    def seconds(self, tick: int) -> float:
        """Return an index time."""
        return float((tick - self.origin) * self.tick_s)

    def tick(self, time_s: float) -> int:
        """Return the tick of an index time, a hair later so that rounding loses no picture."""
        return self.origin + floor((time_s + _EPS_S) / self.tick_s)

    def end_tick(self, time_s: float) -> int:
        """Return the tick before which pictures begin that show before an index time."""
        return self.origin + ceil((time_s - _EPS_S) / self.tick_s)

    def pictures_from(self, time_s: float, exact: bool = False) -> Iterator[tuple[int, VideoFrame]]:
        """Yield (tick, picture) from the picture that shows at `time_s` on, ticks ascending.

        Past the last picture, the last one is given.

        Args:
            time_s: an index time.
            exact: decode from the very first picture where a seek could be some pictures off.
        """
        wanted = self.tick(time_s)
        before: tuple[int, VideoFrame] | None = None
        whole = exact and self.container.format.name in VAGUE
        for tick, picture in self._from_the_start() if whole else self._from_before(wanted):
            if tick > wanted and before is not None:
                yield before
                before = None
            if tick <= wanted:
                before = (tick, picture)
            else:
                yield tick, picture
        if before is not None:
            yield before

    def _from_the_start(self) -> Iterator[tuple[int, VideoFrame]]:
        """Decode everything, timed as `VideoFile.timeline` does."""
        self._seek_start()
        pictures = self.file.pictures(self.container, self.stream)
        if self.container.format.name != "avi":
            yield from _ascending(pictures, self.origin)
            return
        step = max(1, round(1 / (Fraction(self.stream.average_rate or 25) * self.tick_s)))
        for number, picture in enumerate(pictures):
            yield self.origin + number * step, picture

    def _from_before(self, wanted: int) -> Iterator[tuple[int, VideoFrame]]:
        """Decode from some picture at or before a tick: the nearest that seeking finds."""
        for _ in self.sought(wanted):
            pictures = _ascending(self.file.pictures(self.container, self.stream), self.origin)
            first = next(pictures, None)
            if first is not None and first[0] <= max(wanted, self.origin):
                yield first
                yield from pictures
                return
        raise MediaError("it cannot be entered in the middle (seeking fails)")

    def sought(self, wanted: int) -> Iterator[None]:
        """Seek to before a tick, each time further back; stop asking when it was far enough."""
        for back_s in (0.5, 10.0):  # FFmpeg seeks by decoding time, or not even by that
            with suppress(FFmpegError):
                at = max(self.origin, wanted - int(back_s / self.tick_s))
                self.container.seek(at, stream=self.stream)
                yield
        with suppress(FFmpegError):
            self._seek_start()
            yield

    def _seek_start(self) -> None:
        self.container.seek(min(self.origin, self.stream.start_time or 0, 0), stream=self.stream)

    def key_before(self, time_s: float) -> int:
        """Return the tick of the last picture at or before a time that needs no other one.

        What a container calls a key picture may lean on others, so the decoder is asked.

        Raises:
            MediaError: there is none.
        """
        wanted, best = self.tick(time_s), None
        for _ in self.sought(wanted):
            pictures = self.file.pictures(self.container, self.stream)
            for tick, picture in _ascending(pictures, self.origin):
                if tick > wanted:
                    break
                if picture.key_frame:
                    best = tick
            if best is not None:
                return best
        raise MediaError("no key picture lies before that time", "cut it with --exact")


def picture_at(
    path: str, time_s: float, width: int, alive: Callable[[], None] = lambda: None
) -> tuple[float, bytes]:
    """Return the picture that shows at a time, upright, as a JPEG of a width.

    Args:
        path: the video.
        time_s: seconds after its first picture.
        width: pixels of the picture; its height follows, and it is never enlarged.
        alive: called after every packet.

    Returns:
        the true time of the picture in seconds, and the JPEG's bytes.

    Raises:
        MediaError: the video cannot be read there.
    """
    with SeekableFile(path, alive).entered() as entry:
        for tick, picture in entry.pictures_from(time_s):
            return entry.seconds(tick), _jpeg(picture, entry.stream, width)
    raise MediaError(f"no picture decodes at {time_s:.1f} s")


def _jpeg(picture: VideoFrame, stream: VideoStream, width: int) -> bytes:
    turns = quarter_turns(picture)
    across = picture.width * float(stream.sample_aspect_ratio or 1)
    down = float(picture.height)
    shown = down if turns % 2 else across
    scale = min(1.0, width / shown)
    size = [2 * max(1, round(side * scale / 2)) for side in (across, down)]
    small = picture.reformat(size[0], size[1], format="rgb24", interpolation=_SCALE_BY)
    if turns:
        upright = np.ascontiguousarray(np.rot90(small.to_ndarray(), turns), dtype=np.uint8)
        small = VideoFrame.from_ndarray(upright, "rgb24")
    data = io.BytesIO()
    try:
        with av.open(data, "w", format="image2pipe") as out:
            coder = out.add_stream("mjpeg", options={"qmin": _QUALITY, "qmax": _QUALITY})
            coder.width, coder.height, coder.pix_fmt = small.width, small.height, "yuvj420p"
            small.pts = None
            out.mux(coder.encode(small.reformat(format="yuvj420p")))
            out.mux(coder.encode())
    except FFmpegError as error:
        raise MediaError(f"its picture cannot be written ({reason(error)})") from None
    return data.getvalue()


def _tick(picture: VideoFrame, otherwise: int) -> int:
    if picture.pts is not None:
        return picture.pts
    return picture.dts if picture.dts is not None else otherwise


def _ascending(pictures: Iterator[VideoFrame], origin: int) -> Iterator[tuple[int, VideoFrame]]:
    """Give each picture its tick; pictures whose time goes back are dropped."""
    last: int | None = None
    for picture in pictures:
        tick = _tick(picture, origin if last is None else last + 1)
        if last is None or tick > last:
            last = tick
            yield tick, picture


def _timecode(container: InputContainer) -> str:
    """Return the timecode of the first picture, from the file or any of its tracks."""
    for metadata in (*(s.metadata for s in container.streams), container.metadata):
        if metadata.get("timecode"):
            return metadata["timecode"]
    return ""
