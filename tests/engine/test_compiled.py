"""Compiled kernels: a cache that is of no use costs time alone, and damage is no crash."""

import errno
import importlib
import itertools
from threading import Event
from unittest import mock

import numba
import numba.core.caching
import numpy as np
import pytest

from unify.engine import exact_kernels, postings, rescore
from unify.engine.compiled import compiled


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    return tmp_path


def widened() -> list[float]:
    """What a freshly made kernel answers."""
    halves = np.array([[1.0, 2.5]], np.float16)
    out = np.zeros((1, 2), np.float32)
    compiled.__wrapped__(exact_kernels.widen)(halves.view(np.uint16), out)
    return out[0].tolist()


@pytest.mark.parametrize("left", [0, 100])
def test_machine_code_that_was_cut_short_is_made_again(cache, left):
    assert widened() == [1.0, 2.5]
    kept = [path for path in cache.rglob("*") if path.is_file()]
    assert kept
    for path in kept:
        path.write_bytes(path.read_bytes()[:left])
    assert widened() == [1.0, 2.5]


def test_a_full_disk_does_not_stop_a_search(cache, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(numba.core.caching.IndexDataCacheFile, "save", full)
    assert widened() == [1.0, 2.5]


def test_no_home_is_no_cache(monkeypatch):
    def none():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("pathlib.Path.home", none)
    assert widened() == [1.0, 2.5]


@pytest.mark.parametrize("indptr", [[0, 9], [-9, 2], [2, 0]])
def test_rows_that_cannot_be_are_an_error_and_no_crash(indptr):
    begin_end = np.array(indptr, np.int64)
    terms, weights = np.zeros(2, np.uint16), np.ones(2, np.float16)
    sought = rescore.sought(terms[:1], np.ones(1, np.float32), 1)
    with pytest.raises(IndexError, match="out of range"):
        rescore.lexicon_scores((begin_end, terms, weights), np.zeros(1, int), sought, True)
    lists = postings.Lists(
        (begin_end, terms, np.ones(2, np.uint8)), 1, 1, terms[:1], np.ones(1)
    )  # fmt: skip
    with pytest.raises(IndexError, match="out of range"):
        postings.topk(lists, None, 1, True)


def test_a_term_that_cannot_be_is_an_error_and_no_crash():
    forward = (np.array([0, 1]), np.array([7], np.uint16), np.ones(1, np.float16))
    sought = rescore.sought(np.zeros(1, np.uint16), np.ones(1, np.float32), 7)
    with pytest.raises(IndexError, match="out of range"):
        rescore.lexicon_scores(forward, np.zeros(1, int), sought, True)


@pytest.mark.parametrize("fails", [False, True])
def test_who_asks_often_gets_kernels_once_and_never_a_failure(monkeypatch, fails):
    module = importlib.import_module("unify.engine.compiled")
    for name, value in (("_calls", itertools.count(1)), ("_compiled", Event()), ("PATIENCE", 3)):
        monkeypatch.setattr(module, name, value)
    prepared = []

    def prepare():
        prepared.append(True)
        if fails:
            raise RuntimeError

    threads = []
    monkeypatch.setattr(
        module, "Thread", lambda target, name: threads.append(target) or mock.Mock(start=target)
    )
    assert [module.in_time(prepare) for _ in range(5)] == [False, False] + 3 * [not fails]
    assert len(prepared) == len(threads) == 1
