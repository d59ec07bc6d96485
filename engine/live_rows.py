"""The live rows of segments, in any order of their videos, as a compaction reads them.

A video's rows lie together in one segment, and so do its frames: a stretch of each. Everything
comes in blocks, gathered from all segments that a block has rows of. It must not know where the
rows go.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unify.engine.errors import DamagedIndex
from unify.engine.manifest import IndexSettings, SegmentEntry
from unify.engine.rescore import Rows
from unify.engine.segment import Segment
from unify.engine.types import Float16, Float64, Int64, UInt16, UInt32
from unify.engine.verify import check_file

BLOCK = 32_768  # rows or frames that are gathered at once
_STRETCH = np.dtype(
    [("video", "<u4"), ("source", "<u4"), ("row", "<i8"), ("rows", "<i8"), ("frame", "<i8"),
     ("frames", "<i8")]
)  # fmt: skip


class Source:
    """A segment to take rows from.

    It is opened anew for each use: every mapped file is an open one, and there may be thousands.

    Attributes:
        entry: the segment.
        videos: ids of all its videos, dead ones included, by row.
        stretches: (live videos,) where each lies; `source` is 0.
    """

    def __init__(
        self, directory: Path, entry: SegmentEntry, settings: IndexSettings, dead: UInt32
    ) -> None:
        self.entry = entry
        self._directory, self._settings = directory, settings
        moments = self.open().moments
        owners = moments["video"]
        starts = np.flatnonzero(np.diff(owners, prepend=~owners[:1]) != 0)
        self.videos: UInt32 = owners[starts]
        found = np.zeros(len(starts), _STRETCH)
        if len(starts):
            found["video"], found["row"] = self.videos, starts
            found["rows"] = np.diff(starts, append=len(moments))
            found["frame"] = np.minimum.reduceat(moments["first"], starts)
            found["frames"] = np.maximum.reduceat(moments["last"], starts) - found["frame"]
        self.stretches: npt.NDArray[np.void] = found[~np.isin(self.videos, dead)]

    def __len__(self) -> int:
        return int(self.stretches["rows"].sum())

    def open(self) -> Segment:
        """Return the segment."""
        return Segment(self._directory, self.entry, self._settings)

    def check(self, names: Collection[str] = ()) -> None:
        """Check every byte, so that no damage gets a fresh checksum; of some files only, if named.

        Raises:
            DamagedIndex: naming the file.
        """
        for file in (file for file in self.entry.files if not names or file.name in names):
            for problem in check_file(self.entry.folder(self._directory) / file.name, file):
                raise DamagedIndex(problem, "see all damage with: unify index verify")


class LiveRows:
    """Live videos of some segments, one after the other.

    Attributes:
        stretches: where each video lies now; `source` is the number of its source.
    """

    def __init__(self, sources: Sequence[Source], stretches: npt.NDArray[np.void]) -> None:
        self._sources = sources
        self.stretches = stretches

    @staticmethod
    def arranged(
        sources: Sequence[Source], numbers: Mapping[int, int], most: int
    ) -> list[LiveRows]:
        """Put the live videos of sources in order, in parts of whole videos.

        Args:
            sources: the segments.
            numbers: for each live video, what it is ordered by.
            most: rows of a part, unless its first video alone has more.
        """
        parts = [source.stretches for source in sources]
        found = np.concatenate([np.zeros(0, _STRETCH), *parts])
        found["source"] = np.repeat(np.arange(len(sources)), [len(part) for part in parts])
        keys = np.array([numbers[video] for video in found["video"].tolist()], np.int64)
        found = found[np.argsort(keys, kind="stable")]
        cuts, rows = [], 0
        for place, count in enumerate(found["rows"].tolist()):
            rows += count
            if rows > most and rows > count:
                cuts.append(place)
                rows = count
        return [LiveRows(sources, part) for part in np.split(found, cuts) if len(part)]

    def __len__(self) -> int:
        return int(self.stretches["rows"].sum())

    @property
    def whole(self) -> bool:
        """Whether these are the rows of one segment, all of them, as they lie there."""
        rows, source = self.stretches["row"], self.stretches["source"][0]
        same = bool((self.stretches["source"] == source).all() and (np.diff(rows) > 0).all())
        return same and len(self) == self._sources[source].entry.moments

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return int(self.stretches["frames"].sum())

    def moments(self) -> Iterator[npt.NDArray[np.void]]:
        """Yield the records, frames counted from the first of these."""
        at = np.cumsum(self.stretches["frames"]) - self.stretches["frames"]
        moved = (at - self.stretches["frame"])[:, None]
        for which, rows in self._blocks("row"):
            block = self._taken(which, rows, lambda segment, rows: segment.moments[rows])
            for name in ("first", "last"):
                block[name] = block[name] + moved[which, 0]
            yield block

    def times(self) -> Iterator[Float64]:
        """Yield the times of the frames."""
        for which, rows in self._blocks("frame"):
            yield self._taken(which, rows, lambda segment, rows: segment.frames[rows])

    def latents(self) -> Iterator[Float16]:
        """Yield the vectors."""
        for which, rows in self._blocks("row"):
            yield self._taken(which, rows, lambda segment, rows: segment.latents[rows])

    def lengths(self, name: str) -> Int64:
        """Return how many entries each row of `forward`, or each frame of `tracks`, has."""

        def count(segment: Segment, rows: Int64) -> Int64:
            indptr, _, _ = _csr(segment, name)
            return indptr[rows + 1] - indptr[rows]

        parts = [self._taken(which, rows, count) for which, rows in self._blocks(_UNIT[name])]
        return np.concatenate([np.zeros(0, np.int64), *parts])

    def terms(self, name: str) -> Iterator[UInt16]:
        """Yield the term ids of rows."""
        return self._entries(name, 1)

    def weights(self, name: str) -> Iterator[Float16]:
        """Yield their weights."""
        return self._entries(name, 2)

    def _entries(self, name: str, column: int) -> Iterator[Any]:
        for which, rows in self._blocks(_UNIT[name]):
            sources = self.stretches["source"][which]
            counts = np.zeros(len(rows), np.int64)
            parts = []
            for number in np.unique(sources):
                here = sources == number
                csr = _csr(self._sources[number].open(), name)
                starts = csr[0][rows[here]]
                counts[here] = csr[0][rows[here] + 1] - starts
                parts.append((number, csr[column][_each(starts, counts[here])]))
            owners = np.repeat(sources, counts)
            block = np.empty(len(owners), parts[0][1].dtype)
            for number, values in parts:
                block[owners == number] = values
            yield block

    def _blocks(self, unit: str) -> Iterator[tuple[Int64, Int64]]:
        """Yield, for some rows or frames at a time, the stretch and the place in the segment."""
        counts = self.stretches[f"{unit}s"]
        ends = np.cumsum(counts)
        moved = self.stretches[unit] - (ends - counts)
        total = int(counts.sum())
        for at in range(0, total, BLOCK):
            places = np.arange(at, min(at + BLOCK, total))
            which = np.searchsorted(ends, places, side="right")
            yield which, moved[which] + places

    def _taken(self, which: Int64, rows: Int64, of: Callable[[Segment, Int64], Any]) -> Any:
        """Gather rows of several segments."""
        sources = self.stretches["source"][which]
        block = None
        for number in np.unique(sources):
            here = sources == number
            values = of(self._sources[number].open(), rows[here])
            if block is None:
                block = np.empty((len(rows), *values.shape[1:]), values.dtype)
            block[here] = values
        return block


_UNIT = {"forward": "row", "tracks": "frame"}


def _csr(segment: Segment, name: str) -> Rows:
    return segment.forward if name == "forward" else segment.tracks


def _each(starts: Int64, counts: Int64) -> Int64:
    """Return all places of stretches, one stretch after the other.

    >>> _each(np.array([7, 2]), np.array([2, 3])).tolist()
    [7, 8, 2, 3, 4]
    """
    before = np.cumsum(counts) - counts
    return np.repeat(starts - before, counts) + np.arange(int(counts.sum()))
