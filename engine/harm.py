"""Which videos of a segment the damaged bytes of its files touch.

A video's rows lie together, and so do its frames (`Source.stretches`): what byte of which file
belongs to which of them follows from the format alone (`engine/segment.py`).
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from unify.engine import arrays
from unify.engine.live_rows import Source
from unify.engine.segment import LATENTS, MOMENT, Segment
from unify.engine.types import Bool, Int64

Ranges: TypeAlias = Sequence[tuple[int, int]]  # from, to
_DTYPES: dict[str, npt.DTypeLike] = {"indptr": "<i8", "terms": "<u2", "weights": "<f2"}
_UNITS = {"moments": "row", "frames": "frame", "forward": "row", "tracks": "frame"}


def spared(source: Source, folder: Path, ranges: Mapping[str, Ranges]) -> Bool | None:
    """Return which stretches of a segment no damage touches.

    Args:
        source: the segment.
        folder: where it lies.
        ranges: the damaged bytes of the files that hold its rows, by name.

    Returns:
        (stretches,) bool, or None where it cannot be told: a header is damaged, or both the
        bounds and the contents of rows.

    Raises:
        DamagedIndex: a file does not hold what it must.
    """
    segment = source.open()
    whole = np.ones(len(source.stretches), np.bool_)
    for name, bytes_ in ranges.items():
        kind, _, part = name.removesuffix(".npy").partition("_")
        if name == LATENTS:
            row_bytes = 2 * segment.latent_dim
            offset = (folder / name).stat().st_size - len(segment) * row_bytes
            unit, harmed = "row", _items(bytes_, offset, row_bytes)
        else:
            dtype = _DTYPES.get(part, MOMENT if kind == "moments" else "<f8")
            array = arrays.load(folder / name, dtype)
            offset = (folder / name).stat().st_size - array.nbytes
            if not _is_header(folder / name, array, offset):
                return None
            unit, harmed = _UNITS[kind], _items(bytes_, offset, array.itemsize)
            if part in ("terms", "weights"):
                if f"{kind}_indptr.npy" in ranges:
                    return None
                harmed = _owners(segment, kind, harmed)
            elif part == "indptr":  # where a row ends is where the next begins
                harmed = [(first - 1, last) for first, last in harmed]
            elif kind == "moments":  # of which video a record was nobody knows: of its neighbours'?
                harmed = [(first - 1, last + 1) for first, last in harmed]
        starts = source.stretches[unit]
        ends = starts + source.stretches[f"{unit}s"]
        for first, last in harmed:
            whole &= (ends <= first) | (starts >= last)
    return whole


def _items(bytes_: Ranges, offset: int, size: int) -> list[tuple[int, int]]:
    """Return which items of `size` bytes, the first at `offset`, lie in some bytes."""
    return [
        (max(0, first - offset) // size, -(-(last - offset) // size))
        for first, last in bytes_
        if last > offset
    ]


def _is_header(path: Path, array: npt.NDArray[np.generic], offset: int) -> bool:
    expected = io.BytesIO()
    arrays.write_header(expected, array.dtype, len(array))
    with path.open("rb") as file:
        return file.read(offset) == expected.getvalue()


def _owners(segment: Segment, kind: str, entries: Ranges) -> list[tuple[int, int]]:
    """Return which rows or frames some terms or weights belong to."""
    indptr: Int64 = (segment.forward if kind == "forward" else segment.tracks)[0]
    return [
        (int(np.searchsorted(indptr, first, "right")) - 1, int(np.searchsorted(indptr, last)))
        for first, last in entries
    ]
