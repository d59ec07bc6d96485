from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from unify.encoders.data import HELD_OUT, Source, read_stills, read_training_items, split_position
from unify.engine.errors import UsageError


def write_sources(folder: Path) -> None:
    rows = {
        "msrvtt-train": {"video2": {"frames": ["video2_0.jpg"], "captions": ["a dog"]}},
        "flickr8k-train": {"b.jpg": ["a cat", "a pet"], "a.jpg": ["a car"]},
    }
    for name, captions in rows.items():
        (folder / name).mkdir()
        (folder / name / "captions.json").write_text(json.dumps(captions))


def test_items_of_both_layouts(tmp_path):
    write_sources(tmp_path)
    items = read_training_items(tmp_path)
    assert [(i.source, i.name, i.stills, i.captions) for i in items] == [
        (Source.MSRVTT, "video2", ("video2_0.jpg",), ("a dog",)),
        (Source.FLICKR8K, "a.jpg", ("a.jpg",), ("a car",)),
        (Source.FLICKR8K, "b.jpg", ("b.jpg",), ("a cat", "a pet")),
    ]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"captions\.json does not exist"):
        read_training_items(tmp_path)


def test_stills_come_without_their_folder(tmp_path):
    (tmp_path / "msrvtt-train").mkdir()
    with tarfile.open(tmp_path / "msrvtt-train" / "frames.tar", "w") as tar:
        member = tarfile.TarInfo("frames/video2_0.jpg")
        member.size = 3
        tar.addfile(member, io.BytesIO(b"abc"))
    assert list(read_stills(tmp_path, Source.MSRVTT)) == [("video2_0.jpg", b"abc")]


def test_the_split_is_a_fixed_share():
    names = [f"video{i}" for i in range(20_000)]
    held = [n for n in names if split_position(Source.MSRVTT, n) < HELD_OUT[Source.MSRVTT]]
    assert abs(len(held) / len(names) - HELD_OUT[Source.MSRVTT]) < 0.01
    # Another hash, or another spelling of the name, would publish another split.
    assert held[:5] == ["video3", "video4", "video9", "video14", "video38"]
    assert split_position(Source.FLICKR8K, "video1") != split_position(Source.MSRVTT, "video1")
