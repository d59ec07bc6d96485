"""How many queries a second: a batch, which shares scans and processors, against one by one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from library import Library

from unify.engine.answer import Answer
from unify.engine.errors import QueryError
from unify.engine.local import open_snapshot
from unify.engine.search import Searcher

PASSES = 3
K = 10


@dataclass(frozen=True, slots=True)
class Batch:
    """All queries of a library, put both ways.

    Attributes:
        exact: without structures that may miss rows.
        one_s: queries a second, one by one.
        many_s: queries a second, as one batch.
        same: share of the queries that both answer with the same rows.
    """

    exact: bool
    one_s: float
    many_s: float
    same: float


def batches(library: Library, exact: Sequence[bool] = (False, True)) -> list[Batch]:
    """Put all queries one by one and as a batch, in turn, the best of some passes of each."""
    searcher = Searcher(open_snapshot(library.index), library.pack)
    return [_batch(searcher, len(library.queries), exactly) for exactly in exact]


def _batch(searcher: Searcher, count: int, exact: bool) -> Batch:
    names = [f"q{number}" for number in range(count)]
    one: list[Answer] = []
    many: list[Answer | QueryError] = []
    best = {"one": 0.0, "many": 0.0}
    for _ in range(PASSES):
        started = time.perf_counter()
        one = [searcher.search(name, K, moments=True, exact=exact) for name in names]
        between = time.perf_counter()
        many = list(searcher.search_many(names, K, moments=True, exact=exact))
        ended = time.perf_counter()
        best["one"] = max(best["one"], count / (between - started))
        best["many"] = max(best["many"], count / (ended - between))
    same = sum(_ids(a) == _ids(b) for a, b in zip(one, many, strict=True))
    return Batch(exact, best["one"], best["many"], same / count)


def _ids(answer: Answer | QueryError) -> list[int]:
    if isinstance(answer, QueryError):
        raise answer
    ids: list[int] = answer.outcome.ids.tolist()
    return ids
