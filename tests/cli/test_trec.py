"""TREC's format: what is written is read back the same, and what is no run is refused."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from unify.cli.trec import RunLine, document_of, read_run, trec_line
from unify.engine.errors import UsageError


def hit(video: str, rank: int, score: float, start_s: float = 0.0) -> SimpleNamespace:
    return SimpleNamespace(
        video=video, rank=rank, score=score, start_s=start_s, end_s=start_s + 8.0
    )


@pytest.mark.parametrize(
    "video", ["clips/a.mp4", "my clips/ä #1 100%.mp4", "a\tb\n.mp4", "\udcff.mp4"]
)
def test_round_trip(tmp_path, video):
    hits = [hit(video, 1, 1 / 3, 4.5), hit("b.mp4", 2, -1e-17)]
    lines = [trec_line(7, one, "unify") for one in hits]
    (tmp_path / "run.txt").write_text("\n".join(lines) + "\n\n", "utf-8")
    assert read_run(tmp_path / "run.txt") == [
        RunLine("7", document_of(video, 4.5, 12.5), 1, 1 / 3, "unify"),
        RunLine("7", "b.mp4#t=0.0,8.0", 2, -1e-17, "unify"),
    ]


def test_a_document_is_one_word_and_the_time_comes_after_the_only_hash():
    name = document_of("a b#t=1,2.mp4", 0.25, 8.0)
    assert name == "a%20b%23t=1,2.mp4#t=0.25,8.0"


@pytest.mark.parametrize(("query", "tag"), [("", "t"), ("a b", "t"), ("1", ""), ("1", "two words")])
def test_an_id_or_tag_with_spaces_is_refused(query, tag):
    with pytest.raises(UsageError, match="no single word"):
        trec_line(query, hit("a.mp4", 1, 0.0), tag)


@pytest.mark.parametrize("line", ["1 Q0 a 1 0.5", "1 Q0 a one 0.5 t", "1 Q0 a 1 high t"])
def test_a_broken_line_is_named(tmp_path, line):
    (tmp_path / "run.txt").write_text(f"1 Q0 a 1 0.5 t\n{line}\n", "utf-8")
    with pytest.raises(UsageError, match=r"run.txt, line 2: .* is no line of a run"):
        read_run(tmp_path / "run.txt")


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(UsageError, match="cannot read"):
        read_run(tmp_path / "none.txt")
