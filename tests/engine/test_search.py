"""Searching against brute force over the stored values, computed by scipy and FAISS."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.corpus import Corpus, FakePack, random_codes, spans
from unify.engine import execute, kernels, local, planner, postings, segment
from unify.engine.absence import faint
from unify.engine.errors import DamagedIndex, QueryError, UsageError
from unify.engine.fusion import Mode, affine
from unify.engine.local import open_snapshot
from unify.engine.query import ParsedQuery, parse
from unify.engine.search import Searcher
from unify.engine.types import SparseRows
from unify.engine.writer import IndexWriter, Video

WORDS = st.sampled_from([f"w{i}" for i in range(20)])
PARTS = st.one_of(
    WORDS,
    WORDS,
    st.builds("+{}".format, WORDS),
    st.builds("-{}".format, WORDS),
    st.builds("{}^{}".format, WORDS, st.sampled_from(["2", "0.5", "-1", "-2.5"])),
    st.builds("({} OR {})".format, WORDS, WORDS),
    st.sampled_from(["path:even", "path:odd", "len:>3", "len:2-9", "after:2001-09-12", "unknown"]),
)
QUERIES = st.lists(PARTS, min_size=1, max_size=5).map(" ".join)


@contextmanager
def fetching(depth: int, scan_rows: int = 0) -> Iterator[None]:
    """Plan as for a large index: small depths, and no scan of more than some rows."""
    dear = replace(local.USUAL, rescore=1e12)
    with (
        mock.patch.multiple(planner, SCAN_ROWS=scan_rows, FIRST_DEPTH=depth, PER_RESULT=1),
        mock.patch.multiple(local, USUAL=dear, machine_costs=lambda: dear),
        mock.patch.object(execute, "GROWTH", 2),
    ):
        yield


def allowed_rows(corpus, parsed: ParsedQuery, owners, weights) -> np.ndarray:
    """Which rows pass tombstones, filters and conditions, worked out row by row."""
    live = {v.id: v for v in corpus.videos}
    shows, lookup = corpus.pack.calibration.shows, corpus.pack.lexicon.lookup
    filters, dense = parsed.filters, weights.toarray()
    passes = []
    for owner, row in zip(owners.tolist(), dense, strict=True):
        video = live.get(owner)
        ok = video is not None
        if video is not None:
            ok = all(part in f"clips/{video.rel}" for part in filters.paths)
            ok &= filters.min_s <= video.duration_s <= filters.max_s
            ok &= filters.after <= video.recorded < filters.before
        for hard in parsed.hard:
            shown = any(row[lookup(phrase)] >= shows for phrase in hard.phrases)
            ok &= shown != hard.negated
        passes.append(ok)
    return np.array(passes)


def brute_force(corpus, searcher, text, k, mode, moments):
    """Return (id, score) of the k best rows, and all scores, ties by id."""
    parsed = parse(text)
    query = searcher.encode(parsed)
    ids, owners, latents, weights = corpus.rows()
    kept = allowed_rows(corpus, parsed, owners, weights)
    latent = np.zeros(len(ids)) if query.latent is None else latents @ query.latent.astype("f8")
    dense = np.zeros(weights.shape[1])
    dense[query.terms] = query.weights
    lexicon = weights @ dense
    scores = affine(query, corpus.pack.calibration, mode)(latent, lexicon).round(9)
    order = [i for i in np.lexsort((ids, -scores)) if kept[i]]
    if not moments:
        seen: set[int] = set()
        order = [i for i in order if not (owners[i] in seen or seen.add(int(owners[i])))]
    return [(int(ids[i]), float(scores[i])) for i in order[:k]]


@given(
    seed=st.integers(0, 2**32 - 1),
    queries=st.lists(QUERIES, min_size=4, max_size=4),
    k=st.integers(1, 12),
    mode=st.sampled_from(["fused", "latent", "lexicon"]),
    moments=st.booleans(),
    ties=st.booleans(),
    removed=st.sampled_from([0.0, 0.3, 1.0]),
    scan_rows=st.sampled_from([0, 1024]),
    first_depth=st.integers(1, 8),
    compiled=st.booleans(),
)
@settings(max_examples=50, deadline=None)
def test_exact_answers_equal_brute_force(
    seed, queries, k, mode, moments, ties, removed, scan_rows, first_depth, compiled
):
    with (
        tempfile.TemporaryDirectory() as folder,
        fetching(first_depth, scan_rows),
    ):
        corpus = Corpus.make(Path(folder) / "index", seed, videos=25, ties=ties, removed=removed)
        with mock.patch("unify.engine.local.COMPILE_FROM", 0 if compiled else 10**9):
            searcher = Searcher(open_snapshot(corpus.directory), corpus.pack)
        for text in queries:
            answer = searcher.search(text, k, mode=mode, moments=moments)
            expected = brute_force(corpus, searcher, text, k, Mode(mode), moments)
            assert answer.exact
            found = [(hit.moment, hit.score) for hit in answer]
            assert [i for i, _ in found] == [i for i, _ in expected], text
            assert [s for _, s in found] == pytest.approx([s for _, s in expected], abs=2e-9)


@pytest.mark.parametrize("weight", [0.1, 0.8, 3.0])  # either side may decide
def test_the_certificate_stops_neither_too_early_nor_never(tmp_path, weight):
    corpus = Corpus.make(tmp_path / "index", segments=2, videos=100)
    corpus.pack.calibration = replace(corpus.pack.calibration, lexicon_weight=weight)
    searcher = Searcher(open_snapshot(corpus.directory), corpus.pack)
    ids, _, latents, weights = corpus.rows()
    dense, early, rng = weights.toarray(), 0, np.random.default_rng(0)
    with fetching(1):
        for i in range(60):
            words = rng.choice(20, 3, replace=False)
            text = f"w{words[0]} w{words[1]} w{words[2]}^-1" if i % 2 else f"x{i} w{words[0]}^-1"
            answer = searcher.search(text, 2, moments=True)
            query = searcher.encode(parse(text))
            lexicon = dense[:, query.terms] @ query.weights.astype("f8")
            scores = affine(query, corpus.pack.calibration)(latents @ query.latent, lexicon)
            best = ids[np.lexsort((ids, -scores.round(9)))[:2]]
            assert answer.exact
            assert [hit.moment for hit in answer] == best.tolist()
            early += answer.outcome.candidates < len(ids)
    assert early > 30


@pytest.fixture
def searcher(corpus):
    return Searcher(open_snapshot(corpus.directory), corpus.pack)


def test_parts_add_up(searcher):
    for text in ("w1 w2 w3 w4 w5", "w1^-1 w2 w9", "nothing known"):
        for hit in searcher.search(text, 50, moments=True):
            total = hit.latent_part + hit.lexicon_part + hit.base
            assert hit.score == pytest.approx(total, rel=1e-9)
            assert hit.lexicon == pytest.approx(sum(t.product for t in hit.terms), rel=1e-9)
            assert hit.lexicon_part == pytest.approx(sum(t.part for t in hit.terms), rel=1e-9)
            for term in hit.terms:
                assert term.product == pytest.approx(term.query * term.moment, rel=1e-9)


def test_filters_deletions_and_growth_never_change_a_score(tmp_path, corpus, searcher):
    before = {hit.moment: hit.score for hit in searcher.search("w1 w2", 100, moments=True)}
    for hit in searcher.search("w1 w2 path:even", 100, moments=True):
        assert before[hit.moment] == hit.score
    whole = Corpus.make(tmp_path / "whole")  # the same rows, nothing removed
    grown = Searcher(open_snapshot(whole.directory), whole.pack).search("w1 w2", 100, moments=True)
    scores = {hit.moment: hit.score for hit in grown}
    assert len(scores) > len(before)
    assert before.items() <= scores.items()


def test_a_small_budget_is_approximate_and_says_by_how_much(corpus):
    with fetching(1):
        searcher = Searcher(open_snapshot(corpus.directory), corpus.pack)
        answers = [searcher.search(f"w{i} w{i + 5}", 1, moments=True, budget=1) for i in range(15)]
    doubtful = [answer for answer in answers if not answer.exact]
    assert doubtful
    assert all(answer.outcome.gap >= 0 and not answer[0].exact for answer in doubtful)
    assert all(answer.outcome.gap == 0 for answer in answers if answer.exact)


@pytest.mark.parametrize(("fast", "threads"), [(False, 1), (True, 1), (True, 2)])
@pytest.mark.parametrize("count", [100, 65_536, 140_000])  # one window, a full one, three
def test_postings_equal_scipy(count, fast, threads):
    rng = np.random.default_rng(count)
    size = 6
    dense = rng.integers(0, 3, (count, size)) * (rng.random((count, size)) < 0.3)
    rows = SparseRows.from_dense(dense.astype("f4"), size)
    codes = rows.weights.astype(np.uint8)
    inverted = segment.invert(rows.indptr, rows.terms, codes, size)
    terms = np.array([0, 2, 5], np.uint16)
    factors = np.array([1.0, -0.5, 2.0])
    lists = postings.Lists(inverted, size, count, terms, factors)
    exact = scipy.sparse.csr_array(dense)[:, terms] @ factors
    for k in (1, 50, count):
        for allow in (None, rng.random(count) < 0.2):
            found = postings.topk(lists, allow, k, fast, threads)
            kept = np.arange(count) if allow is None else np.flatnonzero(allow)
            assert len(found.rows) == min(k, len(kept))
            assert np.isin(found.rows, kept).all()
            error = exact[found.rows] - found.scores
            assert error.max() <= found.slack  # codes are exact here, so this is more than enough
            assert error.min() >= -(3 * 2 * 255 * 3.5 / 32_000 + found.slack)
            left = np.setdiff1d(kept, found.rows)
            if len(left):
                assert exact[left].max() <= found.scores[-1] + found.slack
            order = np.lexsort((found.rows, -found.scores))
            np.testing.assert_array_equal(order, np.arange(len(order)))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_only_rows_without_a_match_score_zero(seed):
    rng = np.random.default_rng(seed)
    dense = rng.integers(1, 256, (200, 30)) * (rng.random((200, 30)) < 0.1)
    rows = SparseRows.from_dense(dense.astype("f4"), 30)
    inverted = segment.invert(rows.indptr, rows.terms, rows.weights.astype(np.uint8), 30)
    factors = 10.0 ** rng.uniform(-9, 3, 30)
    lists = postings.Lists(inverted, 30, 200, np.arange(30, dtype=np.uint16), factors)
    for fast in (False, True):
        found = postings.topk(lists, None, 200, fast)
        np.testing.assert_array_equal(found.scores == 0, ~dense[found.rows].any(axis=1))


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 10, 100, 300]), st.booleans())
@settings(max_examples=25, deadline=None)
def test_leaving_terms_for_later_changes_nothing(seed, k, filtered):
    rng = np.random.default_rng(seed)
    size, count = 12, 4 * 256
    held = rng.random((count, size)) < np.geomspace(0.01, 0.9, size)  # from rare to frequent
    dense = rng.integers(1, 256, (count, size)) * held
    rows = SparseRows.from_dense(dense.astype("f4"), size)
    factors = np.geomspace(4, 0.1, size)
    allow = rng.random(count) < 0.5 if filtered else None
    found = []
    for window, left in ((256, 0.0), (256, 0.6), (count, 0.0)):
        with (
            mock.patch.object(kernels, "WINDOW", window),
            mock.patch.object(postings, "WINDOW", window),
            mock.patch.object(segment, "WINDOW", window),
            mock.patch.object(kernels, "START", left),
            mock.patch.object(kernels, "MOST_LEFT", left),
            mock.patch.object(postings, "compiled", lambda kernel: kernel),
        ):
            codes = rows.weights.astype(np.uint8)
            inverted = segment.invert(rows.indptr, rows.terms, codes, size)
            lists = postings.Lists(inverted, size, count, np.arange(size, dtype=np.uint16), factors)
            found.append(postings.topk(lists, allow, k, True))
            least = float(found[0].scores[len(found[0].scores) // 2])
            above = postings.topk(lists, allow, k, True, above=least)
        np.testing.assert_array_equal(found[-1].rows, found[0].rows)
        np.testing.assert_array_equal(found[-1].scores, found[0].scores)
        np.testing.assert_array_equal(above.rows, found[0].rows[found[0].scores > least])


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 700))
@settings(max_examples=60, deadline=None)
def test_where_all_scores_are_negative_the_end_of_a_block_is_no_row(seed, k, count):
    rng = np.random.default_rng(seed)
    codes = rng.integers(1, 256, (count, 2))
    rows = SparseRows.from_dense(codes.astype("f4"), 2)
    inverted = segment.invert(rows.indptr, rows.terms, rows.weights.astype(np.uint8), 2)
    factors = np.array([-1.0, -2.0])
    lists = postings.Lists(inverted, 2, count, np.arange(2, dtype=np.uint16), factors)
    wanted = np.sort(codes @ factors)[::-1][:k]
    for fast in (False, True):
        found = postings.topk(lists, None, k, fast)
        error = 2 * 2 * 255 * 3 / 32_000
        np.testing.assert_allclose((codes @ factors)[found.rows], wanted, atol=error)
        np.testing.assert_allclose(found.scores, wanted, atol=error)


def test_rows_are_float16_and_codes_less_than_a_step_above():
    rng = np.random.default_rng(0)
    pack, codes = FakePack(), []
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "index"
        with IndexWriter.open(directory, pack.settings()) as writer:
            for video in (1, 2, 3):
                codes.append(random_codes(rng, pack, ties=False))
                writer.add(video, *spans(), codes[-1])
            writer.publish([], [Video(video, 0, "x", 1, 0) for video in (1, 2, 3)])
        (stored,) = open_snapshot(directory).segments
        rows = SparseRows.concatenate([part.lexicon for part in codes])
        np.testing.assert_array_equal(stored.forward[1], rows.terms)
        np.testing.assert_array_equal(stored.forward[2], rows.weights.astype(np.float16))
        indptr, ids, steps = stored.postings
        term = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))  # one window
        scales = stored.scales.astype("f8")[term]
        dense = np.zeros((len(rows), len(pack.lexicon)))
        owner = np.repeat(np.arange(len(rows)), np.diff(rows.indptr))
        dense[owner, rows.terms] = stored.forward[2]
        assert (steps * scales >= dense[ids, term]).all()
        assert ((steps - 1) * scales < dense[ids, term]).all()
        latents = np.concatenate([part.latents for part in codes])
        np.testing.assert_array_equal(stored.latents, latents.astype(np.float16))


def test_one_hit_a_video_by_default(searcher):
    videos = [hit.video for hit in searcher.search("w1", 100)]
    assert len(videos) == len(set(videos)) == len(searcher.backend.videos)


def test_unknown_hard_term_is_an_error_with_position_and_advice(searcher):
    with pytest.raises(QueryError, match=r"'w99' is not in the lexicon at character 4; did you"):
        searcher.search("w1 +w99")


def test_a_hard_phrase_needs_each_of_its_words(searcher):
    both = {hit.moment for hit in searcher.search('+"w1 w2"', 100, moments=True)}
    assert both == {hit.moment for hit in searcher.search("+w1 +w2", 100, moments=True)}
    with pytest.raises(QueryError, match="'w99' is not in the lexicon"):
        searcher.search('+"w1 w99"')
    for text in ('-"w1 w2"', '(w1 OR "w2 w3")'):
        with pytest.raises(QueryError, match="no term of the lexicon"):
            searcher.search(text)


def test_a_query_without_a_word_is_an_error_and_other_scripts_are_not(searcher):
    with pytest.raises(QueryError, match="holds no word"):
        searcher.search("!!! -- ?")
    assert searcher.search("кошка")[0].latent != 0


def test_few_long_videos_do_not_hide_the_others(tmp_path):
    corpus = Corpus.make(tmp_path / "index", segments=1, videos=40)
    with fetching(1):
        searcher = Searcher(open_snapshot(corpus.directory), corpus.pack)
        answer = searcher.search("w1 w2", 40, budget=1)
    assert len(answer) == 40
    assert answer.exact


def test_missing_words_are_named(tmp_path):
    corpus = Corpus.make(tmp_path / "index")
    searcher = Searcher(open_snapshot(corpus.directory), corpus.pack)
    with mock.patch.object(searcher.backend, "postings_count", lambda terms: 0 * terms):
        assert searcher.search("w7 and w3").missing == ("w3", "w7")
    assert searcher.search("w7 and w3").missing == ()


@pytest.mark.parametrize("k", [0, -1, 10_001])
def test_k_out_of_range(searcher, k):
    with pytest.raises(UsageError, match="k is"):
        searcher.search("w1", k)


def test_unknown_mode_lists_the_modes(searcher):
    with pytest.raises(UsageError, match="fused, latent, lexicon"):
        searcher.search("w1", mode="both")


def test_filter_only_query_lists_by_moment_id(searcher):
    answer = searcher.search("path:odd", 5)
    assert [hit.moment for hit in answer] == sorted(hit.moment for hit in answer)
    assert all("odd/" in hit.video for hit in answer)
    assert {hit.score for hit in answer} == {0.0}
    assert not answer.scored and not any(hit.weak for hit in answer)
    assert searcher.search("path:odd w1").scored


def test_an_empty_index_answers_nothing(tmp_path):
    corpus = Corpus.make(tmp_path / "index", segments=0)
    assert len(Searcher(open_snapshot(corpus.directory), FakePack()).search("w1")) == 0


def test_boosts_of_one_term_multiply_within_bounds(searcher):
    for boosts, factor in (("w1^3 w1^2", 6), ("w1^100 " * 30, 100), ("w1^0 w1^2", 0)):
        parsed = parse(f"w1 {boosts}")
        (plain,) = searcher.encoder.encode_query(parsed.text).weights
        boosted = searcher.encode(parsed).weights
        assert boosted.tolist() == pytest.approx([plain * factor] if factor else [])


def test_more_terms_than_16_bits_can_add_up():
    rng = np.random.default_rng(0)
    size = 20_000
    rows = SparseRows.from_dense(rng.integers(1, 256, (20, size)).astype("f4"), size)
    inverted = segment.invert(rows.indptr, rows.terms, rows.weights.astype(np.uint8), size)
    lists = postings.Lists(inverted, size, 20, np.arange(size, dtype=np.uint16), np.ones(size))
    found = postings.topk(lists, None, 5, True)
    exact = np.add.reduceat(rows.weights.astype("f8"), rows.indptr[:-1])
    assert (exact[found.rows] - found.scores <= found.slack).all()
    assert np.delete(exact, found.rows).max() <= found.scores[-1] + found.slack


def test_faint_words_are_those_below_what_shows(corpus, searcher):
    _, owners, _, weights = corpus.rows()
    live = np.isin(owners, [video.id for video in corpus.videos])  # removed ones are stored still
    best = weights.toarray()[live].max(axis=0)
    shows = float(np.sort(best)[len(best) // 2 - 1 : len(best) // 2 + 1].mean())
    pack = corpus.pack
    pack.calibration = replace(pack.calibration, shows=shows)
    words = [f"w{i}" for i in range(len(best))]
    found = faint(searcher, searcher.search(" ".join(words)))
    assert {each.word for each in found} == {
        word for word, weight in zip(words, best, strict=True) if weight < shows
    }
    for each in found:
        assert each.best == pytest.approx(best[int(each.word[1:])])
    assert faint(searcher, searcher.search("w1^-1")) == ()


def test_faint_words_are_not_looked_for_in_damaged_lists(tmp_path):
    corpus = Corpus.make(tmp_path / "index")
    for path in tmp_path.rglob("postings_ids.npy"):
        np.lib.format.open_memmap(path, "r+")[:] = 65_535
    searcher = Searcher(open_snapshot(corpus.directory), corpus.pack)
    with (
        mock.patch("unify.engine.local.in_time", return_value=False),
        pytest.raises(DamagedIndex, match="out of range"),
    ):
        faint(searcher, searcher.search("w1 w2"))  # the search scores every row, and reads no list
