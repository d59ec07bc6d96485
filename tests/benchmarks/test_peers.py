"""Adapters against the truth, where the peer is at hand; and that a missing one is told."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from functools import cache

import lucene
import numpy as np
import ours
import pytest
from engines import OURS, Collection, Opened, built, open_engines
from library import Library
from ours import ENGINES, UnifyHybridRows, UnifyLexicon
from peer_lucene import Lucene, LuceneAlone
from peer_scans import Faiss, Scipy
from peers import PEERS

from unify.engine.fusion import Mode
from unify.engine.planner import Structure

MODULES = {
    "scipy": "scipy", "faiss": "faiss", "seismic": "seismic", "qdrant": "qdrant_edge",
    "qdrant-rescored": "qdrant_edge",
}  # fmt: skip


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Library:
    return Library.at(tmp_path_factory.mktemp("lib"), "topics", 600, 5, 1 << 20)


def opened(library: Library, kinds: list[type], folder) -> Opened:
    return open_engines(kinds, library, cache(lambda: Collection.of(library)), folder)


def found_by(engine, library: Library, k: int) -> list[np.ndarray]:
    return [
        engine.search(engine.prepare(query, f"q{i}", k), k).rows
        for i, query in enumerate(library.queries)
    ]


def test_our_engines_find_everything(library, tmp_path):
    engines = opened(library, list(ENGINES), tmp_path).engines
    assert len(engines) == len(ENGINES)
    for engine in engines:
        found = found_by(engine, library, 10)
        assert {len(rows) for rows in found} == {10}
        assert library.truth()[engine.side].recall(found, 10) >= 0.96
    sizes = {engine.name: engine.size_bytes for engine in engines}
    assert sizes["unify latent, exact"] == pytest.approx(600 * 1024, rel=0.01)
    assert sizes["unify hybrid"] > sizes["unify lexicon"] + sizes["unify latent, exact"]


@pytest.mark.parametrize("name", MODULES)
def test_a_peer_finds_what_brute_force_finds(library, tmp_path, name):
    if importlib.util.find_spec(MODULES[name]) is None:
        pytest.skip(f"{MODULES[name]} is not installed")
    made = opened(library, [PEERS[name]], tmp_path)
    assert not made.failed
    (engine,) = made.engines
    exact = name in ("scipy", "faiss")
    assert library.truth()[engine.side].recall(found_by(engine, library, 10), 10) >= (
        1.0 if exact else 0.8
    )
    assert engine.size_bytes > 0
    engine.close()


def test_an_index_is_built_once(library, tmp_path):
    if importlib.util.find_spec("seismic") is None:
        pytest.skip("seismic is not installed")
    opened(library, [PEERS["seismic"]], tmp_path)
    again = open_engines([PEERS["seismic"]], library, lambda: pytest.fail("made again"), tmp_path)
    assert not again.failed


def test_scipy_with_fewer_matches_than_asked(library, tmp_path):
    (engine,) = opened(library, [Scipy], tmp_path).engines
    query = library.queries[0]
    few = type(query)(query.latent, query.terms[:1], query.weights[:1])
    found = engine.search(engine.prepare(few, "", 600), 600).rows
    (block,) = library.workload.blocks(600)
    assert len(found) == int((block.rows.terms == few.terms[0]).sum())


def test_a_missing_peer_is_told_with_its_reason(library, tmp_path, monkeypatch):
    monkeypatch.setattr(lucene, "VENV", tmp_path / "none")
    made = opened(library, [Lucene, Faiss], tmp_path)
    assert [engine.name for engine in made.engines] == ["faiss flat fp16"]
    assert list(made.failed) == ["lucene impact"]
    assert "run: make bench-lucene" in made.failed["lucene impact"]


def test_what_a_peer_prints_is_no_table(library, tmp_path, capfd):
    class Loud(Faiss):
        def open(self, *given):
            os.write(1, b"Building the index...\n")
            super().open(*given)

    assert not opened(library, [Loud], tmp_path).failed
    sys.stdout.write("table\n")
    said = capfd.readouterr()
    assert said.out == "table\n"
    assert "Building" in said.err


def test_impacts_are_whole_numbers_above_zero():
    found = lucene.impacts(np.array([3, 8, 9], np.uint16), np.array([0.5, 0.004, 1.239], "f4"))
    assert found == {"t3": 50, "t9": 124}


def test_an_export_is_a_json_vector_collection(library, tmp_path):
    lucene.main(["export", str(library.index), str(tmp_path / "moments.jsonl")])
    lines = (tmp_path / "moments.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == 600
    record = json.loads(lines[1])
    assert set(record) == {"id", "contents", "vector"}
    assert record["id"] == "1"
    terms, weights = next(iter(library.workload.blocks(600))).rows.row(1)
    assert len(record["vector"]) == len(terms)
    assert record["vector"][f"t{terms[0]}"] == pytest.approx(100 * weights[0], abs=2)


@pytest.mark.parametrize("kind", [Lucene, LuceneAlone])
def test_lucene_finds_what_brute_force_finds(library, tmp_path, monkeypatch, kind):
    if not lucene.VENV.is_dir():
        pytest.skip("no Lucene environment; make bench-lucene makes it")
    monkeypatch.setattr(lucene, "WARM_UP", 10)
    made = opened(library, [kind], tmp_path)
    assert not made.failed
    (engine,) = made.engines
    assert library.truth()[Mode.LEXICON].recall(found_by(engine, library, 10), 10) >= 0.95
    engine.close()
    assert engine._server._process.returncode == 0


def test_what_peers_are_compared_with_is_one_thread(library, tmp_path, monkeypatch):
    (engine,) = opened(library, [UnifyHybridRows], tmp_path).engines
    asked = []
    for side in ("latent_topk", "lexicon_topk"):
        real = getattr(type(engine.backend), side)
        monkeypatch.setattr(
            type(engine.backend),
            side,
            lambda *given, real=real: asked.append(given[-1]) or real(*given),
        )
    plan = ours.make_plan

    def eager(*given):
        made = plan(*given)
        return ours.replace(made, threads=2, latent_threads=2, structure=Structure.THRESHOLD)

    monkeypatch.setattr(ours, "make_plan", eager)
    found_by(engine, library, 3)
    assert len(asked) >= 2 * len(library.queries)
    assert set(asked) == {1}


def test_what_was_cut_short_is_not_taken_for_an_index(tmp_path):
    def cut(part):
        (part / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        built(tmp_path, "x", "numpy", cut)
    path = built(tmp_path, "x", "numpy", lambda part: (part / "whole").touch())
    assert [file.name for file in path.iterdir()] == ["whole"]
    assert path.name == f"x-{np.__version__}"
    assert built(tmp_path, "x", "numpy", lambda _: pytest.fail("made again")) == path


def test_our_own_engine_that_fails_ends_the_run(library, tmp_path, monkeypatch):
    monkeypatch.setattr(UnifyLexicon, "search", lambda *_: 1 / 0)
    assert UnifyLexicon.package == OURS
    with pytest.raises(ZeroDivisionError):
        opened(library, [UnifyLexicon], tmp_path)


def test_java_is_warmed_by_every_query_and_both_depths():
    asked = []
    queries = [{"t1": 1}, {"t2": 2}]
    lucene.warm(lambda query, k: asked.append((next(iter(query)), k)), queries)
    assert len(asked) == lucene.WARM_UP
    assert set(asked) == {("t1", 10), ("t2", 10), ("t1", 100), ("t2", 100)}


def test_the_lexicon_side_alone_is_one_thread(library, tmp_path, monkeypatch):
    (engine,) = opened(library, [UnifyLexicon], tmp_path).engines
    asked = []
    real = type(engine.backend).lexicon_topk
    monkeypatch.setattr(
        type(engine.backend),
        "lexicon_topk",
        lambda *given: asked.append(given[-1]) or real(*given),
    )
    found_by(engine, library, 3)
    assert asked == [1] * len(library.queries)


def test_the_server_says_when_it_ends(tmp_path, monkeypatch):
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.symlink_to("/bin/false")
    jars = tmp_path / "lib" / "python3" / "site-packages" / "pyserini" / "resources" / "jars"
    jars.mkdir(parents=True)
    (jars / "anserini-1-fatjar.jar").touch()
    monkeypatch.setattr(lucene, "VENV", tmp_path)
    with pytest.raises(RuntimeError, match="the Lucene process ended"):
        lucene.Server(tmp_path)
