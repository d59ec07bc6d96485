"""Writes that are either wholly there after a crash, or not at all.

Every byte of an index, and every name in its folders, comes and goes through this module: write,
flush, fsync, rename, fsync the folder. Nothing else in the engine writes, renames or removes a
file (a test looks), so that a test that fails every step here has failed every step there is.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


def sync_folder(folder: Path) -> None:
    """Make renames and new names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, durably; one that is there already is left as it is."""
    if not folder.is_dir():
        make_folder(folder.parent)
        try:
            os.mkdir(folder)  # noqa: PTH102 - the tests fail the steps of this module's `os`
        except FileExistsError:
            if not folder.is_dir():
                raise
        sync_folder(folder.parent)


def write_file(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Create `path`, let `write` fill it, and fsync it. The name is not yet durable."""
    with open(path, "wb") as file:  # noqa: PTH123
        write(file)
        file.flush()
        os.fsync(file.fileno())


def rename(path: Path, target: Path) -> None:
    """Atomically give a file or folder another name in the same folder, durably."""
    os.replace(path, target)  # noqa: PTH105
    sync_folder(target.parent)


def replace_file(path: Path, data: bytes) -> None:
    """Atomically replace `path` by `data`: readers see the old bytes or the new ones."""
    temporary = path.with_name(path.name + ".tmp")
    write_file(temporary, lambda file: file.write(data))
    rename(temporary, path)


def remove(path: Path) -> None:
    """Remove a file, or a folder and all that is in it. Not durable: it may come back."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def sha256_of(path: Path) -> str:
    """Return the hex SHA-256 of a file, read in chunks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
