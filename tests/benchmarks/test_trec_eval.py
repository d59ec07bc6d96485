"""Scoring runs: what counts as a document, and the measures where ir-measures is installed."""

from __future__ import annotations

import importlib.util
import sys

import pytest
import trec_eval
from trec_eval import check, evaluate, read_qrels, scores, table

from unify.cli.trec import RunLine
from unify.engine.errors import MissingPackage, UsageError

LINES = [
    RunLine("0", "a.mp4#t=0.0,8.0", 1, 3.0, "t"),
    RunLine("0", "a.mp4#t=4.0,12.0", 2, 2.0, "t"),
    RunLine("0", "b.mp4#t=0.0,8.0", 3, 1.0, "t"),
]


def test_a_video_counts_once_at_its_best():
    assert scores(LINES, moments=False) == {"0": {"a.mp4": 3.0, "b.mp4": 1.0}}
    assert len(scores(LINES, moments=True)["0"]) == 3
    assert scores([RunLine("0", "plain", 1, 1.0, "t")], moments=False) == {"0": {"plain": 1.0}}


@pytest.mark.parametrize("text", ["", "0 0 a", "0 0 a high"])
def test_broken_judgements_are_named(tmp_path, text):
    (tmp_path / "qrels").write_text(text, "utf-8")
    with pytest.raises(UsageError, match="qrels"):
        read_qrels(tmp_path / "qrels")


def test_a_missing_package_is_said_with_its_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "ir_measures", None)
    with pytest.raises(MissingPackage, match="bench"):
        evaluate({"0": {"a": 1}}, {}, ["RR"])


def test_the_mean_is_over_all_judged_queries(tmp_path, monkeypatch, capsys):
    if importlib.util.find_spec("ir_measures") is None:
        pytest.skip("ir-measures is not installed")
    (tmp_path / "qrels").write_text("0 0 b.mp4 1\n1 0 a.mp4 1\n", "utf-8")
    run = [f"{x.query} Q0 {x.document} {x.rank} {x.score} {x.tag}\n" for x in LINES]
    (tmp_path / "run").write_text("".join(run), "utf-8")
    qrels = read_qrels(tmp_path / "qrels")
    found = evaluate(qrels, scores(LINES, moments=False), ["RR", "R@1", "R@10"])
    assert found == {"RR": 0.25, "R@1": 0.0, "R@10": 0.5}  # query 1 found nothing
    with pytest.raises(UsageError):
        evaluate(qrels, {}, ["nonsense"])
    monkeypatch.setattr(sys, "argv", ["x", str(tmp_path / "qrels"), str(tmp_path / "run")])
    trec_eval.main()
    assert "| 0.2500 |" in capsys.readouterr().out


def test_the_table_has_a_line_a_run():
    assert table({"a": {"RR": 0.5}, "b": {"RR": 1.0}}).splitlines()[2:] == [
        "| a | 0.5000 |", "| b | 1.0000 |",
    ]  # fmt: skip


def test_a_run_that_judgements_do_not_know_is_no_zero(tmp_path, capsys):
    run = scores(LINES, moments=False)
    with pytest.raises(UsageError, match="no query of it is judged"):
        check({"7": {"a.mp4": 1}}, run, tmp_path)
    with pytest.raises(UsageError, match="no document of it is judged"):
        check({"0": {"videos/a.mp4": 1}}, run, tmp_path)
    check({"0": {"b.mp4": 1}}, run, tmp_path)
    check({"0": {"b.mp4": 1}}, {}, tmp_path)  # finding nothing is an answer
    assert capsys.readouterr().err == ""
    check({"0": {"b.mp4": 1}}, run | {"1": {"a.mp4": 1.0}}, tmp_path)
    assert "1 of 2 queries not judged" in capsys.readouterr().err
