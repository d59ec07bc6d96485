from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Run, run_unify
from tests.encoders.checkpoints import save_clip
from unify.encoders import hf_prepare
from unify.encoders.packs import open_pack

WORDS = "cat\tcats\ndog\tdogs\nwoman\nred\ncook\tcooks cooking\nsnow\nhorse\nstreet\nplay\nwater\n"
Unify = Callable[..., Run]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the checkpoint `clip`; it is prepared, and pulled as owner/name."""
    top = tmp_path_factory.mktemp("models")
    save_clip(top / "clip")
    (top / "words.txt").write_text(WORDS)

    def download(model_id: str, folder: Path, bars: bool) -> str:
        shutil.copytree(top / "clip", folder)
        (folder / "README.md").write_text("what the card says")
        return "1a2b"

    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_DATA_HOME", str(top / "data"))
        patched.setattr(hf_prepare, "LEXICON", top / "words.txt")
        patched.setattr(hf_prepare, "download", download)
        hf_prepare.pull("owner/name", bars=False)
        open_pack(f"hf:{top / 'clip'}")
    return top


@pytest.fixture
def unify(place: Path) -> Unify:
    """Run `unify` where those models are."""

    def run(*arguments: object, **environment: str) -> Run:
        return run_unify(*arguments, XDG_DATA_HOME=str(place / "data"), **environment)

    return run


def test_pulled_packs_are_listed_and_whether_they_are_calibrated(unify):
    rows = {row["pack"]: row for row in unify("models", "list", "--json").rows}
    assert list(rows) == ["mini", "hf:owner/name"]
    assert (rows["mini"]["heads"], rows["mini"]["calibrated"]) == ("trained", True)
    pulled = rows["hf:owner/name"]
    assert (pulled["towers"], pulled["heads"]) == ("transformers", "zero-shot")
    assert (pulled["calibrated"], pulled["latent_dim"], pulled["terms"]) == (False, 16, 10)
    lines = unify("models", "list").out.splitlines()
    assert [line.endswith(", not calibrated") for line in lines] == [False, True]


def test_a_broken_pack_does_not_hide_the_others(place, tmp_path):
    shutil.copytree(place / "data", tmp_path / "data")
    broken = tmp_path / "data/unify/models/owner--name/checkpoint/config.json"
    broken.write_text("{}")
    listed = run_unify("models", "list", "--json", XDG_DATA_HOME=str(tmp_path / "data"))
    assert (listed.code, [row["pack"] for row in listed.rows]) == (0, ["mini"])
    assert listed.complaint.startswith("hf:owner/name cannot be used: pack file ")
    assert listed.complaint.endswith("; pull or build the pack again")


def test_a_pack_is_shown_with_its_source_and_card(unify):
    shown = unify("models", "show", "hf:owner/name")
    assert shown.code == 0
    for part in (
        "made of      transformers towers, zero-shot heads",
        "source       owner/name 1a2b",
        "remark       pack hf:owner/name is not calibrated, so its pictures are not centred and it "
        "finds less; run: unify models calibrate hf:owner/name FOLDER",
        "file         checkpoint/model.safetensors  ",
        "checked      every byte",
        "what the card says",
    ):
        assert part in shown.out


def test_from_videos_to_hits(unify, place, tmp_path):
    pack = f"hf:{place / 'clip'}"
    video = ROOT / "samples" / "cat.mp4"
    built = unify("index", "build", video, "--index", tmp_path / "index", "--pack", pack)
    assert built.code == 0, built.err
    assert built.err.count("is not calibrated") == 1
    found = unify("search", "a cat in the snow", "--json", "--index", tmp_path / "index")
    assert (found.code, found.err) == (0, "")
    (hit,) = found.rows
    assert hit["video"] == str(video)
    well = unify("doctor", "--index", tmp_path / "index")
    assert well.code == 0, well.out
    assert f"1 moment, searchable; pack {pack} is not calibrated, so" in well.out


def test_an_index_of_a_relative_checkpoint_opens_from_anywhere(unify, place, tmp_path):
    video = ROOT / "samples" / "cat.mp4"
    index = "--index", tmp_path / "index"
    built = unify("index", "build", video, *index, "--pack", "hf:./clip", cwd=place)
    assert built.code == 0, built.err
    found = unify("search", "a cat", *index, cwd=tmp_path)
    assert found.code == 0, found.err
    again = unify("index", "build", video, *index, cwd=tmp_path)
    assert again.code == 0, again.err
    assert f"pack      hf:{place / 'clip'} (" in unify("index", "status", *index).out


def test_calibrating_says_what_it_did(unify, place, tmp_path):
    shutil.copytree(place / "data", tmp_path / "data")
    own = {"XDG_DATA_HOME": str(tmp_path / "data")}
    done = run_unify("models", "calibrate", "hf:owner/name", "samples", **own)
    assert (done.code, done.out) == (0, ""), done.err
    assert "hf:owner/name is calibrated on 17 moments; lexicon weight 0.25" in done.err
    assert "that is rough" in done.err
    assert "build indexes again" in done.complaint
    listed = run_unify("models", "list", **own)
    assert "not calibrated" not in listed.out


def test_what_cannot_be_calibrated(unify, tmp_path):
    trained = unify("models", "calibrate", "mini", "samples")
    assert (trained.code, trained.out) == (2, "")
    assert "pack mini was calibrated when it was trained" in trained.complaint
    empty = unify("models", "calibrate", "hf:owner/name", tmp_path)
    assert empty.code == 2
    assert "makes 0 moments, too few to calibrate on" in empty.complaint


def test_without_a_network_pulling_is_one_clear_line(unify):
    done = unify("models", "pull", "owner/other", HF_ENDPOINT="http://127.0.0.1:9")
    assert (done.code, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
    assert "cannot download owner/other (" in done.complaint
    assert "check network and disk and pull again" in done.complaint
    assert unify("models", "show", "hf:owner/other").complaint.endswith(
        "has not been pulled; run: unify models pull owner/other"
    )


def test_listing_loads_no_torch(unify):
    said = unify("models", "list", PYTHONPROFILEIMPORTTIME="1").err
    assert "unify.encoders.hf_pack" in said
    assert not any(line.endswith(("| torch", "| transformers")) for line in said.splitlines())
