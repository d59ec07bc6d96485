from unify.encoders.packs import open_pack
from unify.encoders.speech import spoken_terms, unknown_words
from unify.engine.lexicon import Lexicon


def test_words_that_say_nothing_are_left_out_even_where_they_are_terms():
    lexicon = Lexicon(["the", "dog", "of", "run"], [[], ["dogs"], [], ["ran"]])
    assert spoken_terms(lexicon, "The DOGS of war ran, the dog's gone") == [1, 3, 1]


def test_the_shipped_pack_folds_forms():
    pack = open_pack("mini")
    words = [pack.lexicon.terms[term] for term in pack.terms_of("Two women were riding bikes.")]
    assert {"woman", "ride"} <= set(words)
    assert "were" not in words


def test_unknown_words_are_those_a_reader_would_miss():
    lexicon = Lexicon(["dog"], [["dogs"]])
    text = "The dog's bone isn't in 3 Dogs' houses, a b c; the BONE's café"
    assert unknown_words(lexicon, text) == ["bone", "houses", "bone's", "cafe"]
    assert unknown_words(lexicon, "") == []


def test_words_of_other_scripts_are_missed_too():
    lexicon = Lexicon(["dog"])
    text = "собака, a dog «犬»、 강아지 हिन्दी! 🐶 – 123 собака"
    assert unknown_words(lexicon, text) == ["собака", "犬", "강아지", "हिन्दी"]
