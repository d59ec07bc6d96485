"""Exact scores, the same bit for bit whoever computes them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unify.engine import exact_kernels, rescore, shared_scan
from unify.engine.compiled import compiled
from unify.engine.types import SparseRows

SEEDS = st.integers(0, 2**32 - 1)


@given(SEEDS, st.sampled_from([1, 7, 8, 16, 40, 512]))
@settings(max_examples=30, deadline=None)
def test_latent_scores_do_not_depend_on_the_way(seed, dim):
    rng = np.random.default_rng(seed)
    latents, query = rng.standard_normal((30, dim)).astype(np.float16), rng.standard_normal(dim)
    rows = rng.integers(0, 30, 12)
    plain, fast = (rescore.latent_scores(latents, rows, query, way) for way in (False, True))
    np.testing.assert_array_equal(plain, fast)
    np.testing.assert_allclose(plain, latents[rows].astype(float) @ query, rtol=1e-12, atol=1e-12)
    alone = [rescore.latent_scores(latents, rows[i : i + 1], query, False)[0] for i in range(12)]
    np.testing.assert_array_equal(plain, alone)


def test_every_float16_is_widened_exactly():
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    finite = halves[np.isfinite(halves)][None]
    out = np.zeros(finite.shape, np.float32)
    compiled(exact_kernels.widen)(finite.view(np.uint16), out)
    np.testing.assert_array_equal(out, finite.astype(np.float32))

    rows, term = np.arange(finite.size), np.zeros(finite.size, np.uint16)
    forward = (np.arange(finite.size + 1), term, finite[0])
    query = rescore.sought(term[:1], np.ones(1, np.float32), 1)
    np.testing.assert_array_equal(rescore.lexicon_scores(forward, rows, query, True), finite[0])


@given(SEEDS)
@settings(max_examples=30, deadline=None)
def test_lexicon_scores_do_not_depend_on_the_way(seed):
    rng = np.random.default_rng(seed)
    dense = rng.integers(1, 256, (40, 25)) * (rng.random((40, 25)) < 0.3)
    sparse = SparseRows.from_dense(dense.astype("f4"), 25)
    forward = (sparse.indptr, sparse.terms, sparse.weights.astype(np.float16))
    query = rng.standard_normal(25) * (rng.random(25) < 0.5)
    rows = rng.integers(0, 40, 15)
    terms = np.flatnonzero(query).astype(np.uint16)
    sought = rescore.sought(terms, query[terms], 25)
    plain, fast = (rescore.lexicon_scores(forward, rows, sought, way) for way in (False, True))
    np.testing.assert_array_equal(plain, fast)
    np.testing.assert_allclose(plain, dense[rows] @ query, atol=1e-9)


@given(SEEDS, st.integers(1, 60), st.booleans(), st.booleans())
@settings(max_examples=40, deadline=None)
def test_a_shared_scan_finds_what_each_query_finds(seed, k, fast, filtered):
    rng = np.random.default_rng(seed)
    latents = rng.integers(-3, 4, (700, 8)).astype(np.float16)  # sums are exact, ties are many
    queries = rng.integers(-3, 4, (5, 8)).astype(np.float32)
    allow = rng.random(700) < 0.1 if filtered else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared_scan, "BLOCK", 64)
        found = shared_scan.shared_topk(latents, queries, k, allow, fast)
    kept = np.arange(700) if allow is None else np.flatnonzero(allow)
    for query, (rows, scores) in zip(queries, found, strict=True):
        exact = latents.astype(np.float32) @ query
        order = kept[np.lexsort((kept, -exact[kept]))][:k]
        np.testing.assert_array_equal(rows, order)
        np.testing.assert_array_equal(scores, exact[order])
