"""Why nothing is found: against counting, row by row, which conditions are met."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.engine.corpus import Corpus
from tests.engine.test_search import allowed_rows
from unify.engine.absence import unmet
from unify.engine.local import open_snapshot
from unify.engine.query import parse
from unify.engine.search import Searcher

WORDS = st.integers(0, 19).map("w{}".format)
CONDITIONS = st.one_of(
    WORDS.map("+{}".format),
    WORDS.map("-{}".format),
    st.builds("({} OR {})".format, WORDS, WORDS),
    st.sampled_from(["path:even", "path:odd", "len:>=15", "after:2001-09-12", "before:2001-09-12"]),
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return Corpus.make(tmp_path_factory.mktemp("absence"), removed=0.2)


@pytest.fixture(scope="module")
def searcher(corpus):
    return Searcher(open_snapshot(corpus.directory), corpus.pack)


@settings(max_examples=60, deadline=None)
@given(asked=st.lists(CONDITIONS, min_size=1, max_size=5, unique=True))
def test_most_conditions_that_a_moment_meets_are_found(corpus, searcher, asked):
    _, owners, _, weights = corpus.rows()
    asked.sort(key=lambda one: ":" not in one)  # filters come first, as the parts of an answer
    filters = {one.split(":")[0] for one in asked if ":" in one and not one.startswith("path")}
    assume(len(filters) == sum(":" in one and not one.startswith("path") for one in asked))
    meets = np.array([allowed_rows(corpus, parse(one), owners, weights) for one in asked])
    assume(not meets.all(axis=0).any())

    found = unmet(searcher, searcher.search(" ".join(asked)), subtitles=True)

    by_name = {one.condition.removeprefix("+("): one.moments for one in found.alone}
    assert by_name == {
        one.removeprefix("("): int(rows.sum()) for one, rows in zip(asked, meets, strict=True)
    }
    most = int(meets.sum(axis=0).max())
    sets = Counter(tuple(column) for column in meets.T.tolist() if sum(column) == most)
    told = {
        tuple(one.removeprefix("(") not in lacks for one in asked): near.moments
        for near in found.nearly
        for lacks in [{lack.removeprefix("+(") for lack in near.lacks}]
    }
    assert told == ({} if most == 0 else dict(sets))
    counts = [near.moments for near in found.nearly]
    assert counts == sorted(counts, reverse=True)
    for near in found.nearly:
        again = allowed_rows(corpus, near.parsed, owners, weights)
        assert again.sum() == near.moments


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("len:>0", "len:>0"),
        ("len:>=900", "len:>=900"),
        ("len:<0.5", "len:<0.5"),
        ("len:<=0.5", "len:<=0.5"),
        ("len:15m-20m", "len:900-1200"),
        ("len:>5 len:<9", "len:>5 len:<9"),
        ("len:>2h len:<=1m", "len:>7200 len:<=60"),
        ("len:>=2000000", "len:>=2000000"),
        ('path:"my films"', 'path:"my films"'),
        ("after:2030", "after:2030-01-01"),
        ("before:1999-05", "before:1999-05-01"),
        ('-"w1"', "-w1"),
    ],
)
def test_a_condition_is_told_as_it_may_be_written(searcher, written, told):
    found = unmet(searcher, searcher.search(f"w1 {written} path:nowhere"), subtitles=True)
    assert told in [one.condition for one in found.alone]
    assert [one.position for one in found.alone if one.condition == told] == [
        3 if written[0] == "-" else None
    ]
