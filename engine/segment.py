"""An immutable part of an index: its format, how it is written, and how it is opened.

`segments/<id>/` holds, for M moments of whole videos over F frames (all arrays little-endian
`.npy`, opened by mmap):

    moments.npy            (M,) records: video id, first and one-past-last frame, start_s, end_s
    frames.npy             (F,) float64 presentation times in seconds
    latents.faiss          a FAISS IndexScalarQuantizer (fp16, inner product) of the M latents; its
                           codes end the file, so the rescorer reads them in place as float16
    ann.faiss              in segments of `ANN_FROM` moments and more: see `engine/ann.py`
    forward_{indptr,terms,weights}.npy  rows by moment, float16, for exact scores and explanations
    tracks_{indptr,terms,weights}.npy   rows by frame, float16: when each term shows
    scales.npy             (2V,) float32: a posting's uint8 code times its term's scale is its
                           weight, rounded up
    blocks.npy             checksums by block of all the others: see `engine/blocks.py`
    postings_{indptr,ids,codes}.npy     by window of 65,536 moments, then by term, then by moment:
                           indptr[(w * 2V) + t] is where term t of window w begins; ids are uint16
                           offsets in the window

Terms are 2V: each word as shown and as said (`engine/said.py`).

Postings only say which moments to look at, and never too little; scores are those of the rows.
Codes of 8 bits alone would replace 0.7 % of the ten best of a real caption (MSR-VTT stills), 12
bits 0.04 %. As rows know no scales, a merge of segments copies them bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unify.engine import arrays, durable, latents
from unify.engine.ann import ANN, ANN_FROM, write_ann
from unify.engine.blocks import write_blocks
from unify.engine.manifest import FileEntry, IndexSettings, SegmentEntry, segment_folder
from unify.engine.postings import WINDOW, Postings
from unify.engine.rescore import Rows
from unify.engine.types import (
    Float16,
    Float32,
    Float64,
    Int64,
    UInt8,
    UInt16,
)

LATENTS = "latents.faiss"
MAP_FROM = 1 << 20  # bytes; smaller arrays are read: a map is an open file, of which there are few
MOMENT = np.dtype(
    [
        ("video", "<u4"),
        ("first", "<u4"),
        ("last", "<u4"),
        ("pad", "<u4"),
        ("start_s", "<f8"),
        ("end_s", "<f8"),
    ]
)


@dataclass(frozen=True, slots=True)
class MomentSpans:
    """The moments of one video.

    Attributes:
        start_s: (M,) float64 seconds.
        end_s: (M,) float64 seconds, above start_s.
        first: (M,) int64 first frame.
        last: (M,) int64 one past the last frame.
    """

    start_s: Float64
    end_s: Float64
    first: Int64
    last: Int64

    def __len__(self) -> int:
        return len(self.start_s)


def stored(weights: Float32) -> Float16:
    """Return weights as rows keep them: float16, never 0, so that no kept term vanishes."""
    return np.maximum(weights, np.finfo(np.float16).smallest_subnormal).astype(np.float16)


def scales_of(largest: Float32) -> Float32:
    """Return (V,) scales of codes, given the largest weight of each term."""
    steps = np.maximum(largest, np.finfo(np.float32).tiny) / np.float32(255)
    return np.asarray(np.nextafter(steps, np.float32(np.inf)), np.float32)  # 255 steps reach it


def codes_of(terms: UInt16, weights: Float16, scales: Float32) -> UInt8:
    """Return codes that are at least the weights, by less than a step."""
    steps = np.ceil(weights.astype(np.float64) / scales.astype(np.float64)[terms])
    return np.clip(steps, 1, 255).astype(np.uint8)


def invert(indptr: Int64, terms: UInt16, codes: UInt8, size: int) -> tuple[Int64, UInt16, UInt8]:
    """Turn forward rows into windowed postings.

    Args:
        indptr: (M + 1,) of M rows.
        terms: (N,).
        codes: (N,).
        size: V.

    Returns:
        indptr (windows * V + 1,), ids (N,) and codes (N,), as the module describes.
    """
    count = len(indptr) - 1
    moment = np.repeat(np.arange(count), np.diff(indptr))  # (N,)
    window, local = np.divmod(moment, WINDOW)
    key = window * size + terms  # (N,) the list that each posting belongs to
    order = np.argsort(key, kind="stable")  # moments ascend within a list
    windows = -(-count // WINDOW)
    counts = np.bincount(key, minlength=windows * size)
    lists = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return lists, local[order].astype(np.uint16), codes[order]


@dataclass(frozen=True, slots=True)
class Size:
    """How many moments, frames and postings a segment has."""

    moments: int
    frames: int
    postings: int


def write_segment(
    directory: Path, segment_id: int, dim: int, fill: Callable[[Path], Size]
) -> SegmentEntry:
    """Make the folder of a segment, durably and under its name only when it is whole.

    Args:
        directory: the index.
        segment_id: a free one.
        dim: D.
        fill: writes the files into the folder that it is given.
    """
    final = segment_folder(directory, segment_id)
    folder = final.with_name(final.name + ".tmp")
    durable.make_folder(folder)
    try:
        size = fill(folder)
        if size.moments >= ANN_FROM:
            write_ann(folder / ANN, latents.map_flat(folder / LATENTS, size.moments, dim))
        write_blocks(folder)
    except OSError:
        with suppress(OSError):  # a full disk gets its room back now, not at the next build
            durable.remove(folder)
        raise
    files = tuple(FileEntry.of(path) for path in sorted(folder.iterdir()))
    durable.sync_folder(folder)
    durable.rename(folder, final)
    return SegmentEntry(segment_id, size.moments, size.frames, size.postings, files)


class Segment:
    """A read view of one segment. Arrays are mapped when first used; opening reads no rows.

    Small ones are read then, so that many small segments do not use up a process's open files.
    """

    def __init__(
        self, directory: Path, entry: SegmentEntry, settings: IndexSettings, *,
        at_random: bool = False,
    ) -> None:  # fmt: skip
        self.entry = entry
        self._at_random = at_random  # few rows are read, here and there; else all, in order
        self.id = entry.id
        self.base = entry.id << 32  # a moment's id is base | row
        self.latent_dim = settings.latent_dim
        self.lexicon_size = settings.lexicon_size
        self.stored_terms = settings.stored_terms
        self._folder = entry.folder(directory)
        for file in entry.files:
            arrays.check_size(self._folder / file.name, file)

    def __len__(self) -> int:
        return self.entry.moments

    def _load(self, name: str, dtype: npt.DTypeLike, count: int) -> Any:
        array = arrays.load(self._folder / f"{name}.npy", dtype, count)
        if array.nbytes < MAP_FROM:
            array = array.copy()
            array.flags.writeable = False  # as a map is: kernels are compiled for one kind
        return array

    @cached_property
    def moments(self) -> npt.NDArray[np.void]:
        """(M,) `MOMENT` records."""
        moments: npt.NDArray[np.void] = self._load("moments", MOMENT, len(self))
        return moments

    @cached_property
    def frames(self) -> Float64:
        """(F,) seconds."""
        times: Float64 = self._load("frames", "<f8", self.entry.frames)
        return times

    @cached_property
    def latents(self) -> Float16:
        """(M, D) float16, mapped."""
        mapped = latents.map_flat(self.latents_path, len(self), self.latent_dim)
        if self._at_random:
            arrays.at_random(mapped)
        return mapped

    @property
    def latents_path(self) -> Path:
        """The FAISS file of all latents."""
        return self._folder / LATENTS

    @property
    def ann_path(self) -> Path | None:
        """The FAISS file for approximate search, where there is one."""
        there = any(file.name == ANN for file in self.entry.files)
        return self._folder / ANN if there else None

    @cached_property
    def scales(self) -> Float32:
        """(2V,) float32."""
        scales: Float32 = self._load("scales", "<f4", self.stored_terms)
        return scales

    @cached_property
    def forward(self) -> Rows:
        """Rows by moment: indptr (M + 1,), terms, weights."""
        rows: Rows = self._csr("forward", "terms", "weights", "<f2", len(self) + 1)
        for array in rows if self._at_random else ():
            arrays.at_random(array)
        return rows

    @cached_property
    def tracks(self) -> Rows:
        """Rows by frame: indptr (F + 1,), terms, weights."""
        rows: Rows = self._csr("tracks", "terms", "weights", "<f2", self.entry.frames + 1)
        return rows

    @cached_property
    def postings(self) -> Postings:
        """Rows by window and term: indptr (windows * 2V + 1,), ids, codes."""
        windows = -(-len(self) // WINDOW)
        count = windows * self.stored_terms + 1
        lists: Postings = self._csr("postings", "ids", "codes", "|u1", count)
        return lists

    def _csr(self, name: str, column: str, values: str, dtype: str, rows: int) -> Any:
        indptr = self._load(f"{name}_indptr", "<i8", rows)
        count = int(indptr[-1])
        columns = self._load(f"{name}_{column}", "<u2", count)
        return indptr, columns, self._load(f"{name}_{values}", dtype, count)
