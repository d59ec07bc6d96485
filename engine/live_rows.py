"""The live rows of segments, in runs, as a compaction reads them.

A run is a stretch of a segment's rows without those of tombstoned videos. It must not know where
the rows go.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from unify.engine.errors import DamagedIndex
from unify.engine.manifest import IndexSettings, SegmentEntry
from unify.engine.postings import WINDOW
from unify.engine.rescore import Rows
from unify.engine.segment import Segment
from unify.engine.types import Bool, Float16, Int64, UInt16, UInt32
from unify.engine.verify import check_file


class LiveRows:
    """The live rows and frames of a segment, or of a run of its rows.

    It is opened anew for each use: every mapped file is an open one, and there may be thousands.
    """

    def __init__(
        self,
        directory: Path,
        entry: SegmentEntry,
        settings: IndexSettings,
        dead: UInt32,
        span: tuple[int, int] | None = None,
    ) -> None:
        self.entry = entry
        self._directory, self._settings, self._dead = directory, settings, dead
        self._first, self._last = span or (0, entry.moments)
        self._rows: Bool = ~np.isin(self._moments()["video"], dead)  # of those from first to last

    def __len__(self) -> int:
        return int(np.count_nonzero(self._rows))

    def _open(self) -> Segment:
        return Segment(self._directory, self.entry, self._settings)

    def _moments(self) -> npt.NDArray[np.void]:
        return self._open().moments[self._first : self._last]

    def run(self, first: int, last: int) -> LiveRows:
        """Return a part: rows `first` up to `last` of the segment."""
        span = (first, last)
        return LiveRows(self._directory, self.entry, self._settings, self._dead, span)

    def check(self, names: Collection[str] = ()) -> None:
        """Check every byte, so that no damage gets a fresh checksum; of some files only, if named.

        Raises:
            DamagedIndex: naming the file.
        """
        for file in (file for file in self.entry.files if not names or file.name in names):
            for problem in check_file(self.entry.folder(self._directory) / file.name, file):
                raise DamagedIndex(problem, "see all damage with: unify index verify")

    def videos(self) -> UInt32:
        """Return the ids of all videos, dead ones included."""
        return np.unique(self._moments()["video"])

    def places(self) -> tuple[UInt32, Int64, Int64]:
        """Return the id, the first row and one past the last of each live video, by row."""
        rows = np.flatnonzero(self._rows)
        owners = self._moments()["video"][rows]
        new = np.flatnonzero(owners[1:] != owners[:-1]) + 1
        firsts = np.concatenate([np.zeros(min(1, len(rows)), np.int64), new])
        lasts = np.concatenate([new, np.full(min(1, len(rows)), len(rows))]) - 1
        return owners[firsts], rows[firsts] + self._first, rows[lasts] + self._first + 1

    @cached_property
    def _frames(self) -> tuple[int, Bool]:
        """The first frame of any live moment, and which of those from there on have one."""
        moments = self._moments()[self._rows]
        first = int(moments["first"].min()) if len(moments) else 0
        count = int(moments["last"].max()) - first if len(moments) else 0
        begun, ended = (
            np.bincount(moments[name] - first, minlength=count + 1) for name in ("first", "last")
        )
        return first, np.cumsum(begun - ended)[:count] > 0

    def moments(self, first_frame: int) -> npt.NDArray[np.void]:
        """Return the live records, frames counted from `first_frame`."""
        moments = self._moments()[self._rows]
        first, kept = self._frames
        place = np.concatenate([[0], np.cumsum(kept)]) + first_frame
        for name in ("first", "last"):
            moments[name] = place[moments[name] - first]
        return moments

    def frames(self) -> npt.NDArray[np.float64]:
        """Return the times of frames that live moments have."""
        first, kept = self._frames
        return self._open().frames[first : first + len(kept)][kept]

    def latents(self) -> Iterator[Float16]:
        """Yield the live vectors."""
        vectors = self._open().latents[self._first : self._last]
        for start in range(0, len(self._rows), WINDOW):
            part = slice(start, start + WINDOW)
            yield vectors[part][self._rows[part]]

    def lengths(self, name: str) -> Int64:
        """Return how many entries each live row of `forward` or `tracks` has."""
        (indptr, _, _), rows = self._csr(name)
        return np.diff(indptr)[rows]

    def terms(self, name: str) -> Iterator[UInt16]:
        """Yield the term ids of live rows."""
        for terms, _, mask in self._blocks(name):
            yield terms[mask]

    def weights(self, name: str) -> Iterator[Float16]:
        """Yield their weights."""
        for _, weights, mask in self._blocks(name):
            yield weights[mask]

    def _csr(self, name: str) -> tuple[Rows, Bool]:
        segment = self._open()
        first, kept = (self._first, self._rows) if name == "forward" else self._frames
        indptr, terms, weights = segment.forward if name == "forward" else segment.tracks
        return (indptr[first : first + len(kept) + 1], terms, weights), kept

    def _blocks(self, name: str) -> Iterator[tuple[UInt16, Float16, Bool]]:
        (indptr, terms, weights), rows = self._csr(name)
        for start in range(0, len(rows), WINDOW):
            ends = indptr[start : start + WINDOW + 1]
            span = slice(int(ends[0]), int(ends[-1]))
            yield terms[span], weights[span], np.repeat(rows[start : start + WINDOW], np.diff(ends))


def by_video(sources: Sequence[LiveRows]) -> list[LiveRows]:
    """Cut sources into runs that hold, one after the other, the live videos by ascending id."""
    places = [source.places() for source in sources]
    videos, firsts, lasts = (np.concatenate(column) for column in zip(*places, strict=True))
    counts = [len(ids) for ids, _, _ in places]
    owner = np.repeat(np.arange(len(sources)), counts)
    order = np.argsort(videos, kind="stable")
    # A run goes on where the next video is also the next one of the same source.
    cuts = np.flatnonzero((np.diff(order) != 1) | (np.diff(owner[order]) != 0)) + 1
    return [
        sources[owner[run[0]]].run(int(firsts[run[0]]), int(lasts[run[-1]]))
        for run in np.split(order, cuts)
        if len(run)
    ]
