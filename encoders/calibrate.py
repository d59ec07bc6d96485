"""Statistics of a pack that make its scores mean the same from query to query.

Means and variances come from training items in the form an index stores; what is chosen (the
weight of the lexicon side, the thresholds) is chosen on held-out items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from unify.encoders.evaluate import Scores, to_dense
from unify.engine.fusion import Affine, Mode, affine
from unify.engine.types import Bool, Calibration, EncodedQuery, Float32, SparseRows

LEXICON_WEIGHTS = (0.25, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0)
RARE = 1e-3  # no term counts as rarer than this share of moments
FLOOR = 0.25  # of the median standard deviation over training captions
WEAK_SHARE = 0.05  # of right pairs that fall below `weak`


def statistics(
    latents: Float32, lexicon: SparseRows, terms: int, queries: Sequence[EncodedQuery]
) -> Calibration:
    """Return means, variances and floors; weights and thresholds are still to be chosen.

    A term seen in fewer than one in a thousand items is given the variance of a term seen in
    just so many: otherwise a single match with a rare word would outweigh everything.

    Args:
        latents: (M, D) of training items.
        lexicon: their M rows.
        terms: V.
        queries: encoded training captions, for the floors.
    """
    stored = latents.astype(np.float16).astype(np.float64)
    dense = to_dense(lexicon, terms).astype(np.float64)
    typical = float(lexicon.weights.mean())
    mean = np.maximum(dense.mean(axis=0), typical * RARE)
    variance = np.maximum(dense.var(axis=0), typical**2 * RARE * (1 - RARE))
    cov = np.cov(stored.T)
    sd_latent = [np.sqrt(q.latent @ cov @ q.latent) for q in queries if q.latent is not None]
    sd_lexicon = [np.sqrt(q.weights**2 @ variance[q.terms]) for q in queries]
    return Calibration(
        latent_mean=stored.mean(axis=0).astype(np.float32),
        latent_cov=cov.astype(np.float32),
        term_mean=mean.astype(np.float32),
        term_var=variance.astype(np.float32),
        sd_latent_floor=FLOOR * float(np.median(sd_latent)),
        sd_lexicon_floor=FLOOR * float(np.median(sd_lexicon)),
        lexicon_weight=1.0,
        shows=0.0,
        weak=0.0,
    )


def choose_weight(calibration: Calibration, held_out: Sequence[Scores]) -> Calibration:
    """Choose the lexicon weight with the best mean recall over the held-out sets.

    A weight with which R@1 is below that of one side alone, on any set, is only taken when
    there is no other.
    """
    sides = [[s.recall(calibration, m).at_1 for m in (Mode.LATENT, Mode.LEXICON)] for s in held_out]

    def quality(weight: float) -> tuple[bool, float]:
        tried = replace(calibration, lexicon_weight=weight)
        found = [scores.recall(tried) for scores in held_out]
        above = all(one.at_1 >= max(side) for one, side in zip(found, sides, strict=True))
        return above, sum(one.mean for one in found)

    return replace(calibration, lexicon_weight=max(LEXICON_WEIGHTS, key=quality))


def choose_weak(calibration: Calibration, held_out: Sequence[Scores]) -> Calibration:
    """Set `weak` to what one in twenty right pairs of held-out captions falls below."""
    right = [s.fused(calibration)[np.arange(len(s.right)), s.right] for s in held_out]
    return replace(calibration, weak=float(np.quantile(np.concatenate(right), WEAK_SHARE)))


def choose_shows(calibration: Calibration, lexicon: SparseRows, named: Bool) -> Calibration:
    """Choose `shows` with the best F1 of "weight at or above it" against "a caption names it".

    Args:
        calibration: to be completed.
        lexicon: M rows of held-out items.
        named: (M, V) whether any caption of the item names the term.
    """
    hit = named[np.repeat(np.arange(len(lexicon)), np.diff(lexicon.indptr)), lexicon.terms]
    order = np.argsort(-lexicon.weights, kind="stable")
    found = np.cumsum(hit[order])
    f1 = 2 * found / (np.arange(1, len(order) + 1) + named.sum())
    return replace(calibration, shows=float(lexicon.weights[order][int(f1.argmax())]))


def constant_affine(calibration: Calibration, queries: Sequence[EncodedQuery]) -> Affine:
    """Return the rival fusion: one affine map for all queries, of the median scales."""
    latent, lexicon, base = [], [], []
    for query in queries:
        one = affine(query, calibration)
        latent.append(one.latent_scale)
        lexicon.append(one.lexicon_scale)
        base.append(one.base)
    return Affine(float(np.median(latent)), float(np.median(lexicon)), float(np.median(base)))
