from pathlib import Path

import pytest

from unify.engine.location import locate


@pytest.fixture(autouse=True)
def no_variable(monkeypatch):
    monkeypatch.delenv("UNIFY_INDEX", raising=False)


def index_at(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    return folder


def test_nearest_index_upwards(tmp_path, monkeypatch):
    outer = index_at(tmp_path / ".unify")
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    assert locate() == outer
    inner = index_at(tmp_path / "a" / ".unify")
    assert locate() == inner
    (inner / "manifest.json").rename(inner / "manifest-copy.json")
    assert locate() == inner  # to be repaired
    assert locate(inner.parent) == inner


def test_none_yet_is_made_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert locate() == tmp_path / ".unify"


def test_explicit_before_variable_before_search(tmp_path, monkeypatch):
    index_at(tmp_path / ".unify")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNIFY_INDEX", str(tmp_path / "other"))
    assert locate() == tmp_path / "other"
    assert locate(tmp_path / "given") == tmp_path / "given"
    assert locate(tmp_path) == tmp_path / ".unify"  # a folder that has one
