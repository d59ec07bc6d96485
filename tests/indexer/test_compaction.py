"""The same videos come to the same bytes, whatever the history of their index."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.indexer.building import contents, ids, run_build
from tests.indexer.media import make_video
from unify.engine.manifest import read_manifest
from unify.engine.segment import Segment
from unify.engine.verify import verify
from unify.indexer.agreement import disagreements
from unify.indexer.compaction import compact
from unify.indexer.discover import digest
from unify.indexer.journal import NAME, Journal
from unify.indexer.remove import remove
from unify.indexer.status import status


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    folder.mkdir()
    for number in range(5):
        make_video(folder / f"{number}.mp4", range(100 * number, 100 * number + 30 + 40 * number))
    (folder / "broken.mp4").write_bytes(b"nothing")
    return folder


def bytes_of(index: Path) -> tuple:
    manifest = read_manifest(index)
    segments = [[(f.name, f.sha256) for f in segment.files] for segment in manifest.segments]
    return segments, [table.sha256 for table in manifest.tables]


def whole(index: Path) -> bool:
    return verify(index) + disagreements(index) == []


def test_a_winding_history_comes_to_the_bytes_of_a_straight_one(clips, tmp_path):
    straight, winding = tmp_path / "straight", tmp_path / "winding"
    run_build([clips], straight)
    extra = make_video(clips / "extra.mp4", range(900, 990))
    for name in ("3.mp4", "extra.mp4", "broken.mp4", "1.mp4", "0.mp4"):
        run_build([clips / name], winding)
    remove([str(clips / "1.mp4")], winding)
    compact(winding)
    (clips / "4.mp4").rename(clips / "moved.mp4")
    run_build([clips / "moved.mp4"], winding)
    (clips / "moved.mp4").rename(clips / "4.mp4")
    extra.unlink()
    run_build([clips], winding)
    assert ids(winding) != ids(straight)
    for index in (straight, winding):
        before = contents(index)
        compact(index, full=True)
        assert whole(index)
        assert contents(index) == before
        assert len(status(index).failed) == 1
        assert run_build([clips], index).skipped == 5
        assert compact(index, full=True).rewritten == 0
    assert bytes_of(winding) == bytes_of(straight)
    assert ids(winding) == ids(straight)


def test_rows_lie_in_the_order_of_contents_and_ids_stay(clips, tmp_path):
    index = tmp_path / "index"
    run_build([clips], index)
    before = ids(index)
    compact(index)
    assert ids(index) == before
    (entry,) = read_manifest(index).segments
    rows = Segment(index, entry, read_manifest(index).settings).moments["video"].tolist()
    path_of = {id_: clips / rel for rel, id_ in before.items()}
    assert list(dict.fromkeys(rows)) == sorted(path_of, key=lambda id_: digest(str(path_of[id_])))


def test_a_build_goes_on_after_the_ids_have_changed(clips, tmp_path):
    index = tmp_path / "index"
    run_build([clips], index)
    compact(index, full=True)
    before = ids(index)
    make_video(clips / "new.mp4", range(700, 760))
    (clips / "broken.mp4").unlink()
    make_video(clips / "broken.mp4", range(800, 840))
    (clips / "0.mp4").unlink()
    report = run_build([clips], index)
    assert (report.indexed, report.removed, report.failed) == (2, 1, [])
    after = ids(index)
    assert after.items() >= {(rel, id_) for rel, id_ in before.items() if rel != "0.mp4"}
    assert not {after["new.mp4"], after["broken.mp4"]} & set(before.values())
    assert whole(index)


@pytest.mark.parametrize("published", [False, True])
def test_a_crash_between_manifest_and_journal_is_mended(clips, tmp_path, published, monkeypatch):
    index = tmp_path / "index"
    run_build([clips], index)
    with monkeypatch.context() as patch:
        if published:
            steps = iter([Journal.follow])  # the first is that of opening
            patch.setattr(Journal, "follow", lambda self, at: next(steps)(self, at))
        else:
            patch.setattr("unify.indexer.compaction.rewrite", None)
        with pytest.raises((StopIteration, TypeError)):
            compact(index, full=True)
    old = {rel: id_ for rel, id_ in ids(index).items() if id_ < 100}
    assert len(old) == (0 if published else 5)
    assert whole(index)
    found = status(index)
    assert (found.videos, len(found.failed)) == (5, 1)
    assert run_build([clips], index).skipped == 5
    assert whole(index)
    with Journal(index) as journal:
        assert {e.rel: e.id for e in journal.entries()}.items() >= ids(index).items()


def test_without_a_journal_the_order_is_that_of_ids(clips, tmp_path):
    index, other = tmp_path / "index", tmp_path / "other"
    run_build([clips], index)
    shutil.copytree(index, other)
    (other / NAME).unlink()
    compact(other)
    assert whole(other)
    assert contents(other) == contents(index)
