"""Makes the videos that the tests read: every frame carries its number as black and white blocks.

The number survives scaling and lossy coding, so a test can say which frame it got, and whether
it stands upright.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

BITS = 12
COLUMNS, ROWS = 4, 3
SIZE = (64, 48)


def picture(number: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """(height, width, 3) uint8: 4 x 3 blocks, the highest bit first."""
    bits = [(number >> (BITS - 1 - i)) & 1 for i in range(BITS)]
    blocks = np.array(bits, np.uint8).reshape(ROWS, COLUMNS) * 255
    rows = np.arange(size[1]) * ROWS // size[1]
    columns = np.arange(size[0]) * COLUMNS // size[0]
    return np.repeat(blocks[rows][:, columns, None], 3, axis=2)


def number_of(image: np.ndarray) -> int:
    """The number that a picture of any size carries."""
    height, width = image.shape[:2]
    rows = (np.arange(ROWS) * 2 + 1) * height // (2 * ROWS)
    columns = (np.arange(COLUMNS) * 2 + 1) * width // (2 * COLUMNS)
    bits = (image[rows][:, columns].mean(axis=2) > 127).reshape(-1)
    return int("".join("1" if bit else "0" for bit in bits), 2)


class _Unseekable(io.RawIOBase):
    """What a live stream is written to: lengths cannot be filled in afterwards."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        self.data += data
        return len(data)


def make_video(
    path: Path,
    frames: int | Sequence[int] = 50,
    *,
    codec: str = "libx264",
    container: str | None = None,
    rate: int = 25,
    ticks: Sequence[int] | None = None,
    size: tuple[int, int] = SIZE,
    turns: int = 0,
    live: bool = False,
    created: str = "",
    aspect: Fraction | None = None,
    movflags: str = "",
    **options: str,
) -> Path:
    """Write a video whose frames carry 0, 1, 2, ... or the given numbers.

    Args:
        path: the file; its suffix tells the container unless `container` does.
        frames: how many, or which numbers.
        codec: FFmpeg's name of the encoder.
        container: FFmpeg's name of the container.
        rate: frames per second.
        ticks: presentation times in 1/1000 s, for variable rates.
        size: width and height of the displayed picture.
        turns: store the picture turned by so many quarters counter-clockwise, and say so.
        live: as a stream that cannot go back to write lengths.
        created: recording time to note in the container.
        aspect: width of a pixel divided by its height.
        movflags: of the MP4 muxer.
        options: of the encoder.
    """
    numbers = range(frames) if isinstance(frames, int) else frames
    muxer = {"movflags": movflags} if movflags else {}
    target = _Unseekable() if live else str(path)
    with av.open(target, "w", format=container, container_options=muxer) as out:
        if created:
            out.metadata["creation_time"] = created
        stream = out.add_stream(codec, rate=rate, options=options)
        stored = np.rot90(picture(0, size), turns)
        stream.height, stream.width = stored.shape[:2]
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        if ticks:
            stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for index, number in enumerate(numbers):
            image = np.ascontiguousarray(np.rot90(picture(number, size), turns))
            frame = av.VideoFrame.from_ndarray(image, "rgb24")
            frame.pts = ticks[index] if ticks else index
            frame.time_base = Fraction(1, 1000) if ticks else Fraction(1, rate)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    if live:
        path.write_bytes(target.data)
    if turns:
        _say_turned(path, turns)
    return path


def _say_turned(path: Path, turns: int) -> None:
    """Set the display matrix of an MP4 track to turn clockwise by so many quarters."""
    cos, sin = [(1, 0), (0, 1), (-1, 0), (0, -1)][turns]
    matrix = [cos << 16, sin << 16, 0, -sin << 16, cos << 16, 0, 0, 0, 1 << 30]
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    data[at : at + 36] = struct.pack(">9i", *matrix)
    path.write_bytes(data)


def say_duration(path: Path, factor: float) -> Path:
    """Make an MP4 lie about its duration, everywhere it says so."""
    data = bytearray(path.read_bytes())
    for box, offset in ((b"mvhd", 16), (b"mdhd", 16), (b"tkhd", 24)):
        at = data.index(box) + 4 + offset
        (length,) = struct.unpack_from(">I", data, at)
        struct.pack_into(">I", data, at, int(length * factor))
    path.write_bytes(data)
    return path


def make_audio(path: Path) -> Path:
    """Write a file with a second of sound and no picture."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("aac", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), "fltp", "mono")
        frame.sample_rate = 8000
        out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


def make_still(number: int, codec: str = "png", size: tuple[int, int] = SIZE) -> bytes:
    """The bytes of a still picture."""
    data = io.BytesIO()
    with av.open(data, "w", format="image2pipe") as out:
        stream = out.add_stream(codec)
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "rgb24"
        out.mux(stream.encode(av.VideoFrame.from_ndarray(picture(number, size), "rgb24")))
        out.mux(stream.encode())
    return data.getvalue()
