"""The bars as ratios of one run, its floors, and what the report says."""

from __future__ import annotations

import pytest
from bars import Bar, bars
from memory import Memory
from report import report
from runs import Row, Run
from throughput import Batch


def row(
    engine: str, k: int, p50: float, recall: float = 1.0, size: int = 100_000, asked: int = 3
) -> Row:
    side = "fused" if "hybrid" in engine else "latent" if "latent" in engine else "lexicon"
    ours = engine.startswith("unify")
    return Row(
        engine, side, "1", k, p50, (p50 - 0.1, p50 + 0.1), p50, p50, recall, size, ours, asked
    )


def run(*rows: Row, moments: int = 1_000) -> Run:
    return Run(
        "topics", moments, 3, 1e9, 0.5, 2.0, 1.5, rows, (Batch(True, 100.0, 250.0, 1.0),),
        {"unify hybrid": Memory(100_000_000, 300_000_000, 120_000_000)},
        {"gone": "ImportError: no module"},
    )  # fmt: skip


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
            row("lucene, search alone", 10, 0.5),
            row("seismic", 100, 1.1, 0.995, size=500_000),
            row("seismic, less effort", 100, 0.5, 0.9, size=500_000),
            row("qdrant-edge hybrid", 10, 5.2, recall=0.9),
            row("qdrant-edge hybrid, rescored", 10, 5.4, recall=1.0),
        )
    )  # fmt: skip
    assert found["unify lexicon / lucene impact, p50, k=10"] == "pass"
    assert found["unify lexicon / lucene impact, p50, k=100"] == "MISS"
    assert found["unify lexicon / lucene, search alone, p50, k=10"] == "no bar"
    assert found["unify lexicon / seismic at recall >= 0.99, p50, k=100"] == "pass"
    assert found["unify lexicon / seismic, bytes"] == "pass"
    assert found["unify hybrid, rows / (1.2 x both sides alone + 0.3 ms), k=10"] == "pass"
    assert found["unify hybrid, rows / (1.2 x both sides alone + 0.3 ms), k=100"] == "MISS"
    assert found["unify hybrid, rows / qdrant-edge hybrid, p50, k=10"] == "MISS"
    assert found["unify hybrid, rows / qdrant-edge hybrid, rescored, p50, k=10"] == "pass"
    assert found["recall@10 of qdrant-edge hybrid above ours"] == "pass"
    assert found["unify hybrid, rows / milvus-lite hybrid, p50, k=10"] == "no peer"


def test_a_peer_that_finds_more_than_we_do_is_a_miss():
    found = verdicts(
        run(row("unify hybrid, rows", 10, 1.0, 0.99), row("qdrant-edge hybrid", 10, 9.0, 1.0))
    )
    assert found["recall@10 of qdrant-edge hybrid above ours"] == "MISS"


def test_a_peer_that_finds_too_little_is_not_compared_with_and_said_to():
    found = verdicts(run(*OURS, row("seismic", 100, 9.0, 0.98)))
    assert found["unify lexicon / seismic at recall >= 0.99, p50, k=100"] == "none finds 0.99"


def test_a_library_of_ten_million_has_bars_of_its_own():
    rows = [*OURS[:4], row("unify hybrid", 10, 29.0, recall=0.97), row("unify hybrid", 100, 30.0)]
    found = verdicts(run(*rows, moments=10_000_000))
    assert found["unify hybrid p50, ms"] == "pass"
    assert found["share of the fused top 10 not found"] == "MISS"
    assert found["opening, s"] == "MISS"
    assert "opening, s" not in verdicts(run(*OURS))


def test_floors_are_bytes_over_bandwidth():
    one = run(*OURS, moments=1_000_000)
    assert one.floor_ms("lexicon", cleared=False) == pytest.approx(1.5)
    assert one.floor_ms("lexicon", cleared=True) == pytest.approx(5.5)
    assert one.floor_ms("latent", cleared=True) == pytest.approx(1024.0)
    assert one.floor_ms("fused", cleared=False) == pytest.approx(1025.5)
    assert Bar("x", None, 1.0).verdict == "no peer"


def test_a_report_says_all_that_was_measured_and_what_was_not():
    lines = report(run(*OURS, row("scipy", 10, 2.0, asked=2))).splitlines()
    assert "; load 1.5. " in lines[0]
    assert "must read 0.00 MB of postings and 1.0 MB of latents" in lines[0]
    head = next(line for line in lines if line.startswith("| engine"))
    rows = [line for line in lines if line.startswith(("| unify", "| scipy"))]
    assert "| unify hybrid, rows 1 | fused | 10 | 2.650 (2.550–2.750) |" in "\n".join(lines)
    assert head.count("|") == rows[0].count("|")
    peer = next(line for line in rows if line.startswith("| scipy"))
    assert peer.endswith("| 100 |  |  |")  # floors count our bytes
    assert "| unify hybrid, exact | 100 | 250 | 2.50 | 100.0% |" in lines
    assert "| unify hybrid | 100 | 300 | 120 |" in lines
    assert lines[-2] == "- too slow for all queries: scipy, k=10: asked 2"
    assert lines[-1] == "- not measured: gone: ImportError: no module"
