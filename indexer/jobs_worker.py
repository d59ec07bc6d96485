"""The process that does small jobs on video files; `indexer/jobs.py` is the other end.

It reads a JSON line a job from its stdin and answers with a JSON line that says how many raw
bytes follow; an empty line is a sign of life. Start it with
`python -m unify.indexer.jobs_worker PARENT_PID MEMORY_BYTES`.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any, BinaryIO

from unify.engine.errors import MediaError
from unify.indexer.child import serve
from unify.indexer.cut import CutMode, CutRequest, cut
from unify.indexer.seek import SeekableFile, picture_at

_ALIVE_EVERY_S = 1.0


class _Reply:
    """Writes answers, and signs of life in between."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._last_s = time.monotonic()

    def alive(self) -> None:
        if time.monotonic() - self._last_s > _ALIVE_EVERY_S:
            self._write(b"\n")

    def send(self, data: bytes = b"", **fields: Any) -> None:
        line = json.dumps({**fields, "bytes": len(data)}).encode("ascii")
        self._write(line + b"\n" + data)

    def _write(self, data: bytes) -> None:
        self._out.write(data)
        self._out.flush()
        self._last_s = time.monotonic()


def _picture(alive: Callable[[], None], path: str, time_s: float, width: int) -> tuple[Any, bytes]:
    return picture_at(path, time_s, width, alive)


def _clock(alive: Callable[[], None], path: str) -> tuple[Any, bytes]:
    clock = SeekableFile(path, alive).clock()
    return {**asdict(clock), "rate": str(clock.rate)}, b""


def _cut(
    alive: Callable[[], None], path: str, start_s: float, end_s: float, mode: str, out: str
) -> tuple[Any, bytes]:
    return asdict(cut(CutRequest(path, start_s, end_s, CutMode(mode), out), alive)), b""


_JOBS: dict[str, Callable[..., tuple[Any, bytes]]] = {
    "picture": _picture,
    "clock": _clock,
    "cut": _cut,
}


def _do(line: bytes, reply: _Reply) -> None:
    job = json.loads(line)
    try:
        done, data = _JOBS[job["job"]](reply.alive, *job["of"])
        reply.send(data, done=done)
    except BrokenPipeError:
        raise
    except MediaError as error:
        reply.send(failed=[error.message, error.hint])
    except MemoryError:
        reply.send(failed=["it needs more memory than a decoder may have"])
    except Exception as error:  # the file is at fault until proven otherwise
        reply.send(failed=[f"the decoder failed ({type(error).__name__}: {error})"])


def main(arguments: list[str]) -> None:
    """Do jobs until stdin ends or the parent is gone."""
    parent, memory_bytes = (int(argument) for argument in arguments)
    serve(parent, {resource.RLIMIT_AS: memory_bytes}, _do_all)


def _do_all(lines: Iterable[bytes], out: BinaryIO) -> None:
    reply = _Reply(out)
    for line in lines:
        _do(line, reply)


if __name__ == "__main__":
    main(sys.argv[1:])
