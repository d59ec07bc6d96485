import os
from pathlib import Path

import pytest

from unify.engine import tables
from unify.engine.manifest import (
    IndexSettings,
    Manifest,
    Place,
    Root,
    Video,
    read_manifest,
    resolved_path,
    stored_path,
    write_manifest,
)

SETTINGS = IndexSettings("p", "f", 4, 4, 1.0, 8.0, "pyav")
VIDEOS = [
    Video(7, 1, os.fsdecode(b"caf\xe9.mp4"), 2.5, 1e9),
    Video(2, 0, "a.mp4", 1.0, 0.0, (Place(0, "b.mp4"), Place(1, "deep/c.mp4"))),
    Video(9, 0, "z.mp4", 3.0, -5.0, (Place(0, "y.mp4"),)),
]


def written(directory: Path, videos: list[Video]) -> Manifest:
    files = tables.write_tables(directory, 1, videos, [3])
    return Manifest(1, SETTINGS, tables=files, videos=len(videos), tombstones=1)


def test_videos_and_copies_come_back(tmp_path):
    manifest = written(tmp_path, VIDEOS)
    expected = {video.id: video for video in sorted(VIDEOS, key=lambda video: video.id)}
    assert list(tables.read_videos(tmp_path, manifest).items()) == list(expected.items())
    table = tables.open_videos(tmp_path, manifest)
    assert len(table) == 3
    assert list(table) == [2, 7, 9]
    assert dict(table) == table.all == expected
    for missing in (0, 3, 8, 10):
        with pytest.raises(KeyError):
            table[missing]


def test_no_videos(tmp_path):
    for manifest in (written(tmp_path, []), Manifest(0, SETTINGS)):
        table = tables.open_videos(tmp_path, manifest)
        assert (len(table), table.all) == (0, {})


def test_places_are_the_file_and_its_copies():
    assert [place.rel for place in VIDEOS[1].places] == ["a.mp4", "b.mp4", "deep/c.mp4"]


@pytest.mark.parametrize(
    ("root", "stored"),
    [("lib", ".."), ("", "../.."), ("other", None), ("li", None), ("lib/.unify", None)],
)
def test_a_root_is_stored_relative_only_where_the_index_lies_inside(tmp_path, root, stored):
    index = tmp_path / "lib" / ".unify"
    index.mkdir(parents=True)
    path = os.path.normpath(tmp_path / root)
    assert stored_path(path, index) == (stored or path)
    assert resolved_path(stored_path(path, index), index) == path


def test_roots_of_a_manifest_follow_the_index(tmp_path):
    index = tmp_path / "lib" / ".unify"
    index.mkdir(parents=True)
    given = str(tmp_path / "lib")
    roots = (Root(given, given), Root("lib", given), Root("films", "/mnt/films"))
    write_manifest(index, Manifest(1, SETTINGS, roots))
    assert read_manifest(index).roots == roots
    (tmp_path / "lib").rename(tmp_path / "moved")
    moved = str(tmp_path / "moved")
    assert read_manifest(tmp_path / "moved" / ".unify").roots == (
        Root(moved, moved), Root("lib", moved), Root("films", "/mnt/films"),
    )  # fmt: skip
