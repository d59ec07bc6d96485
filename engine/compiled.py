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
def compiled(kernel: Callable[..., Any]) -> Any:
    """Return a function of `engine/kernels.py` compiled, without the interpreter's lock.

    The machine code is kept in the XDG cache; where that cannot be written, for the process alone.
    """
    assert kernel.__module__ == kernels.__name__
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "unify" / "numba"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        kept = os.access(folder, os.W_OK)
    except OSError:
        kept = False
    import numba

    if kept:
        numba.config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]
    return numba.njit(nogil=True, cache=kept)(kernel)
