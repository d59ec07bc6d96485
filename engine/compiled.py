"""Kernels as machine code: numba is imported on first use, and what it makes is kept.

Importing numba costs about 0.3 s and compiling some more, which a small index never pays: below
`COMPILE_FROM` moments plain numpy answers sooner.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from unify.engine import kernels

COMPILE_FROM = 131_072  # moments in the index


@cache
def compiled(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of `engine/kernels.py` compiled, without the interpreter's lock.

    The machine code is kept in the XDG cache; where that cannot be, for the process alone.
    """
    assert kernel.__module__ == kernels.__name__
    import numba

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


def cache_folder() -> Path | None:
    """Return the folder in the XDG cache for what can be made again; None: none can be written."""
    try:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(base) / "unify"
        (folder / "numba").mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # RuntimeError: no home
        return None
    return folder if os.access(folder / "numba", os.W_OK) else None
