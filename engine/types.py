"""The records that pass between the folders, and the names of the dimensions.

Dimensions, used in every docstring and shape comment:
    M moments · F frames · D latent width · V lexicon size · Q terms of one query · N non-zeros

This module must not import anything of unify: everything else imports it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Float32: TypeAlias = npt.NDArray[np.float32]
Float64: TypeAlias = npt.NDArray[np.float64]
Float16: TypeAlias = npt.NDArray[np.float16]
Int64: TypeAlias = npt.NDArray[np.int64]
Int32: TypeAlias = npt.NDArray[np.int32]
Int16: TypeAlias = npt.NDArray[np.int16]
UInt32: TypeAlias = npt.NDArray[np.uint32]
UInt16: TypeAlias = npt.NDArray[np.uint16]
UInt8: TypeAlias = npt.NDArray[np.uint8]
Bool: TypeAlias = npt.NDArray[np.bool_]

MAX_TERMS = 32_768  # ids, as shown and as said, are stored as uint16


@dataclass(frozen=True, slots=True)
class SparseRows:
    """Sparse rows over the lexicon, in CSR form.

    Attributes:
        indptr: (rows + 1,) int64, ascending from 0.
        terms: (N,) uint16 term ids, strictly ascending within a row.
        weights: (N,) float32, one per term id.
    """

    indptr: Int64
    terms: UInt16
    weights: Float32

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def row(self, i: int) -> tuple[UInt16, Float32]:
        """Return the terms and weights of row `i`."""
        span = slice(int(self.indptr[i]), int(self.indptr[i + 1]))
        return self.terms[span], self.weights[span]

    @staticmethod
    def from_dense(dense: Float32, top: int) -> SparseRows:
        """Keep the `top` largest positive weights of each row; ties go to the lower term id.

        Args:
            dense: (rows, V) float32; entries that are not above 0 are dropped.
            top: how many weights a row may keep.

        >>> rows = SparseRows.from_dense(np.array([[0.0, 2.0, 1.0], [0.0, 0.0, 0.0]], "f4"), top=1)
        >>> rows.indptr.tolist(), rows.terms.tolist(), rows.weights.tolist()
        ([0, 1, 1], [1], [2.0])
        """
        order = np.argsort(-dense, axis=1, kind="stable")[:, :top]  # (rows, top)
        order = np.sort(order, axis=1)
        kept = np.take_along_axis(dense, order, axis=1)
        mask = kept > 0
        indptr = np.concatenate([[0], np.cumsum(mask.sum(axis=1))]).astype(np.int64)
        return SparseRows(indptr, order[mask].astype(np.uint16), kept[mask].astype(np.float32))

    @staticmethod
    def concatenate(parts: Iterable[SparseRows]) -> SparseRows:
        """Stack rows of several parts, in order."""
        parts = list(parts)
        counts = [np.diff(p.indptr) for p in parts] or [np.zeros(0, np.int64)]
        indptr = np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.int64)
        terms = [p.terms for p in parts] or [np.zeros(0, np.uint16)]
        weights = [p.weights for p in parts] or [np.zeros(0, np.float32)]
        return SparseRows(indptr, np.concatenate(terms), np.concatenate(weights))


@dataclass(frozen=True, slots=True)
class MomentCodes:
    """What a video encoder makes of one video's frames.

    Attributes:
        latents: (M, D) float32, unit length.
        lexicon: M rows, at most 128 weights each.
        tracks: F rows, at most 16 weights each: which terms each *frame* shows.
    """

    latents: Float32
    lexicon: SparseRows
    tracks: SparseRows


@dataclass(frozen=True, slots=True)
class EncodedQuery:
    """A query as both sides see it.

    Attributes:
        latent: (D,) float32 of unit length, or None when no plain text is left to encode.
        terms: (Q,) uint16, strictly ascending; empty when the lexicon side has nothing to say.
        weights: (Q,) float32, may be negative.
    """

    latent: Float32 | None
    terms: UInt16
    weights: Float32


@dataclass(frozen=True, slots=True)
class Calibration:
    """Statistics of a pack's training items, which make scores comparable between queries.

    Attributes:
        latent_mean: (D,) float32 mean of moment latents.
        latent_cov: (D, D) float32 covariance of moment latents.
        term_mean: (V,) float32 mean weight of each term over moments, zeros counted.
        term_var: (V,) float32 variance of the same.
        sd_latent_floor: least standard deviation of a latent score.
        sd_lexicon_floor: least standard deviation of a lexicon score.
        lexicon_weight: w, how much one standard deviation of the lexicon side counts
            beside one of the latent side.
        shows: weight at or above which a moment is taken to show a term (`+term`, `-term`).
        weak: fused score below which a hit is marked weak.
    """

    latent_mean: Float32
    latent_cov: Float32
    term_mean: Float32
    term_var: Float32
    sd_latent_floor: float
    sd_lexicon_floor: float
    lexicon_weight: float
    shows: float
    weak: float
