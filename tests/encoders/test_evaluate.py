from __future__ import annotations

import numpy as np

from unify.encoders.evaluate import mid_ranks, recall, score, to_dense
from unify.engine.fusion import Mode
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
