"""The script as it is started: tables, JSON, plots; what it measures of batches and of memory."""

from __future__ import annotations

import itertools
import json
import sys

import latency
import memory
import numpy as np
import plots
import pytest
import throughput
from engines import Engine, Found
from library import Library
from timing import ONE_THREAD

from unify.engine.fusion import Mode


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Library:
    return Library.at(tmp_path_factory.mktemp("lib"), "topics", 300, 4, 1 << 20)


def test_the_script_writes_tables_plots_and_json(library, tmp_path, monkeypatch, capsys):
    for name, value in ONE_THREAD.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(latency, "bandwidth", lambda: 1e10)
    monkeypatch.setattr(latency, "measured", lambda *_: memory.Memory(1, 3, 2))
    out = tmp_path / "out"
    options = ["--moments", "300", "--queries", "4", "--peers", "scipy", "faiss"]
    given = [*options, "--folder", str(library.folder), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["latency.py", *given])
    latency.main()
    content = json.loads((out / "latency.json").read_text("utf-8"))
    assert [one["moments"] for one in content["runs"]] == [300]
    assert {row["engine"] for row in content["runs"][0]["rows"]} > {"scipy", "unify hybrid"}
    assert {row["k"] for row in content["runs"][0]["rows"]} == {10, 100}
    assert content["runs"][0]["memory"]["unify hybrid"] == {
        "imported": 1, "peak": 3, "anonymous": 2,
    }  # fmt: skip
    verdicts = {bar["verdict"] for bar in content["runs"][0]["bars"]}
    assert verdicts <= {"pass", "MISS", "no peer", "no bar"}
    assert content["machine"]["versions"]["numpy"]
    for name in ("recall", "size", "bytes"):
        assert (out / f"{name}.png").stat().st_size > 5_000
    said = capsys.readouterr().out
    assert "| scipy " in said
    assert (out / "latency.md").read_text("utf-8").strip() == said.strip()


class Broken(Engine):
    """A peer that opens and then fails; it must be closed."""

    name, side, package, size_bytes = "broken", Mode.LEXICON, "a peer", 1
    closed = 0

    def open(self, *_: object) -> None:
        self.asked = 0

    def prepare(self, *_: object) -> None:
        return None

    def search(self, *_: object) -> Found:
        self.asked += 1
        if self.asked > 3:
            raise RuntimeError("it broke")
        return Found(np.zeros(1, np.int64))

    def close(self) -> None:
        type(self).closed += 1


def test_a_peer_that_fails_on_the_way_is_told_and_every_engine_is_closed(
    library, tmp_path, monkeypatch
):
    monkeypatch.setattr(latency, "bandwidth", lambda: 1e10)
    monkeypatch.setattr(latency, "measured", lambda *_: None)
    kinds: list[type[Engine]] = [Broken]
    run = latency.measure(library, kinds, tmp_path)
    assert run.failed == {"broken": "RuntimeError: it broke"}
    assert Broken.closed == 1
    assert run.row("broken", 10) is None
    assert run.row("unify lexicon", 100)
    assert run.memory == {}


def test_a_batch_finds_what_queries_find_one_by_one(library):
    approximate, exact = throughput.batches(library)
    assert (approximate.exact, exact.exact) == (False, True)
    assert exact.same == approximate.same == 1.0
    assert min(exact.one_s, exact.many_s, approximate.many_s) > 0


def test_both_ways_of_a_batch_ask_for_the_same(library, monkeypatch):
    asked = []
    for way in ("search", "search_many"):
        real = getattr(throughput.Searcher, way)

        def spy(*given, real=real, way=way, **options):
            asked.append((way, options["exact"]))
            return real(*given, **options)

        monkeypatch.setattr(throughput.Searcher, way, spy)
    throughput.batches(library)
    passes = throughput.PASSES
    for exact in (False, True):
        assert asked.count(("search", exact)) == passes * len(library.queries)
        assert asked.count(("search_many", exact)) == passes


@pytest.mark.skipif(not memory.STATUS.exists(), reason="needs Linux's /proc")
def test_memory_is_that_of_a_fresh_process(library):
    found = memory.measured(library, exact=True)
    assert found
    assert 30e6 < found.imported <= found.peak < 1e9
    assert 10e6 < found.anonymous <= found.peak


@pytest.mark.skipif(not memory.STATUS.exists(), reason="needs Linux's /proc")
def test_what_was_freed_before_is_not_in_the_peak(library):
    np.ones(1 << 25).sum()  # 256 MiB, freed at once
    before = memory.status("VmHWM")
    assert memory.here(library, exact=True).peak < before - 100e6


def test_names_in_a_plot_keep_apart_and_inside():
    for heights in ([0.5] * 8, [0.01, 0.02, 0.99, 0.98], [1.2]):
        order, placed = plots._spread(np.array(heights))
        assert sorted(order) == list(range(len(heights)))
        assert all(b - a >= plots.APART - 1e-9 for a, b in itertools.pairwise(placed))
        assert min(placed) >= 0
        assert max(placed) <= 0.98
