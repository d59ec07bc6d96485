from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from unify.encoders import calibrate
from unify.encoders.evaluate import Scores
from unify.engine.fusion import affine
from unify.engine.types import EncodedQuery, SparseRows

RNG = np.random.default_rng(0)
TERMS, WIDTH, ITEMS = 30, 8, 4000


def unit_rows(count: int) -> np.ndarray:
    rows = RNG.standard_normal((count, WIDTH)).astype(np.float32) + 0.5
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def some_queries(count: int) -> list[EncodedQuery]:
    latents = unit_rows(count)
    terms = [
        np.sort(RNG.choice(TERMS - 1, 3, replace=False)).astype(np.uint16) for _ in range(count)
    ]
    return [EncodedQuery(v, t, np.ones(3, np.float32)) for v, t in zip(latents, terms, strict=True)]


@pytest.fixture(scope="module")
def made():
    dense = np.where(RNG.random((ITEMS, TERMS)) < 0.1, RNG.random((ITEMS, TERMS)), 0)
    dense[:, -1] = 0  # a term that no item shows
    rows = SparseRows.from_dense(dense.astype(np.float32), TERMS)
    latents, queries = unit_rows(ITEMS), some_queries(50)
    return latents, dense, queries, calibrate.statistics(latents, rows, TERMS, queries)


def test_fused_scores_are_standardised_sums(made):
    latents, dense, queries, calibration = made
    for query in queries[:5]:
        fusion = affine(query, calibration)
        latent = latents.astype(np.float16).astype(np.float64) @ query.latent
        sd = (latent * fusion.latent_scale).std()
        assert sd == pytest.approx(1, rel=1e-3)
        lexicon = dense[:, query.terms] @ query.weights
        assert (lexicon * fusion.lexicon_scale).std() == pytest.approx(1, rel=0.05)
        scores = fusion(latent, lexicon)
        assert scores.mean() == pytest.approx(0, abs=0.01)


def test_an_unseen_term_counts_as_one_in_a_thousand(made):
    *_, calibration = made
    seen = calibration.term_var[:-1].min()
    assert 0 < calibration.term_var[-1] < seen
    assert calibration.term_mean[-1] > 0


def scores_of(latent: np.ndarray, lexicon: np.ndarray, queries: list[EncodedQuery]) -> Scores:
    return Scores(queries, latent, lexicon, np.arange(len(queries)), 3.0)


def test_the_weight_follows_the_better_side(made):
    *_, queries, calibration = made
    right, noise = np.eye(50), RNG.standard_normal((50, 50))
    lexicon_knows = scores_of(noise * 0.1, right, queries)
    latent_knows = scores_of(right, noise * 0.1, queries)
    assert calibrate.choose_weight(calibration, [lexicon_knows]).lexicon_weight > 0.25
    assert calibrate.choose_weight(calibration, [latent_knows]).lexicon_weight == 0.25


def test_weak_is_what_one_right_pair_in_twenty_falls_below(made):
    *_, queries, calibration = made
    scores = scores_of(RNG.random((50, 50)), RNG.random((50, 50)), queries)
    weak = calibrate.choose_weak(calibration, [scores]).weak
    right = np.diag(scores.fused(calibration))
    assert 2 <= (right < weak).sum() <= 3


def test_shows_separates_named_from_unnamed(made):
    *_, calibration = made
    rows = SparseRows.from_dense(np.array([[0.9, 0.2, 0.0], [0.1, 0.8, 0.7]], np.float32), 3)
    named = np.array([[True, False, False], [False, True, True]])
    found = calibrate.choose_shows(replace(calibration, shows=0.0), rows, named).shows
    assert found == pytest.approx(0.7)
