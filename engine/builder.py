"""From whole videos, as an encoder made them, to the columns of a new segment.

Videos are collected in memory until the writer publishes. It must not know what else is in the
index.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from unify.engine import arrays, latents
from unify.engine.manifest import IndexSettings, SegmentEntry
from unify.engine.segment import (
    LATENTS,
    MOMENT,
    MomentSpans,
    Size,
    codes_of,
    invert,
    scales_of,
    stored,
    write_segment,
)
from unify.engine.types import Float64, MomentCodes, SparseRows

LARGEST = float(np.finfo(np.float16).max)  # weight


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
            if len(rows.terms) and int(rows.terms.max()) >= self._settings.stored_terms:
                raise ValueError("a term id is outside the lexicon")
            if not ((rows.weights > 0) & (rows.weights <= LARGEST)).all():  # false for NaN too
                raise ValueError(f"a weight is not above 0 and at most {LARGEST:g}")
        if not (np.linalg.norm(codes.latents, axis=1) <= 1.001).all():  # false for NaN too
            raise ValueError("a latent is not finite or longer than 1")
        self._videos.append((video_id, spans, frame_times, codes))

    def video_ids(self) -> set[int]:
        """Return the ids of the videos added so far."""
        return {video_id for video_id, *_ in self._videos}

    def write(self, directory: Path, segment_id: int) -> SegmentEntry:
        """Write the segment under an index directory, durably; the caller publishes it.

        Args:
            directory: the index.
            segment_id: a free one.
        """
        columns = self._columns()
        vectors = np.concatenate([codes.latents for *_, codes in self._videos])

        def fill(folder: Path) -> Size:
            for name, array in columns.items():
                arrays.save(folder / f"{name}.npy", array)
            blocks = [vectors.astype(np.float16)]
            latents.write_flat(folder / LATENTS, blocks, *vectors.shape)
            return Size(self.moments, len(columns["frames"]), len(columns["postings_ids"]))

        return write_segment(directory, segment_id, self._settings.latent_dim, fill)

    def _columns(self) -> dict[str, Any]:
        size = self._settings.stored_terms
        rows = SparseRows.concatenate([codes.lexicon for *_, codes in self._videos])
        tracks = SparseRows.concatenate([codes.tracks for *_, codes in self._videos])
        weights = stored(rows.weights)
        largest = np.zeros(size, np.float32)
        np.maximum.at(largest, rows.terms, weights.astype(np.float32))
        scales = scales_of(largest)
        codes = codes_of(rows.terms, weights, scales)
        indptr, ids, codes = invert(rows.indptr, rows.terms, codes, size)
        return {
            "moments": self._moments(),
            "frames": np.concatenate([times for _, _, times, _ in self._videos]),
            "scales": scales,
            "forward_indptr": rows.indptr,
            "forward_terms": rows.terms,
            "forward_weights": weights,
            "tracks_indptr": tracks.indptr,
            "tracks_terms": tracks.terms,
            "tracks_weights": stored(tracks.weights),
            "postings_indptr": indptr,
            "postings_ids": ids,
            "postings_codes": codes,
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
