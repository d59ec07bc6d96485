"""Checksums of a segment's files by block, which tell where in a file the damage is.

The manifest's SHA-256 of a whole file tells whether it is damaged. A segment may hold all videos
of an index, so that one flipped bit would cost them all; with these, `engine/mend.py` gives up
the videos whose rows lie in damaged blocks and keeps the others.

`blocks.npy` holds a CRC-32 for each 4 KiB of each other file, the last block being shorter, files
in the order of their names: a thousandth of the segment. Disks lose such blocks as a whole.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unify.engine import arrays
from unify.engine.errors import DamagedIndex
from unify.engine.manifest import FileEntry, SegmentEntry

BLOCKS = "blocks.npy"
BLOCK_BYTES = 1 << 12


def write_blocks(folder: Path) -> None:
    """Write the checksums of all files of a new segment."""
    sums = [crc for path in sorted(folder.iterdir()) for crc in _sums(path)]
    arrays.save(folder / BLOCKS, np.array(sums, "<u4"))


def has_blocks(entry: SegmentEntry) -> bool:
    """Whether a segment has such checksums; those of earlier versions have not."""
    return any(file.name == BLOCKS for file in entry.files)


def damaged_ranges(
    folder: Path, entry: SegmentEntry, names: Collection[str]
) -> dict[str, list[tuple[int, int]]] | None:
    """Return which bytes of files are not what was written.

    Args:
        folder: the segment.
        entry: its files.
        names: those of them that are damaged.

    Returns:
        (from, to) of each damaged block by file, or None where that cannot be told: the
        checksums are damaged or were never written, a file has another size or cannot be read.
    """
    known = _known(folder, entry)
    ranges: dict[str, list[tuple[int, int]]] = {}
    for file in entry.files:
        if file.name not in names:
            continue
        try:
            same_size = (folder / file.name).stat().st_size == file.size_bytes
            if known is None or not same_size:
                return None
            found = np.fromiter(_sums(folder / file.name), np.uint32)
        except OSError:
            return None
        bad = np.flatnonzero(found != known[file.name])
        ranges[file.name] = [
            (at, min(at + BLOCK_BYTES, file.size_bytes)) for at in (bad * BLOCK_BYTES).tolist()
        ]
    return ranges


def _known(folder: Path, entry: SegmentEntry) -> dict[str, npt.NDArray[Any]] | None:
    """Return the checksums by file."""
    files = sorted((f for f in entry.files if f.name != BLOCKS), key=lambda file: file.name)
    ends = np.cumsum([_count(file) for file in files])
    try:
        sums = arrays.load(folder / BLOCKS, "<u4", int(ends[-1]))
    except (DamagedIndex, FileNotFoundError):
        return None
    return dict(zip((file.name for file in files), np.split(sums, ends[:-1]), strict=True))


def _count(file: FileEntry) -> int:
    return -(-file.size_bytes // BLOCK_BYTES)


def _sums(path: Path) -> Iterator[int]:
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            yield zlib.crc32(block)
