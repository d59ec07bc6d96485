"""How a latent score and a lexicon score become one: S = P + L + b.

`P = lat / sd_lat` and `L = w * lex / sd_lex` are per-query z-scores without their means,
which the constant b carries. Means and standard deviations come in closed form from the
pack's statistics, never from the index: filters, deletions and growth cannot change a score,
and a threshold means the same from query to query. The map is affine with non-negative
slopes, which is what lets the planner bound what it has not seen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from unify.engine.types import Calibration, EncodedQuery, Float64


class Mode(StrEnum):
    """Which sides score a query. A single side's score is its raw one."""

    FUSED = "fused"
    LATENT = "latent"
    LEXICON = "lexicon"


@dataclass(frozen=True, slots=True)
class Affine:
    """S = latent * `latent_scale` + lexicon * `lexicon_scale` + `base`, scales >= 0."""

    latent_scale: float
    lexicon_scale: float
    base: float

    def __call__(self, latent: Float64, lexicon: Float64) -> Float64:
        """Fuse raw scores, elementwise: float64 in, float64 out."""
        return latent * self.latent_scale + lexicon * self.lexicon_scale + self.base


def affine(query: EncodedQuery, calibration: Calibration, mode: Mode = Mode.FUSED) -> Affine:
    """Return the fusion of one query.

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
        variance = float(q @ calibration.latent_cov.astype(np.float64) @ q)
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
