import numpy as np
import pytest

from tests.engine.corpus import FakePack
from unify.engine.fusion import Mode, affine
from unify.engine.types import EncodedQuery


def test_scores_of_training_items_have_mean_0_and_sd_1_on_each_side():
    """The closed form is the statistics of the sample it was made from."""
    rng = np.random.default_rng(0)
    pack = FakePack(dim=6, size=5)
    latents = rng.standard_normal((4000, 6)) + 1
    weights = np.maximum(rng.standard_normal((4000, 5)), 0)
    calibration = pack.calibration.__class__(
        latents.mean(0).astype("f4"), np.cov(latents.T).astype("f4"),
        weights.mean(0).astype("f4"), weights.var(0).astype("f4"), 0.01, 0.01, 1.0, 0.5, 0.0,
    )  # fmt: skip
    query = EncodedQuery(
        (rng.standard_normal(6)).astype("f4"), np.array([1, 3], "u2"), np.array([1, 2], "f4")
    )
    fused = affine(query, calibration)
    assert query.latent is not None
    latent, lexicon = latents @ query.latent, weights[:, [1, 3]] @ query.weights
    scores = fused(latent, lexicon)
    assert scores.mean() == pytest.approx(0, abs=1e-3)
    assert (latent * fused.latent_scale).std() == pytest.approx(1, rel=1e-2)
    assert (lexicon * fused.lexicon_scale).std() == pytest.approx(1, rel=5e-2)


def test_a_side_with_nothing_to_say_is_dropped():
    calibration = FakePack().calibration
    none, some = np.zeros(0, "u2"), np.array([1], "u2")
    latent = np.ones(8, "f4")
    assert affine(EncodedQuery(latent, none, none.astype("f4")), calibration).lexicon_scale == 0
    assert affine(EncodedQuery(None, some, np.ones(1, "f4")), calibration).latent_scale == 0
    nothing = affine(EncodedQuery(None, none, none.astype("f4")), calibration)
    assert (nothing.latent_scale, nothing.lexicon_scale, nothing.base) == (0, 0, 0)


def test_a_single_mode_scores_raw():
    query = EncodedQuery(np.ones(8, "f4"), np.array([1], "u2"), np.ones(1, "f4"))
    calibration = FakePack().calibration
    assert affine(query, calibration, Mode.LATENT)(np.array(0.3), np.array(7.0)) == 0.3
    assert affine(query, calibration, Mode.LEXICON)(np.array(0.3), np.array(7.0)) == 7.0
