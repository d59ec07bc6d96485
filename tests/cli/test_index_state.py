"""Copies, rules, removal, moves and watching, as a user meets them."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, run_unify


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with its index inside, files that rules leave out, and a copy."""
    folder = tmp_path_factory.mktemp("made") / "library"
    (folder / "raw").mkdir(parents=True)
    shutil.copy(ROOT / "samples" / "cat.mp4", folder)
    shutil.copy(ROOT / "samples" / "cat.mp4", folder / "twin.mp4")
    shutil.copy(ROOT / "samples" / "coffee.mp4", folder / "raw")
    shutil.copy(ROOT / "samples" / "horse.mp4", folder / "horse.mov")
    (folder / ".unifyignore").write_text("/raw/\n")
    done = run_unify("index", "build", ".", "--exclude", "*.mov", cwd=folder)
    assert done.code == 0, done.err
    assert "2 left out by .unifyignore or --exclude" in done.err
    return folder


@pytest.fixture
def library(made: Path, tmp_path: Path) -> Path:
    """One of its own for a test: the index goes with its folder."""
    return Path(shutil.copytree(made, tmp_path / "library"))


def test_copies_are_shown_removed_and_found_again(library):
    (hit,) = run_unify("search", "a cat path:twin", "--json", cwd=library).rows
    assert (hit["video"], hit["copies"]) == ("cat.mp4", [str(library / "twin.mp4")])
    assert "also: twin.mp4" in run_unify("search", "a cat", cwd=library).out
    shown = run_unify("index", "status", cwd=library).out
    assert "copies    1\n          twin.mp4 = cat.mp4" in shown
    assert run_unify("index", "remove", "raw", cwd=library).complaint == (
        "unify: nothing of raw is in the index; see what is in it: unify index status"
    )
    done = run_unify("index", "remove", "twin.mp4", "cat.mp4", "--json", cwd=library)
    assert (done.rows[0]["removed"], done.rows[0]["forgotten"]) == (["cat.mp4"], ["twin.mp4"])
    assert run_unify("search", "a cat", cwd=library).out == ""
    assert run_unify("index", "build", ".", "--exclude", "*.mov", cwd=library).code == 0
    assert len(run_unify("search", "a cat", "--json", cwd=library).rows) == 1


def test_a_library_that_is_moved(library, tmp_path):
    library.rename(tmp_path / "moved")
    (hit,) = run_unify("search", "a cat", "--json", cwd=tmp_path / "moved").rows
    assert hit["path"] == str(tmp_path / "moved" / "cat.mp4")
    index = tmp_path / "index"
    (tmp_path / "moved" / ".unify").rename(index)
    (tmp_path / "moved").rename(tmp_path / "again")
    done = run_unify("index", "reroot", tmp_path, tmp_path / "again", "--index", index, "--json")
    assert (done.code, done.rows[0]["videos"], done.rows[0]["missing"]) == (0, 1, [])
    (hit,) = run_unify("search", "a cat", "--json", "--index", index).rows
    assert hit["path"] == str(tmp_path / "again" / "cat.mp4")
    assert run_unify("index", "verify", "--index", index).code == 0
    done = run_unify("index", "reroot", "/nowhere", tmp_path, "--index", index)
    assert (done.code, done.out) == (2, "")


def test_watch_until_ctrl_c(library, tmp_path):
    shutil.copy(ROOT / "samples" / "rocket.mp4", library)
    command = [sys.executable, "-m", "unify", "index", "watch", ".", "--interval", "0.2"]
    process = subprocess.Popen(
        [*command, "--exclude", "*.mov"], cwd=library, text=True, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        assert process.stderr.readline().startswith("watching . every 0.2 s")
        assert process.stderr.readline().endswith("1 indexed; 3 videos found\n")
        shutil.copy(library / "rocket.mp4", library / "twin.mp4")
        assert process.stderr.readline().endswith("  copy of an indexed video: twin.mp4\n")
    finally:
        process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=20)
    assert process.returncode == 130
    assert rest.startswith("unify: stopped")
    done = run_unify("index", "watch", "nowhere", cwd=library)
    assert (done.code, done.complaint[:15]) == (2, "unify: nowhere:")
