import os
from pathlib import Path

import pytest

from unify.engine.errors import UsageError
from unify.indexer.discover import Choice, Discovery, discover


def make(folder: Path, names: str) -> Path:
    for name in names.split():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


def rels(found: Discovery) -> list[str]:
    return [candidate.rel for candidate in found.candidates]


def left_out(found: Discovery, top: Path) -> list[str]:
    return [os.path.relpath(path, top) for path in found.ignored]


@pytest.mark.parametrize(
    ("rules", "taken", "ignored"),
    [
        ("", "a.mov a.mp4 deep/a.mov deep/raw/b.mp4 raw/c.mp4", ""),
        ("*.mov", "a.mp4 deep/raw/b.mp4 raw/c.mp4", "a.mov deep/a.mov"),
        ("/*.mov", "a.mp4 deep/a.mov deep/raw/b.mp4 raw/c.mp4", "a.mov"),
        ("raw/", "a.mov a.mp4 deep/a.mov", "deep/raw/b.mp4 raw/c.mp4"),
        ("/raw/", "a.mov a.mp4 deep/a.mov deep/raw/b.mp4", "raw/c.mp4"),
        ("# all\n*\n!a.mp4", "a.mp4", "a.mov deep/a.mov deep/raw/b.mp4 raw/c.mp4"),
    ],
)
def test_rules_of_a_file_are_those_of_gitignore(tmp_path, rules, taken, ignored):
    make(tmp_path, "a.mov a.mp4 deep/a.mov deep/raw/b.mp4 raw/c.mp4")
    (tmp_path / ".unifyignore").write_text(rules)
    found = discover([tmp_path])
    assert rels(found) == taken.split()
    assert left_out(found, tmp_path) == ignored.split()


def test_deeper_files_win_and_the_caller_wins_over_all(tmp_path):
    make(tmp_path, "a.mov deep/a.mov deep/b.mov")
    (tmp_path / ".unifyignore").write_text("*.mov\n")
    (tmp_path / "deep" / ".unifyignore").write_text("!*.mov\n")
    assert rels(discover([tmp_path])) == ["deep/a.mov", "deep/b.mov"]
    found = discover([tmp_path], Choice(exclude=("/deep/a.*", "!a.mov")))
    assert rels(found) == ["a.mov", "deep/a.mov", "deep/b.mov"]
    found = discover([tmp_path], Choice(exclude=("b.*",)))
    assert rels(found) == ["deep/a.mov"]
    assert left_out(found, tmp_path) == ["a.mov", "deep/b.mov"]


def test_a_file_that_is_named_is_taken_whatever_the_rules(tmp_path):
    make(tmp_path, "a.mp4")
    (tmp_path / ".unifyignore").write_text("*")
    found = discover([tmp_path / "a.mp4", tmp_path], Choice(exclude=("*.mp4",)))
    assert rels(found) == ["a.mp4"]
    assert (found.ignored, found.empty) == ([], [])
    assert discover([tmp_path]).empty == [str(tmp_path)]


def test_a_folder_that_is_left_out_is_found_by_another_way(tmp_path):
    make(tmp_path, "out/a.mp4")
    (tmp_path / ".unifyignore").write_text("/out/")
    (tmp_path / "way").symlink_to(tmp_path / "out")
    assert rels(discover([tmp_path])) == ["way/a.mp4"]


def test_rules_that_cannot_be_used_are_told(tmp_path):
    make(tmp_path, "a.mp4 deep/b.mp4")
    with pytest.raises(UsageError, match="--exclude !"):
        discover([tmp_path], Choice(exclude=("!",)))
    (tmp_path / ".unifyignore").write_text("*.mov\n!\n")
    with pytest.raises(UsageError, match=r"\.unifyignore: "):
        discover([tmp_path])


def test_rules_that_cannot_be_read_hide_their_folder(tmp_path):
    make(tmp_path, "a.mp4 deep/b.mp4 deep/.unifyignore")
    (tmp_path / "deep" / ".unifyignore").unlink()
    (tmp_path / "deep" / ".unifyignore").symlink_to(tmp_path / "nowhere")
    found = discover([tmp_path])
    assert rels(found) == ["a.mp4"]
    assert [why for _, why in found.unreadable] == ["No such file or directory"]


def test_unsettled_files_are_neither_taken_nor_missed(tmp_path):
    make(tmp_path, "a.mp4 b.mp4")
    choice = Choice(unsettled={str(tmp_path / "a.mp4"), str(tmp_path / "b.mp4")})
    found = discover([tmp_path], choice)
    assert (rels(found), found.empty) == ([], [])
