"""Makes the test videos that `benchmarks/indexing.py` reads, out of any folder of short clips.

A scene of some seconds is encoded from the clips, joined and scaled to fill the picture; it is
repeated by stream copy up to the wanted length, so that three hours cost no more encoding than
one minute. Repeating does not make decoding easier: a decoder keeps nothing from scene to scene.
Bit rates are set, not left to quality: enlarged clips alone would be cheaper than real footage.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

RATE_HZ = 30
GOP = 250  # frames between key frames: what x264 does unless told otherwise
SCENE_S = {360: 60.0, 1080: 20.0, 2160: 6.0}  # encoded seconds by height
KBIT = {360: 1200, 1080: 6000, 2160: 20000}  # a second, by height


@dataclass(frozen=True, slots=True)
class Codec:
    """How a codec is encoded: FFmpeg's encoder, its options, a container that takes it."""

    encoder: str
    options: tuple[tuple[str, str], ...]
    suffix: str = ".mp4"


CODECS = {
    "h264": Codec("libx264", (("preset", "medium"),)),
    "hevc": Codec("libx265", (("preset", "fast"), ("x265-params", "log-level=error"))),
    "vp9": Codec("libvpx-vp9", (("deadline", "realtime"), ("cpu-used", "6")), ".mkv"),
    "av1": Codec("libsvtav1", (("preset", "9"),)),
    "mpeg4": Codec("mpeg4", (("bf", "2"),)),
}


def make(
    clips: Path, folder: Path, codec: str, height: int, length_s: float, gop: int = GOP
) -> Path:
    """Return a 16:9 test video of at least `length_s` seconds; made only where it is missing.

    Args:
        clips: a folder of MP4 files.
        folder: where the videos are kept.
        codec: a key of `CODECS`.
        height: a key of `SCENE_S`.
        length_s: seconds.
        gop: frames between key frames, at most.
    """
    how = CODECS[codec]
    folder.mkdir(parents=True, exist_ok=True)
    scene = folder / f"{codec}-{height}-g{gop}{how.suffix}"
    if not scene.exists():
        _encode(clips, scene, how, height, gop)
    path = folder / f"{codec}-{height}-g{gop}-{length_s:.0f}s{how.suffix}"
    if not path.exists():
        _repeat(scene, path, length_s)
    return path


def _encode(clips: Path, path: Path, how: Codec, height: int, gop: int) -> None:
    width = height * 16 // 9
    half_made = path.with_name(f"half-{path.name}")
    with av.open(str(half_made), "w") as out:
        stream = out.add_stream(how.encoder, rate=RATE_HZ, options=dict(how.options))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.bit_rate = KBIT[height] * 1000
        stream.codec_context.gop_size = gop
        scaler = VideoReformatter()
        pictures = _pictures(clips)
        for number in range(round(SCENE_S[height] * RATE_HZ)):
            frame = scaler.reformat(next(pictures), width=width, height=height, format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, RATE_HZ)
            frame.pict_type = 0
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    # SVT-AV1, run by root, gives this process real-time priority, which its children would inherit.
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    half_made.rename(path)


def _pictures(clips: Path) -> Iterator[VideoFrame]:
    """Yield the pictures of all clips, over and over, at `RATE_HZ`."""
    files = sorted(clips.glob("*.mp4"))
    if not files:
        raise SystemExit(f"{clips} holds no .mp4")
    for file in itertools.cycle(files):
        try:
            with av.open(str(file)) as container:
                stream = container.streams.video[0]
                step = Fraction(stream.average_rate or RATE_HZ) / RATE_HZ
                position = Fraction(0)
                for number, frame in enumerate(container.decode(stream)):
                    while position <= number:
                        yield frame
                        position += step
        except FFmpegError as error:
            raise SystemExit(f"{file}: {error}") from None


def _repeat(scene: Path, path: Path, length_s: float) -> None:
    half_made = path.with_name(f"half-{path.name}")
    with av.open(str(scene)) as source, av.open(str(half_made), "w") as out:
        stream = source.streams.video[0]
        copy = out.add_stream_from_template(stream, opaque=True)
        packets = [packet for packet in source.demux(stream) if packet.size]
        tick_s = float(stream.time_base or 0)
        first = min(packet.pts or 0 for packet in packets)
        step = round(1 / (RATE_HZ * tick_s))
        scene_ticks = max(packet.pts or 0 for packet in packets) - first + step
        for turn in range(max(1, round(length_s / (scene_ticks * tick_s)))):
            for packet in packets:
                again = av.Packet(bytes(packet))
                again.pts = (packet.pts or 0) + turn * scene_ticks
                again.dts = (packet.dts or 0) + turn * scene_ticks
                again.duration, again.time_base = packet.duration or step, stream.time_base
                again.is_keyframe, again.stream = packet.is_keyframe, copy
                out.mux(again)
    half_made.rename(path)
