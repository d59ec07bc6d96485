"""Arrays as `.npy` files: written durably, mapped read-only, and never trusted unchecked."""

from __future__ import annotations

import errno
import mmap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from unify.engine import durable
from unify.engine.errors import DamagedIndex, IndexUnavailable
from unify.engine.manifest import FileEntry


def damaged(path: Path, what: str) -> DamagedIndex:
    """Return the error that names a damaged file."""
    return DamagedIndex(f"{path} is damaged ({what})", "see all damage with: unify index verify")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Tell what keeps this process from reading a file apart from damage to it.

    Raises:
        FileNotFoundError: it is gone: a newer generation may have replaced it.
        IndexUnavailable: it may not be read, or this process has no file or memory left for it.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except PermissionError:
        raise IndexUnavailable(f"{path} may not be read", "check its permissions") from None
    except OSError as error:
        hints = {
            errno.EMFILE: "raise this process's limit (ulimit -n), or run: unify index compact",
            errno.ENFILE: "the whole system has too many: close some programs",
            errno.ENOMEM: "make room in memory",
        }
        raise IndexUnavailable(
            f"{path} cannot be read now ({error.strerror or error})",
            hints.get(error.errno or 0, "check the disk"),
        ) from None


def check_size(path: Path, file: FileEntry) -> None:
    """Check that a file of the index is there with the size that was published.

    Raises:
        FileNotFoundError: it is gone: a newer generation may have replaced it.
        IndexUnavailable: it cannot be read now.
        DamagedIndex: its size is another one.
    """
    with reading(path):
        size = path.stat().st_size
    if size != file.size_bytes:
        raise damaged(path, f"{size} bytes, expected {file.size_bytes}")


def save(path: Path, array: npt.NDArray[Any]) -> None:
    """Write an array; the caller makes the name durable."""
    save_blocks(path, array.dtype, len(array), [array])


def save_blocks(
    path: Path, dtype: npt.DTypeLike, count: int, blocks: Iterable[npt.NDArray[Any]]
) -> None:
    """Write a one-dimensional array of `count` items that comes in blocks."""

    def write(file: BinaryIO) -> None:
        write_header(file, dtype, count)
        for block in blocks:
            file.write(np.ascontiguousarray(block, dtype).data)

    durable.write_file(path, write)


def write_header(file: BinaryIO, dtype: npt.DTypeLike, count: int) -> None:
    """Begin a `.npy` file of `count` items; `np.save` would write past Python's `file`."""
    description = np.lib.format.dtype_to_descr(np.dtype(dtype))
    header = {"descr": description, "fortran_order": False, "shape": (count,)}
    np.lib.format.write_array_header_1_0(file, header)


def load(path: Path, dtype: npt.DTypeLike, count: int | None = None) -> npt.NDArray[Any]:
    """Map a one-dimensional array read-only.

    Args:
        path: the file.
        dtype: what it must hold.
        count: how many items it must hold, or None for any number.

    Raises:
        FileNotFoundError: it is gone.
        IndexUnavailable: it cannot be read now.
        DamagedIndex: it holds something else.
    """
    try:
        with reading(path):
            mapped = np.load(path, mmap_mode="r" if count != 0 else None, allow_pickle=False)
    except (FileNotFoundError, IndexUnavailable):
        raise
    except Exception as error:  # numpy parses the header with Python's tokenizer
        raise damaged(path, str(error).split(".")[0]) from None
    if mapped.dtype != np.dtype(dtype) or mapped.ndim != 1 or count not in (None, len(mapped)):
        raise damaged(path, f"holds {mapped.dtype}{mapped.shape}")
    return np.asarray(mapped)


def at_random(array: npt.NDArray[Any]) -> None:
    """Tell the system that a mapped array is read a row here and there, not from end to end.

    A row that is not in memory is else read with 128 KB around it (Linux), which drive out rows
    that are wanted where memory is short. What is no map is left alone.
    """
    owner: object = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    if isinstance(owner, mmap.mmap) and hasattr(mmap, "MADV_RANDOM"):  # not on every system
        owner.madvise(mmap.MADV_RANDOM)
