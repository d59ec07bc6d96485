"""What is said beside what shows: storage, scores against brute force, and what explains them."""

import tempfile
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.compacting import compact
from tests.engine.corpus import Corpus, FakePack, random_codes, spans
from tests.engine.test_search import QUERIES, fetching
from unify.engine.absence import faint
from unify.engine.answer import Source
from unify.engine.errors import DamagedIndex, UsageError
from unify.engine.explain import library_terms, term_tracks
from unify.engine.fusion import Mode, affine
from unify.engine.lexicon import Lexicon
from unify.engine.local import open_snapshot
from unify.engine.query import parse
from unify.engine.said import SAID, add_said
from unify.engine.search import Searcher
from unify.engine.types import MomentCodes, SparseRows
from unify.engine.verify import verify
from unify.engine.writer import IndexWriter, Root, Video

SHARE = 0.1


def open_searcher(corpus: Corpus) -> Searcher:
    return Searcher(open_snapshot(corpus.directory), corpus.pack)


@pytest.fixture
def talk(tmp_path):
    return Corpus.make(tmp_path / "talk", seed=3, removed=0.2, said=SHARE)


def brute_force(corpus, searcher, text, k, mode):
    """The k best moments by fusing what shows, with what is said on top, row by row."""
    parsed, pack = parse(text), corpus.pack
    query, size, shows = searcher.encode(parsed), len(pack.lexicon), pack.calibration.shows
    ids, owners, latents, weights = corpus.rows(halves=2)
    dense = weights.toarray()
    shown, said = dense[:, :size], dense[:, size:]
    live = {video.id: video for video in corpus.videos}
    own = {*pack.lexicon.term_ids(text), *(pack.lexicon.lookup(w) for w, _ in parsed.boosts)}
    latent = np.zeros(len(ids)) if query.latent is None else latents @ query.latent.astype("f8")
    lexicon = np.zeros(len(ids))
    for term, weight in zip(query.terms.tolist(), query.weights.tolist(), strict=True):
        lexicon += shown[:, term] * weight
        if term in own:
            lexicon += said[:, term] * weight * SAID * shows
    scores = affine(query, pack.calibration, mode)(latent, lexicon).round(6)
    kept = []
    for row, owner in enumerate(owners.tolist()):
        video, filters = live.get(owner), parsed.filters
        ok = video is not None
        if ok:
            ok = all(part in f"clips/{video.rel}" for part in filters.paths)
            ok &= filters.min_s <= video.duration_s <= filters.max_s
            ok &= filters.after <= video.recorded < filters.before
        for hard in parsed.hard:
            terms = [pack.lexicon.lookup(phrase) for phrase in hard.phrases]
            met = any(shown[row, t] >= shows or said[row, t] for t in terms)
            ok &= met != hard.negated
        if ok:
            kept.append(row)
    order = sorted(kept, key=lambda row: (-scores[row], ids[row]))[:k]
    return [(int(ids[row]), float(scores[row])) for row in order]


@given(
    seed=st.integers(0, 2**32 - 1),
    queries=st.lists(QUERIES, min_size=4, max_size=4),
    k=st.integers(1, 12),
    mode=st.sampled_from(["fused", "lexicon", "latent"]),
    removed=st.sampled_from([0.0, 0.3]),
    share=st.sampled_from([0.01, 0.2]),
    scan_rows=st.sampled_from([0, 1024]),
    first_depth=st.integers(1, 8),
    compiled=st.booleans(),
)
@settings(max_examples=30, deadline=None)
def test_exact_answers_equal_brute_force(
    seed, queries, k, mode, removed, share, scan_rows, first_depth, compiled
):
    with tempfile.TemporaryDirectory() as folder, fetching(first_depth, scan_rows):
        corpus = Corpus.make(Path(folder) / "index", seed, videos=20, removed=removed, said=share)
        with mock.patch("unify.engine.local.COMPILE_FROM", 0 if compiled else 10**9):
            searcher = open_searcher(corpus)
        for text in queries:
            answer = searcher.search(text, k, mode=mode, moments=True)
            expected = brute_force(corpus, searcher, text, k, Mode(mode))
            assert answer.exact
            # Float32 query weights times a factor: sums agree to rounding, and so may ties.
            found = [hit.score for hit in answer]
            assert found == pytest.approx([score for _, score in expected], abs=5e-6), text


@pytest.mark.parametrize("query", ["+w1 w2", "-w1 w2", "+(w1|w2)", "w3 +w1 -w2"])
def test_hard_conditions_on_damaged_postings_are_one_clear_line(talk, query):
    paths = list(talk.directory.rglob("postings_ids.npy"))
    assert paths
    for path in paths:
        np.lib.format.open_memmap(path, "r+")[:] = 65_535
    for subtitles in (False, True):
        with pytest.raises(DamagedIndex, match="values out of range") as told:
            open_searcher(talk).search(query, subtitles=subtitles)
        assert "\n" not in str(told.value)


def test_hard_conditions_on_a_short_list_of_postings_are_one_clear_line(talk):
    searcher = open_searcher(talk)
    for part in searcher.backend.segments:
        indptr, *lists = part.postings
        part.__dict__["postings"] = (indptr[: len(indptr) // 2], *lists)
    with pytest.raises(DamagedIndex, match="values out of range"):
        searcher.search("+w1 w2")


def test_without_subtitles_scores_are_those_of_an_index_that_has_none(tmp_path):
    silent = open_searcher(Corpus.make(tmp_path / "silent", seed=5))
    spoken = Corpus.make(tmp_path / "spoken", seed=5)  # the same rows, and words said on top
    rng = np.random.default_rng(5)
    directory = tmp_path / "again"
    with IndexWriter.open(directory, spoken.pack.settings()) as writer:
        for video in spoken.videos:
            codes = random_codes(rng, spoken.pack, False)
            said = [[video.id % 20]] * 6
            writer.add(video.id, *spans(), add_said(codes, said[:4], said, 20))
            if video.id == 10:
                writer.publish([Root("clips", "/abs/clips")], spoken.videos[:10])
        writer.publish([Root("clips", "/abs/clips")], spoken.videos)
    talking = Searcher(open_snapshot(directory), spoken.pack)
    differ = 0
    for text in ("w1 w2 w3", "+w4 w5", "-w6 w7", "w8^-2 w9", "(w1 OR w2)", "nothing known"):
        plain = silent.search(text, 50, moments=True)
        off = talking.search(text, 50, moments=True, subtitles=False)
        assert off.hits == plain.hits  # every number, bit for bit
        assert off.missing == plain.missing
        differ += talking.search(text, 50, moments=True).hits != plain.hits
    assert differ == 5


def test_parts_add_up_and_said_terms_say_when(talk):
    searcher, size = open_searcher(talk), 20
    said = 0
    for text in ("w1 w2 w3 w4", "w5 w6^-1 w7", "w8^3"):
        for hit in searcher.search(text, 50, moments=True):
            assert hit.score == pytest.approx(hit.latent_part + hit.lexicon_part + hit.base)
            assert hit.lexicon == pytest.approx(sum(term.product for term in hit.terms))
            assert hit.lexicon_part == pytest.approx(sum(term.part for term in hit.terms))
            for term in hit.terms:
                assert (term.source is Source.SUBTITLES) == bool(term.said_s)
                if term.said_s:
                    said += 1
                    word = np.array([talk.pack.lexicon.lookup(term.term) + size], np.uint16)
                    times, weights = searcher.backend.tracks(hit.moment, word)
                    inside = [any(a <= t <= b for a, b in term.said_s) for t in times]
                    assert inside == (weights[:, 0] > 0).tolist()
    assert said > 20


def test_only_words_of_the_query_are_looked_for_in_what_is_said(talk):
    class Expanding(FakePack):
        def encode_query(self, text):
            return super().encode_query(text + " w11 w12 w13")

    talk.pack = Expanding()
    for hit in open_searcher(talk).search("w11 dogs", 50, moments=True):
        assert {term.term for term in hit.terms if term.said_s} <= {"w11"}


def test_what_is_said_does_not_show(talk):
    backend, lexicon = open_snapshot(talk.directory), talk.pack.lexicon
    _, owners, _, weights = talk.rows()
    live = np.isin(owners, [video.id for video in talk.videos])
    expected = (weights.toarray()[live] >= 0.6).sum(axis=0)
    counted = dict(library_terms(backend, lexicon, 0.6, 100))
    assert counted == {f"w{i}": int(n) for i, n in enumerate(expected) if n}
    (track,) = term_tracks(backend, lexicon, backend.segments[0].base, ["w1"])
    assert (
        track.weights.tolist()
        == backend.tracks(backend.segments[0].base, np.array([1], "u2"))[1][:, 0].tolist()
    )


def test_a_word_that_is_said_is_not_faint_unless_what_is_said_does_not_count(talk):
    talk.pack.calibration = replace(talk.pack.calibration, shows=1e9)  # nothing shows
    searcher = open_searcher(talk)
    _, owners, _, weights = talk.rows(halves=2)
    live = np.isin(owners, [video.id for video in talk.videos])
    said = weights.toarray()[live][:, 20:].any(axis=0)
    words = [f"w{i}" for i in range(20)]

    def absent(text, **options):
        return {each.word for each in faint(searcher, searcher.search(text, **options))}

    assert absent(" ".join(words)) == {
        w for w, is_said in zip(words, said, strict=True) if not is_said
    }
    assert absent(" ".join(words), subtitles=False) == set(words)
    for video in talk.videos[:4]:  # what others say does not count within a filter
        its = weights.toarray()[owners == video.id][:, 20:].any(axis=0)
        assert absent(f"{' '.join(words)} path:{video.rel}") == {
            w for w, is_said in zip(words, its, strict=True) if not is_said
        }
    assert absent("w1 path:nowhere") == set()  # it is the filter that leaves nothing


def test_a_word_that_is_only_said_is_not_missing(tmp_path):
    pack = FakePack()
    none = SparseRows.from_dense(np.zeros((4, 20), "f4"), 1)
    codes = MomentCodes(np.eye(4, 8, dtype="f4"), none, SparseRows.from_dense(np.zeros((6, 20)), 1))
    with IndexWriter.open(tmp_path / "index", pack.settings()) as writer:
        writer.add(1, *spans(), add_said(codes, [[], [3], [3], []], [[], [], [], [3], [], []], 20))
        writer.publish([Root("c", "/c")], [Video(1, 0, "a.mp4", 6.0, 0.0)])
    searcher = Searcher(open_snapshot(tmp_path / "index"), pack)
    assert searcher.search("w3 w4").missing == ("w4",)
    assert searcher.search("w3 w4", subtitles=False).missing == ("w3", "w4")
    assert {hit.start_s for hit in searcher.search("+w3", moments=True)} == {1.0, 2.0}
    assert {hit.start_s for hit in searcher.search("-w3 w9", moments=True)} == {0.0, 3.0}
    assert not searcher.search("+w3", subtitles=False).hits
    (hit,) = searcher.search("w3", 1, mode="lexicon")
    assert hit.terms[0].said_s == ((3.0, 3.0),)
    assert hit.lexicon == pytest.approx(hit.terms[0].query)


def test_compaction_and_verify_keep_what_is_said(talk):
    before = open_searcher(talk).search("w1 w2 w3", 100, moments=True)
    compact(talk.directory)
    assert verify(talk.directory) == []
    after = open_searcher(talk).search("w1 w2 w3", 100, moments=True)
    assert [h.score for h in before] == [h.score for h in after]
    assert [h.terms for h in before] == [h.terms for h in after]


def test_a_lexicon_of_which_both_halves_do_not_fit_is_refused(tmp_path):
    path = tmp_path / "lexicon.txt"
    path.write_text("\n".join(f"w{i}" for i in range(32_768)))
    assert len(Lexicon.read(path)) == 32_768
    path.write_text("\n".join(f"w{i}" for i in range(32_769)))
    with pytest.raises(UsageError, match="at most 32,768 terms"):
        Lexicon.read(path)
