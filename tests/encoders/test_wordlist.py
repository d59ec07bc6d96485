from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.encoders import archives
from unify.encoders import wordlist
from unify.encoders.general_words import GENERAL_VERBS, GENERAL_WORDS
from unify.encoders.word_forms import FORMS, STANDALONE, STOP_WORDS
from unify.encoders.wordlist import bert_vocabulary, fold, format_lexicon, make_lexicon
from unify.engine.errors import UsageError
from unify.engine.lexicon import Lexicon

KNOWN = {"ride": 9, "hop": 3, "hope": 2, "open": 5, "glass": 4, "baby": 3, "bus": 2, "change": 6}
GROUPS = GENERAL_WORDS | GENERAL_VERBS
PIECES = ["[PAD]", "[unused0]", "[UNK]", "!", "b", "##ing", "runs", "й", "##中", "é", "giraffe"]


@pytest.fixture(scope="module")
def everyday(tmp_path_factory):
    """The lexicon of the general words alone."""
    return _lexicon(tmp_path_factory.mktemp("lexicon"), [])


@pytest.fixture
def tokenizer(tmp_path):
    # Listed backwards: the ids decide the order, not the file.
    vocabulary = {piece: i for i, piece in reversed(list(enumerate(PIECES)))}
    special = [{"content": "[PAD]", "special": True}, {"content": "[UNK]", "special": True}]
    path = tmp_path / "tokenizer.json"
    path.write_text(
        json.dumps({"added_tokens": special, "model": {"type": "WordPiece", "vocab": vocabulary}}),
        "utf-8",
    )
    return path


def _lexicon(folder: Path, captions: list[str]) -> Lexicon:
    path = folder / "lexicon.txt"
    path.write_text(format_lexicon(make_lexicon(captions)), "utf-8")
    return Lexicon.read(path)


def _term(lexicon: Lexicon, word: str) -> str | None:
    found = lexicon.lookup(word)
    return None if found is None else lexicon.terms[found]


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
    lexicon = _lexicon(tmp_path, captions)
    assert lexicon.lookup("Dogs") == lexicon.lookup("dog")
    assert lexicon.lookup("dog's") == lexicon.lookup("dog")
    assert lexicon.lookup("running") == lexicon.lookup("ran") == lexicon.lookup("run")
    assert lexicon.lookup("qwertyish") is None, "too rare, and not an everyday word"
    assert lexicon.lookup("zebras") == lexicon.lookup("zebra"), "an everyday word"
    assert not STOP_WORDS & set(lexicon.terms)
    assert lexicon.terms[0] == "dog", "commonest first"


def test_what_people_mistype_counts_for_the_right_word(tmp_path):
    lexicon = _lexicon(tmp_path, ["womans are carring a guitor, receipe by vollyball players"] * 9)
    found = [lexicon.terms[i] for i in lexicon.term_ids("womans carring guitor receipe vollyball")]
    assert found == ["woman", "carry", "guitar", "recipe", "volleyball"]
    assert not {"womans", "carring", "guitor", "receipe", "vollyball"} & set(lexicon.terms)


@pytest.mark.parametrize(
    ("word", "term"),
    [
        ("leaves", "leaf"),
        ("saws", "saw"),
        ("left", "left"),
        ("glasses", "glasses"),
        ("ground", "ground"),
        ("roses", "rose"),
        ("found", "find"),
        ("dove", "dove"),
        ("doves", "dove"),
        ("adding", "add"),
        ("laying", "lie"),
        ("toes", "toe"),
        ("taxis", "taxi"),
        ("herring", "herring"),
        ("inning", "inning"),
        ("reed", "reed"),
        ("stockings", "stockings"),
        ("firemen", "fireman"),
        ("theatre", "theater"),
        ("chilled", "chill"),
    ],
)
def test_forms_that_could_mean_another_word(everyday, word, term):
    assert _term(everyday, word) == term


def test_everyday_verbs_come_with_their_forms(everyday):
    forms = ("welding", "welded", "hopping", "unzipped", "tickled", "buried", "lying", "squatting")
    terms = ["weld", "weld", "hop", "unzip", "tickle", "bury", "lie", "squat"]
    assert [_term(everyday, form) for form in forms] == terms
    assert everyday.lookup("giraffing") is None, "a thing is no verb"


def test_forms_of_stop_words_are_no_terms(tmp_path):
    lexicon = _lexicon(tmp_path, ["letting the downs overs of toes in cans"] * 9)
    assert [_term(lexicon, word) for word in ("letting", "downs", "overs")] == [None] * 3
    assert [_term(lexicon, word) for word in ("toes", "cans")] == ["toe", "cans"]


def test_people_find_the_words_that_captions_lack(everyday):
    words = "giraffe lighthouse violin forklift eclipse timelapse wedding cake sunset closeup drone"
    assert [_term(everyday, word) for word in words.split()] == words.split()


def test_the_general_words_are_plain_and_listed_once():
    for groups in (GENERAL_WORDS, GENERAL_VERBS):
        words = [word for group in groups.values() for word in group.split()]
        assert len(words) == len(set(words))
    every = {word for group in GROUPS.values() for word in group.split()}
    assert all(word.isascii() and word.isalpha() and word.islower() for word in every)
    assert not every & STOP_WORDS


def test_each_general_word_has_a_term(everyday):
    every = {word for group in GROUPS.values() for word in group.split()}
    assert [word for word in sorted(every) if everyday.lookup(word) is None] == []


def test_the_tables_do_not_contradict_each_other():
    assert not FORMS.keys() & set(FORMS.values()), "a form leads to a term in one step"
    assert not FORMS.keys() & STANDALONE
    assert not (FORMS.keys() | set(FORMS.values())) & STOP_WORDS


def test_the_pieces_of_a_bert_tokenizer(tokenizer):
    assert bert_vocabulary(tokenizer) == ["!", "b", "##ing", "runs", "giraffe"]


def test_the_vocabulary_of_the_paper_is_as_large_as_published():
    towers = Path(wordlist.__file__).with_name("packs") / "mini" / "towers"
    pieces = bert_vocabulary(towers / "tokenizer.json")
    assert len(pieces) == 27_623
    assert {"elephant", "##ing"} <= set(pieces)
    assert not {"[CLS]", "[unused1]"} & set(pieces)


def test_a_lexicon_of_pieces_finds_whole_words_only(tokenizer, tmp_path, monkeypatch):
    out = tmp_path / "lexicon.txt"
    monkeypatch.setattr(
        sys,
        "argv",
        ["x", "--vocabulary", "bert", "--tokenizer", str(tokenizer), "--out", str(out)],
    )
    wordlist.main()
    lexicon = Lexicon.read(out)
    assert lexicon.terms == ("!", "b", "##ing", "runs", "giraffe")
    assert _term(lexicon, "Giraffe") == "giraffe"
    assert lexicon.term_ids("A giraffe's ##ing, ing! b") == [4, 1]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"added_tokens": [], "model": {"type": "BPE", "vocab": {}}}']
)
def test_what_is_no_bert_tokenizer(tmp_path, text):
    path = tmp_path / "tokenizer.json"
    path.write_text(text, "utf-8")
    with pytest.raises(UsageError, match=r"tokenizer\.json"):
        bert_vocabulary(path)


def test_words_need_captions(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["x", "--out", "lexicon.txt"])
    with pytest.raises(SystemExit):
        wordlist.main()
    assert "--data" in capsys.readouterr().err


def test_held_out_captions_make_no_terms(tmp_path, monkeypatch):
    folder = tmp_path / "msrvtt-train"
    folder.mkdir()
    captions = {
        f"video{i}": {"frames": [f"{i}.jpg"], "captions": [word] * 9}
        for i, word in ((1, "trainword"), (3, "heldword"))
    }
    (folder / "captions.json").write_text(json.dumps(captions), "utf-8")
    archives.write_tar(folder / "frames.tar", {"1.jpg": b"", "3.jpg": b""})
    out = tmp_path / "lexicon.txt"
    monkeypatch.setattr(sys, "argv", ["x", "--data", str(tmp_path), "--out", str(out)])
    wordlist.main()
    lexicon = Lexicon.read(out)
    assert lexicon.lookup("trainword") is not None
    assert lexicon.lookup("heldword") is None
