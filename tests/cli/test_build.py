from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time

from tests.cli.conftest import ROOT, run_unify


def test_ctrl_c_says_how_to_go_on(tmp_path):
    index = tmp_path / "index"
    process = subprocess.Popen(
        [sys.executable, "-m", "unify", "index", "build", "samples", "--index", str(index)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr.readline().startswith("indexed  samples/")
    began_s = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert time.monotonic() - began_s < 2
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1].endswith("what was finished is kept, run the same command to go on")
    (row,) = run_unify("index", "status", "--index", index, "--json").rows
    assert 1 <= row["videos"] < 11
    assert row["videos"] + row["pending"] == 11
    again = run_unify("index", "build", "samples", "--index", index)
    assert again.code == 0
    assert f"{row['pending']} indexed, {row['videos']} unchanged" in again.err


def test_of_many_copies_the_first_are_listed(tmp_path):
    films = tmp_path / "films"
    films.mkdir()
    for number in range(24):
        shutil.copy(ROOT / "samples" / "cat.mp4", films / f"{number:02}.mp4")
    done = run_unify("index", "build", films, "--index", tmp_path / "index")
    copies = [line for line in done.err.splitlines() if line.startswith("copy of an indexed")]
    assert len(copies) == 21
    assert copies[-1] == "copy of an indexed video: 3 more; all: unify index status"
    (row,) = run_unify("index", "status", "--index", tmp_path / "index", "--json").rows
    assert len(row["copies"]) == 23


def test_memory_is_given_as_a_size(tmp_path):
    for size in ("much", "0", "64M"):
        done = run_unify(
            "index", "build", "samples", "--index", tmp_path / "index", "--max-memory", size
        )
        assert (done.code, done.out) == (2, "")
    assert "--max-memory" in done.complaint
    assert not (tmp_path / "index").exists()
