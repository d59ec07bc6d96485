"""What each command prints, in a pipe and on a terminal, word for word."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys

import pytest

from tests.cli.goldens import GOLDEN, ROOT, differs, filled

STORIES = sorted(GOLDEN.glob("*.txt"))


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_commands_print_what_the_golden_file_shows(path):
    old = path.read_text(encoding="utf-8")
    new = filled(old)
    if differs(old, new):
        assert new == old, "if this is as it should be: python -m tests.cli.goldens --write"


def test_every_exit_code_of_an_error_has_a_golden():
    text = "".join(path.read_text(encoding="utf-8") for path in STORIES)
    for code in (0, 2, 3, 4, 5):
        for mode in ("in a pipe", "on a terminal"):
            assert f"--- {mode}, exit {code}\n" in text


def test_ctrl_c_ends_with_130_and_one_line(tmp_path):
    shutil.copy(ROOT / "samples" / "cat.mp4", tmp_path)
    with subprocess.Popen(
        [sys.executable, "-m", "unify", "index", "watch", "."],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        first = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130, first + rest
    assert "Traceback" not in rest
    assert rest.splitlines()[-1].startswith("unify: stopped")
