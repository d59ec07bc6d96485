from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from tokenizers import Tokenizer

from tests.encoders.tiny import WORDS, write_lexicon, write_towers
from unify.encoders.captions import NO_TERM, Captions, read_captions
from unify.engine.lexicon import Lexicon

TEXTS = ["a picture of ocean and lemon", "plum", "of a and"]


@pytest.fixture(scope="module")
def captions(tmp_path_factory) -> Captions:
    folder = tmp_path_factory.mktemp("captions")
    write_towers(folder)
    lexicon = Lexicon.read(write_lexicon(folder / "lexicon.txt"))
    return read_captions(TEXTS, Tokenizer.from_file(str(folder / "tokenizer.json")), lexicon, 8)


def words(ids) -> list[str]:
    return [WORDS[i] for i in ids if WORDS[i] != "[PAD]"]


def test_tokens_know_their_terms(captions):
    ids, mask = captions.tokens([0, 1])
    assert words(ids[0].tolist()) == [
        "[CLS]",
        "a",
        "picture",
        "of",
        "ocean",
        "and",
        "lemon",
        "[SEP]",
    ]
    assert mask.sum(dim=1).tolist() == [8, 3]
    terms = captions.terms[:8].tolist()
    assert [t != NO_TERM for t in terms] == [False, False, False, False, True, False, True, False]
    assert captions.own[0].tolist() == sorted(t for t in terms if t != NO_TERM)


def test_words_taken_out_are_hidden_and_named(captions):
    rng = np.random.default_rng(0)
    ids, mask, missing = captions.without([0, 1, 2], 0.5, rng)
    assert mask.sum(dim=1).tolist() == [8, 3, 5]
    assert [len(gone) for gone in missing] == [1, 1, 0]
    hidden = words(ids[0].tolist())
    assert hidden.count("[MASK]") == 1
    assert {"ocean", "lemon"} - set(hidden) == {"ocean", "lemon"} - {"ocean", "lemon"} | {
        WORDS[int(captions.ids[list(captions.terms[:8]).index(missing[0][0])])]
    }
    assert words(ids[1].tolist()) == ["[CLS]", "[MASK]", "[SEP]"]
    assert "[MASK]" not in words(ids[2].tolist())


def test_without_a_mask_token_words_are_left_out(captions):
    bare = Captions(captions.ids, captions.terms, captions.starts, captions.own, None)
    ids, mask, _ = bare.without([0], 1.0, np.random.default_rng(0))
    assert words(ids[0].tolist()) == ["[CLS]", "a", "picture", "of", "and", "[SEP]"]
    assert mask.all()
