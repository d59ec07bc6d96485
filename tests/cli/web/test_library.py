import shutil
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from unify.cli.web import library as module
from unify.cli.web.app import make_app
from unify.cli.web.guard import Door
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


def test_an_index_that_is_removed_is_told_and_one_in_its_place_served(followed, samples_index):
    kept = followed.directory.with_name("kept")
    with TestClient(make_app(followed, Door("127.0.0.1")), base_url="http://127.0.0.1") as client:

        def ask(path: str) -> tuple[int, dict]:
            answer = client.get(f"/api/v1{path}")
            return answer.status_code, answer.json()

        followed.directory.rename(kept)
        code, found = ask("/search?q=a+horse")  # its rows were not opened before
        assert code == 503 and "cannot read" in found["message"]
        assert "no index in" in found["hint"] and "make one" in found["hint"]
        code, status = ask("/status")
        assert code == 200 and status["videos"] == 11 and "no index in" in status["problem"]
        shutil.copytree(samples_index, followed.directory)
        code, found = ask("/search?q=a+horse")
        assert code == 200 and found["hits"] and ask("/status")[1]["problem"] == ""


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
    with pytest.raises(NoSuchVideo, match=r"cat\.mp4 is gone, or may not"):
        view.file(first)
    assert view.file(second).name == "horse.mp4"
    assert len(view.moments_of(second)) == len(view.moments_of(first)) >= 1
    with pytest.raises(NoSuchVideo):
        view.video(99)
    assert not view.has_moment(99 << 32)
    assert view.has_moment(int(view.moments_of(first)[0]))
