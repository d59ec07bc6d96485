from __future__ import annotations

import pytest

from unify.encoders.wordlist import STOP_WORDS, fold, format_lexicon, make_lexicon
from unify.engine.lexicon import Lexicon

KNOWN = {"ride": 9, "hop": 3, "hope": 2, "open": 5, "glass": 4, "baby": 3, "bus": 2, "change": 6}


@pytest.mark.parametrize(
    ("form", "term"),
    [
        ("riding", "ride"),
        ("rides", "ride"),
        ("hopping", "hop"),
        ("hoping", "hope"),
        ("opening", "open"),
        ("changing", "change"),
        ("babies", "baby"),
        ("buses", "bus"),
        ("bus", "bus"),
        ("glasses", "glasses"),
        ("men", "man"),
        ("building", "building"),
        ("zzing", "zzing"),
    ],
)
def test_folding(form, term):
    assert fold(form, KNOWN) == term


def test_the_lexicon_of_some_captions(tmp_path):
    captions = ["A dog runs"] * 3 + ["two dogs running on the grass"] * 4 + ["a qwertyish thing"]
    path = tmp_path / "lexicon.txt"
    path.write_text(format_lexicon(make_lexicon(captions)), "utf-8")
    lexicon = Lexicon.read(path)
    assert lexicon.lookup("Dogs") == lexicon.lookup("dog")
    assert lexicon.lookup("dog's") == lexicon.lookup("dog")
    assert lexicon.lookup("running") == lexicon.lookup("ran") == lexicon.lookup("run")
    assert lexicon.lookup("qwertyish") is None, "too rare, and not an everyday word"
    assert lexicon.lookup("zebras") == lexicon.lookup("zebra"), "an everyday word"
    assert not STOP_WORDS & set(lexicon.terms)
    assert lexicon.terms[0] == "dog", "commonest first"
