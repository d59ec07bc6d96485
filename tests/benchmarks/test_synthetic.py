"""The synthetic workload: its statistics, that it repeats, and that a real index holds it."""

from __future__ import annotations

import numpy as np
import pytest
from library import stored
from synthetic import Pack, write_index, write_queries
from workload import BLOCK, DIM, SHAPES, Overlap, Workload

from unify.engine.local import open_snapshot
from unify.engine.search import Searcher
from unify.engine.verify import verify

WANTED = {  # terms of a moment and of a query, matched postings, share with the top term
    "topics": (101.0, 18.9, 0.48, 0.30),
    "heavy": (101.0, 18.9, 3.6, 0.65),
    "mini": (126.8, 64.0, 22.0, 0.84),
}


@pytest.fixture(scope="module", params=sorted(SHAPES))
def workload(request) -> Workload:
    return Workload(SHAPES[request.param])


@pytest.fixture(scope="module")
def small() -> Workload:
    return Workload(SHAPES["topics"], seed=3)


def test_terms_meet_as_the_shape_says(workload):
    rows = workload.block(0).rows
    found = Overlap.of(rows, workload.queries(400), workload.shape.terms)
    have = (found.moment_terms, found.query_terms, found.matched, found.largest)
    np.testing.assert_allclose(have, WANTED[workload.shape.name], rtol=0.06)


def test_rows_are_what_a_segment_takes(workload):
    block = workload.block(1)
    rows = block.rows
    assert len(rows) == len(block.latents) == BLOCK
    assert int(rows.terms.max()) < workload.shape.terms
    assert (rows.weights > 0).all()
    inside = np.diff(rows.terms.astype(int))
    inside[rows.indptr[1:-1] - 1] = 1  # from one row to the next
    assert (inside > 0).all()
    np.testing.assert_allclose(np.linalg.norm(block.latents, axis=1), 1, atol=1e-5)


def test_a_block_follows_from_seed_and_number_alone(small):
    again = Workload(SHAPES["topics"], seed=3)
    first = [block.latents for block in small.blocks(BLOCK + 10)]
    np.testing.assert_array_equal(again.block(1).latents[:10], first[1])
    np.testing.assert_array_equal(again.block(0).rows.terms, small.block(0).rows.terms)
    other = Workload(SHAPES["topics"], seed=4)
    assert not np.array_equal(other.block(0).latents[:1], first[0][:1])


def test_both_sides_agree_on_what_is_near(small):
    block, query = small.block(0), small.queries(1)[0]
    latent = block.latents @ query.latent
    dense = np.zeros(small.shape.terms, np.float32)
    dense[query.terms] = query.weights
    weights = block.rows.weights * dense[block.rows.terms]
    lexicon = np.add.reduceat(weights, block.rows.indptr[:-1])
    near = np.argsort(-latent)[:20]
    assert lexicon[near].mean() > 3 * lexicon.mean()


def test_a_real_index_holds_the_moments(small, tmp_path):
    count = BLOCK + 70  # two segments, the last video cut short
    pack = Pack(small, small.queries(5))
    write_index(small, pack, count, tmp_path / "index", segment=BLOCK)
    assert verify(tmp_path / "index") == []
    backend = open_snapshot(tmp_path / "index")
    assert [len(segment) for segment in backend.segments] == [BLOCK, 70]
    assert backend.statistics().videos == -(-BLOCK // 64) + 2
    made = list(small.blocks(count))
    for block, kept in zip(made, stored(backend), strict=True):
        np.testing.assert_array_equal(kept.rows.terms, block.rows.terms)
        np.testing.assert_allclose(kept.rows.weights, block.rows.weights, atol=0.02)
        np.testing.assert_array_equal(kept.latents, block.latents.astype("f2").astype("f4"))
    answer = Searcher(backend, pack).search("q3", 5, moments=True)
    assert len(answer) == 5
    assert answer[0].terms


def test_queries_are_written_as_they_are(small, tmp_path):
    queries = small.queries(3)
    write_queries(tmp_path / "queries.npz", queries)
    with np.load(tmp_path / "queries.npz", allow_pickle=False) as kept:
        assert kept["latents"].shape == (3, DIM)
        span = slice(*kept["indptr"][1:3])
        np.testing.assert_array_equal(kept["terms"][span], queries[1].terms)
        np.testing.assert_array_equal(kept["weights"][span], queries[1].weights)
