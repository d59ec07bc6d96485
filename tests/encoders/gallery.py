"""Random queries and galleries with many ties, for tests of ranks."""

from __future__ import annotations

import numpy as np

from unify.engine.types import Calibration, EncodedQuery, SparseRows

TERMS, WIDTH = 12, 8


def random_rows(rng: np.random.Generator, rows: int) -> SparseRows:
    return SparseRows.from_dense(
        np.maximum(rng.integers(-3, 3, (rows, TERMS)), 0).astype(np.float32), TERMS
    )


def random_latents(rng: np.random.Generator, rows: int) -> np.ndarray:
    return rng.integers(-1, 2, (rows, WIDTH)).astype(np.float32)


def random_queries(rng: np.random.Generator, count: int) -> list[EncodedQuery]:
    rows, latents = random_rows(rng, count), random_latents(rng, count)
    return [EncodedQuery(latents[i], *rows.row(i)) for i in range(count)]


def random_calibration(rng: np.random.Generator) -> Calibration:
    mixed = rng.standard_normal((WIDTH, 3))
    return Calibration(
        latent_mean=rng.standard_normal(WIDTH).astype(np.float32),
        latent_cov=(mixed @ mixed.T).astype(np.float32),
        term_mean=rng.random(TERMS).astype(np.float32),
        term_var=rng.random(TERMS).astype(np.float32),
        sd_latent_floor=0.1,
        sd_lexicon_floor=0.1,
        lexicon_weight=0.5,
        shows=0.0,
        weak=0.0,
    )
