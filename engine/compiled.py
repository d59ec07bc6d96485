"""Kernels as machine code: numba is imported on first use, and what it makes is kept.

Importing numba costs about 0.3 s and compiling some more, which a small index never pays: below
`COMPILE_FROM` moments plain numpy answers sooner. A process that goes on asking a small index, as
a server does, gets its kernels compiled in the background (`in_time`).
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Event, Thread
from types import FunctionType
from typing import Any

COMPILE_FROM = 131_072  # moments in the index
PATIENCE = 2_000  # calls of `in_time`, of which a search makes two or three
_calls, _compiled = itertools.count(1), Event()


@cache
def compiled(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Return a kernel compiled, without the interpreter's lock.

    The machine code is kept in the XDG cache; where that cannot be, for the process alone.
    """
    import numba

    kernel = _linked(kernel)
    plain = numba.njit(nogil=True)(kernel)  # compiles nothing before its first call
    folder = cache_folder()
    if folder is None:
        return plain
    numba.config.CACHE_DIR = str(folder / "numba")  # type: ignore[attr-defined]
    kept = numba.njit(nogil=True, cache=True)(kernel)

    def call(*arguments: Any) -> Any:
        try:
            return kept(*arguments)
        except IndexError:
            raise  # the kernel's own
        except Exception:  # a full disk, a file cut short: numba raises whatever it met
            return plain(*arguments)

    return call


def in_time(prepare: Callable[[], None]) -> bool:
    """Return whether kernels are compiled by now, where they pay only for who asks often.

    Args:
        prepare: calls each once. It runs in a thread of its own, once a process, when that has
            asked `PATIENCE` times.
    """

    def run() -> None:
        with suppress(Exception):  # whatever it is: numpy goes on answering, and says so there
            prepare()
            _compiled.set()

    if next(_calls) == PATIENCE:
        Thread(target=run, name="unify-compile").start()
    return _compiled.is_set()


@cache
def _linked(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function for which those of its module that it calls are compiled."""
    known = kernel.__globals__
    called = {
        name: _helper(known[name])
        for name in kernel.__code__.co_names
        if isinstance(known.get(name), FunctionType)
    }
    return FunctionType(kernel.__code__, known | called, kernel.__name__)


@cache
def _helper(function: Callable[..., Any]) -> Callable[..., Any]:
    import numba

    helper: Callable[..., Any] = numba.njit(nogil=True)(_linked(function))
    return helper


def cache_folder() -> Path | None:
    """Return the folder in the XDG cache for what can be made again; None: none can be written."""
    try:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(base) / "unify"
        (folder / "numba").mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # RuntimeError: no home
        return None
    return folder if os.access(folder / "numba", os.W_OK) else None
