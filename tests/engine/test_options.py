"""What a caller may choose: other fusions, pages, thresholds, budgets and batches."""

import math
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.corpus import Corpus
from tests.engine.test_search import QUERIES, allowed_rows, fetching
from unify.engine import execute, fusion
from unify.engine.errors import QueryError, UsageError
from unify.engine.fusion import RANK_CONSTANT
from unify.engine.local import open_snapshot
from unify.engine.query import parse
from unify.engine.search import Searcher


@pytest.fixture
def searcher(corpus):
    return Searcher(open_snapshot(corpus.directory), corpus.pack)


def ranked(corpus, searcher, text, depth, weights):
    """Fuse by ranks, row by row: {moment: score}."""
    parsed = parse(text)
    query = searcher.encode(parsed)
    ids, owners, latents, stored = corpus.rows()
    kept = np.flatnonzero(allowed_rows(corpus, parsed, owners, stored))
    scores: dict[int, float] = {}
    dense = np.zeros(stored.shape[1])
    dense[query.terms] = query.weights
    sides = (
        [(latents @ query.latent.astype("f8"), weights[0], False)]
        if query.latent is not None
        else []
    )
    if len(query.terms):
        sides.append((stored @ dense, weights[1], True))
    for values, weight, matches in sides:
        held = [i for i in kept if not matches or values[i] > 1e-9]
        for rank, i in enumerate(
            sorted(held, key=lambda i: (-values[i].round(12), ids[i]))[:depth], 1
        ):
            scores[int(ids[i])] = scores.get(int(ids[i]), 0.0) + weight / (RANK_CONSTANT + rank)
    return scores


@given(
    seed=st.integers(0, 2**32 - 1),
    text=QUERIES,
    depth=st.integers(1, 90),
    weights=st.sampled_from([(1.0, 1.0), (0.3, 2.0), (1.0, 0.0)]),
    fast=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_reciprocal_ranks_equal_brute_force(seed, text, depth, weights, fast):
    with tempfile.TemporaryDirectory() as folder, fetching(1):
        corpus = Corpus.make(Path(folder) / "index", seed, videos=15, removed=0.2)
        with (
            mock.patch("unify.engine.local.COMPILE_FROM", 0 if fast else 10**9),
            mock.patch("unify.engine.planner.RANK_DEPTH", depth),
            mock.patch.object(execute, "RANK_DEPTH", depth),
        ):
            searcher = Searcher(open_snapshot(corpus.directory), corpus.pack)
            answer = searcher.search(text, 50, fusion="rrf", weights=weights, moments=True)
            expected = ranked(corpus, searcher, text, depth, weights)
    if answer.plan.latent or answer.plan.lexicon:
        assert answer.exact
        expected = {moment: score for moment, score in expected.items() if score}
        best = sorted(expected.items(), key=lambda pair: (-pair[1], pair[0]))[:50]
        assert {hit.moment: hit.score for hit in answer} == pytest.approx(dict(best))
        assert [hit.score for hit in answer] == sorted([s for _, s in best], reverse=True)


def test_parts_add_up_in_every_fusion(searcher):
    for how in ("affine", "rrf", "sum"):
        for hit in searcher.search("w1 w2 w3", 40, fusion=how, weights=(0.5, 2.0), moments=True):
            assert hit.score == pytest.approx(hit.latent_part + hit.lexicon_part + hit.base)
            assert hit.lexicon_part == pytest.approx(sum(term.part for term in hit.terms))


def test_filters_alone_list_every_row_in_every_fusion(searcher):
    for how in ("affine", "rrf", "sum"):
        assert len(searcher.search("path:odd", 500, fusion=how, moments=True)) > 20


def test_a_weighted_sum_is_of_raw_scores(searcher):
    for hit in searcher.search("w1 w2", 40, fusion="sum", weights=(0.5, 2.0), moments=True):
        assert hit.score == pytest.approx(0.5 * hit.latent + 2.0 * hit.lexicon)
        assert not hit.weak


@pytest.mark.parametrize("how", ["affine", "rrf", "sum"])
@pytest.mark.parametrize("moments", [False, True])
def test_pages_fit_together(searcher, how, moments):
    options = {"fusion": how, "moments": moments}
    whole = searcher.search("w1 w2 w3", 15, **options)
    pages = [
        hit
        for at in range(0, 15, 4)
        for hit in searcher.search("w1 w2 w3", 4, offset=at, **options)
    ]
    assert pages[:15] == list(whole)
    assert searcher.search("w1", 5, offset=5_000).hits == ()


def test_a_threshold_cuts_and_is_certain(searcher):
    whole = searcher.search("w1 w2", 100, moments=True)
    cut = whole[10].score
    with fetching(1):
        some = searcher.search("w1 w2", 100, moments=True, threshold=cut)
    assert some.exact
    assert list(some) == [hit for hit in whole if hit.score >= cut]
    assert some.outcome.candidates <= len(whole)
    assert searcher.search("w1", threshold=math.inf).hits == ()


def test_a_batch_answers_as_one_by_one(corpus, searcher):
    texts = ["w1 w2", "", "w3 -w4", "+w99", "path:odd w5", "w6^2", "path:even", "w1"]
    for options in ({}, {"fusion": "rrf"}, {"mode": "lexicon"}, {"moments": True, "offset": 2}):
        with fetching(2):
            batch = list(searcher.search_many(texts, 5, **options))
            for text, found in zip(texts, batch, strict=True):
                if isinstance(found, QueryError):
                    with pytest.raises(QueryError, match=str(found)[:12]):
                        searcher.search(text, 5, **options)
                else:
                    assert list(found) == list(searcher.search(text, 5, **options))


def test_a_batch_scans_latents_once(searcher):
    with (
        fetching(2),
        mock.patch.object(
            searcher.backend, "latent_topk", wraps=searcher.backend.latent_topk
        ) as shared,
    ):
        assert len(list(searcher.search_many([f"w{i}" for i in range(9)], 3))) == 9
    assert [len(call.args[0]) for call in shared.call_args_list if len(call.args[0]) > 1] == [9]


def test_no_round_begins_after_the_time_budget(searcher):
    with fetching(1):
        answer = searcher.search("w1 w2", 1, moments=True, budget_ms=1e-6)
        patient = searcher.search("w1 w2", 1, moments=True, budget_ms=1e6)
    assert answer.outcome.rounds == 1
    assert patient.exact


def test_the_last_resort_has_no_time_after_the_time_budget(searcher):
    with fetching(1):
        hasty = searcher.search("w1 w2", 100, budget_ms=1e-6)
        patient = searcher.search("w1 w2", 100, budget=1)
    assert not hasty.exact
    assert hasty.outcome.candidates < patient.outcome.candidates
    assert patient.exact


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"offset": -1}, "offset of -1"),
        ({"k": 9_000, "offset": 2_000}, "10,000 in all"),
        ({"threshold": math.nan}, "no number"),
        ({"budget_ms": 0}, "budget is 0 ms"),
        ({"fusion": "max"}, "affine, rrf, sum"),
        ({"weights": (-1.0, 1.0)}, "weights are -1,1"),
        ({"weights": (0.0, 0.0), "fusion": "sum"}, "weights are 0,0"),
    ],
)
def test_options_that_cannot_be(searcher, options, message):
    with pytest.raises(UsageError, match=message):
        searcher.search("w1", **options)


def test_ranks_leave_out_what_is_beyond_their_depth():
    found = fusion.Reciprocal(1.0, 1.0).parts(2.0, np.array([0, 1, 40]))
    np.testing.assert_allclose(found, [0, 2 / 61, 0.02])


@pytest.mark.parametrize("how", [{}, {"moments": True}, {"fusion": "rrf"}, {"pool": "mean:3"}])
def test_reasons_told_later_are_the_same(tmp_path, how):
    corpus = Corpus.make(tmp_path / "index", said=0.2)
    searcher = Searcher(open_snapshot(corpus.directory), corpus.pack)
    for text in ("w1 w2", "w3 w4^-2 +w5", "path:odd", "w1 path:nowhere"):
        at_once = searcher.search(text, 7, offset=2, **how)
        bare = searcher.search(text, 7, offset=2, reasons=False, **how)
        assert not any(hit.terms for hit in bare)
        later = searcher.with_reasons(bare)
        assert later.hits == at_once.hits
        assert list(later.times_ms) == list(at_once.times_ms)
