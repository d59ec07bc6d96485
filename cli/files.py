"""Files that commands write, and the source files of hits: nothing is lost, all is named."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from unify.cli.render import printable
from unify.engine.errors import MediaError, UsageError


def require_free(path: Path, force: bool) -> None:
    """See that writing a file loses none.

    Raises:
        UsageError: it exists, and is not to be replaced.
    """
    if str(path) != "-" and not force and path.exists():
        raise UsageError(f"{path} exists", "choose another name, or replace it: --force")


def require_place(path: Path, force: bool) -> None:
    """See that a file can be written where it is to be, and that none is lost.

    Raises:
        UsageError: there is no such folder, or it exists and is not to be replaced.
    """
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent} for {path.name}", "make it first")
    require_free(path, force)


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; `-` is stdout."""
    if str(path) == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink()


def at_hand(hit: dict[str, Any]) -> dict[str, Any]:
    """Return a hit with the path at which its video, or a copy of it, is there.

    Raises:
        UsageError: there is none.
    """
    for path in (hit["path"], *hit.get("copies", ())):
        if Path(path).is_file():
            return {**hit, "path": path}
    raise UsageError(
        f"{printable(hit['path'])} is not there any more",
        "bring it back, or run unify index build and search again",
    )


@contextmanager
def named(hit: dict[str, Any]) -> Iterator[None]:
    """Name the video of a hit in what is wrong with it."""
    try:
        yield
    except MediaError as error:
        raise MediaError(f"{printable(hit['video'])}: {error.message}", error.hint) from None
