from __future__ import annotations

import numpy as np
import pytest

from tests.encoders.gallery import (
    TERMS,
    random_calibration,
    random_latents,
    random_queries,
    random_rows,
)
from unify.encoders import evaluate
from unify.encoders.evaluate import (
    Gallery,
    mid_ranks,
    overlap,
    recall,
    score,
    to_dense,
    word_coverage,
)
from unify.engine.fusion import Mode, affine
from unify.engine.lexicon import Lexicon
from unify.engine.types import Calibration, EncodedQuery, SparseRows


def test_equal_scores_are_not_a_success():
    ranks = mid_ranks(np.zeros((4, 101)), np.arange(4))
    assert ranks.tolist() == [51.0] * 4
    assert recall(ranks).at_10 == 0


def test_ranks_follow_the_gallery():
    rng = np.random.default_rng(0)
    scores = rng.standard_normal((6, 9))
    order = rng.permutation(9)
    right = rng.integers(0, 9, 6)
    moved = np.argsort(order)[right]
    assert mid_ranks(scores, right).tolist() == mid_ranks(scores[:, order], moved).tolist()


def test_scores_are_those_of_the_definitions():
    rows = SparseRows.from_dense(np.array([[0, 2, 1], [3, 0, 0]], np.float32), 3)
    assert to_dense(rows, 3).tolist() == [[0, 2, 1], [3, 0, 0]]
    latents = np.eye(2, dtype=np.float32)
    query = EncodedQuery(latents[1], np.array([1, 2], np.uint16), np.array([0.5, -1], np.float32))
    found = score([query], latents, rows, 3, np.array([0]))
    assert found.latent.tolist() == [[0.0, 1.0]]
    assert found.lexicon.tolist() == [[0.0, 0.0]]
    ones, zeros = np.ones(3, np.float32), np.zeros(3, np.float32)
    calibration = Calibration(
        np.zeros(2, np.float32), np.eye(2, dtype=np.float32), zeros, ones, 1e-3, 1e-3, 1.0, 0, 0
    )
    assert found.recall(calibration, Mode.LATENT).median == 2
    assert found.recall(calibration, Mode.LEXICON).median == 1.5
    assert found.fused(calibration).tolist() == [[0.0, 1.0]]


def test_scores_are_the_products_of_what_is_stored():
    rng = np.random.default_rng(1)
    rows, latents, queries = random_rows(rng, 7), random_latents(rng, 7), random_queries(rng, 20)
    latents /= 3
    found = score(queries, latents, rows, TERMS, np.zeros(20, np.int64))
    texts = np.stack([query.latent for query in queries])
    stored = latents.astype(np.float16).astype(np.float64)
    np.testing.assert_allclose(found.latent, texts @ stored.T, rtol=1e-6)
    weights = np.zeros((20, TERMS))
    for row, query in zip(weights, queries, strict=True):
        row[query.terms] = query.weights
    np.testing.assert_allclose(found.lexicon, weights @ to_dense(rows, TERMS).T, rtol=1e-6)
    calibration = random_calibration(rng)
    for i, query in enumerate(queries):
        whole = affine(query, calibration)(found.latent[i], found.lexicon[i])
        np.testing.assert_allclose(found.fused(calibration)[i], whole)


def test_a_query_without_a_side_scores_nothing_there():
    rng = np.random.default_rng(2)
    empty = np.zeros(0, np.float32)
    queries = [
        EncodedQuery(None, np.array([1], np.uint16), np.ones(1, np.float32)),
        EncodedQuery(random_latents(rng, 1)[0], empty.astype(np.uint16), empty),
    ]
    found = score(queries, random_latents(rng, 3), random_rows(rng, 3), TERMS, np.zeros(2, int))
    assert found.latent[0].tolist() == found.lexicon[1].tolist() == [0.0] * 3
    assert found.lexicon[0].any()
    assert found.latent[1].any()


def test_equal_items_tie_wherever_they_stand():
    rng = np.random.default_rng(3)
    one = rng.standard_normal((1, 384)).astype(np.float32)
    latents = np.repeat(one / np.linalg.norm(one), 203, axis=0)
    weights = rng.random((1, TERMS)).astype(np.float32)
    rows = SparseRows.from_dense(np.repeat(weights, 203, axis=0), TERMS)
    latent = rng.standard_normal(384).astype(np.float32)
    query = EncodedQuery(latent, np.arange(TERMS, dtype=np.uint16), weights[0])
    found = score([query] * 5, latents, rows, TERMS, np.zeros(5, np.int64))
    assert len(np.unique(found.latent)) == len(np.unique(found.lexicon)) == 1
    assert mid_ranks(found.latent, np.array([0, 50, 100, 150, 202])).tolist() == [102.0] * 5


@pytest.mark.parametrize("block", [1, 3, 100])
def test_blocks_hold_the_same_scores(monkeypatch, block):
    rng = np.random.default_rng(4)
    monkeypatch.setattr(evaluate, "BLOCK", block)
    gallery = Gallery(random_latents(rng, 5), random_rows(rng, 5), TERMS)
    queries, right = random_queries(rng, 10), rng.integers(0, 5, 10)
    whole, parts = gallery.scores(queries, right), list(gallery.blocks(queries, right))
    assert len(parts) == -(-10 // block)
    assert np.concatenate([part.latent for part in parts]).tolist() == whole.latent.tolist()
    assert np.concatenate([part.lexicon for part in parts]).tolist() == whole.lexicon.tolist()
    assert np.concatenate([part.right for part in parts]).tolist() == right.tolist()


def test_overlap_is_counted():
    rows = SparseRows.from_dense(np.array([[0, 2, 1, 0], [3, 0, 0, 0]], np.float32), 4)
    none = np.zeros(0, np.uint16)
    terms = [np.array([1, 2], np.uint16), np.array([0], np.uint16), np.array([3], np.uint16), none]
    queries = [EncodedQuery(None, t, np.ones(len(t), np.float32)) for t in terms]
    found = overlap(queries, rows, 4, np.array([0, 0, 1, 1]))
    assert (found.text_terms, found.video_terms) == (1.0, 1.5)
    # Terms 0, 1 and 2 stand in a quarter of the queries and in half of the items.
    assert found.multiplications == pytest.approx(3 * 0.25 * 0.5)
    assert found.disjoint == 3


def test_coverage_leaves_stop_words_out():
    lexicon = Lexicon(["dog", "run"], [["dogs"], ["runs", "running"]])
    assert word_coverage(["The dogs are running", "a unicorn runs"], lexicon) == 0.75
    assert word_coverage(["the"], lexicon) == 0.0
