"""Videos scored by the mean of their best moments, against brute force over stored values."""

import tempfile
from collections import defaultdict
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.corpus import Corpus
from tests.engine.test_search import QUERIES, brute_force, fetching
from unify.engine.errors import UsageError
from unify.engine.fusion import Mode
from unify.engine.local import open_snapshot
from unify.engine.pooling import pool_scores, read_pool
from unify.engine.search import Searcher


def pooled_by_hand(corpus, searcher, text, m, mode):
    """(best moment, mean of the m best) of each video, best first, from a list of all moments."""
    by_video = defaultdict(list)
    for moment, score in brute_force(corpus, searcher, text, 10**6, Mode(mode), moments=True):
        by_video[int(searcher.backend.video_ids(np.array([moment]))[0])].append((moment, score))
    means = [
        (some[0][0], float(np.mean([score for _, score in some[:m]]))) for some in by_video.values()
    ]
    return sorted(means, key=lambda pair: (-round(pair[1], 9), pair[0]))


@given(
    seed=st.integers(0, 2**32 - 1),
    queries=st.lists(QUERIES, min_size=3, max_size=3),
    k=st.integers(1, 12),
    m=st.integers(2, 6),  # a video has four moments
    mode=st.sampled_from(["fused", "latent", "lexicon"]),
    removed=st.sampled_from([0.0, 0.3, 1.0]),
    scan_rows=st.sampled_from([0, 1024]),
    first_depth=st.integers(1, 8),
)
@settings(max_examples=40, deadline=None)
def test_exact_answers_equal_brute_force(
    seed, queries, k, m, mode, removed, scan_rows, first_depth
):
    with tempfile.TemporaryDirectory() as folder, fetching(first_depth, scan_rows):
        corpus = Corpus.make(Path(folder) / "index", seed, videos=25, removed=removed)
        searcher = Searcher(open_snapshot(corpus.directory), corpus.pack)
        for text in queries:
            answer = searcher.search(text, k, mode=mode, pool=f"mean:{m}")
            expected = pooled_by_hand(corpus, searcher, text, m, mode)[:k]
            assert answer.exact
            assert [hit.moment for hit in answer] == [moment for moment, _ in expected], text
            assert [hit.score for hit in answer] == pytest.approx(
                [score for _, score in expected], abs=2e-9
            )
            for hit in answer:
                parts = hit.latent_part + hit.lexicon_part + hit.base + hit.pool_part
                assert hit.score == pytest.approx(parts, abs=1e-12)
                assert hit.pool_part <= 1e-12


@pytest.mark.parametrize("text", ["w1 w2", "w3 w4 w5"])
def test_the_certificate_ends_the_search_before_all_was_seen_and_never_lies(tmp_path, text):
    corpus = Corpus.make(tmp_path / "index", videos=100)
    searcher = Searcher(open_snapshot(corpus.directory), corpus.pack)
    with fetching(4):
        answer = searcher.search(text, 1, pool="mean:2")
        assert answer.exact and answer.outcome.candidates < answer.plan.allowed
        small = searcher.search(text, 5, pool="mean:4", budget=5)
    (best, *_), *_ = pooled_by_hand(corpus, searcher, text, 2, "fused")
    assert answer[0].moment == best
    assert not small.exact and small.outcome.gap > 0
    returned = {hit.moment for hit in small}
    others = [
        score
        for moment, score in pooled_by_hand(corpus, searcher, text, 4, "fused")
        if moment not in returned
    ]
    assert max(others) <= small[-1].score + small.outcome.gap + 1e-9


def test_a_mean_of_one_is_the_best_moment(corpus):
    searcher = Searcher(open_snapshot(corpus.directory), corpus.pack)
    assert searcher.search("w1", 9, pool="mean:1").hits == searcher.search("w1", 9).hits
    pages = [searcher.search("w1", 3, offset=at, pool="mean:3").hits for at in (0, 3)]
    assert pages[0] + pages[1] == searcher.search("w1", 6, pool="mean:3").hits


def test_only_allowed_moments_count(corpus):
    searcher = Searcher(open_snapshot(corpus.directory), corpus.pack)
    with mock.patch.object(searcher.backend, "every", wraps=searcher.backend.every) as every:
        for text in ("w1 +w2", "path:even w1"):
            found = searcher.search(text, 50, pool="mean:4")
            expected = pooled_by_hand(corpus, searcher, text, 4, "fused")
            assert [hit.moment for hit in found] == [moment for moment, _ in expected]
    assert every.called


def test_pooled_scores_stand_at_the_first_of_equal_moments():
    scores, videos = np.array([2.0, 2.0, 1.0, 7.0]), np.array([5, 5, 5, 1])
    assert pool_scores(scores, videos, 2).tolist() == [2.0, -np.inf, -np.inf, 7.0]
    assert len(pool_scores(np.zeros(0), np.zeros(0, np.int64), 2)) == 0


@pytest.mark.parametrize("text", ["mean", "mean:0", "mean:-1", "mean:1000", "mean:x", "min", ""])
def test_other_pools_are_refused(text):
    with pytest.raises(UsageError, match="cannot pool"):
        read_pool(text)


def test_moments_and_ranks_are_not_pooled(corpus):
    searcher = Searcher(open_snapshot(corpus.directory), corpus.pack)
    for options in ({"moments": True}, {"fusion": "rrf"}, {"fusion": "server"}):
        with pytest.raises(UsageError, match="pooled"):
            searcher.search("w1", pool="mean:2", **options)
