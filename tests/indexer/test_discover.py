from __future__ import annotations

import os
from pathlib import Path

import pytest

from unify.engine.errors import UsageError
from unify.engine.manifest import Root
from unify.indexer import discover as discovering
from unify.indexer.discover import digest, discover, gone, is_under


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    top = tmp_path / "clips"
    for name in ("b.mp4", "a.MKV", "deep/er/c.webm", "notes.txt", ".d.mp4", ".unify/e.mp4"):
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return top


def rels(found: discovering.Discovery) -> list[str]:
    return [candidate.rel for candidate in found.candidates]


def test_a_folder_is_searched_whole_and_in_order(tree):
    found = discover([tree])
    assert rels(found) == ["a.MKV", "b.mp4", "deep/er/c.webm"]
    assert found.candidates[0].root == Root(str(tree), str(tree))
    assert found.candidates[1].size_bytes == 5
    assert found.empty == found.unreadable == []


def test_paths_are_kept_as_given(tree, monkeypatch):
    monkeypatch.chdir(tree.parent)
    found = discover([Path("clips"), Path("clips/notes.txt")])
    assert [c.shown for c in found.candidates] == [
        "clips/a.MKV", "clips/b.mp4", "clips/deep/er/c.webm", "clips/notes.txt",
    ]  # fmt: skip
    assert [c.path for c in found.candidates][-1] == str(tree / "notes.txt")
    monkeypatch.chdir(tree)
    assert [c.shown for c in discover([Path("b.mp4")]).candidates] == ["b.mp4"]
    assert [c.path for c in discover([Path("../clips/b.mp4")]).candidates] == [str(tree / "b.mp4")]


def test_nothing_is_found_twice(tree):
    found = discover([tree / "deep", tree, tree / "b.mp4"])
    assert rels(found) == ["er/c.webm", "a.MKV", "b.mp4"]
    assert found.empty == []


def test_links_are_followed_but_not_in_circles(tree):
    (tree / "deep" / "up").symlink_to(tree)
    outside = tree.parent / "outside"
    outside.mkdir()
    (outside / "x.mp4").write_bytes(b"x")
    (tree / "linked").symlink_to(outside)
    (tree / "broken.mp4").symlink_to(tree / "absent")
    found = discover([tree])
    assert rels(found) == ["a.MKV", "b.mp4", "deep/er/c.webm", "linked/x.mp4"]
    assert [Path(path).name for path, _ in found.unreadable] == ["broken.mp4"]


def test_a_link_to_a_file_comes_after_the_files(tree):
    (tree / "a-link.mp4").symlink_to(tree / "deep" / "er" / "c.webm")
    assert rels(discover([tree])) == ["a.MKV", "b.mp4", "deep/er/c.webm", "a-link.mp4"]


def test_a_link_never_takes_the_videos_of_a_folder_that_lies_there_itself(tree):
    (tree / "a-link").symlink_to(tree / "deep")
    (tree / "deep" / "again").symlink_to(tree / "a-link")
    found = discover([tree])
    assert rels(found) == ["a.MKV", "b.mp4", "deep/er/c.webm"]
    assert sorted(found.again) == [str(tree / "a-link"), str(tree / "deep" / "again")]
    outside = tree.parent / "outside"
    outside.mkdir()
    (outside / "x.mp4").write_bytes(b"x")
    for name in ("z1", "z0"):
        (tree / name).symlink_to(outside)
    found = discover([tree])
    assert rels(found)[-1] == "z0/x.mp4"
    assert str(tree / "z1") in found.again


def test_what_cannot_be_used_is_told(tree):
    with pytest.raises(UsageError, match="absent: No such file"):
        discover([tree, tree / "absent"])
    (tree / "void").mkdir()
    assert discover([tree / "void", tree]).empty == [str(tree / "void")]
    os.mkfifo(tree / "pipe.mp4")
    assert "pipe.mp4" not in rels(discover([tree]))
    with pytest.raises(UsageError, match="neither a file nor a folder"):
        discover([tree / "pipe.mp4"])


def test_an_unreadable_folder_is_reported(tree):
    locked = tree / "deep" / "er"
    locked.chmod(0)
    try:
        if os.access(locked, os.R_OK):
            pytest.skip("root may read everything")
        found = discover([tree])
        assert rels(found) == ["a.MKV", "b.mp4"]
        assert found.unreadable == [(str(locked), "Permission denied")]
    finally:
        locked.chmod(0o755)


def test_an_error_while_walking_is_reported(tree, monkeypatch):
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("/er"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = discover([tree])
    assert rels(found) == ["a.MKV", "b.mp4"]
    assert found.unreadable == [(str(tree / "deep" / "er"), "Permission denied")]


def test_file_names_of_any_bytes(tmp_path):
    name = os.fsdecode(b"caf\xe9.mp4")
    (tmp_path / name).write_bytes(b"x")
    assert rels(discover([tmp_path])) == [name]


def test_digests_tell_contents_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(discovering, "WHOLE_BYTES", 100)
    monkeypatch.setattr(discovering, "_BLOCK_BYTES", 10)
    path = tmp_path / "x"

    def of(data: bytes) -> str:
        path.write_bytes(data)
        return digest(str(path))

    small = bytearray(100)
    assert of(small) == of(small)
    assert of(small) != of(small[:-1])
    for at in range(0, 100, 7):
        other = bytearray(small)
        other[at] = 1
        assert of(other) != of(small)
    large = bytearray(1000)
    assert of(large) != of(bytearray(1001))
    for at in (0, 9, 495, 504, 990, 999):
        other = bytearray(large)
        other[at] = 1
        assert of(other) != of(large)
    with pytest.raises(OSError, match="No such file"):
        digest(str(tmp_path / "absent"))


def test_gone_means_gone(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    assert not gone(str(tmp_path / "file"))
    assert gone(str(tmp_path / "absent"))
    assert gone(str(tmp_path / "file" / "below"))

    def refuse(path, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "lstat", refuse)
    monkeypatch.setattr(os, "lstat", refuse)
    assert not gone(str(tmp_path / "absent"))


def test_is_under():
    assert is_under("/a/b", "/a")
    assert is_under("/a", "/a")
    assert is_under("/a", "/")
    assert not is_under("/ab", "/a")
