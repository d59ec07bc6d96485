"""Arrays as `.npy` files: written durably, mapped read-only, and never trusted unchecked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unify.engine import durable
from unify.engine.errors import DamagedIndex, IndexUnavailable
from unify.engine.manifest import FileEntry


def damaged(path: Path, what: str) -> DamagedIndex:
    """Return the error that names a damaged file."""
    return DamagedIndex(f"{path} is damaged ({what})", "see all damage with: unify index verify")


def unreadable(path: Path) -> IndexUnavailable:
    """Return the error that names a file which may not be read."""
    return IndexUnavailable(f"{path} may not be read", "check its permissions")


def check_size(path: Path, file: FileEntry) -> None:
    """Check that a file of the index is there with the size that was published.

    Raises:
        FileNotFoundError: it is gone: a newer generation may have replaced it.
        DamagedIndex: its size is another one.
    """
    try:
        size = path.stat().st_size
    except PermissionError:
        raise unreadable(path) from None
    if size != file.size_bytes:
        raise damaged(path, f"{size} bytes, expected {file.size_bytes}")


def save(path: Path, array: npt.NDArray[Any]) -> None:
    """Write an array; the caller makes the name durable."""
    durable.write_file(path, lambda file: np.save(file, array, allow_pickle=False))


def load(path: Path, dtype: npt.DTypeLike, count: int | None = None) -> npt.NDArray[Any]:
    """Map a one-dimensional array read-only.

    Args:
        path: the file.
        dtype: what it must hold.
        count: how many items it must hold, or None for any number.

    Raises:
        FileNotFoundError: it is gone.
        DamagedIndex: it holds something else.
    """
    try:
        mapped = np.load(path, mmap_mode="r" if count != 0 else None, allow_pickle=False)
    except FileNotFoundError:
        raise
    except PermissionError:
        raise unreadable(path) from None
    except Exception as error:  # numpy parses the header with Python's tokenizer
        raise damaged(path, str(error).split(".")[0]) from None
    if mapped.dtype != np.dtype(dtype) or mapped.ndim != 1 or count not in (None, len(mapped)):
        raise damaged(path, f"holds {mapped.dtype}{mapped.shape}")
    return np.asarray(mapped)
