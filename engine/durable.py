"""Writes that are either wholly there after a crash, or not at all.

Every byte of an index reaches the disk through this module: write, flush, fsync, rename,
fsync the folder. Nothing else in the engine opens a file for writing.
"""

from __future__ import annotations

import hashlib
import os
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


def write_file(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Create `path`, let `write` fill it, and fsync it. The name is not yet durable."""
    with path.open("wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, data: bytes) -> None:
    """Atomically replace `path` by `data`: readers see the old bytes or the new ones."""
    temporary = path.with_name(path.name + ".tmp")
    write_file(temporary, lambda file: file.write(data))
    temporary.replace(path)
    sync_folder(path.parent)


def sha256_of(path: Path) -> str:
    """Return the hex SHA-256 of a file, read in chunks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
