"""The process that decodes: it reads requests from its stdin and writes pictures to its stdout.

Native decoders may hang, crash or eat memory on a bad file, so they run here, where they can be
killed. A request is one JSON line. An answer is messages, each a 4-byte length and as many bytes
of JSON; a `frame` message is followed by the raw picture. `indexer/decoding.py` is the other end.
Start it with `python -m unify.indexer.worker PARENT_PID MEMORY_BYTES`. It imports nothing that
decoding does not need.
"""

from __future__ import annotations

import json
import os
import resource
import struct
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, BinaryIO

from unify.engine.errors import MediaError
from unify.engine.types import UInt8
from unify.indexer.decode import VideoFile
from unify.indexer.decode_decord import DecordFile
from unify.indexer.ports import FrameShape
from unify.indexer.sampling import choose_frames

LENGTH = struct.Struct("<I")
_ALIVE_EVERY_S = 1.0


class Decoder(StrEnum):
    """Who decodes."""

    PYAV = "pyav"
    DECORD = "decord"


class Kind(StrEnum):
    """What a message says."""

    STARTED = "started"  # facts, duration_s, frames
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

    def to_line(self) -> bytes:
        """Return the request as a line; file names that are not UTF-8 survive."""
        return json.dumps(asdict(self)).encode("ascii") + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Request:
        """Read what `to_line` wrote."""
        row = json.loads(line)
        shape = FrameShape(**row["shape"])
        return cls(row["path"], row["fps"], shape, Decoder(row["decoder"]))


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


def answer(request: Request, wire: _Wire) -> None:
    """Decode one video; every failure is a message."""
    reader: Callable[..., VideoFile]
    reader = DecordFile if request.decoder is Decoder.DECORD else VideoFile
    try:
        video = reader(request.path, wire.alive)
        facts, timeline = video.facts(), video.timeline()
        chosen = choose_frames(timeline.times_s, timeline.duration_s, request.fps)
        wire.send(Kind.STARTED, facts=asdict(facts), duration_s=timeline.duration_s)
        sent = 0
        for time_s, picture in video.frames(timeline, chosen, request.shape):
            wire.send(Kind.FRAME, picture, time_s=time_s)
            sent += 1
        if not sent:
            raise MediaError(f"no picture in it decodes ({video.damage or 'it has none'})")
        wire.send(Kind.FINISHED, damage=video.damage)
    except BrokenPipeError:
        raise
    except MediaError as error:
        wire.send(Kind.FAILED, reason=str(error))
    except MemoryError:
        wire.send(Kind.FAILED, reason="it needs more memory than a decoder may have")
    except Exception as error:  # the video is at fault until proven otherwise; the build goes on
        wire.send(Kind.FAILED, reason=f"the decoder failed ({type(error).__name__}: {error})")


def main(arguments: list[str]) -> None:
    """Answer requests until stdin ends or the parent is gone."""
    parent, memory_bytes = (int(argument) for argument in arguments)
    with suppress(ValueError, OSError):  # not every system limits address space
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    threading.Thread(target=_die_with, args=(parent,), daemon=True).start()
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get among the pictures
    wire = _Wire(out)
    with suppress(BrokenPipeError):
        for line in sys.stdin.buffer:
            answer(Request.from_line(line), wire)
    os._exit(0)  # a full pipe to nobody must not be flushed


def _die_with(parent: int) -> None:
    """Stop the process once its parent is gone, whatever it is decoding."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
