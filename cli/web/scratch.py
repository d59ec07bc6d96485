"""Folders for files that somebody sends, or that are made for him: for this user alone.

A server that is killed leaves them; the next one takes them away. They are locked as long as their
server lives, so that those of another one stay.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fastapi import HTTPException

_PREFIX = "unify-serve-"
_NEW_S = 60.0  # a younger one may not be locked yet


@contextmanager
def folder() -> Iterator[Path]:
    """Hold a folder, empty at first; it goes with what is in it.

    Raises:
        HTTPException: there is no room for it.
    """
    try:
        made = tempfile.TemporaryDirectory(prefix=_PREFIX)
    except OSError as error:
        raise HTTPException(507, f"there is no room for the file: {error.strerror}") from None
    with made as name, _opened(name) as descriptor:
        with suppress(OSError):  # not every file system has locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield Path(name)


def sweep() -> None:
    """Take away the folders of servers that are no more."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError), _opened(left) as descriptor:  # another's, locked, or just gone
            facts = os.fstat(descriptor)
            if facts.st_uid == os.getuid() and time.time() - facts.st_mtime > _NEW_S:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left)


@contextmanager
def _opened(name: str | Path) -> Iterator[int]:
    descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
