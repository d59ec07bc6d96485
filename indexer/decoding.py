"""Decoding in worker processes, from the side that asks: limits, restarts, reading ahead.

A worker that crashes, hangs or takes too long costs its one video, with the reason; the next
video gets a fresh process.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import numpy as np

from unify.engine.errors import MediaError
from unify.engine.types import Float64, UInt8
from unify.indexer import child
from unify.indexer.cues import Cue
from unify.indexer.decode import VideoFacts
from unify.indexer.worker import LENGTH, Kind, Request

_PIPE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What one video may cost.

    Attributes:
        stall_s: longest silence of a worker; it reports every second that it gets on.
        total_s: longest wait for one video, time spent elsewhere not counted.
        memory_bytes: address space of a worker.
        data_bytes: what a worker may allocate, or 0 for no bound; Linux alone keeps to it.
        behind: how far a worker gives way to other processes, as `nice` counts.
    """

    stall_s: float = 60.0
    total_s: float = 6 * 3600.0
    memory_bytes: int = 4 << 30
    data_bytes: int = 0
    behind: int = 0


@dataclass(frozen=True, slots=True)
class Started:
    """Decoding began: facts and the true duration in seconds."""

    facts: VideoFacts
    duration_s: float


@dataclass(frozen=True, slots=True)
class Speech:
    """What subtitles say, and a line for each thing in them that could not be read."""

    cues: list[Cue]
    damage: list[str]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some frames: (B,) float64 seconds and (B, height, width, 3) uint8 RGB."""

    times_s: Float64
    frames: UInt8


@dataclass(frozen=True, slots=True)
class Finished:
    """Decoding ended; `damage` says what could not be read, or ""."""

    damage: str


Event: TypeAlias = Started | Speech | Batch | Finished
T = TypeVar("T")


def worker_command(memory_bytes: int, data_bytes: int = 0) -> list[str]:
    """Return the command that starts a worker from the same code as this process."""
    return child.command("unify.indexer.worker", memory_bytes, data_bytes)


class DecodeProcess:
    """One worker process, started when needed and again after a crash.

    Args:
        limits: what one video may cost.
        batch: frames in a `Batch`, at most.
        command: how to start the worker.
    """

    def __init__(
        self, limits: Limits | None = None, batch: int = 16, command: Sequence[str] | None = None
    ) -> None:
        self._limits = limits or Limits()
        self._batch = batch
        memory = self._limits.memory_bytes, self._limits.data_bytes
        self._command = list(command or worker_command(*memory))
        self._process: subprocess.Popen[bytes] | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._waited_s = 0.0
        self._interrupted = False

    def decode(self, request: Request) -> Iterator[Event]:
        """Decode one video: `Started`, `Speech`, `Batch`es, `Finished`.

        Raises:
            MediaError: the video cannot be read, or its worker crashed or was killed.
        """
        self._waited_s = 0.0
        whole = False
        try:
            self._send(request.to_line())
            yield from self._events(request)
            whole = True
        except _Refused as error:
            whole = True
            raise MediaError(str(error)) from None
        finally:
            if not whole:  # its pipe holds the rest of an abandoned video
                self.kill()

    def kill(self) -> None:
        """End the worker now."""
        if self._process is not None:
            process, self._process = self._process, None
            child.end(process)

    def interrupt(self) -> None:
        """End the worker for good, from another thread; `decode` then raises MediaError."""
        self._interrupted = True
        process = self._process
        if process is not None:
            process.kill()

    def close(self) -> None:
        """End the worker and forget what it wrote."""
        self.kill()
        self._errors.close()

    def _events(self, request: Request) -> Iterator[Event]:
        shape = (self._batch, request.shape.height, request.shape.width, 3)
        times: list[float] = []
        frames = np.empty(shape, np.uint8)
        while True:
            message = self._receive()
            match message["kind"]:
                case Kind.STARTED:
                    yield Started(VideoFacts(**message["facts"]), message["duration_s"])
                case Kind.CUES:
                    yield Speech([Cue(*cue) for cue in message["cues"]], message["damage"])
                case Kind.FRAME:
                    self._fill(memoryview(frames[len(times)]).cast("B"))
                    times.append(message["time_s"])
                case Kind.FAILED:
                    raise _Refused(message["reason"])
            done = message["kind"] == Kind.FINISHED
            if times and (done or len(times) == self._batch):
                yield Batch(np.array(times), frames[: len(times)])
                times, frames = [], np.empty(shape, np.uint8)
            if done:
                yield Finished(message["damage"])
                return

    def _send(self, line: bytes) -> None:
        if self._process is None or self._process.poll() is not None:
            self.kill()
            if self._interrupted:
                raise MediaError("interrupted")
            self._start()
        pipe = self._process.stdin if self._process else None
        try:
            if pipe is not None:
                pipe.write(line)
                pipe.flush()
        except OSError:
            raise MediaError(self._obituary()) from None

    def _start(self) -> None:
        self._process = child.start(self._command, self._errors, self._limits.behind)
        if sys.platform == "linux" and self._process.stdout is not None:
            with suppress(OSError):
                fcntl.fcntl(self._process.stdout, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)

    def _receive(self) -> dict[str, Any]:
        length = bytearray(LENGTH.size)
        self._fill(memoryview(length))
        body = bytearray(LENGTH.unpack(length)[0])
        self._fill(memoryview(body))
        message: dict[str, Any] = json.loads(body)
        return message

    def _fill(self, view: memoryview) -> None:
        """Read exactly as many bytes as the view holds, straight into it."""
        process = self._process
        if process is None or process.stdout is None:
            raise MediaError("the decoder is gone")
        descriptor = process.stdout.fileno()
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        while view:
            began_s = time.monotonic()
            left_s = min(self._limits.stall_s, self._limits.total_s - self._waited_s)
            ready = poll.poll(max(0.0, left_s) * 1000)
            self._waited_s += time.monotonic() - began_s
            if not ready:
                raise MediaError(self._overdue())
            count = os.readv(descriptor, [view])
            if count == 0:
                raise MediaError(self._obituary())
            view = view[count:]

    def _overdue(self) -> str:
        if self._waited_s >= self._limits.total_s:
            return f"decoding took more than {self._limits.total_s:g} s"
        return f"the decoder made no progress for {self._limits.stall_s:g} s"

    def _obituary(self) -> str:
        code = self._process.wait() if self._process else 0
        if code < 0:
            return f"decoder crashed (signal {-code}, {signal.Signals(-code).name})"
        return f"decoder ended with code {code} ({child.last_words(self._errors)})"


class _Refused(Exception):
    """The worker said that a video cannot be read; the worker itself is well."""
