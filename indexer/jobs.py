"""Small jobs on one video file, done in a process that can be killed.

Files are untrusted and decoders are native code: a picture, a cut or a file's clock is made by
`indexer/jobs_worker.py`. Unlike the decoding of whole videos (`indexer/decoding.py`) a job is
short and its answer is small. This is the side that asks.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from unify.engine.errors import MediaError
from unify.indexer import child
from unify.indexer.cut import CutRequest, CutResult
from unify.indexer.decoding import Limits
from unify.indexer.seek import Clock

_JOB_LIMITS = Limits(stall_s=30.0, total_s=1800.0)


class JobProcess:
    """One such process, started when needed and again after a crash; close it after use.

    Not for several threads at once, but for `interrupt`.

    Args:
        limits: what one job may cost.
    """

    def __init__(self, limits: Limits = _JOB_LIMITS) -> None:
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._interrupted = False

    def __enter__(self) -> JobProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._kill()
        self._errors.close()

    def interrupt(self) -> None:
        """End the process for good, from another thread; every job then raises MediaError."""
        self._interrupted = True
        process = self._process
        if process is not None:
            process.kill()

    def picture(self, path: str, time_s: float, width: int) -> tuple[float, bytes]:
        """Do `seek.picture_at`.

        Raises:
            MediaError: the video cannot be read there, or its decoder crashed or hung.
        """
        answer, data = self._run({"job": "picture", "of": [path, time_s, width]})
        return float(answer), data

    def clock(self, path: str) -> Clock:
        """Do `SeekableFile.clock`.

        Raises:
            MediaError: as of `picture`.
        """
        answer, _ = self._run({"job": "clock", "of": [path]})
        return Clock(**{**answer, "rate": Fraction(answer["rate"])})

    def cut(self, request: CutRequest) -> CutResult:
        """Do `cut.cut`.

        Raises:
            MediaError: as of `picture`; what is written so far stays at `request.out`.
        """
        answer, _ = self._run({"job": "cut", "of": list(asdict(request).values())})
        return CutResult(**{**answer, "left_out": tuple(answer["left_out"])})

    def _run(self, job: dict[str, Any]) -> tuple[Any, bytes]:
        whole = False
        try:
            pipe = self._started().stdin
            assert pipe is not None
            with suppress(BrokenPipeError):  # reading then says why
                pipe.write(json.dumps(job).encode("ascii") + b"\n")
            answer, data = self._answer()
            whole = True
        finally:
            if not whole:  # its pipe holds the rest of this job
                self._kill()
        if "failed" in answer:
            raise MediaError(*answer["failed"])
        return answer["done"], data

    def _answer(self) -> tuple[dict[str, Any], bytes]:
        assert self._process is not None and self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        ends_s = time.monotonic() + self._limits.total_s
        buffer = bytearray()
        while True:
            line, found, rest = bytes(buffer).partition(b"\n")
            if found and not line:  # a sign of life
                buffer = bytearray(rest)
                continue
            if found:
                answer: dict[str, Any] = json.loads(line)
                if len(rest) >= answer["bytes"]:
                    return answer, rest
            buffer += self._read(descriptor, ends_s)

    def _read(self, descriptor: int, ends_s: float) -> bytes:
        wait_s = min(self._limits.stall_s, ends_s - time.monotonic())
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        if not poll.poll(max(0.0, wait_s) * 1000):
            if time.monotonic() >= ends_s:
                raise MediaError(f"it took more than {self._limits.total_s:g} s")
            raise MediaError(f"the decoder made no progress for {self._limits.stall_s:g} s")
        data = os.read(descriptor, 1 << 20)
        if not data:
            raise MediaError(self._obituary())
        return data

    def _obituary(self) -> str:
        code = self._process.wait() if self._process else 0
        if code < 0:
            return f"the decoder crashed (signal {-code})"
        last = child.last_words(self._errors)
        return f"the decoder ended with code {code} ({last})"

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._kill()
            module = "unify.indexer.jobs_worker"
            command = child.command(module, self._limits.memory_bytes)
            self._process = child.start(command, self._errors, self._limits.behind)
        if self._interrupted:  # before it was there to be killed
            self._kill()
            raise MediaError("interrupted")
        return self._process

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            child.end(process)
