from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, run_unify

SAMPLES = {"cat.mp4": "a cat", "temple.mp4": "a temple by the water"}


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "clips-test"
    folder.mkdir()
    for name in SAMPLES:
        shutil.copy(ROOT / "samples" / name, folder / name)
    (folder / "broken.mp4").write_text("this is not a video")
    rows = {**SAMPLES, "broken.mp4": "a dog", "gone.mp4": "a car"}
    lines = ["file\tcaption", *(f"{name}\t{caption}" for name, caption in rows.items())]
    (folder / "captions.tsv").write_text("\n".join(lines) + "\n")
    return folder


def test_eval_prints_a_table_and_counts_on_stderr(clips, tmp_path):
    done = run_unify("eval", clips, "--frames", "2", "--out", tmp_path / "out", "--dual-softmax")
    assert done.code == 5, done.err
    assert done.out.startswith("**clips, test**: 2 items, 2 captions, 1 missing, 1 not decodable")
    assert "| mini | fused | text to video | 100.0 |" in done.out
    assert "| mini | fused, dual softmax over all queries | video to text |" in done.out
    assert "missing: annotated items without a file: 1 (gone.mp4)" in done.err
    assert "not decodable, left out: broken.mp4 (not a video" in done.err
    assert (tmp_path / "out" / "clips-test.md").read_text() == done.out
    written = json.loads((tmp_path / "out" / "clips-test.json").read_text())
    assert (written["schema"], written["dataset"], written["split"]) == (1, "clips", "test")


def test_a_folder_that_cannot_be_written_is_told_before_the_work(clips, tmp_path):
    (tmp_path / "out").touch()
    done = run_unify("eval", clips, "--frames", "1", "--out", tmp_path / "out")
    assert (done.code, done.out) == (1, "")
    assert done.complaint == f"unify: {tmp_path / 'out'}: File exists"
    assert "not decodable" not in done.err


def test_eval_json_is_one_object_and_needs_no_torch(clips):
    code = (
        f"import sys; sys.argv = ['unify', 'eval', {str(clips)!r}, '--json', '--frames', '1']\n"
        "from unify.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    print(end.code)\n"
        "print('torch' in sys.modules, 'transformers' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    line, exit_code, loaded = done.stdout.splitlines()
    assert (exit_code, loaded) == ("5", "False False")
    content = json.loads(line)
    (pack,) = content["packs"]
    assert content["schema"] == 1
    assert (pack["pack"], pack["items"], pack["missing"]) == ("mini", 2, ["gone.mp4"])
    assert [name for name, _ in pack["failed"]] == ["broken.mp4"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nowhere"], "nowhere is not a folder; give the folder of a data set"),
        (["{clips}", "--split", "train"], "has no split 'train'; it has test"),
        (["{clips}", "--pack", "maxi"], "there is no pack 'maxi'"),
    ],
)
def test_errors_are_one_line(clips, arguments, complaint):
    done = run_unify("eval", *(argument.format(clips=clips) for argument in arguments))
    assert (done.code, done.out) == (2, "")
    assert complaint in done.complaint
    assert len(done.err.splitlines()) == 1


def test_held_out_keeps_the_published_part(clips):
    done = run_unify("eval", clips, "--held-out")
    assert (done.code, done.out) == (5, "")
    assert "clips test-held-out: 1 item, 1 caption" in done.err
    assert "no item of clips can be decoded (broken.mp4: not a video" in done.complaint


def test_eval_takes_at_least_one_frame(clips):
    assert run_unify("eval", clips, "--frames", "0").code == 2
