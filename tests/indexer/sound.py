"""Makes videos with sound: frames carry their numbers, whole seconds begin with a beep."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tests.indexer.media import SIZE, number_of, picture

RATE = 25
SOUND_RATE = 48_000


def make_sounding(
    path: Path,
    seconds: int = 6,
    codec: str = "libx264",
    sound: str = "aac",
    rate: Fraction = Fraction(RATE),
    timecode: str = "",
    **options: str,
) -> Path:
    """Write one; key pictures are two seconds apart unless options say otherwise."""
    with av.open(str(path), "w") as out:
        if timecode:
            out.metadata["timecode"] = timecode
        stream = out.add_stream(
            codec, rate=rate, options={"g": "50", "sc_threshold": "0", **options}
        )
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        voice = out.add_stream(sound, rate=SOUND_RATE, layout="stereo")
        for number in range(round(seconds * rate)):
            frame = av.VideoFrame.from_ndarray(picture(number), "rgb24")
            frame.pts, frame.time_base = number, 1 / rate
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
        for frame in _beeps(voice, seconds):
            out.mux(voice.encode(frame))
        out.mux(voice.encode())
    return path


def _beeps(voice: av.AudioStream, seconds: int) -> list[av.AudioFrame]:
    at = np.arange(seconds * SOUND_RATE)
    tone = np.sin(at * 2 * np.pi * 1000 / SOUND_RATE) * (at % SOUND_RATE < SOUND_RATE // 20)
    whole = av.AudioFrame.from_ndarray(np.stack([tone, tone]).astype(np.float32), "fltp", "stereo")
    whole.sample_rate, whole.pts, whole.time_base = SOUND_RATE, 0, Fraction(1, SOUND_RATE)
    size = voice.codec_context.frame_size or 1024
    resampler = av.AudioResampler(voice.format.name, "stereo", SOUND_RATE, frame_size=size)
    return [*resampler.resample(whole), *resampler.resample(None)]


def numbers_in(path: Path) -> list[int]:
    """The numbers of all frames of a file, upright or not."""
    with av.open(str(path)) as container:
        return [
            number_of(np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90) % 4))
            for frame in container.decode(video=0)
        ]


def times_in(path: Path) -> list[float]:
    """When the frames of a file show, in seconds after the first."""
    with av.open(str(path)) as container:
        times = [float(frame.time) for frame in container.decode(video=0)]
    return [time - times[0] for time in times]


def beeps_in(path: Path) -> list[float]:
    """Seconds after the first picture at which beeps begin; empty without sound."""
    with av.open(str(path)) as container:
        began = float(next(container.decode(video=0)).time)
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return []
        frames = list(container.decode(audio=0))
    parts = [f.to_ndarray() for f in frames]
    wave = np.concatenate([p[0] if p.shape[0] > 1 else p[0, ::2] for p in parts]).astype(float)
    loud = np.flatnonzero(np.abs(wave) > 0.3 * np.abs(wave).max())
    first = [
        int(loud[0]),
        *(int(b) for a, b in itertools.pairwise(loud) if b - a > 12_000),
    ]
    start = float(frames[0].time) - began
    return [start + at / frames[0].sample_rate for at in first]
