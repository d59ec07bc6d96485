"""Terms of several words: how a lexicon holds them, and what quotes ask for."""

import numpy as np
import pytest

from tests.engine.corpus import FakePack, spans
from unify.engine.absence import faint
from unify.engine.errors import QueryError
from unify.engine.interpret import Interpreter
from unify.engine.lexicon import Lexicon
from unify.engine.local import open_snapshot
from unify.engine.options import Options
from unify.engine.query import parse
from unify.engine.search import Searcher
from unify.engine.types import MomentCodes, SparseRows
from unify.engine.wording import Origin
from unify.engine.writer import IndexWriter, Root, Video

FILE = "hot\ndog\tdogs\nhot_dog\thot_dogs frankfurter\nred\nstop_sign\n"
HOT, DOG, HOT_DOG, RED, STOP_SIGN = range(5)


@pytest.fixture
def pack(tmp_path):
    pack = FakePack(size=5)
    (tmp_path / "lexicon.txt").write_text(FILE)
    pack.lexicon = Lexicon.read(tmp_path / "lexicon.txt")
    pack.unknown_words = lambda text: [w for w in text.split() if not pack.lexicon.term_ids(w)]
    return pack


@pytest.fixture
def searcher(tmp_path, pack):
    """Four videos of one frame each: hot, a dog, a hot dog, something red."""
    with IndexWriter.open(tmp_path / "index", pack.settings()) as writer:
        videos = []
        for term in (HOT, DOG, HOT_DOG, RED):
            rows = SparseRows(np.arange(5), np.full(4, term, np.uint16), np.ones(4, np.float32))
            tracks = SparseRows(np.zeros(7, np.int64), rows.terms[:0], rows.weights[:0])
            latents = np.eye(pack.dim, dtype=np.float32)[[term] * 4]
            videos.append(Video(term + 1, 0, f"{term}.mp4", 4.0, 0.0))
            writer.add(term + 1, *spans(), MomentCodes(latents, rows, tracks))
        writer.publish([Root("v", "/v")], videos)
    return Searcher(open_snapshot(tmp_path / "index"), pack)


def asked(pack, text):
    parsed = parse(text)
    reader = Interpreter(pack, np.zeros_like)
    query = reader.encode([parsed])[0]
    return {t.term: t.origin for t in reader.searched(parsed, query)}, reader.split(parsed)


def test_a_lexicon_file_holds_terms_of_several_words(pack):
    lexicon = pack.lexicon
    assert lexicon.terms == ("hot", "dog", "hot dog", "red", "stop sign")
    assert lexicon.lookup("Hot Dogs") == lexicon.lookup("frankfurter") == HOT_DOG
    assert lexicon.term_ids("a hot dog") == [HOT, DOG]


def test_quotes_ask_for_the_term_in_place_of_its_words(pack):
    own = Origin.OWN
    assert asked(pack, 'a "hot dog"') == ({"hot dog": own}, ())
    assert asked(pack, "a hot dog") == ({"hot": own, "dog": own}, ())
    assert asked(pack, 'a red dog, a "hot  dogs"') == ({"red": own, "dog": own, "hot dog": own}, ())
    assert asked(pack, 'dog "hot dog" "stop sign"')[0].keys() == {"dog", "hot dog", "stop sign"}


def test_other_phrases_are_words_and_told(pack):
    terms, split = asked(pack, '"red dog" "hot dog" "red dog" "dog"')
    assert terms.keys() == {"red", "dog", "hot dog"}
    assert split == ("red dog",)
    assert asked(pack, '"red dog')[1] == asked(pack, '-"hot dog" ~"red dog"')[1] == ()


def test_the_sentence_is_the_same_for_the_latent_side(pack):
    reader = Interpreter(pack, np.zeros_like)
    quoted, plain = reader.encode([parse('a "hot dog"'), parse("a hot dog")])
    np.testing.assert_array_equal(quoted.latent, plain.latent)
    weights = dict(zip(plain.terms.tolist(), plain.weights.tolist(), strict=True))
    assert quoted.weights.tolist() == [pytest.approx(max(weights[HOT], weights[DOG]))]


def test_boosts_drops_and_no_expansion_know_the_phrase(pack):
    reader = Interpreter(pack, np.zeros_like)
    once, twice = reader.encode([parse('"hot dog"'), parse('"hot dog"^2')])
    assert twice.terms.tolist() == [HOT_DOG]
    assert twice.weights[0] == pytest.approx(2 * once.weights[0])
    parsed = parse('red "hot dog"')
    query = reader.encode([parsed])[0]
    assert reader.chosen(parsed, query, Options(expand=False))[0].terms.tolist() == [HOT_DOG, RED]
    assert reader.chosen(parsed, query, Options(drop=("hot dog",)))[0].terms.tolist() == [RED]


def test_operators_take_the_phrase_as_one_term(searcher):
    def found(text):
        return {hit.video for hit in searcher.search(text, mode="lexicon")}

    assert found('+"hot dog"') == {"v/2.mp4"}
    assert found('-"hot dog"') == {"v/0.mp4", "v/1.mp4", "v/3.mp4"}
    assert found('("hot dog" OR red)') == {"v/2.mp4", "v/3.mp4"}
    assert found("+hot +dog") == set()
    with pytest.raises(QueryError, match="'red dog' is no term"):
        searcher.search('-"red dog"')


def test_the_best_hit_for_a_phrase_shows_the_phrase(searcher):
    best = searcher.search('"hot dog"', mode="lexicon")[0]
    assert (best.video, [match.term for match in best.terms]) == ("v/2.mp4", ["hot dog"])
    assert searcher.search('"stop sign"', mode="lexicon").missing == ("stop sign",)
    assert faint(searcher, searcher.search('"hot dog"')) == ()
