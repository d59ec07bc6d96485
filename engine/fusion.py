"""How a latent score and a lexicon score become one.

`affine` (default): S = P + L + b, where `P = lat / sd_lat` and `L = w * lex / sd_lex` are per-query
z-scores without their means, which the constant b carries. Means and standard deviations come in
closed form from the pack's statistics, never from the index: filters, deletions and growth cannot
change a score, and a threshold means the same from query to query.

`sum`: raw scores times weights of your own. Both are affine with non-negative slopes, which is
what lets the planner bound what it has not seen.

`rrf`: reciprocal ranks, S = sum of w / (60 + rank) over the sides (Cormack, Clarke and Büttcher,
SIGIR 2009), where a rank counts among the first `RANK_DEPTH` rows of a side and a row that is not
among them gets nothing from it. Ranks depend on what else is in the index, and so do scores.

`server`: the backend's own fusion, where it has one. Nothing is known of how its scores come about.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np

from unify.engine.errors import UsageError
from unify.engine.types import Calibration, EncodedQuery, Float64, Int64

RANK_CONSTANT = 60
RANK_DEPTH = 1_000


class Mode(StrEnum):
    """Which sides score a query. A single side's score is its raw one."""

    FUSED = "fused"
    LATENT = "latent"
    LEXICON = "lexicon"


class Fusion(StrEnum):
    """How the sides become one score."""

    AFFINE = "affine"
    RRF = "rrf"
    SUM = "sum"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class Affine:
    """S = latent * `latent_scale` + lexicon * `lexicon_scale` + `base`, scales >= 0."""

    latent_scale: float
    lexicon_scale: float
    base: float

    def __call__(self, latent: Float64, lexicon: Float64) -> Float64:
        """Fuse raw scores, elementwise: float64 in, float64 out."""
        return latent * self.latent_scale + lexicon * self.lexicon_scale + self.base


@dataclass(frozen=True, slots=True)
class Reciprocal:
    """S = `latent` / (60 + rank) + `lexicon` / (60 + rank): the sides' weights, each >= 0."""

    latent: float
    lexicon: float

    def parts(self, weight: float, ranks: Int64) -> Float64:
        """Return what one side gives by ranks from 1; 0 stands for no rank and gives nothing."""
        return np.where(ranks > 0, weight / (RANK_CONSTANT + ranks), 0.0)


@dataclass(frozen=True, slots=True)
class ByServer:
    """The backend fuses."""


Fuse: TypeAlias = Affine | Reciprocal | ByServer


def fuse(
    query: EncodedQuery, calibration: Calibration, mode: Mode, how: Fusion,
    weights: tuple[float, float],
) -> Fuse:  # fmt: skip
    """Return the fusion of one query.

    Args:
        query: as it was encoded.
        calibration: of the pack.
        mode: with one side alone the score is its raw one, however sides are fused.
        how: the kind of fusion.
        weights: of the latent and the lexicon side, for `rrf` and `sum`.

    Raises:
        UsageError: weights are negative, not finite, or both 0.
    """
    if not (all(map(math.isfinite, weights)) and min(weights) >= 0 < max(weights)):
        raise UsageError(f"weights are {weights[0]:g},{weights[1]:g}", "use numbers from 0 up")
    silent = query.latent is None and not len(query.terms)  # filters alone: every score is 0
    if mode is not Mode.FUSED or how is Fusion.AFFINE or silent:
        return affine(query, calibration, mode)
    if how is Fusion.SERVER:
        return ByServer()
    return Reciprocal(*weights) if how is Fusion.RRF else Affine(*weights, 0.0)


def affine(query: EncodedQuery, calibration: Calibration, mode: Mode = Mode.FUSED) -> Affine:
    """Return the calibrated fusion of one query.

    A side that has nothing to say (no latent, or an empty lexicon row) is dropped.
    """
    if mode is Mode.LATENT:
        return Affine(1.0, 0.0, 0.0)
    if mode is Mode.LEXICON:
        return Affine(0.0, 1.0, 0.0)
    latent_scale = lexicon_scale = base = 0.0
    if query.latent is not None:
        q = query.latent.astype(np.float64)  # (D,)
        mean = float(q @ calibration.latent_mean.astype(np.float64))
        variance = float(q @ (calibration.latent_cov @ query.latent))  # float32: half the bytes
        latent_scale = 1.0 / max(math.sqrt(max(variance, 0.0)), calibration.sd_latent_floor)
        base -= mean * latent_scale
    if len(query.terms):
        u = query.weights.astype(np.float64)  # (Q,)
        mean = float(u @ calibration.term_mean[query.terms].astype(np.float64))
        variance = float(u * u @ calibration.term_var[query.terms].astype(np.float64))
        sd = max(math.sqrt(variance), calibration.sd_lexicon_floor)
        lexicon_scale = calibration.lexicon_weight / sd
        base -= mean * lexicon_scale
    return Affine(latent_scale, lexicon_scale, base)
