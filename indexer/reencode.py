"""Decodes a range of a video and encodes it again: exact to the picture, sound and all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import chain
from typing import cast

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.error import FFmpegError
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from unify.engine.errors import MediaError
from unify.indexer.scaling import quarter_turns
from unify.indexer.seek import Entry
from unify.indexer.stream_copy import Written

_COLOURS = ("color_range", "color_primaries", "color_trc", "colorspace")
_TURNS = {1: ["transpose=2"], 2: ["hflip", "vflip"], 3: ["transpose=1"]}
_ENCODERS = {"webm": ("libvpx-vp9", "libopus")}
_USUAL = ("libx264", "aac")
_X264: dict[str, object] = {"crf": "18", "preset": "medium"}
_VP9: dict[str, object] = {
    "crf": "24",
    "b": "0",
    "deadline": "good",
    "cpu-used": "4",
    "row-mt": "1",
}


def encode_range(entry: Entry, start_s: float, end_s: float, out: OutputContainer) -> Written:
    """Encode the pictures that show from `start_s` to `end_s`, and their sound.

    Args:
        entry: the source.
        start_s: index time; the first picture is the one that shows then.
        end_s: index time.
        out: an empty container: WebM gets VP9 and Opus, every other one H.264 and AAC.

    Raises:
        MediaError: no picture of the range decodes.
    """
    video_coder, sound_coder = _ENCODERS.get(out.format.name, _USUAL)
    sound = next(iter(entry.container.streams.audio), None)
    if sound is not None and sound.codec_context is None:
        sound = None
    written = Written()
    pictures = entry.pictures_from(start_s, exact=True)
    first = next(pictures, None)
    if first is None:
        raise MediaError(f"no picture decodes at {start_s:.1f} s")
    turn = _Turner(entry, first[1], video_coder)
    coder = cast(VideoStream, out.add_stream(video_coder, rate=_rate(entry.stream)))
    _set_up(coder, entry, turn, first[1], video_coder)
    speaker = _Speaker(out, sound, sound_coder) if sound is not None else None
    end = entry.end_tick(end_s)
    step = max(1, round(1 / (_rate(entry.stream) * entry.tick_s)))
    for tick, picture in chain([first], pictures):
        if tick >= end and written.count:
            break
        written.add(tick, picture.duration or step)
        upright = turn(picture)
        upright.pts, upright.time_base = tick - (written.first or 0), entry.tick_s
        out.mux(coder.encode(upright))
    out.mux(coder.encode())
    if speaker is not None:
        begin = (written.first or 0) * entry.tick_s
        speaker.speak(entry, begin, written.end * entry.tick_s)
        written.sound = speaker.spoke
    return written


def _rate(stream: VideoStream) -> Fraction:
    return Fraction(stream.average_rate or stream.guessed_rate or 25).limit_denominator(100_000)


def _set_up(coder: VideoStream, entry: Entry, turn: _Turner, first: VideoFrame, name: str) -> None:
    upright = turn(first)
    coder.width, coder.height, coder.pix_fmt = upright.width, upright.height, turn.format
    coder.time_base = coder.codec_context.time_base = entry.tick_s
    coder.options = _VP9 if name == "libvpx-vp9" else _X264
    for colour in _COLOURS:
        setattr(coder.codec_context, colour, getattr(entry.stream.codec_context, colour))
    aspect = entry.stream.sample_aspect_ratio
    if aspect and aspect != 1:
        coder.codec_context.sample_aspect_ratio = 1 / aspect if turn.sideways else aspect


class _Turner:
    """Turns pictures upright, to even sides, in a format that players know."""

    def __init__(self, entry: Entry, first: VideoFrame, coder: str) -> None:
        turns = quarter_turns(first)
        deep = coder == "libx264" and any(part.bits > 8 for part in first.format.components)
        self.format = "yuv420p10le" if deep else "yuv420p"
        self.sideways = turns % 2 == 1
        self._steps = [
            *_TURNS.get(turns, []),
            "crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0",
            f"format={self.format}",
        ]
        self._entry = entry
        self._shape: tuple[int, int, str] | None = None
        self._size: tuple[int, int] | None = None
        self._graph = Graph()

    def __call__(self, picture: VideoFrame) -> VideoFrame:
        shape = (picture.width, picture.height, picture.format.name)
        if shape != self._shape:  # a stream may change its size on the way
            self._shape = shape
            self._graph = self._made(picture)
        self._graph.push(picture)
        upright = self._graph.pull()
        assert isinstance(upright, VideoFrame)
        self._size = self._size or (upright.width, upright.height)
        return upright

    def _made(self, picture: VideoFrame) -> Graph:
        graph = Graph()
        source = graph.add_buffer(
            width=picture.width,
            height=picture.height,
            format=picture.format,
            time_base=self._entry.tick_s,
        )
        steps = list(self._steps)
        if self._size:
            steps.insert(-1, f"scale={self._size[0]}:{self._size[1]}")
        nodes = [source]
        for step in steps:
            name, _, arguments = step.partition("=")
            nodes.append(graph.add(name, arguments))
        nodes.append(graph.add("buffersink"))
        graph.link_nodes(*nodes)
        graph.configure()
        return graph


class _Speaker:
    """Encodes the sound of a range."""

    def __init__(self, out: OutputContainer, sound: AudioStream, name: str) -> None:
        self._out = out
        self._sound = sound
        rate = 48_000 if name == "libopus" else sound.sample_rate
        layout = "stereo" if sound.channels > 1 else "mono"
        self._coder = cast(AudioStream, out.add_stream(name, rate=rate, layout=layout))
        self._resampler = av.AudioResampler(self._coder.format.name, layout, rate)
        self._rate = rate
        self.spoke = False

    def speak(self, entry: Entry, begin: Fraction, end: Fraction) -> None:
        """Encode from `begin` to `end`, in seconds of the source's clock.

        The resampler is fed from `begin` on alone; gaps in the source stay silent.
        """
        tick_s = self._sound.time_base or Fraction(1, self._sound.sample_rate)
        entry.container.seek(max(0, int((begin - 1) / tick_s)), stream=self._sound)
        for frame in self._frames(entry):
            at = (frame.pts or 0) * tick_s
            if at >= end:
                break
            kept = _trimmed(frame, at, begin, end)
            if kept is not None:
                self._encode(kept, max(at, begin) - begin)
        self._encode(None, Fraction(0))
        self._out.mux(self._coder.encode())

    def _frames(self, entry: Entry) -> Iterator[AudioFrame]:
        for packet in entry.container.demux(self._sound):
            with suppress(FFmpegError):  # a damaged packet is a gap
                yield from packet.decode()

    def _encode(self, frame: AudioFrame | None, at_s: Fraction) -> None:
        if frame is not None:
            frame.time_base = Fraction(1, frame.sample_rate)
            frame.pts = round(at_s * frame.sample_rate)
        for piece in self._resampler.resample(frame):
            self.spoke = True
            self._out.mux(self._coder.encode(piece))


def _trimmed(frame: AudioFrame, at: Fraction, begin: Fraction, end: Fraction) -> AudioFrame | None:
    """Return the samples of a frame that lie in a range, or None."""
    rate = frame.sample_rate
    first = max(0, round((begin - at) * rate))
    last = min(frame.samples, round((end - at) * rate))
    if first >= last:
        return None
    if first == 0 and last == frame.samples:
        return frame
    samples = frame.to_ndarray()
    width = 1 if frame.format.is_planar else frame.layout.nb_channels
    samples = samples[:, first * width : last * width].copy()
    kept = AudioFrame.from_ndarray(samples, frame.format.name, frame.layout.name)
    kept.sample_rate = rate
    return kept
