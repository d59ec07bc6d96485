"""What a build may use of the machine: decoding processes, threads in each, and memory.

By default there is one decoding process for each processor, up to four, and never more than
videos; FFmpeg spreads each video over the processors that are left. On two processors, two
processes are 5 to 20 % faster than one with two threads (`benchmarks/indexing.py --copies 5
--workers 1`) and take some 40 to 60 MB more; more than four have not been measured.

Priority is left to the user, on battery too: `nice unify index build ...` reaches the decoding
processes as well. A lower priority would not save energy, only finish later, and a machine that
sleeps or is stopped loses nothing: the next build goes on.

A bound on memory is kept, not aimed at: what this process takes with its encoder is measured,
and what is left is shared out to the decoding processes as a limit of the operating system
(RLIMIT_DATA, Linux), so that a video that needs more fails with that reason. The limit counts
what is allocated, stacks of threads included, which is more than is used. It must not know video
or models.
"""

from __future__ import annotations

import os
import re
import resource
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from unify.engine.errors import UsageError

_LIBRARIES_BYTES = 48 << 20  # of a decoding process: code, which no limit counts
_LEAST_BYTES = 128 << 20  # with less, a decoding process opens hardly any video
_ROOM_BYTES = 192 << 20  # pictures on their way, and the moments of three hours of video
_UNITS = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Share:
    """What the decoding processes get.

    Attributes:
        workers: processes.
        cores: processors for all of them.
        data_bytes: what each may allocate, or 0 for no bound.
    """

    workers: int
    cores: int
    data_bytes: int = 0

    @property
    def threads(self) -> int:
        """Of FFmpeg, in each process."""
        return max(1, min(8, self.cores // self.workers))

    def among(self, videos: int) -> Share:
        """Return the same for so many videos: no process is without one."""
        workers = max(1, min(self.workers, videos))
        all_bytes = (self.data_bytes + _LIBRARIES_BYTES) * self.workers
        data_bytes = all_bytes // workers - _LIBRARIES_BYTES if self.data_bytes else 0
        return replace(self, workers=workers, data_bytes=data_bytes)


def share_out(
    workers: int | None, max_memory_bytes: int | None, taken_bytes: int, cores: int | None = None
) -> Share:
    """Decide how many decoding processes there are and what each gets.

    Args:
        workers: as asked for, or None for the default; fewer where memory allows no more.
        max_memory_bytes: for all processes together, or None.
        taken_bytes: what this process takes already.
        cores: processors, this machine's by default.

    Raises:
        UsageError: the memory is too little for one process.
    """
    cores = cores or _cores()
    count = min(4, cores) if workers is None else workers
    data_bytes = 0
    if max_memory_bytes is not None:
        left = max_memory_bytes - taken_bytes - _ROOM_BYTES
        each = _LIBRARIES_BYTES + _LEAST_BYTES
        if left < each:
            need = -(-(taken_bytes + _ROOM_BYTES + each) >> 20)
            mib = max_memory_bytes >> 20
            given = f"{mib:,} MB" if mib else f"{max_memory_bytes:,} bytes"
            raise UsageError(
                f"{given} of memory are too little for this pack",
                f"give at least --max-memory {need}M",
            )
        count = min(count, left // each)
        data_bytes = left // count - _LIBRARIES_BYTES
    return Share(count, cores, data_bytes)


def parse_size(text: str) -> int:
    """Return the bytes that a size for people means: 800M, 2G, 1.5 GiB (K is 1,024 bytes).

    Raises:
        UsageError: it is no size.

    >>> parse_size("800M") // 2**20, parse_size("1.5g") // 2**20
    (800, 1536)
    """
    match = _SIZE.fullmatch(text.strip())
    size = int(float(match[1]) * (1 << _UNITS[match[2].upper()])) if match else 0
    if size <= 0:
        raise UsageError(f"{text!r} is no size of memory", "write it as in 800M or 2G")
    return size


def taken_bytes() -> int:
    """Return the most memory that this process has taken so far."""
    if sys.platform == "linux":  # where `ru_maxrss` would count a larger parent's
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _cores() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
