"""Makes damaged videos out of sound ones, in every way that disks, networks and malice know."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

from tests.indexer.media import SIZE, make_video, picture

CONTAINERS = ("a.mp4", "b.mkv", "c.avi", "d.ts", "e.mov", "f.flv", "g.mp4", "h.webm")
_CODECS = {"c.avi": "mpeg4", "e.mov": "mjpeg", "h.webm": "libvpx"}
_ENDLESS_BYTES = 64 << 30  # sparse: nothing of it lies on the disk


def sound(folder: Path) -> dict[str, bytes]:
    """Bytes of a sound video in each container."""
    made = {}
    for name in CONTAINERS:
        live = {"movflags": "frag_keyframe+empty_moov"} if name == "g.mp4" else {}
        path = make_video(folder / name, 60, codec=_CODECS.get(name, "libx264"), **live)
        made[name] = path.read_bytes()
        path.unlink()
    return made


def _flipped(data: bytes, rng: random.Random, within: int, most: int) -> bytes:
    out = bytearray(data)
    for _ in range(rng.randint(1, most)):
        out[rng.randrange(min(within, len(out)))] ^= 1 << rng.randrange(8)
    return bytes(out)


def _overwritten(data: bytes, rng: random.Random, value: bytes) -> bytes:
    out = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(max(1, len(out) - len(value)))
        out[at : at + len(value)] = value
    return bytes(out)


def _sizes(data: bytes, rng: random.Random) -> bytes:
    """Declare huge sizes, counts and lengths where MP4 keeps them, or anywhere near the head."""
    out = bytearray(data)
    boxes = [at for name in (b"stsz", b"stco", b"stts", b"mdat", b"moov", b"avcC", b"trun")
             if (at := data.find(name)) >= 4]  # fmt: skip
    at = rng.choice(boxes) + rng.choice([-4, 4, 8, 12]) if boxes else rng.randrange(4, 400)
    out[at : at + 4] = rng.choice([b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x10\0\0\0"])
    return bytes(out)


def _spliced(data: bytes, other: bytes, rng: random.Random) -> bytes:
    at, cut = rng.randrange(len(data)), rng.randrange(len(other))
    return data[:at] + other[cut:]


def _repeated(data: bytes, rng: random.Random) -> bytes:
    begin = rng.randrange(len(data))
    part = data[begin : begin + rng.randint(100, 4000)]
    return data[:begin] + part * rng.randint(2, 200) + data[begin:]


WAYS: dict[str, Callable[[bytes, bytes, random.Random], bytes]] = {
    "bit": lambda data, other, rng: _flipped(data, rng, len(data), 1),
    "bits": lambda data, other, rng: _flipped(data, rng, len(data), 300),
    "head": lambda data, other, rng: _flipped(data, rng, 600, 20),
    "cut": lambda data, other, rng: data[: rng.randrange(1, len(data))],
    "tail": lambda data, other, rng: data[rng.randrange(1, len(data)) :],
    "splice": lambda data, other, rng: _spliced(data, other, rng),
    "header": lambda data, other, rng: other[: rng.choice([8, 64, 600])] + data[64:],
    "size": lambda data, other, rng: _sizes(data, rng),
    "ones": lambda data, other, rng: _overwritten(data, rng, b"\xff" * rng.choice([4, 8, 400])),
    "zeros": lambda data, other, rng: _overwritten(data, rng, bytes(rng.choice([4, 8, 4000]))),
    "repeat": lambda data, other, rng: _repeated(data, rng),
}


def make(folder: Path, count: int, seed: int) -> dict[str, str]:
    """Write damaged videos, no two alike; return by name how each was damaged."""
    rng = random.Random(seed)
    originals = sound(folder)
    made: dict[str, str] = {}
    seen: set[bytes] = set()
    while len(made) < count:
        way = sorted(WAYS)[len(made) % len(WAYS)]
        name, other = rng.choice(CONTAINERS), rng.choice(CONTAINERS)
        data = WAYS[way](originals[name], originals[other], rng)
        if data not in seen:  # a copy would not be read
            seen.add(data)
            path = folder / f"{len(made):03d}-{way}-{name}"
            path.write_bytes(data)
            made[path.name] = way
    return made


def make_with_sound(path: Path, frames: int) -> Path:
    """Write a video with a second of silence beside its pictures."""
    with av.open(str(path), "w") as out:
        pictures, sound = out.add_stream("libx264", rate=25), out.add_stream("aac", rate=8000)
        pictures.width, pictures.height, pictures.pix_fmt = *SIZE, "yuv420p"
        sound.layout = "mono"
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(number), "rgb24")
            frame.pts = number
            out.mux(pictures.encode(frame))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), "fltp", "mono")
        silence.sample_rate = 8000
        for packets in (sound.encode(silence), sound.encode(), pictures.encode()):
            out.mux(packets)
    return path


def make_endless(folder: Path) -> list[str]:
    """Write videos that go on for ever, as far as a reader can tell."""
    originals = sound(folder)
    names = []
    for name in ("a.mp4", "b.mkv", "c.avi", "d.ts", "g.mp4"):
        path = folder / f"endless-{name}"
        path.write_bytes(originals[name])
        with path.open("r+b") as file:
            file.truncate(_ENDLESS_BYTES)
        names.append(path.name)
    return names
