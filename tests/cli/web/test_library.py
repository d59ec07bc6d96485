import shutil
from pathlib import Path

import pytest

from unify.cli.web import library as module
from unify.cli.web.library import Library, NoSuchVideo
from unify.engine.errors import NoIndex
from unify.engine.manifest import NAME, read_manifest, write_manifest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def followed(samples_index, tmp_path, monkeypatch):
    """A library of a copy, which looks for another generation whenever it is asked."""
    monkeypatch.setattr(module, "_LOOK_EVERY_S", -1.0)
    monkeypatch.setattr(module, "_STATUS_EVERY_S", -1.0)
    index = tmp_path / "index"
    shutil.copytree(samples_index, index)
    return Library(index)


def publish(directory: Path) -> None:
    write_manifest(directory, read_manifest(directory).next())


def test_another_generation_is_served_once_it_is_published(followed):
    before = followed.view()
    assert followed.view() is before
    publish(followed.directory)
    after = followed.view()
    assert after.generation == before.generation + 1
    assert after.searcher.encoder is before.searcher.encoder  # nothing is loaded again
    assert before.searcher.search("a temple", 1)  # who began with the old one goes on


def test_a_damaged_generation_is_told_and_the_old_one_stays(followed):
    before = followed.view()
    text = (followed.directory / NAME).read_text()
    (followed.directory / NAME).write_text("{}")
    assert followed.view() is before and "damaged" in followed.problem
    (followed.directory / NAME).write_text(text)
    assert followed.view().generation == before.generation and followed.problem == ""


def test_no_index_is_the_usual_error(tmp_path):
    with pytest.raises(NoIndex, match="make one"):
        Library(tmp_path)


def test_files_are_those_of_the_index_and_gone_is_gone(samples_index, tmp_path, monkeypatch):
    from tests.cli.conftest import run_unify

    (tmp_path / "films").mkdir()
    for name in ("cat.mp4", "horse.mp4"):
        shutil.copy(ROOT / "samples" / name, tmp_path / "films")
    done = run_unify("index", "build", tmp_path / "films", "--index", tmp_path / "index")
    assert done.code == 0, done.err
    view = Library(tmp_path / "index").view()
    first, second = sorted(view.newest)
    assert view.file(first).read_bytes() == (ROOT / "samples/cat.mp4").read_bytes()
    (tmp_path / "films" / "cat.mp4").unlink()
    with pytest.raises(NoSuchVideo, match=r"cat\.mp4 is gone"):
        view.file(first)
    assert view.file(second).name == "horse.mp4"
    assert len(view.moments_of(second)) == len(view.moments_of(first)) >= 1
    with pytest.raises(NoSuchVideo):
        view.video(99)
    assert not view.has_moment(99 << 32)
    assert view.has_moment(int(view.moments_of(first)[0]))
