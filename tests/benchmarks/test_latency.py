"""The protocol of the latency benchmark, its bars and its report."""

from __future__ import annotations

import json
import sys

import latency
import pytest
from engines import Found
from latency import ONE_THREAD, Bar, Row, Run, bars, floors, interleave, report
from recall import Library


class Recorder:
    """An engine that writes down who was asked what."""

    side = "lexicon"

    def __init__(self, name: str, log: list[str], own_ms: float | None) -> None:
        self.name, self._log, self._own_ms = name, log, own_ms

    def prepare(self, query: object, name: str, k: int) -> str:
        return name

    def search(self, name: str, k: int):
        self._log.append(f"{self.name} {name}")
        return (
            latency.Found([], self._own_ms) if hasattr(latency, "Found") else _found(self._own_ms)
        )


def _found(own_ms: float | None):

    return Found([], own_ms)


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Library:
    return Library.at(tmp_path_factory.mktemp("lib"), "topics", 300, 3, 1 << 20)


def test_every_query_goes_to_every_engine_before_the_next(library):
    log: list[str] = []
    engines = [Recorder("a", log, None), Recorder("b", log, 5.0)]
    times, _ = interleave(engines, library, 10)
    assert log[-6:] == ["a q0", "b q0", "b q1", "a q1", "a q2", "b q2"]
    assert len(times["a"]) == len(times["b"]) == 3  # the warm-up is not counted
    assert times["b"] == [5.0] * 3  # its own time, where it tells one
    assert all(0 < ms < 5_000 for ms in times["a"])


def row(engine: str, k: int, p50: float, recall: float = 1.0, size: int = 100) -> Row:
    return Row(engine, "lexicon", "1", k, p50, p50, p50, recall, size, 0.0)


def run(*rows: Row, moments: int = 1_000) -> Run:
    return Run("topics", moments, 3, 1e9, 0.5, 2.0, rows, {"gone": "ImportError: no module"})


def verdicts(one: Run) -> dict[str, str]:
    return {bar.name: bar.verdict for bar in bars(one)}


OURS = (
    row("unify lexicon", 10, 1.0), row("unify lexicon", 100, 1.0),
    row("unify latent", 10, 1.0), row("unify latent", 100, 1.0),
    row("unify hybrid, rows", 10, 2.65), row("unify hybrid, rows", 100, 2.8),
)  # fmt: skip


def test_bars_are_ratios_of_one_run():
    found = verdicts(
        run(
            *OURS,
            row("lucene impact", 10, 5.0), row("lucene impact", 100, 4.9),
            row("seismic", 100, 1.1, 0.995, size=500),
            row("seismic, less effort", 100, 0.5, 0.9, size=500),
            row("qdrant-edge hybrid", 10, 5.2, recall=0.9),
        )
    )  # fmt: skip
    assert found["unify lexicon / lucene impact, p50, k=10"] == "pass"
    assert found["unify lexicon / lucene impact, p50, k=100"] == "MISS"
    assert found["unify lexicon / seismic at recall >= .99, p50, k=100"] == "pass"
    assert found["unify lexicon / seismic, bytes"] == "pass"
    assert found["unify hybrid, rows / (1.2 x both sides alone + 0.3 ms), k=10"] == "pass"
    assert found["unify hybrid, rows / (1.2 x both sides alone + 0.3 ms), k=100"] == "MISS"
    assert found["unify hybrid, rows / qdrant-edge hybrid, p50, k=10"] == "MISS"
    assert found["recall@10 of qdrant-edge hybrid above ours"] == "pass"
    assert found["unify hybrid, rows / milvus-lite hybrid, p50, k=10"] == "no peer"


def test_a_library_of_ten_million_has_bars_of_its_own():
    rows = [*OURS[:4], row("unify hybrid", 10, 29.0, recall=0.97), row("unify hybrid", 100, 30.0)]
    found = verdicts(run(*rows, moments=10_000_000))
    assert found["hybrid p50, ms"] == "pass"
    assert found["share of the fused top 10 not found"] == "MISS"
    assert found["opening, s"] == "MISS"
    assert "opening, s" not in verdicts(run(*OURS))


def test_a_report_says_what_was_not_measured():
    text = report(run(*OURS))
    assert "- not measured: gone: ImportError: no module" in text
    assert "| unify hybrid, rows 1 | lexicon | 10 | 2.650 |" in text


def test_floors_are_bytes_over_bandwidth():
    found = floors(0.5, 1_000_000, 1e9)
    assert found["lexicon"] == pytest.approx(1.5)
    assert found["latent"] == pytest.approx(1024.0)
    assert found["fused"] == pytest.approx(found["lexicon"] + found["latent"])
    assert Bar("x", None, 1.0).verdict == "no peer"


def test_the_script_writes_tables_plots_and_json(tmp_path, monkeypatch, capsys):
    for name, value in ONE_THREAD.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(latency, "bandwidth", lambda: 1e10)
    folder, out = str(tmp_path / "lib"), tmp_path / "out"
    options = ["--moments", "300", "400", "--queries", "3", "--peers", "scipy"]
    given = [*options, "--folder", folder, "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["latency.py", *given])
    latency.main()
    content = json.loads((out / "latency.json").read_text("utf-8"))
    assert [one["moments"] for one in content["runs"]] == [300, 400]
    assert {row["engine"] for row in content["runs"][0]["rows"]} > {"scipy", "unify hybrid"}
    assert {bar["verdict"] for bar in content["runs"][0]["bars"]} <= {"pass", "MISS", "no peer"}
    assert content["machine"]["versions"]["numpy"]
    assert all((out / name).stat().st_size > 5_000 for name in ("recall.png", "size.png"))
    assert (out / "bytes.png").is_file()
    assert "| scipy " in capsys.readouterr().out
