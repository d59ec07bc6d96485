import os
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, run_unify


def test_build_status_verify(samples_index):
    again = run_unify("index", "build", "samples", "--index", samples_index)
    assert again.code == 0
    assert "11 videos found: 0 indexed, 11 unchanged, 0 failed" in again.err
    assert again.out == ""
    (row,) = run_unify("index", "status", "--index", samples_index, "--json").rows
    assert (row["videos"], row["failed"], row["missing"]) == (11, [], [])
    text = run_unify("index", "status", "--index", samples_index)
    assert "videos    11" in text.out
    whole = run_unify("index", "verify", "--index", samples_index)
    assert (whole.code, whole.out) == (0, "")


def bad_files(folder: Path) -> dict[str, str]:
    """Make bad files; return the reason expected for each that must fail."""
    folder.mkdir()
    good = (ROOT / "samples" / "cat.mp4").read_bytes()
    (folder / "good.mp4").write_bytes(good)
    (folder / "text.mp4").write_text("this is not a video\n" * 50)
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "cut.mp4").write_bytes(good[: len(good) // 3])
    return {"text.mp4": "", "empty.mp4": "", "cut.mp4": ""}


def test_bad_files_are_listed_and_the_rest_is_indexed(tmp_path):
    expected = bad_files(tmp_path / "videos")
    done = run_unify("index", "build", "videos", "--index", tmp_path / "index", cwd=tmp_path)
    assert done.code == 5
    for name in ("text.mp4", "empty.mp4"):
        (line,) = (x for x in done.err.splitlines() if x.startswith(f"failed: videos/{name} ("))
        assert len(line) > len(f"failed: videos/{name} ()")
    (row,) = run_unify("index", "status", "--index", tmp_path / "index", "--json").rows
    assert {Path(path).name for path, _ in row["failed"]} <= set(expected)
    assert row["videos"] + len(row["failed"]) == 4
    assert run_unify("index", "verify", "--index", tmp_path / "index").code == 0
    found = run_unify("search", "a cat", "--index", tmp_path / "index", "--json", cwd=tmp_path)
    assert found.code == 0
    assert "videos/good.mp4" in [hit["video"] for hit in found.rows]
    again = run_unify("index", "build", "videos", "--index", tmp_path / "index", cwd=tmp_path)
    assert again.code == 5  # still failed, though not tried again


def test_an_index_is_made_even_when_all_fail(tmp_path):
    (tmp_path / "text.mp4").write_text("no video")
    done = run_unify("index", "build", "text.mp4", "--index", "index", cwd=tmp_path)
    assert done.code == 5
    found = run_unify("search", "a cat", "--index", "index", cwd=tmp_path)
    assert (found.code, found.out) == (0, "")


@pytest.mark.parametrize("path", ["nowhere", "empty", "notes"])
def test_paths_without_a_video(tmp_path, path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "readme.txt").write_text("hello")
    done = run_unify("index", "build", path, "--index", tmp_path / "index", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert path in done.complaint


def test_a_file_without_permissions(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root reads every file, whatever its permissions")
    shutil.copy(ROOT / "samples" / "cat.mp4", tmp_path / "closed.mp4")
    (tmp_path / "closed.mp4").chmod(0)
    done = run_unify("index", "build", tmp_path, "--index", tmp_path / "index")
    assert done.code == 5
    assert "Permission denied" in done.err


def test_unknown_pack_and_decoder_list_what_there_is(tmp_path):
    for option in ("--pack", "--decoder"):
        done = run_unify("index", "build", "samples", "--index", tmp_path / "i", option, "nothing")
        assert done.code == 2
        assert "nothing" in done.complaint


def test_the_index_is_found_from_a_folder_below(tmp_path):
    (tmp_path / "videos").mkdir()
    shutil.copy(ROOT / "samples" / "coffee.mp4", tmp_path / "videos")
    assert run_unify("index", "build", "videos", cwd=tmp_path).code == 0
    assert (tmp_path / ".unify" / "manifest.json").is_file()
    (hit,) = run_unify("search", "coffee", "--json", cwd=tmp_path / "videos").rows
    assert hit["video"] == "videos/coffee.mp4"
    assert hit["path"] == str(tmp_path / "videos" / "coffee.mp4")


def test_compact_keeps_the_answers(tmp_path):
    (tmp_path / "videos").mkdir()
    index = tmp_path / "index"
    for name in ("cat", "coffee"):
        shutil.copy(ROOT / "samples" / f"{name}.mp4", tmp_path / "videos")
        assert run_unify("index", "build", tmp_path / "videos", "--index", index).code == 0
    before = run_unify("search", "a cat", "--json", "--index", index).rows
    done = run_unify("index", "compact", "--index", index)
    assert (done.code, done.out) == (0, "")
    assert "segments: 2" in done.complaint
    assert "segments: 1" in done.complaint
    after = run_unify("search", "a cat", "--json", "--index", index).rows
    assert [hit["video"] for hit in after] == [hit["video"] for hit in before]
    assert [hit["score"] for hit in after] == pytest.approx(
        [hit["score"] for hit in before], abs=0.02
    )
    again = run_unify("index", "compact", "--index", index, "--json")
    assert again.complaint == "nothing to compact"
    assert again.rows[0]["segments_before"] == again.rows[0]["segments_after"] == 1
    assert run_unify("index", "verify", "--index", index).code == 0


def test_compact_without_an_index(tmp_path):
    done = run_unify("index", "compact", "--index", tmp_path / "nowhere")
    assert (done.code, done.out) == (3, "")
    assert not (tmp_path / "nowhere").exists()
