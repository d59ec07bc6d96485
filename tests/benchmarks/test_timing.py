"""The protocol: who is asked what, in which order, and whose failure ends a run."""

from __future__ import annotations

import itertools
import time
from collections import Counter

import numpy as np
import pytest
import timing
from engines import OURS, Found
from timing import WARM_UP, interleave, median_range, take
from workload import SHAPES, Workload

QUERIES = 24


@pytest.fixture(scope="module")
def queries():
    return Workload(SHAPES["topics"]).queries(QUERIES)


class Recorder:
    """An engine that writes down who was asked what."""

    side, size_bytes, apart = "lexicon", 0, False

    def __init__(self, name: str, log: list[tuple[str, str]], package: str = "a peer") -> None:
        self.name, self._log, self.package = name, log, package
        self.own_ms: float | None = None
        self.fails_at = -1

    def prepare(self, query: object, name: str, k: int) -> str:
        return name

    def search(self, name: str, k: int) -> Found:
        self._log.append((self.name, name))
        if len(self._log) == self.fails_at:
            raise RuntimeError("first line\nit broke")
        return Found(np.array([int(name[1:])]), self.own_ms)


def test_every_engine_is_asked_every_query_once_and_none_with_another(queries):
    log: list[tuple[str, str]] = []
    engines = [Recorder(name, log) for name in "abc"]
    engines[1].own_ms = 5.0
    timed = interleave(engines, queries, 10)
    measured = log[3 * WARM_UP :]
    assert Counter(measured) == Counter((e, f"q{i}") for e in "abc" for i in range(QUERIES))
    steps = [measured[at : at + 3] for at in range(0, len(measured), 3)]
    assert all(len({engine for engine, _ in step}) == 3 for step in steps)
    assert all(len({query for _, query in step}) == 3 for step in steps)
    assert len({tuple(engine for engine, _ in step) for step in steps}) > 3  # the order is drawn
    assert timed.times_ms["b"] == [5.0] * QUERIES  # its own time, where it tells one
    assert all(0 < ms < 5_000 for ms in timed.times_ms["a"])
    for rows in timed.rows.values():  # by query, whatever the order was
        assert [int(found[0]) for found in rows] == list(range(QUERIES))


def test_a_peer_that_fails_is_told_and_left_out(queries):
    log: list[tuple[str, str]] = []
    bad, good = Recorder("bad", log), Recorder("good", log)
    bad.fails_at = 2 * WARM_UP + 9
    timed = interleave([bad, good, Recorder("other", log)], queries, 10)
    (name,) = timed.failed
    assert name == "bad"
    assert timed.failed[name] == "RuntimeError: it broke"
    assert set(timed.times_ms) == set(timed.rows) == {"good", "other"}
    assert len(timed.times_ms["good"]) == QUERIES


def test_a_slow_engine_is_asked_fewer(queries, monkeypatch):
    monkeypatch.setattr(timing, "MOST_S", 0.3)
    log: list[tuple[str, str]] = []
    slow, quick = Recorder("slow", log), Recorder("quick", log)
    monkeypatch.setattr(slow, "prepare", lambda _, name, __: time.sleep(0.012) or name)
    timed = interleave([slow, quick], queries, 10)
    assert 1 <= len(timed.times_ms["slow"]) < QUERIES
    assert len(timed.times_ms["quick"]) == QUERIES
    asked = [rows for rows in timed.rows["slow"] if rows is not None]
    assert len(asked) == len(timed.times_ms["slow"])


def test_an_engine_too_slow_for_its_warm_up_is_told_by_the_last_query(queries, monkeypatch):
    monkeypatch.setattr(timing, "MOST_S", 0.01)
    slow = Recorder("slow", [])
    monkeypatch.setattr(slow, "prepare", lambda _, name, __: time.sleep(0.02) or name)
    timed = interleave([slow], queries, 10)
    assert len(timed.times_ms["slow"]) == 1
    assert sum(rows is not None for rows in timed.rows["slow"]) == 1


def test_one_that_would_disturb_the_others_is_timed_by_itself(queries):
    log: list[tuple[str, str]] = []
    loud, bad, one, two = (Recorder(name, log) for name in ("loud", "bad", "one", "two"))
    loud.apart = bad.apart = True
    bad.fails_at = 3 * (WARM_UP + QUERIES) + 2
    timed = take([loud, one, bad, two], queries, 10)
    runs = [name for name, _ in itertools.groupby(engine == "loud" for engine, _ in log)]
    assert runs == [False, True, False]  # the others, it, and the one that fails
    assert set(timed.rows) == {"loud", "one", "two"}
    assert set(timed.failed) == {"bad"}


def test_our_own_failure_ends_the_run(queries):
    log: list[tuple[str, str]] = []
    ours = Recorder("unify", log, OURS)
    ours.fails_at = 5
    with pytest.raises(RuntimeError):
        interleave([ours], queries, 10)


def test_the_range_of_a_median_holds_it_19_times_in_20():
    rng = np.random.default_rng(0)
    drawn = rng.lognormal(0, 1, (2_000, 200))  # its median is 1
    ranges = np.array([median_range(times) for times in drawn])
    held = np.mean((ranges[:, 0] <= 1) & (ranges[:, 1] >= 1))
    assert 0.94 < held < 0.98
    assert median_range([3.0, 1.0, 2.0]) == (1.0, 3.0)
