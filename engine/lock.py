"""The folder of an index under one writer: taken, and told from anybody else's."""

from __future__ import annotations

import errno
import fcntl
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from unify.engine import durable
from unify.engine.errors import IndexUnavailable, UsageError
from unify.engine.manifest import COPY
from unify.engine.manifest import NAME as MANIFEST

TABLES = re.compile(r"(videos|tombstones)-\d+\.(npy|txt)|manifest(-copy)?\.json\.tmp")
_OUR_SEGMENT = re.compile(r"\d{8}(\.tmp)?")
_WRITERS = ("lock", "catalog.sqlite", "catalog.sqlite-journal", "progress.json")


def take(directory: Path) -> TextIO:
    """Take the lock of an index folder, made where there is none; closing it gives it back.

    Raises:
        UsageError: the folder cannot be written, or holds no index but other files.
        IndexUnavailable: another process is writing it.
        OSError: the disk is full or fails.
    """
    try:
        _check_free(directory)
        durable.make_folder(directory)
        held = (directory / "lock").open("w")
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            raise  # the place is right, the disk is not
        raise UsageError(
            f"cannot write an index in {directory}: {error.strerror}",
            "check its permissions, or choose another --index",
        ) from None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        held.close()
        raise IndexUnavailable(
            f"another process is writing {directory}", "wait for it, or stop it, and try again"
        ) from None
    return held


@contextmanager
def guarded(directory: Path) -> Iterator[None]:
    """Turn what the file system refuses into one clear line; the published index stays whole."""
    try:
        yield
    except OSError as error:
        raise IndexUnavailable(
            f"cannot write the index {directory}: {error.strerror or error}",
            "what was published stays; make room or check its permissions, then run again",
        ) from error


def is_segment(path: Path) -> bool:
    """Whether a path is named as the folder of a segment, or of one half written."""
    return bool(_OUR_SEGMENT.fullmatch(path.name))


def _check_free(directory: Path) -> None:
    """See that a folder is not somebody else's: absent, empty, or an index.

    Raises:
        UsageError: it holds other files.
    """
    there = list(directory.iterdir()) if directory.is_dir() else []
    if any(path.name in (MANIFEST, COPY) for path in there):
        return
    strange = [
        path.name
        for path in there
        if not (TABLES.fullmatch(path.name) or path.name in _WRITERS)
        and not (path.name == "segments" and all(map(is_segment, path.iterdir())))
    ]
    if strange:
        raise UsageError(
            f"{directory} is no index and not empty (it holds {min(strange)})",
            "choose another --index, such as an empty or a new folder",
        )
