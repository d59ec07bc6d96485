"""Processes that can be killed, for native code that meets untrusted files: both ends of them.

What such a process does is `indexer/worker.py`'s and `indexer/jobs_worker.py`'s business, and how
its answers look; here is how one is started, how it lives with its parent, and how it ends.
"""

from __future__ import annotations

import importlib.util
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, BinaryIO

from unify.engine.errors import IndexUnavailable


def command(module: str, *limits: int) -> list[str]:
    """Return the command that starts a module of this package as a child of this process."""
    return [sys.executable, "-P", "-m", module, str(os.getpid()), *map(str, limits)]


def environment() -> dict[str, str]:
    """Return the environment in which a child process runs the same code as this one."""
    spec = importlib.util.find_spec("unify")
    home = str(Path(spec.origin).parent.parent) if spec and spec.origin else ""
    paths = [path for path in (home, os.environ.get("PYTHONPATH", "")) if path]
    # One malloc arena, no threads for algebra: each would reserve room that counts to the limit.
    lean = {"MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1"}
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **lean}


def start(command: Sequence[str], errors: IO[bytes], behind: int = 0) -> subprocess.Popen[bytes]:
    """Start a process with pipes to and from it; what it says on stderr replaces `errors`.

    Args:
        command: as of `command`.
        errors: a file.
        behind: how far it gives way to other processes, as `nice` counts.

    Raises:
        IndexUnavailable: the system starts no more processes.
    """
    errors.seek(0)
    errors.truncate()
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment(),
            bufsize=0,
            start_new_session=True,  # ctrl-C is for the parent, which then ends this
        )
    except OSError as error:
        raise IndexUnavailable(
            f"no process can be started to decode videos ({error.strerror or error})",
            "close other programs, or use fewer --workers, and run again",
        ) from None
    with suppress(OSError):  # it has ended already
        os.setpriority(os.PRIO_PROCESS, process.pid, os.getpriority(os.PRIO_PROCESS, 0) + behind)
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process now."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()


def last_words(errors: IO[bytes]) -> str:
    """Return the last line that a process wrote on stderr."""
    errors.seek(0)
    lines = errors.read().decode(errors="replace").split("\n")
    said = [line.strip() for line in lines if line.strip()]
    return said[-1] if said else "it said nothing"


def serve(
    parent: int, limits: dict[int, int], work: Callable[[Iterable[bytes], BinaryIO], None]
) -> None:
    """Be such a process: do work until stdin ends or the parent is gone.

    Args:
        parent: process id.
        limits: bytes by `resource.RLIMIT_*`; not every system knows all of them.
        work: reads the lines of stdin and writes answers.
    """
    with suppress(ValueError, OSError):
        for kind, size_bytes in limits.items():
            resource.setrlimit(kind, (size_bytes, size_bytes))
    threading.Thread(target=_die_with, args=(parent,), daemon=True).start()
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get among the answers
    with suppress(BrokenPipeError):
        work(sys.stdin.buffer, out)
    os._exit(0)  # a full pipe to nobody must not be flushed


def _die_with(parent: int) -> None:
    """Stop the process once its parent is gone, whatever it is doing."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
