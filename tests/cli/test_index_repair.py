"""The commands around a damaged index, what is in it, and taking things off."""

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, run_unify


@pytest.fixture
def index(tmp_path: Path, samples_index: Path) -> Path:
    return Path(shutil.copytree(samples_index, tmp_path / "index"))


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


def answers(index: Path) -> list[dict]:
    """Hits, without the ids of their moments, which are new in a new segment."""
    rows = run_unify("search", "a man with a camera", "-k", "11", "--json", "--index", index).rows
    return [{k: v for k, v in row.items() if k != "moment"} for row in rows]


@pytest.mark.parametrize(
    ("name", "lost"), [("postings_codes.npy", []), ("latents.faiss", ["samples/tour.mp4"])]
)
def test_repair_and_build_give_the_same_answers(index, name, lost):
    before = answers(index)
    (path,) = index.glob(f"segments/*/{name}")
    flip(path, -9)
    found = run_unify("index", "verify", "--index", index)
    assert (found.code, str(path) in found.out) == (4, True)
    assert "unify index repair loses only what is damaged" in found.complaint
    done = run_unify("index", "repair", "--index", index)
    assert done.code == 0
    assert done.out.splitlines() == [f"lost      {video}" for video in lost]
    assert f"damaged   {path}: its bytes" in done.err
    assert ("encode them again: unify index build" in done.err) == bool(lost)
    assert run_unify("index", "verify", "--index", index).code == 0
    if lost:
        left = [row for row in before if row["video"] not in lost]
        assert [row["video"] for row in answers(index)] == [row["video"] for row in left]
        assert run_unify("index", "build", "samples", "--index", index).code == 0
    assert answers(index) == before
    (row,) = run_unify("index", "repair", "--index", index, "--json").rows
    assert (row["problems"], row["lost"], row["unknown"]) == ([], [], [])


def test_a_damaged_manifest_says_what_to_do(index):
    flip(index / "manifest.json", 500)
    for command in (("search", "a cat"), ("index", "verify"), ("index", "status")):
        done = run_unify(*command, "--index", index)
        assert done.code == 4
        assert done.complaint.endswith("restore it from its copy: unify index repair")
    assert run_unify("index", "repair", "--index", index).code == 0
    assert run_unify("index", "verify", "--index", index).code == 0
    for name in ("manifest.json", "manifest-copy.json"):
        flip(index / name, 500)
    done = run_unify("index", "repair", "--index", index)
    assert done.code == 4
    assert "nothing can be saved: delete the index and build it again" in done.complaint


def test_list(index):
    done = run_unify("index", "list", "--index", index)
    assert done.code == 0
    assert len(done.out.splitlines()) == 11
    assert "11 videos, 1:39, 16 moments" in done.err
    rows = run_unify("index", "list", "samples/t*", "--index", index, "--json").rows
    assert [(row["video"], row["state"]) for row in rows] == [
        ("samples/temple.mp4", "indexed"),
        ("samples/tour.mp4", "indexed"),
    ]
    assert run_unify("index", "list", "nowhere", "--index", index).out == ""


def test_remove_asks_before_all_is_gone(index):
    refused = run_unify("index", "remove", ROOT, "--index", index)
    assert refused.code == 2
    assert "would take all 11 videos off the index" in refused.complaint
    told = run_unify("index", "remove", "samples/cat.mp4", "--dry-run", "--index", index)
    assert "removed   samples/cat.mp4" in told.err
    assert "nothing was changed; without --dry-run, removed: 1" in told.err
    assert len(run_unify("index", "list", "--index", index, "--json").rows) == 11
    done = run_unify("index", "remove", "samples", "--all", "--index", index, "--json")
    assert len(json.loads(done.out)["removed"]) == 11
