"""An immutable part of an index: its format, how it is written, and how it is opened.

`segments/<id>/` holds, for M moments of whole videos over F frames (all arrays little-endian
`.npy`, opened by mmap):

    moments.npy            (M,) records: video id, first and one-past-last frame, start_s, end_s
    frames.npy             (F,) float64 presentation times in seconds
    latents.faiss          a FAISS IndexScalarQuantizer (fp16, inner product) of the M latents; its
                           codes end the file, so the rescorer reads them in place as float16
    scales.npy             (V,) float32: a weight is its uint8 code times its term's scale
    forward_{indptr,terms,codes}.npy    rows by moment, for exact rescoring and explanations
    tracks_{indptr,terms,codes}.npy     rows by frame: when each term shows
    postings_{indptr,ids,codes}.npy     by window of 65,536 moments, then by term, then by moment:
                           indptr[(w * V) + t] is where term t of window w begins; ids are uint16
                           offsets in the window

The three views hold the same codes, so every score computed from any of them agrees.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unify.engine import arrays, durable, latents
from unify.engine.manifest import FileEntry, IndexSettings, SegmentEntry
from unify.engine.postings import WINDOW
from unify.engine.types import (
    Float16,
    Float32,
    Float64,
    Int64,
    MomentCodes,
    SparseRows,
    UInt8,
    UInt16,
)

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


def quantise(rows: SparseRows, scales: Float32) -> UInt8:
    """Return the codes of weights: at least 1, so that a kept term never vanishes."""
    codes = np.rint(rows.weights / scales[rows.terms])
    clipped: UInt8 = np.clip(codes, 1, 255).astype(np.uint8)
    return clipped


def invert(rows: SparseRows, codes: UInt8, size: int) -> tuple[Int64, UInt16, UInt8]:
    """Turn forward rows into windowed postings.

    Args:
        rows: M rows.
        codes: (N,) uint8, parallel to `rows.terms`.
        size: V.

    Returns:
        indptr (windows * V + 1,), ids (N,) and codes (N,), as the module describes.
    """
    moment = np.repeat(np.arange(len(rows)), np.diff(rows.indptr))  # (N,)
    window, local = np.divmod(moment, WINDOW)
    key = window * size + rows.terms  # (N,) the list that each posting belongs to
    order = np.argsort(key, kind="stable")  # moments ascend within a list
    windows = -(-len(rows) // WINDOW)
    counts = np.bincount(key, minlength=windows * size)
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return indptr, local[order].astype(np.uint16), codes[order]


class SegmentBuilder:
    """Collects whole videos in memory and writes them as one segment."""

    def __init__(self, settings: IndexSettings) -> None:
        latents.load_faiss()  # missing: say so now, not after an hour of encoding
        self._settings = settings
        self._videos: list[tuple[int, MomentSpans, Float64, MomentCodes]] = []

    @property
    def moments(self) -> int:
        """Moments added so far."""
        return sum(len(spans) for _, spans, _, _ in self._videos)

    def add(
        self, video_id: int, spans: MomentSpans, frame_times: Float64, codes: MomentCodes
    ) -> None:
        """Add one video.

        Args:
            video_id: its id.
            spans: its M moments.
            frame_times: (F,) seconds of its frames, ascending.
            codes: what the encoder made of them.

        Raises:
            ValueError: shapes that do not agree, or values that are not finite.
        """
        shape = (len(spans), self._settings.latent_dim)
        if codes.latents.shape != shape or len(codes.lexicon) != shape[0]:
            raise ValueError(f"latents of shape {codes.latents.shape}, expected {shape}")
        if len(codes.tracks) != len(frame_times):
            raise ValueError(f"{len(codes.tracks)} frame tracks for {len(frame_times)} frames")
        for rows in (codes.lexicon, codes.tracks):
            if len(rows.terms) and int(rows.terms.max()) >= self._settings.lexicon_size:
                raise ValueError("a term id is outside the lexicon")
            if not (np.isfinite(rows.weights).all() and (rows.weights > 0).all()):
                raise ValueError("a weight is not a finite positive number")
        if not (np.linalg.norm(codes.latents, axis=1) <= 1.001).all():  # false for NaN too
            raise ValueError("a latent is not finite or longer than 1")
        self._videos.append((video_id, spans, frame_times, codes))

    def video_ids(self) -> set[int]:
        """Return the ids of the videos added so far."""
        return {video_id for video_id, *_ in self._videos}

    def write(self, directory: Path, segment_id: int) -> SegmentEntry:
        """Write the segment under an index directory, durably; the caller publishes it."""
        entry = SegmentEntry(segment_id, 0, 0, 0, ())
        final = entry.folder(directory)
        folder = final.with_name(final.name + ".tmp")
        folder.mkdir(parents=True)
        columns = self._columns()
        for name, array in columns.items():
            arrays.save(folder / f"{name}.npy", array)
        vectors = np.concatenate([codes.latents for *_, codes in self._videos])
        latents.write_flat(folder / "latents.faiss", vectors.astype(np.float16))
        files = tuple(FileEntry.of(path) for path in sorted(folder.iterdir()))
        durable.sync_folder(folder)
        folder.rename(final)
        durable.sync_folder(final.parent)
        return SegmentEntry(
            segment_id, self.moments, len(columns["frames"]), len(columns["postings_ids"]), files
        )

    def _columns(self) -> dict[str, Any]:
        size = self._settings.lexicon_size
        rows = SparseRows.concatenate([codes.lexicon for *_, codes in self._videos])
        tracks = SparseRows.concatenate([codes.tracks for *_, codes in self._videos])
        scales = np.zeros(size, np.float32)
        for part in (rows, tracks):
            np.maximum.at(scales, part.terms, part.weights)
        scales = np.maximum(scales / np.float32(255), np.finfo(np.float32).tiny)
        codes, track_codes = quantise(rows, scales), quantise(tracks, scales)
        indptr, ids, posting_codes = invert(rows, codes, size)
        return {
            "moments": self._moments(),
            "frames": np.concatenate([times for _, _, times, _ in self._videos]),
            "scales": scales,
            "forward_indptr": rows.indptr,
            "forward_terms": rows.terms,
            "forward_codes": codes,
            "tracks_indptr": tracks.indptr,
            "tracks_terms": tracks.terms,
            "tracks_codes": track_codes,
            "postings_indptr": indptr,
            "postings_ids": ids,
            "postings_codes": posting_codes,
        }

    def _moments(self) -> Any:
        table = np.zeros(self.moments, MOMENT)
        row = frame = 0
        for video_id, spans, times, _ in self._videos:
            part = table[row : row + len(spans)]
            part["video"] = video_id
            part["first"] = spans.first + frame
            part["last"] = spans.last + frame
            part["start_s"] = spans.start_s
            part["end_s"] = spans.end_s
            row, frame = row + len(spans), frame + len(times)
        return table


class Segment:
    """A read view of one segment. Arrays are mapped when first used; opening reads no rows."""

    def __init__(self, directory: Path, entry: SegmentEntry, settings: IndexSettings) -> None:
        self.entry = entry
        self.id = entry.id
        self.base = entry.id << 32  # a moment's id is base | row
        self.latent_dim = settings.latent_dim
        self.lexicon_size = settings.lexicon_size
        self._folder = entry.folder(directory)
        for file in entry.files:
            arrays.check_size(self._folder / file.name, file)

    def __len__(self) -> int:
        return self.entry.moments

    def _load(self, name: str, dtype: npt.DTypeLike, count: int) -> Any:
        return arrays.load(self._folder / f"{name}.npy", dtype, count)

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
        return latents.map_flat(self.latents_path, len(self), self.latent_dim)

    @property
    def latents_path(self) -> Path:
        """The FAISS file."""
        return self._folder / "latents.faiss"

    @cached_property
    def scales(self) -> Float32:
        """(V,) float32."""
        scales: Float32 = self._load("scales", "<f4", self.lexicon_size)
        return scales

    @cached_property
    def forward(self) -> tuple[Int64, UInt16, UInt8]:
        """Rows by moment: indptr (M + 1,), terms, codes."""
        return self._csr("forward", "terms", "<u2", len(self) + 1)

    @cached_property
    def tracks(self) -> tuple[Int64, UInt16, UInt8]:
        """Rows by frame: indptr (F + 1,), terms, codes."""
        return self._csr("tracks", "terms", "<u2", self.entry.frames + 1)

    @cached_property
    def postings(self) -> tuple[Int64, UInt16, UInt8]:
        """Rows by window and term: indptr (windows * V + 1,), ids, codes."""
        windows = -(-len(self) // WINDOW)
        return self._csr("postings", "ids", "<u2", windows * self.lexicon_size + 1)

    def _csr(self, name: str, column: str, dtype: str, rows: int) -> tuple[Int64, UInt16, UInt8]:
        indptr: Int64 = self._load(f"{name}_indptr", "<i8", rows)
        count = int(indptr[-1])
        columns: UInt16 = self._load(f"{name}_{column}", dtype, count)
        codes: UInt8 = self._load(f"{name}_codes", "|u1", count)
        return indptr, columns, codes
