"""A reader's claim on a generation: while it is held, no writer removes what that names.

A snapshot maps its files when they are first used, so they must outlive the publish of newer
generations, above all a compaction, which replaces whole segments. The claim is a shared `flock`
on the generation's table of videos: readers write nothing, and it ends with the process however
that ends. On a file system without `flock` there is no claim, and a reader may find a file gone.
It must not know what the files hold.
"""

from __future__ import annotations

import fcntl
import os
import weakref
from pathlib import Path
from types import TracebackType

from unify.engine import arrays


class Claim:
    """A lock on one file, given back when the object goes, or at the end of its `with`.

    Args:
        descriptor: the open, locked file; owned from here on.
    """

    def __init__(self, descriptor: int) -> None:
        self._release = weakref.finalize(self, os.close, descriptor)

    def __enter__(self) -> Claim:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._release()


def share(path: Path) -> Claim:
    """Claim a generation for reading.

    Args:
        path: its table of videos.

    Raises:
        FileNotFoundError: it is gone: a newer generation has replaced it.
        IndexUnavailable: it cannot be read now.
    """
    with arrays.reading(path):
        descriptor = os.open(path, os.O_RDONLY)
    claim = Claim(descriptor)
    _flock(descriptor, fcntl.LOCK_SH)  # waits for a writer that is removing it
    return claim


def take(path: Path) -> Claim | None:
    """Claim a generation for removal, or return None while a reader holds it."""
    descriptor = os.open(path, os.O_RDONLY)
    claim = Claim(descriptor)
    return claim if _flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB) else None


def _flock(descriptor: int, operation: int) -> bool:
    """Lock, and return whether no one else's lock forbids it."""
    try:
        fcntl.flock(descriptor, operation)
    except BlockingIOError:
        return False
    except OSError:  # this file system has no locks
        return True
    return True
