"""Names of the user's dictionary: a query with them is the query with their definitions."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.corpus import Corpus
from unify.engine.atoms import MAX_CHARACTERS
from unify.engine.dictionary import MAX_ENTRIES, Dictionary, Entry, name_words
from unify.engine.errors import QueryError, UsageError
from unify.engine.local import open_snapshot
from unify.engine.query import parse
from unify.engine.search import Searcher

WORDS = [f"w{i}" for i in range(20)]
ANY = {"pets": ["w1", "w2"], "w3": ["w4", "w5", "w6"]}  # w3 is a word of the lexicon, too
ALL = {
    "nailong": ["w7", "w8^2", "w9"],
    "snow leopard": ["w10", "w11^0.5"],
    "奶龙": ['"w14 w15"^2', "w16"],
}
ONE = {"leopard": ["w12"], "snow": ["w13^4"]}
DICTIONARY = Dictionary.read(
    "\n".join(
        [f"{name} = {' OR '.join(words)}" for name, words in ANY.items()]
        + [f"{name} = {' '.join(words)}" for name, words in (ALL | ONE).items()]
    )
)


def boosted(words: list[str], factor: float) -> list[str]:
    found = [word.partition("^") for word in words]
    return [f"{word}^{float(weight or 1) * factor:g}" for word, _, weight in found]


def written(name: str) -> str:
    return f'"{name}"' if " " in name else name


def group(sign: str, name: str, words: list[str]) -> tuple[str, str]:
    return f"{sign}{written(name)}", f"{sign}({(' OR ' if name in ANY else ' ').join(words)})"


def grown(name: str, words: list[str], factor: float) -> tuple[str, str]:
    joined = f"({' OR '.join(boosted(words, factor))})"
    return f"{written(name)}^{factor:g}", joined if name in ANY else joined[1:-1].replace(
        " OR ", " "
    )


def plain(name: str, words: list[str]) -> tuple[str, str]:
    return name, f"({' OR '.join(words)})" if name in ANY else " ".join(words)


def either(one: str, other: str) -> tuple[str, str]:
    every = ANY | ONE
    return f"({one} OR {other})", f"({' OR '.join([*every[one], *every[other]])})"


EVERY = st.sampled_from(sorted((ANY | ALL | ONE).items()))
PAIRS = st.one_of(  # a part of a query with a name, and the same written out
    EVERY.map(lambda pair: plain(*pair)),
    EVERY.map(lambda pair: group("+", *pair)),
    EVERY.map(lambda pair: group("~", *pair)),
    st.sampled_from(sorted((ANY | ONE).items())).map(lambda pair: group("-", *pair)),
    st.tuples(EVERY, st.sampled_from([2.0, 0.5, -1.0])).map(
        lambda given: grown(*given[0], given[1])
    ),
    st.builds(either, st.sampled_from(sorted(ANY | ONE)), st.sampled_from(sorted(ANY | ONE))),
    st.sampled_from([word for word in WORDS if word != "w3"]).map(lambda word: (word, word)),
    st.sampled_from([("path:snow", "path:snow"), ('"a snow man"', '"a snow man"')]),
)
PARTED = st.lists(PAIRS, min_size=1, max_size=5).map(
    lambda pairs: (" | ".join(p[0] for p in pairs), " | ".join(p[1] for p in pairs))
)  # a bar between the parts: a name must not be made of the ends of two


def unplaced(parsed):
    hard = tuple(replace(one, position=0, name="") for one in parsed.hard)
    return replace(parsed, hard=hard, defined=())


@given(PARTED)
def test_a_query_with_names_reads_as_it_does_written_out(queries):
    named, out = queries
    assert unplaced(parse(named, dictionary=DICTIONARY)) == unplaced(parse(out))


@pytest.mark.parametrize(
    ("named", "out"),
    [
        ("a nailong^2 w1 -pets", "a w7^2 w8^4 w9^2 w1 -(w1 OR w2)"),
        ("+nailong ~snow", "+(w7 w8^2 w9) ~w13^4"),
        ("pets Snow Leopard", "(w1 OR w2) w10 w11^0.5"),
    ],
)
def test_hits_and_scores_are_those_of_the_definition(corpus: Corpus, named, out):
    searcher = Searcher(open_snapshot(corpus.directory), corpus.pack)
    found = searcher.search(named, 20, moments=True, dictionary=DICTIONARY)
    same = searcher.search(out, 20, moments=True)
    assert found.hits == same.hits
    assert found.defined
    (batch,) = searcher.search_many([named], 20, moments=True, dictionary=DICTIONARY)
    assert [hit.moment for hit in batch] == [hit.moment for hit in same]


def test_a_name_to_drop_is_its_terms(corpus: Corpus):
    searcher = Searcher(open_snapshot(corpus.directory), corpus.pack)
    found = searcher.search("w7 w8 w1", drop=("nailong",), dictionary=DICTIONARY)
    assert found.hits == searcher.search("w7 w8 w1", drop=("w7", "w8", "w9")).hits


def test_a_condition_that_the_lexicon_lacks_is_told_with_its_name(corpus: Corpus):
    searcher = Searcher(open_snapshot(corpus.directory), corpus.pack)
    words = Dictionary.read("nailong = w7 xyzzy")
    with pytest.raises(QueryError, match="'xyzzy', which 'nailong' stands for, is not") as caught:
        searcher.search("w1 +nailong", dictionary=words)
    assert caught.value.position == 3


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("the snow leopard", "the w10 w11"),  # the longest name
        ("the snow, Leopard's", "the w10 w11"),
        ("snow -leopard", "w13"),  # a sign parts them
        ("snow leopard^2", "w13 w12"),
        ("snow - leopard", "w13 - w12"),
        ("snowy leopards nailong-like", "snowy leopards nailong-like"),  # whole words alone
        ('"a snow leopard"', "a snow leopard"),
    ],
)
def test_which_words_are_a_name(query, text):
    assert parse(query, dictionary=DICTIONARY).text == text


def test_a_sign_that_is_no_operator_makes_it_no_name():
    words = Dictionary.read("7up = bottle")
    assert parse("a 7up", dictionary=words).text == "a bottle"
    assert parse("a -7up", dictionary=words).text == "a -7up"
    assert parse('a " "', dictionary=words).text == parse('a " "').text
    assert parse('a -"7up"', dictionary=words).hard[0].phrases == ("bottle",)


def test_definitions_are_not_looked_into_for_names():
    rings = Dictionary.read("a = b\nb = a c")
    assert parse("a b", dictionary=rings).text == "b a c"


def test_a_name_that_stands_for_itself_is_read_as_written():
    words = DICTIONARY | Dictionary.read("Nailong = nailong")
    parsed = parse("a nailong snow", dictionary=words)
    assert (parsed.text, [entry.name for entry in parsed.defined]) == ("a nailong w13", ["snow"])


@pytest.mark.parametrize("line", ["dog = dog^3", "a cat = a OR cat", 'stop sign = "stop sign"'])
def test_a_name_of_its_own_words_may_say_how_they_count(line):
    name, _, definition = line.partition(" = ")
    named = parse(f"x {name} y", dictionary=Dictionary.read(line))
    assert unplaced(named) == unplaced(parse(f"x ({definition}) y"))
    assert named.defined


def test_names_of_any_script():
    joined = Dictionary.read("می\u200cخواهم = dog\nスノー・レオパード = leopard")
    assert parse("می\u200cخواهم スノー・レオパード", dictionary=joined).text == "dog leopard"
    words = Dictionary.read("奶龙 = yellow dinosaur\nÉmile's = man")
    assert parse("a 奶龙! emile", dictionary=words).text == "a yellow dinosaur man"
    assert name_words("don’t") == ("don't",)


@pytest.mark.parametrize("query", ["w1 -nailong", "w1 (snow OR nailong)", "w1 -(snow nailong)"])
def test_several_words_together_cannot_stand_for_one(query):
    with pytest.raises(QueryError, match="'nailong' stands for several words together") as caught:
        parse(query, dictionary=DICTIONARY)
    assert caught.value.position == query.index("nailong") - ("-n" in query)
    assert "(w7 OR w8 OR w9)" in caught.value.hint


def test_errors_point_at_what_was_typed():
    parsed = parse("a b +pets", dictionary=DICTIONARY)
    assert [hard.position for hard in parsed.hard] == [4]
    with pytest.raises(QueryError, match=r"w8\^120 counts too much"):
        parse("nailong^60", dictionary=DICTIONARY)


def test_definitions_cannot_make_a_query_longer_than_one_may_be():
    long = Dictionary.read(f"x = {'abc ' * 16}")
    parse("x " * 50, dictionary=long)
    with pytest.raises(QueryError, match="with what its names stand for"):
        parse("x " * (MAX_CHARACTERS // 32), dictionary=long)


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("nailong", "no = in 'nailong'"),
        ("= a", "'' is no name"),
        ("a+b = c", "'a.b' is no name"),
        ("OR = c", "'OR' is no name"),
        ("x = ", "has 0 words .* use 1 to 16"),
        (f"x = {'a ' * 17}", "use 1 to 16"),
        (f"x = {'a' * 257}", "use 1 to 16"),
        ("x = a OR b c", "OR between some"),
        ("x = a OR", "OR between some"),
        ("x = -a", "holds '-a', which is no word"),
        ("x = path:a", "holds 'path:a'"),
        ("x = (a OR b)", r"holds '\('"),
        ("x = a^-1", "counts a -1 times"),
        ("x = a^101", "counts a 101 times"),
        (f"{'x' * 65} = a", "is no name"),
    ],
)
def test_what_is_wrong_with_a_line_is_told_with_its_place(line, wrong):
    with pytest.raises(UsageError, match=f"words.txt, line 3: .*{wrong}"):
        Dictionary.read(f"# mine\n\n{line}\n", "words.txt")


def test_a_name_is_defined_once_and_there_are_so_many():
    with pytest.raises(UsageError, match="line 2: 'A' is defined in line 1 already"):
        Dictionary.read("a = b\nA = c")
    Dictionary.read("\n".join(f"n{i} = b" for i in range(MAX_ENTRIES)))
    with pytest.raises(UsageError, match="1,001 names"):
        Dictionary.read("\n".join(f"n{i} = b" for i in range(MAX_ENTRIES + 1)))


def test_a_later_dictionary_holds():
    both = DICTIONARY | Dictionary.read("NAILONG = w19")
    assert both.get("nailong").words == ("w19",)
    assert both.get("pets").words == ("w1", "w2")


@given(st.text(max_size=60), st.text(max_size=30))
def test_no_text_is_more_than_an_error(text, query):
    try:
        words = Dictionary((Entry.read(text),))
    except UsageError:
        return
    if query.strip():
        parse(f"{query} {words.entries[0].name}", dictionary=words)
