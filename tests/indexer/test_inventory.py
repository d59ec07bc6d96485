import shutil
from pathlib import Path

import pytest

from tests.indexer.building import contents, run_build
from tests.indexer.media import make_video
from unify.engine.errors import NoIndex
from unify.indexer import inventory as listing
from unify.indexer.compaction import compact
from unify.indexer.entries import Entry
from unify.indexer.inventory import inventory
from unify.indexer.progress import VideoStarted
from unify.indexer.remove import remove
from unify.indexer.status import status


@pytest.fixture
def here(tmp_path: Path, monkeypatch) -> Path:
    (tmp_path / "clips" / "deep").mkdir(parents=True)
    for number, name in enumerate(("a", "b", "deep/c")):
        make_video(tmp_path / "clips" / f"{name}.mp4", range(number, number + 3))
    shutil.copy(tmp_path / "clips" / "a.mp4", tmp_path / "clips" / "deep" / "twin.mp4")
    (tmp_path / "clips" / "bad.mp4").write_text("no video")
    monkeypatch.chdir(tmp_path)
    run_build(["clips"], Path("index"))
    return tmp_path


def test_every_video_and_what_became_of_it(here):
    make_video(here / "clips" / "new.mp4", [9])

    def stop(event: object) -> None:
        if isinstance(event, VideoStarted):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_build(["clips"], Path("index"), progress=stop)
    (here / "clips" / "b.mp4").unlink()
    found = inventory(Path("index"))
    assert [(item.video, item.state, item.copies) for item in found] == [
        ("clips/a.mp4", "indexed", ("clips/deep/twin.mp4",)),
        ("clips/b.mp4", "missing", ()),
        ("clips/bad.mp4", "failed", ()),
        ("clips/deep/c.mp4", "indexed", ()),
        ("clips/new.mp4", "pending", ()),
    ]
    assert found[2].note.startswith("not a video")
    whole, now = contents(Path("index")), status(Path("index"))
    moments = {item.video: item.moments for item in found if item.moments}
    assert moments == {str(Path(p).relative_to(here)): len(rows) for p, rows in whole.items()}
    assert sum(item.duration_s for item in found) == pytest.approx(now.video_s)
    assert all((item.recorded > 0) == (item.moments > 0) for item in found)


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (["clips"], ["a", "b", "bad", "deep/c"]),
        (["clips/deep"], ["a", "deep/c"]),
        (["clips/b.mp4", "*/bad*"], ["b", "bad"]),
        (["*/deep/*"], ["a", "deep/c"]),
        (["*.MP4"], []),
        (["clip"], []),
    ],
)
def test_some_of_them(here, wanted, names):
    found = inventory(Path("index"), wanted)
    assert [item.video for item in found] == [f"clips/{name}.mp4" for name in names]


def test_from_elsewhere_without_a_journal_and_of_nothing(here, monkeypatch):
    monkeypatch.chdir(here / "clips" / "deep")
    assert [item.video for item in inventory(here / "index", ["../b.mp4"])] == ["clips/b.mp4"]
    (here / "index" / "catalog.sqlite").unlink()
    assert [item.state for item in inventory(here / "index")] == ["indexed"] * 3
    remove([str(here)], here / "index", everything=True)
    assert inventory(here / "index") == []
    with pytest.raises(NoIndex):
        inventory(here / "none")


def test_while_a_writer_rewrites_the_index(here, monkeypatch):
    before, journalled = inventory(Path("index")), listing.journalled

    def late(directory: Path, generation: int) -> list[Entry]:
        assert compact(directory, full=True).rewritten
        return journalled(directory, generation)

    monkeypatch.setattr(listing, "journalled", late)
    assert inventory(Path("index")) == before
