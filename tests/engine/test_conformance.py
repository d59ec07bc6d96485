"""What every backend must do: the same rows, scores and answers as brute force.

Rows are compared by video and start, since each backend names them in its own way. A backend is
added in `tests/engine/backends.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from tests.engine.backends import EVERY, EXACT
from tests.engine.corpus import Corpus
from tests.engine.test_search import allowed_rows, fetching
from unify.engine import planner
from unify.engine.backend import Allowed, Backend, Condition
from unify.engine.errors import UsageError
from unify.engine.facets import facets
from unify.engine.fusion import Mode, affine
from unify.engine.like import Like, moment_at
from unify.engine.local import LocalBackend, open_snapshot
from unify.engine.query import Filters, parse
from unify.engine.search import Searcher
from unify.engine.types import UInt16
from unify.engine.writer import IndexWriter, Root

RNG_QUERIES = [
    "w1 w2 w3", "w4 w9^-1", "unknown words", "+w3 w5", "-w2 w6", "+w1 -w7 w8 path:even",
    "w1^-1 w2^-2", "path:odd w5", "len:>5 w3 w4", "after:2001-09-12 w9", "(w1 OR w2) w10",
    "path:od_ w1", "path:odd path:mp4 w2", 'path:"%" w1', "-w1 -w2 -w3 w4", "len:3-9 w11 w12 w13",
]  # fmt: skip


@dataclass
class Truth:
    """A corpus and all that it holds, by other means than the backend's."""

    corpus: Corpus
    backend: Backend

    def __post_init__(self) -> None:
        ids, self.owners, self.latents, self.both = self.corpus.rows(2)
        self.weights = self.both[:, : len(self.corpus.pack.lexicon)]
        reference = open_snapshot(self.corpus.directory)
        self.dense = self.both.toarray()
        self.live = np.isin(self.owners, [video.id for video in self.corpus.videos])
        facts = [reference.facts(i) if ok else None for i, ok in zip(ids, self.live, strict=True)]
        self.keys = [(f.video, f.start_s) if f else None for f in facts]
        self.every = self.backend.every(self.backend.allowed(Filters(), [], 0.6))
        place = {self.key(i): i for i in self.every.tolist()}
        # By row of the truth, the backend's own id; -1 for a row that must not be there.
        self.ids = np.array([place.pop(key, -1) for key in self.keys], np.int64)
        assert not place

    def key(self, moment: int) -> tuple[str, float]:
        facts = self.backend.facts(moment)
        return facts.video, facts.start_s

    def rows_of(self, ids: np.ndarray) -> np.ndarray:
        order = np.argsort(self.ids)
        return order[np.searchsorted(self.ids, ids, sorter=order)]


@pytest.fixture(scope="module", params=EVERY)
def truth(request, tmp_path_factory) -> Iterator[Truth]:
    folder = tmp_path_factory.mktemp("conformance")
    corpus = Corpus.make(folder / "index", 5, videos=30, removed=0.2, said=0.05)
    with request.param(corpus) as backend:
        yield Truth(corpus, backend)


@pytest.fixture(scope="module", params=EXACT)
def tied(request, tmp_path_factory) -> Iterator[Truth]:
    folder = tmp_path_factory.mktemp("ties")
    corpus = Corpus.make(folder / "index", 6, videos=25, ties=True, removed=0.1)
    with request.param(corpus) as backend:
        yield Truth(corpus, backend)


def everything(backend: Backend) -> Allowed:
    return backend.allowed(Filters(), [], 0.6)


def terms(*ids: int) -> UInt16:
    return np.array(ids, np.uint16)


def test_it_says_what_it_holds(truth):
    statistics = truth.backend.statistics()
    assert statistics.moments == truth.live.sum() == len(truth.every)
    assert statistics.videos == len(truth.corpus.videos)
    assert (np.diff(truth.every) > 0).all()
    assert truth.backend.settings == truth.corpus.pack.settings()
    assert truth.backend.name


def test_where_moments_lie(truth):
    reference = open_snapshot(truth.corpus.directory)
    for video in truth.corpus.videos[::6]:
        own = truth.backend.moments_of(f"clips/{video.rel}")
        same = reference.moments_of(f"/abs/clips/{video.rel}")
        assert own.tolist() == truth.backend.moments_of(f"/abs/clips/{video.rel}").tolist()
        for mine, theirs in zip(own.tolist(), same.tolist(), strict=True):
            assert truth.backend.facts(mine) == reference.facts(theirs)
            asked = terms(3, 7, 1, 25)
            for found, wanted in zip(
                truth.backend.tracks(mine, asked), reference.tracks(theirs, asked), strict=True
            ):
                assert np.array_equal(found, wanted)
        assert set(truth.backend.video_ids(own).tolist()) == {video.id}
    with pytest.raises(UsageError, match="not indexed"):
        truth.backend.moments_of("clips/none.mp4")
    assert moment_at(truth.backend, Like(f"clips/{video.rel}", 1.4)) == own[0]


def test_stored_values_are_exact(truth):
    pack, rows = truth.corpus.pack, np.flatnonzero(truth.live)[::-1]
    ids = truth.ids[rows]
    query = pack.encode_query("w1 w2 w3")
    assert np.array_equal(truth.backend.latents(ids), truth.latents[rows].astype("f4"))
    found = truth.backend.latent_scores(ids, query.latent)
    assert found == pytest.approx(truth.latents[rows] @ query.latent.astype("f8"), abs=1e-12)
    asked, weights = terms(2, 5, 9, 30), np.array([1.0, -2.0, 0.5, 3.0], "f4")
    assert np.array_equal(truth.backend.term_weights(ids, asked), truth.dense[rows][:, asked])
    found = truth.backend.lexicon_scores(ids, asked, weights)
    assert found == pytest.approx(truth.dense[rows][:, asked] @ weights.astype("f8"), abs=1e-12)
    none = np.zeros(0, np.int64)
    assert truth.backend.latents(none).shape == (0, pack.dim)
    assert truth.backend.term_weights(none, asked).shape == (0, 4)
    assert not len(truth.backend.latent_scores(none, query.latent))
    assert not len(truth.backend.lexicon_scores(none, asked, weights))


def check_side(truth, side, exact: np.ndarray, kept: np.ndarray, k: int) -> None:
    """A side's rows are distinct, allowed and in order; its bound holds for all others."""
    rows = truth.rows_of(side.ids)
    assert len(set(side.ids.tolist())) == len(side.ids) <= k
    assert kept[rows].all()
    assert (np.diff(side.scores) <= 0).all()
    unseen = np.setdiff1d(np.flatnonzero(kept), rows)
    assert (exact[unseen] <= side.bound).all()
    if not len(unseen):
        assert side.bound == -np.inf


ALLOWED = [
    (Filters(), []),
    (Filters(("even",)), []),
    (Filters(min_s=4.0, max_s=30.0), [Condition((3, 23), False)]),
    (Filters(), [Condition((1, 2, 21), True)]),
    (Filters(("no such path",)), []),
    (Filters(("e_e",)), []),
    (Filters(("clips/1", "_")), []),
]


@pytest.mark.parametrize(("filters", "conditions"), ALLOWED)
def test_sides_find_the_best_allowed_rows(truth, filters, conditions):
    backend = truth.backend
    allowed = backend.allowed(filters, conditions, 0.6)
    kept = truth.live.copy()
    durations = {video.id: video.duration_s for video in truth.corpus.videos}
    for row in np.flatnonzero(truth.live):
        shows = np.where(np.arange(40) < 20, 0.6, 1e-9)
        ok = all(part in truth.keys[row][0] for part in filters.paths)
        ok &= filters.min_s <= durations[truth.owners[row]] <= filters.max_s
        for condition in conditions:
            held = (truth.dense[row] >= shows)[list(condition.terms)].any()
            ok &= held != condition.negated
        kept[row] = ok
    assert allowed.moments == kept.sum()
    assert allowed.videos == len(set(truth.owners[kept].tolist()))
    assert truth.rows_of(backend.every(allowed)).tolist() == sorted(
        np.flatnonzero(kept).tolist(), key=lambda row: truth.ids[row]
    )
    rng = np.random.default_rng(0)
    latents = rng.standard_normal((3, truth.corpus.pack.dim))
    latents = (latents / np.linalg.norm(latents, axis=1, keepdims=True)).astype("f4")
    for k in (1, 7, 1000):
        approximate = backend.approximates(allowed)
        for query, side in zip(
            latents, backend.latent_topk(latents, k, allowed, not approximate, 1), strict=True
        ):
            exact = truth.latents @ query.astype("f8")
            check_side(truth, side, exact, kept, k)
            assert side.scores == pytest.approx(exact[truth.rows_of(side.ids)], abs=1e-5)
            if not approximate:
                assert len(side.ids) == min(k, kept.sum())
        for weights in ([1.0, 0.5, 2.0], [1.0, -3.0, 0.5], [-1.0, -1.0, -1.0]):
            asked, of = terms(4, 9, 33), np.array(weights, "f4")
            side = backend.lexicon_topk(asked, of, k, allowed, 1)
            exact = truth.dense[:, asked] @ of.astype("f8")
            check_side(truth, side, exact, kept, k)
            if min(weights) > 0:
                assert len(side.ids) == min(k, kept.sum())


def expected(truth, text: str, mode: str, moments: bool) -> list[tuple[int, float]]:
    """Return (id, score) of all rows that may be found, by scores of the truth."""
    parsed, pack = parse(text), truth.corpus.pack
    query = Searcher(truth.backend, pack).encode(parsed)
    kept = allowed_rows(truth.corpus, parsed, truth.owners, truth.weights)
    latent = np.zeros(len(kept))
    if query.latent is not None:
        latent = truth.latents @ query.latent.astype("f8")
    lexicon = truth.dense[:, query.terms] @ query.weights.astype("f8")
    scores = affine(query, pack.calibration, Mode(mode))(latent, lexicon).round(9)
    order = [i for i in np.lexsort((truth.ids, -scores)) if kept[i]]
    if not moments:
        seen: set[int] = set()
        order = [i for i in order if not (truth.owners[i] in seen or seen.add(truth.owners[i]))]
    return [(int(truth.ids[i]), float(scores[i])) for i in order]


def compare(truth, text: str, k: int, mode: str, moments: bool) -> bool:
    """Compare an answer with brute force; return whether it is certified."""
    answer = Searcher(truth.backend, truth.corpus.pack).search(
        text, k, mode=mode, moments=moments, subtitles=False
    )
    wanted = expected(truth, text, mode, moments)[:k]
    found = [(hit.moment, hit.score) for hit in answer]
    if answer.exact:
        assert [i for i, _ in found] == [i for i, _ in wanted], text
        assert [s for _, s in found] == pytest.approx([s for _, s in wanted], abs=2e-9)
    else:
        assert answer.outcome.gap > 0
    return answer.exact


@pytest.mark.parametrize("mode", ["fused", "latent", "lexicon"])
@pytest.mark.parametrize("scan_rows", [0, 1024])
def test_certified_answers_equal_brute_force(truth, mode, scan_rows):
    certified = []
    with fetching(3, scan_rows), mock.patch.object(planner, "STEP", 3):
        for place, text in enumerate(RNG_QUERIES):
            certified.append(compare(truth, text, 4, mode, bool(place % 2)))
    if scan_rows or not truth.backend.approximates(everything(truth.backend)):
        assert all(certified)
    elif mode != "lexicon":
        assert not all(certified)  # an index that may miss rows must not promise


@pytest.mark.parametrize("mode", ["fused", "lexicon"])
def test_ties_go_by_id(tied, mode):
    with fetching(3):
        for text in RNG_QUERIES:
            assert compare(tied, text, 6, mode, True)


def test_pages_fit_together(tied):
    searcher = Searcher(tied.backend, tied.corpus.pack)
    with fetching(3):
        whole = [hit.moment for hit in searcher.search("w1 w2", 12, moments=True)]
        pages = [searcher.search("w1 w2", 4, offset=at, moments=True) for at in (0, 4, 8)]
    assert [hit.moment for page in pages for hit in page] == whole


def test_words_that_are_said_count(truth):
    searcher = Searcher(truth.backend, truth.corpus.pack)
    hits = searcher.search("+w3 w5", 200, moments=True)
    said = truth.dense[:, 20 + 3] > 0
    shown = truth.dense[:, 3] >= 0.6
    assert {h.moment for h in hits} == set(truth.ids[truth.live & (said | shown)].tolist())
    spoken = [m for h in hits for m in h.terms if m.source == "subtitles"]
    assert spoken
    assert any(match.said_s for match in spoken)


def test_numbers_of_rows_by_term(truth):
    backend, live = truth.backend, truth.dense[truth.live]
    shown = (live[:, :20] >= 0.6).sum(axis=0)
    assert backend.term_counts(0.6).tolist() == shown.tolist()
    held = backend.postings_count(np.arange(40, dtype=np.uint16))
    assert (held >= (live > 0).sum(axis=0)).all()  # those of removed videos may count
    few = facets(backend, truth.corpus.pack.lexicon, truth.every[:30], 0.6, 5)
    first = live[np.argsort(truth.ids[truth.live])][:30]
    counts = {f"w{t}": n for t, n in enumerate((first[:, :20] >= 0.6).sum(axis=0).tolist())}
    assert few
    assert all(facet.count == counts[facet.term] for facet in few)


def test_a_batch_answers_as_one_by_one(truth):
    searcher = Searcher(truth.backend, truth.corpus.pack)
    alone = [searcher.search(text, 5) for text in RNG_QUERIES]
    together = list(searcher.search_many(RNG_QUERIES, 5))
    assert [answer.hits for answer in together] == [answer.hits for answer in alone]


def test_a_fusion_of_the_servers_own_is_told_from_ours(truth):
    searcher = Searcher(truth.backend, truth.corpus.pack)
    if isinstance(truth.backend, LocalBackend):
        with pytest.raises(UsageError, match="has no server"):
            searcher.search("w1 w2", 5, fusion="server")
        return
    answer = searcher.search("w1 w2 path:even", 5, fusion="server")
    ours = searcher.search("w1 w2 path:even", 5, fusion="rrf")
    assert not answer.exact
    assert answer[0].score == pytest.approx(ours[0].score, rel=1e-5)
    assert [hit.score for hit in answer] == sorted((h.score for h in answer), reverse=True)
    for hit in answer:
        assert hit.score == hit.latent_part + hit.lexicon_part + hit.base
        assert hit.lexicon == pytest.approx(sum(match.product for match in hit.terms))
        assert "even" in hit.video
    assert len(searcher.search("path:even", 5, fusion="server")) == 5
    assert not searcher.search("w1^-1 w2^-2", 5, fusion="server").hits
    assert not searcher.search("path:nowhere w1", 5, fusion="server").hits


@pytest.mark.parametrize("opened", EXACT)
def test_what_is_removed_is_gone(opened, tmp_path: Path):
    corpus = Corpus.make(tmp_path / "index", 7)
    with opened(corpus) as backend:
        before = backend.statistics().moments
    corpus.videos = corpus.videos[::2]
    with IndexWriter.open(corpus.directory, corpus.pack.settings()) as writer:
        writer.publish([Root("clips", "/abs/clips")], corpus.videos)
    with opened(corpus) as backend:
        after = Truth(corpus, backend)
        assert backend.statistics().moments == len(after.every) == before // 2
        with fetching(3):
            assert compare(after, "w1 w2 w3", 5, "fused", True)


@pytest.mark.parametrize("opened", EXACT)
def test_an_empty_index_answers_with_nothing(opened, tmp_path: Path):
    corpus = Corpus.make(tmp_path / "index", segments=0)
    with opened(corpus) as backend:
        searcher = Searcher(backend, corpus.pack)
        for mode in ("fused", "latent", "lexicon"):
            answer = searcher.search("w1 w2", 5, mode=mode)
            assert not answer.hits
            assert answer.exact
