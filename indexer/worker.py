"""The process that decodes: it reads requests from its stdin and writes pictures to its stdout.

Native decoders may hang, crash or eat memory on a bad file, so they run here, where they can be
killed. A request is one JSON line. An answer is messages, each a 4-byte length and as many bytes
of JSON; a `frame` message is followed by the raw picture. `indexer/decoding.py` is the other end.
Start it with `python -m unify.indexer.worker PARENT_PID MEMORY_BYTES [DATA_BYTES]`. It imports
nothing that decoding does not need.
"""

from __future__ import annotations

import json
import resource
import struct
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, astuple, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

from unify.engine.errors import MediaError
from unify.engine.types import UInt8
from unify.indexer.child import serve
from unify.indexer.decode import VideoFile
from unify.indexer.decode_decord import DecordFile
from unify.indexer.ports import FrameShape
from unify.indexer.sampling import choose_frames
from unify.indexer.subtitles import read_speech

LENGTH = struct.Struct("<I")
_ALIVE_EVERY_S = 1.0
_NEAR_BYTES = 32 << 20  # no picture of common sizes takes more


class Decoder(StrEnum):
    """Who decodes."""

    PYAV = "pyav"
    DECORD = "decord"


class Kind(StrEnum):
    """What a message says."""

    STARTED = "started"  # facts, duration_s, frames
    CUES = "cues"  # cues, damage
    FRAME = "frame"  # time_s; the picture follows
    ALIVE = "alive"  # nothing new yet
    FINISHED = "finished"  # damage
    FAILED = "failed"  # reason


@dataclass(frozen=True, slots=True)
class Request:
    """One video to decode."""

    path: str
    fps: float
    shape: FrameShape
    decoder: Decoder
    subtitles: tuple[str, ...] = ()  # paths of its subtitle files
    threads: int = 0  # of the decoder; 0: as many as there are processors

    def to_line(self) -> bytes:
        """Return the request as a line; file names that are not UTF-8 survive."""
        return json.dumps(asdict(self)).encode("ascii") + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Request:
        """Read what `to_line` wrote."""
        row = json.loads(line)
        shape = FrameShape(**row["shape"])
        decoder, subtitles = Decoder(row["decoder"]), tuple(row["subtitles"])
        return cls(row["path"], row["fps"], shape, decoder, subtitles, row["threads"])


class _Wire:
    """Writes messages, and signs of life in between."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._last_s = 0.0

    def send(self, kind: Kind, picture: UInt8 | None = None, **fields: Any) -> None:
        body = json.dumps({"kind": kind, **fields}).encode("ascii")
        self._out.write(LENGTH.pack(len(body)) + body)
        if picture is not None:
            self._out.write(picture.data)
        self._out.flush()
        self._last_s = time.monotonic()

    def alive(self) -> None:
        if time.monotonic() - self._last_s > _ALIVE_EVERY_S:
            self.send(Kind.ALIVE)


class _Memory:
    """Tells a damaged video from one that needs more memory than the limit leaves it.

    FFmpeg reports a picture that it has no room for as one that does not decode.

    Args:
        alive: called at every look.
    """

    def __init__(self, alive: Callable[[], None]) -> None:
        self._alive = alive
        self._limit_bytes, _ = resource.getrlimit(resource.RLIMIT_DATA)
        self.short = False

    def look(self) -> None:
        """Note whether the limit is near."""
        self._alive()
        if self._limit_bytes != resource.RLIM_INFINITY and sys.platform == "linux":
            data = int(Path("/proc/self/statm").read_bytes().split()[5]) * resource.getpagesize()
            self.short |= data > self._limit_bytes - _NEAR_BYTES

    @property
    def reason(self) -> str:
        """What to say where it was not enough."""
        if self._limit_bytes == resource.RLIM_INFINITY:
            return "it needs more memory than a decoder may have"
        have = self._limit_bytes >> 20
        return f"decoding it needs more than {have} MB: give more with --max-memory"


def answer(request: Request, wire: _Wire) -> None:
    """Decode one video; every failure is a message."""
    reader: Callable[..., VideoFile]
    reader = DecordFile if request.decoder is Decoder.DECORD else VideoFile
    memory = _Memory(wire.alive)
    try:
        video = reader(request.path, memory.look, request.threads)
        facts, timeline = video.facts(), video.timeline()
        chosen = choose_frames(timeline.times_s, timeline.duration_s, request.fps)
        wire.send(Kind.STARTED, facts=asdict(facts), duration_s=timeline.duration_s)
        start_s = 0.0 if timeline.counted else float(timeline.ticks[0]) * timeline.tick_s
        speech = read_speech(request.path, request.subtitles, start_s, wire.alive)
        wire.send(Kind.CUES, cues=list(map(astuple, speech.cues)), damage=speech.damage)
        sent = 0
        for time_s, picture in video.frames(timeline, chosen, request.shape):
            wire.send(Kind.FRAME, picture, time_s=time_s)
            sent += 1
        if not sent:
            raise MediaError(f"no picture in it decodes ({video.damage or 'it has none'})")
        if video.damage and memory.short:
            raise MemoryError
        wire.send(Kind.FINISHED, damage=video.damage)
    except BrokenPipeError:
        raise
    except MediaError as error:
        wire.send(Kind.FAILED, reason=memory.reason if memory.short else str(error))
    except (MemoryError, BlockingIOError):  # the latter: no room for a thread
        wire.send(Kind.FAILED, reason=memory.reason)
    except Exception as error:  # the video is at fault until proven otherwise; the build goes on
        wire.send(Kind.FAILED, reason=f"the decoder failed ({type(error).__name__}: {error})")


def main(arguments: list[str]) -> None:
    """Answer requests until stdin ends or the parent is gone."""
    parent, memory_bytes, data_bytes = (int(argument) for argument in [*arguments, "0"][:3])
    limits = {resource.RLIMIT_AS: memory_bytes}
    if data_bytes:
        limits[resource.RLIMIT_DATA] = data_bytes
    serve(parent, limits, _answer_all)


def _answer_all(lines: Iterable[bytes], out: BinaryIO) -> None:
    wire = _Wire(out)
    for line in lines:
        answer(Request.from_line(line), wire)


if __name__ == "__main__":
    main(sys.argv[1:])
