import pytest
from hypothesis import given
from hypothesis import strategies as st

from unify.engine.atoms import MAX_CHARACTERS
from unify.engine.errors import QueryError
from unify.engine.query import Filters, parse


def hard(text):
    return [("-" if h.negated else "+", *h.phrases) for h in parse(text).hard]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a man cooking pasta", "a man cooking pasta"),
        ('unbalanced "quote (here', "unbalanced quote here"),
        ("OR cat", "OR cat"),
        ("cat OR", "cat OR"),
        ("well-known C++ - dash -- x", "well-known C++ - dash -- x"),
        ("http://x foo:bar", "http://x foo:bar"),
        ("it is -5 degrees", "it is -5 degrees"),
        ("x^y ^3 2^", "x^y ^3 2^"),
        ("(red) car ()", "red car"),
        ("scene before: sunset", "scene before: sunset"),
        ("bytes \udcff", "bytes ?"),
        ("Ümläut 日本 🎬", "Ümläut 日本 🎬"),
    ],
)
def test_plain_text_needs_no_syntax(text, plain):
    query = parse(text)
    assert (query.text, query.hard, query.boosts) == (plain, (), ())
    assert not query.filters


@pytest.mark.parametrize(
    ("text", "plain", "conditions"),
    [
        ("a +red car -dog", "a red car", [("+", "red"), ("-", "dog")]),
        ("dog OR cat", "dog cat", [("+", "dog", "cat")]),
        ("(street OR road OR path) car", "street road path car", [("+", "street", "road", "path")]),
        ("-(street OR road) car", "car", [("-", "street", "road")]),
        ('+"stop sign" -"tall tree"', "stop sign", [("+", "stop sign"), ("-", "tall tree")]),
        ("+(dog)", "dog", [("+", "dog")]),
        ("-(red car) dog", "dog", [("-", "red"), ("-", "car")]),
        ("+(red car)", "red car", [("+", "red"), ("+", "car")]),
    ],
)
def test_operators(text, plain, conditions):
    assert parse(text).text == plain
    assert hard(text) == conditions


def test_boosts_and_soft_exclusion():
    query = parse('pasta^2 "stop sign"^0.5 beach^-1')
    assert query.boosts == (("pasta", 2.0), ("stop sign", 0.5), ("beach", -1.0))
    assert query.text == "pasta stop sign"


def test_positions_point_into_the_query():
    text = "one +two (three OR four)"
    assert [text[h.position] for h in parse(text).hard] == ["+", "("]


@pytest.mark.parametrize(
    ("text", "filters"),
    [
        ("x path:a path:B", Filters(paths=("a", "B"))),
        ('x path:"my trip"', Filters(paths=("my trip",))),
        ("x len:10-60", Filters(min_s=10, max_s=60)),
        ("x len:>=2m", Filters(min_s=120)),
        ("x len:<=1.5h", Filters(max_s=5400)),
        ("x after:1970-01-02 before:1971", Filters(after=86400, before=365 * 86400)),
        ("x after:1970-02", Filters(after=31 * 86400)),
    ],
)
def test_filters(text, filters):
    query = parse(text)
    assert query.filters == filters
    assert query.text == "x"


def test_strict_lengths_exclude_the_bound():
    assert parse("x len:>30").filters.min_s > 30
    assert parse("x len:<30").filters.max_s < 30


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the query is empty"),
        (" \t\n", "the query is empty"),
        ("x" * (MAX_CHARACTERS + 1), "4,097 characters"),
        ("a len:30", "cannot read the length '30' at character 3"),
        ("a len:>", "cannot read the length"),
        ("a after:yesterday", "cannot read the date 'yesterday' at character 3"),
        ("a^101", "counts too much"),
        ("x -(a OR (b)) y", "cannot read the parenthesis at character 3"),
        ("-(a b", "cannot read the parenthesis at character 1"),
    ],
)
def test_bad_queries_say_what_and_where(text, message):
    with pytest.raises(QueryError, match=message) as caught:
        parse(text)
    assert caught.value.hint


@given(st.text(max_size=60).filter(lambda text: text.strip()))
def test_any_text_parses_or_is_a_query_error(text):
    try:
        query = parse(text)
    except QueryError:
        return
    assert all(phrase for condition in query.hard for phrase in condition.phrases)


@pytest.mark.parametrize(
    ("text", "plain", "wishes"),
    [
        ("a horse ~beach", "a horse", ("beach",)),
        ('dog ~"red car" ~(sea OR lake)', "dog", ("red car", "sea", "lake")),
        ("about ~5 dogs and a ~ tilde~d word", "about ~5 dogs and a ~ tilde~d word", ()),
    ],
)
def test_wishes_are_no_part_of_the_sentence(text, plain, wishes):
    query = parse(text)
    assert (query.text, query.wishes, query.hard) == (plain, wishes, ())


def test_a_wish_may_be_weighed():
    query = parse("dog ~beach^2")
    assert (query.text, query.wishes, query.boosts) == ("dog", ("beach",), (("beach", 2.0),))
