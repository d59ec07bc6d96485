import pytest

from unify.engine.lexicon import Lexicon, words_of


@pytest.fixture
def lexicon(tmp_path):
    path = tmp_path / "lexicon.txt"
    path.write_text("dog\tdogs puppy\nrun\truns running ran\nt-shirt\n\nman\tmen\n", "utf-8")
    return Lexicon.read(path)


def test_written_forms_fold_into_one_term(lexicon):
    assert len(lexicon) == 4
    assert lexicon.term_ids("The MEN's puppy ran, the dog runs") == [3, 0, 1, 0, 1]
    assert lexicon.lookup("man\u2019s") == 3
    assert lexicon.lookup("cat") is None


def test_suggestions_are_terms_spelled_alike(lexicon):
    assert lexicon.suggest("runing") == ["run"]
    assert lexicon.suggest("zzz") == []


def test_words_keep_no_punctuation():
    assert words_of("Café naïve Straße ﬁre") == ["cafe", "naive", "strasse", "fire"]
    assert words_of("It's 3 o'clock -- RUN!") == ["it's", "3", "o'clock", "run"]


def test_a_lexicon_that_repeats_a_term_or_is_too_large_is_refused():
    with pytest.raises(ValueError, match="twice"):
        Lexicon(["a", "a"])
    with pytest.raises(ValueError, match="at most"):
        Lexicon([str(i) for i in range(65_536)])
