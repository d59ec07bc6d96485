"""Folding near-duplicates: against a plain greedy rule, and pages that fit together."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.corpus import Corpus
from unify.engine import duplicates
from unify.engine.duplicates import distinct
from unify.engine.local import open_snapshot
from unify.engine.search import Searcher

ALIKE = 0.5  # random latents of 8 numbers are seldom nearer


@pytest.fixture(params=[False, True], ids=["random", "ties"])
def searcher(tmp_path, request):
    corpus = Corpus.make(tmp_path / "index", videos=12, ties=request.param)
    return Searcher(open_snapshot(corpus.directory), corpus.pack)


def folded(searcher, moments, k, offset=0, text="w1 w3"):
    return distinct(
        searcher.backend,
        lambda depth: searcher.search(text, depth, moments=moments),
        k,
        offset,
        ALIKE,
    )


def greedy(searcher, moments, text="w1 w3"):
    """The moments that stay of all hits, with those that each stands for."""
    kept = []
    for hit in searcher.search(text, 1000, moments=moments):
        row = searcher.backend.latents(np.array([hit.moment]))[0].astype("f8")
        row /= np.linalg.norm(row)
        for _, leader, followers in kept:
            if leader @ row >= ALIKE:
                followers.append(hit.moment)
                break
        else:
            kept.append((hit.moment, row, []))
    return [(moment, len(followers)) for moment, _, followers in kept]


@pytest.mark.parametrize("moments", [False, True])
def test_what_stays_is_what_a_greedy_rule_keeps(searcher, moments):
    expected = greedy(searcher, moments)
    found = folded(searcher, moments, 1000)
    assert [(hit.moment, hit.duplicates) for hit in found] == expected
    assert 1 < len(expected) < len(searcher.search("w1 w3", 1000, moments=moments))
    assert [hit.rank for hit in found] == list(range(1, len(expected) + 1))


def test_pages_fit_together_and_are_full(searcher):
    whole = [moment for moment, _ in greedy(searcher, True)]
    pages = [[hit.moment for hit in folded(searcher, True, 3, at)] for at in range(0, 12, 3)]
    assert [moment for page in pages for moment in page] == whole[:12]
    assert [hit.rank for hit in folded(searcher, True, 3, 2)] == list(range(3, 6))[: len(whole) - 2]


def test_what_is_not_ranked_stays_whole(searcher):
    left = searcher.search("path:odd", 1000, moments=True)
    found = folded(searcher, True, 1000, text="path:odd")
    assert found.hits == left.hits


def test_nothing_found_stays_nothing(searcher):
    assert len(folded(searcher, True, 5, text="w1 path:nowhere")) == 0


@given(seed=st.integers(0, 1_000), count=st.integers(0, 40), most=st.integers(1, 45))
def test_the_first_rows_are_kept_and_all_are_counted(seed, count, most):
    rows = np.random.default_rng(seed).standard_normal((count, 3)).astype("f4")
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    kept, counts = [], []
    for at in range(count):
        alike = [i for i, one in enumerate(kept) if rows[one] @ rows[at] >= 0.8]
        if alike:
            counts[alike[0]] += 1
        else:
            kept.append(at)
            counts.append(0)
    with mock.patch.object(duplicates, "_BLOCK", 7):
        found = duplicates._folded(rows, most, 0.8)
    assert found == (kept[:most], counts[:most])


@pytest.mark.parametrize("moments", [False, True])
def test_reasons_made_for_a_page_alone_are_those_of_all_hits(searcher, moments):
    def bare(depth):
        return searcher.search("w1 w3", depth, moments=moments, reasons=False)

    told = 0
    for offset in (0, 2, 5):
        page = distinct(searcher.backend, bare, 3, offset, ALIKE)
        assert not any(hit.terms for hit in page)
        whole = folded(searcher, moments, 3, offset)
        assert searcher.with_reasons(page).hits == whole.hits
        told += sum(bool(hit.terms) for hit in whole)
    assert told
