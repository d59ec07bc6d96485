from __future__ import annotations

import json
from pathlib import Path

import pytest

from unify.encoders.manifest import Manifest, describe_files, read_manifest
from unify.engine.errors import UsageError
from unify.indexer.ports import FrameShape

FILES = ("heads.bin", "tower.bin")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).write_bytes(name.encode())
    written(tmp_path)
    return tmp_path


def written(folder: Path, name: str = "test", tokens: int = 128) -> Manifest:
    shape = FrameShape(260, 260, "squash")
    manifest = Manifest(name, shape, tokens, 4, 9, "float32", describe_files(folder, FILES))
    manifest.write(folder)
    return manifest


def test_what_was_written_is_read(folder):
    assert read_manifest(folder) == written(folder)


def test_every_file_and_setting_changes_the_fingerprint_and_the_name_does_not(folder):
    first = written(folder).fingerprint
    assert written(folder, tokens=64).fingerprint != first
    assert written(folder, name="other").fingerprint == first
    for name in FILES:
        before = (folder / name).read_bytes()
        (folder / name).write_bytes(before[::-1])
        assert written(folder).fingerprint != first
        (folder / name).write_bytes(before)


def test_opening_sees_a_missing_or_shortened_file(folder):
    manifest = read_manifest(folder)
    manifest.check_sizes(folder)
    (folder / "heads.bin").write_bytes(b"x")
    with pytest.raises(UsageError, match=r"heads\.bin has 1 bytes"):
        manifest.check_sizes(folder)
    (folder / "heads.bin").unlink()
    with pytest.raises(UsageError, match=r"heads\.bin is missing"):
        manifest.check_sizes(folder)


def test_verifying_sees_one_flipped_byte(folder):
    manifest = read_manifest(folder)
    manifest.verify(folder)
    (folder / "tower.bin").write_bytes(b"tower.biN")
    manifest.check_sizes(folder)
    with pytest.raises(UsageError, match=r"tower\.bin was altered"):
        manifest.verify(folder)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 1}', '{"format": 99}', "nonsense"])
def test_a_broken_manifest_is_one_clear_error(folder, text):
    (folder / "pack.json").write_text(text)
    with pytest.raises(UsageError, match=r"pack\.json"):
        read_manifest(folder)


def test_a_pack_of_another_layout_says_what_to_do(folder):
    content = json.loads((folder / "pack.json").read_text())
    assert content["format"] == 3
    (folder / "pack.json").write_text(json.dumps(content | {"format": 1}))
    with pytest.raises(UsageError, match=r"format 1, this version reads 3; build or pull the pack"):
        read_manifest(folder)


def test_a_manifest_edited_by_hand_is_refused(folder):
    content = json.loads((folder / "pack.json").read_text())
    content["max_tokens"] = 64
    (folder / "pack.json").write_text(json.dumps(content))
    with pytest.raises(UsageError, match="was altered"):
        read_manifest(folder)
