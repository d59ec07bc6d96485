"""The truth against a straightforward float64 ranking, and recall: ties, repeats, few answers."""

from __future__ import annotations

import numpy as np
import pytest
import truth
from library import Library
from truth import Best
from workload import Block

from unify.engine.fusion import Mode, affine
from unify.engine.types import EncodedQuery, SparseRows

MOMENTS, QUERIES = 700, 6


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Library:
    return Library.at(tmp_path_factory.mktemp("lib"), "topics", MOMENTS, QUERIES, 1 << 20)


def dense(rows: SparseRows, terms: int) -> np.ndarray:
    out = np.zeros((len(rows), terms))
    out[np.repeat(np.arange(len(rows)), np.diff(rows.indptr)), rows.terms] = rows.weights
    return out


def test_truth_is_the_float64_ranking(library):
    (block,) = library.workload.blocks(MOMENTS)
    halves = [
        Block(block.latents[part], _rows(block.rows, part))
        for part in (slice(0, 300), slice(300, MOMENTS))
    ]
    made = library.truth_of(halves)
    weights = dense(block.rows, library.terms)
    for i, query in enumerate(library.queries):
        latent = block.latents.astype("f8") @ query.latent.astype("f8")
        lexicon = weights[:, query.terms] @ query.weights.astype("f8")
        for mode in Mode:
            scores = affine(query, library.pack.calibration, mode)(latent, lexicon)
            if mode is Mode.LEXICON:
                scores = np.where(lexicon > 0, scores, -np.inf)
            order = np.lexsort((np.arange(MOMENTS), -scores))[: truth.KEPT]
            np.testing.assert_allclose(made[mode].scores[i], scores[order], rtol=1e-9)
            assert made[mode].rows[i, :50].tolist() == order[:50].tolist()


def _rows(rows: SparseRows, part: slice) -> SparseRows:
    indptr = rows.indptr[part.start : part.stop + 1]
    span = slice(int(indptr[0]), int(indptr[-1]))
    return SparseRows(indptr - indptr[0], rows.terms[span], rows.weights[span])


def test_ties_count_as_right_and_misses_do_not():
    best = Best(np.array([[7, 3, 5, 1, 2]]), np.array([[9.0, 8.0, 8.0, 8.0, 1.0]]))
    assert best.recall([np.array([7, 1])], 2) == 1.0  # as good as row 3
    assert best.recall([np.array([7, 2])], 2) == 0.5
    assert best.recall([np.array([7])], 2) == 0.5
    assert best.recall([np.array([], np.int64)], 2) == 0.0
    assert best.recall([np.array([2, 9, 7, 3])], 2) == 0.0  # the right ones come too late


def test_a_row_that_comes_twice_counts_once():
    best = Best(np.array([[7, 3, 5]]), np.array([[9.0, 8.0, 7.0]]))
    assert best.recall([np.array([7, 7, 7])], 3) == pytest.approx(1 / 3)


def test_rounding_is_judged_by_the_size_of_scores_not_by_a_last_one_near_zero():
    best = Best(np.array([[7, 3, 5]]), np.array([[9.0, 1e-9, -1e-9]]))
    assert best.recall([np.array([7, 5])], 2) == 1.0


def test_fewer_answers_than_asked_for():
    scores = np.array([[2.0, 1.0, -np.inf], [-np.inf, -np.inf, -np.inf]])
    best = Best(np.array([[7, 3, 5], [0, 1, 2]]), scores)
    assert best.recall([np.array([7, 3, 0]), np.array([], np.int64)], 3) == 1.0
    assert best.recall([np.array([7, 5, 0]), np.array([], np.int64)], 3) == 0.5
    nothing = Best(best.rows[1:], best.scores[1:])
    assert nothing.recall([np.array([0])], 3) == 1.0


def test_a_query_that_was_not_asked_is_not_judged():
    best = Best(np.array([[7, 3], [1, 2]]), np.array([[2.0, 1.0], [2.0, 1.0]]))
    assert best.recall([np.array([7, 3]), None], 2) == 1.0
    assert best.recall([None, np.array([1, 7])], 2) == 0.5


def test_more_ties_than_are_remembered_cannot_be_judged():
    count = truth.KEPT
    best = Best(np.arange(count)[None], np.ones((1, count)))
    with pytest.raises(ValueError, match="tie"):
        best.recall([np.arange(10)], 10)


def test_a_moment_without_a_term_is_no_answer_of_the_lexicon(library):
    (block,) = library.workload.blocks(MOMENTS)
    term = int(np.flatnonzero(np.bincount(block.rows.terms) == 3)[0])
    asked = EncodedQuery(library.queries[0].latent, np.array([term], "u2"), np.ones(1, "f4"))
    made = truth.truth([block], [asked], library.pack.calibration, library.terms)
    assert np.isfinite(made[Mode.LEXICON].scores).sum() == 3
    assert np.isfinite(made[Mode.FUSED].scores).all()
