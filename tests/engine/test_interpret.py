from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.corpus import FakePack
from unify.engine.errors import QueryError
from unify.engine.interpret import Interpreter
from unify.engine.lexicon import Lexicon
from unify.engine.options import Options
from unify.engine.query import parse
from unify.engine.types import EncodedQuery
from unify.engine.wording import NEAR, WISH, Origin, respelled, slips, spelled_like


class Expanding(FakePack):
    """Looks for the next two words beside each, and for w7, w8, ... in place of unknown words."""

    def encode_query(self, text):
        own = super().encode_query(text)
        dense = np.zeros(len(self.lexicon) + 2, np.float32)
        for term in own.terms.tolist():
            dense[term : term + 3] = np.maximum(dense[term : term + 3], [2.0, 0.9, 0.8])
        if self.unknown_words(text):
            dense[7:17] = np.maximum(dense[7:17], np.linspace(1.0, 0.5, 10))
        terms = np.flatnonzero(dense[: len(self.lexicon)]).astype(np.uint16)
        return EncodedQuery(own.latent, terms, dense[terms])


@pytest.fixture
def reader():
    return Interpreter(Expanding(), np.zeros_like)


def names(reader, text, **options):
    parsed = parse(text)
    query, _ = reader.chosen(parsed, reader.encode([parsed])[0], Options(**options))
    return {term.term: term.origin for term in reader.searched(parsed, query)}


def test_own_words_are_told_from_added_ones(reader):
    assert names(reader, "w1") == {"w1": Origin.OWN, "w2": Origin.ADDED, "w3": Origin.ADDED}
    assert names(reader, "w1", expand=False) == {"w1": Origin.OWN}
    assert names(reader, "w1", drop=("w2",)) == {"w1": Origin.OWN, "w3": Origin.ADDED}
    assert names(reader, "w1 w9^2", expand=False, drop=("w1",)) == {"w9": Origin.OWN}


def test_a_term_to_drop_must_be_one(reader):
    with pytest.raises(QueryError, match="'nothing' is not in the lexicon"):
        names(reader, "w1", drop=("nothing",))


def test_an_unknown_word_is_told_with_the_terms_that_stand_for_it(reader):
    parsed = parse("w7 xylophone")
    query = reader.encode([parsed])[0]
    (found,) = reader.replaced(parsed, query)
    assert (found.word, found.spelled) == ("xylophone", "")
    assert [term for term, _ in found.terms] == ["w8", "w9", "w10"]  # w7 is a word of its own
    turned = EncodedQuery(query.latent, query.terms, query.weights[::-1].copy())
    weights = [weight for _, weight in reader.replaced(parsed, turned)[0].terms]
    assert weights == sorted(weights, reverse=True)
    kept, _ = reader.chosen(parsed, query, Options(expand=False))
    assert kept.terms.tolist() == [7, 8, 9, 10]
    gone, _ = reader.chosen(parsed, query, Options(drop=("w8", "w9")))
    assert [term for term, _ in reader.replaced(parsed, gone)[0].terms] == ["w10", "w11", "w12"]


def test_known_words_are_never_replaced(reader):
    parsed = parse("w1 w2 and the rest")
    assert reader.replaced(parsed, reader.encode([parsed])[0]) == ()


def test_a_slip_is_read_as_the_word_on_both_sides():
    pack = FakePack()
    pack.lexicon = Lexicon(["xkitchen", "dog"])
    pack.unknown_words = lambda text: [w for w in text.lower().split() if w == "xktichen"]
    reader = Interpreter(pack, np.zeros_like)
    slip, right = parse("a dog, Xktichen"), parse("a dog, xkitchen")
    a, b = reader.encode([slip])[0], reader.encode([right])[0]
    np.testing.assert_array_equal(a.latent, b.latent)
    assert a.terms.tolist() == b.terms.tolist() == [0, 1]
    (found,) = reader.replaced(slip, a)
    assert (found.word, found.spelled) == ("xktichen", "xkitchen")
    assert [term for term, _ in found.terms] == ["xkitchen"]
    written = parse("a dog, Xktichen", respell=False)
    as_it_is = reader.encode([written])[0]
    assert not np.array_equal(as_it_is.latent, b.latent)
    assert reader.replaced(written, as_it_is)[0].spelled == ""


@pytest.mark.parametrize(
    ("word", "like"),
    [("kichen", "kitchen"), ("cat", ""), ("chickpea", ""), ("zzzzzz", ""), ("cra", "car"),
     ("acr", ""), ("crr", ""), ("x", ""), ("", "")],
)  # fmt: skip
def test_only_near_spellings_are_taken_for_slips(word, like):
    assert spelled_like(Lexicon(["kitchen", "car", "chicken"]), word, np.zeros_like) == like


def test_a_word_that_the_pack_knows_is_no_slip():
    pack = FakePack()
    pack.lexicon = Lexicon(["silence", "dog"])
    reader = Interpreter(pack, np.zeros_like)
    for text, spelled in (("xsilence", "silence"), ("xxsilence", "")):  # it knows what begins so
        parsed = parse(f"a dog in {text}")
        assert reader.replaced(parsed, reader.encode([parsed])[0])[0].spelled == spelled
        assert reader.own(parsed) == ({0, 1} if spelled else {1})


@pytest.mark.parametrize(("held", "like"), [([0, 0], "hose"), ([3, 4], "horse"), ([4, 3], "hose")])
def test_a_slip_as_near_to_two_words_is_the_one_that_the_index_holds_more(held, like):
    lexicon = Lexicon(["hose", "horse", "house"])
    often = np.array([*held, 99])  # a house is two slips away
    assert spelled_like(lexicon, "hosre", lambda terms: often[terms]) == like


def _slips_by_search(word: str, other: str, most: int) -> int:
    """Breadth first over every edit of the word, each letter edited once at most."""
    reached, seen = {(word, 0)}, set()
    for count in range(most + 1):
        if any(text == other for text, _ in reached):
            return count
        seen |= reached
        reached = {
            edit
            for text, at in reached
            for i in range(at, len(text) + 1)
            for edit in [
                *((text[:i] + letter + text[i:], i + 1) for letter in other),
                *([(text[:i] + text[i + 1 :], i)] if i < len(text) else []),
                *([(text[:i] + text[i + 1] + text[i] + text[i + 2 :], i + 2)]
                  if i + 1 < len(text) else []),
            ]
        } - seen  # fmt: skip
    return most + 1


@given(st.text("abc", max_size=5), st.text("abc", max_size=5))
def test_slips_are_the_fewest_edits(word, other):
    assert min(slips(word, other), 4) == _slips_by_search(word, other, 3)


def test_only_whole_words_are_respelled():
    assert respelled("dgo, dgos and dgo's bone", [("dgo", "dog")]) == "dog, dgos and dog's bone"
    assert respelled("A Dog", []) == "A Dog"


def test_wishes_weigh_less_and_are_no_part_of_the_sentence(reader):
    alone, wished = reader.encode([parse("w1"), parse("w1 ~w5")])
    np.testing.assert_array_equal(alone.latent, wished.latent)
    weights = dict(zip(wished.terms.tolist(), wished.weights.tolist(), strict=True))
    assert weights[1] == 2.0
    assert weights[5] == pytest.approx(WISH * 2.0)
    assert weights[6] == pytest.approx(WISH * 0.9)
    assert len(weights) <= 3 + 1 + NEAR
    only = reader.encode([parse("~w5")])[0]
    assert only.latent is None and only.terms.tolist() == [5, 6, 7]


def test_boosts_of_wishes_multiply(reader):
    once, twice = reader.encode([parse("w1 ~w5"), parse("w1 ~w5^2")])
    at = once.terms.tolist().index(5)
    assert twice.weights[at] == pytest.approx(2 * once.weights[at])


def test_stored_rows_can_be_told_too(reader):
    row = EncodedQuery(None, np.array([3, 25], np.uint16), np.array([1, 1], np.float32))
    parsed = replace(parse("w1"), text="")
    assert [term.term for term in reader.searched(parsed, row)] == ["w3"]  # 25 is said
