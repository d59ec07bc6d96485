"""Completion, by the shells themselves where they are installed."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, run_unify

CASES = {
    "unify ind": {"index"},
    "unify index bu": {"build"},
    "unify index build --ex": {"--exclude"},
    "unify search dog -beach --mode le": {"lexicon"},
    "unify search -- --mo": set(),
    "unify index build sam": set(),  # then the shell completes paths by itself
}
_BASH = """
eval "$(unify --show-completion bash)"
complete -p unify | grep -q -- '-o default' || echo no paths
while IFS= read -r line; do
  read -ra COMP_WORDS <<< "$line"
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
  _unify_completion unify
  echo "$line: ${COMPREPLY[*]}"
done
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> dict[str, str]:
    """An environment in which `unify` is a command."""
    folder = tmp_path_factory.mktemp("bin")
    command = folder / "unify"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m unify "$@"\n')
    command.chmod(0o755)
    path = os.pathsep.join([str(folder), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(folder)}


def shell(argv: list[str], environment: dict[str, str], typed: str = "") -> str:
    return subprocess.run(
        argv, env=environment, cwd=ROOT, input=typed, capture_output=True, text=True, check=True
    ).stdout


def test_bash_completes(installed):
    if not shutil.which("bash"):
        pytest.skip("bash is not installed")
    out = shell(["bash", "--norc", "-c", _BASH], installed, "\n".join(CASES) + "\n")
    assert out.splitlines() == [f"{line}: {' '.join(found)}" for line, found in CASES.items()]


def test_fish_completes(installed):
    if not shutil.which("fish"):
        pytest.skip("fish is not installed")
    asked = "; ".join(f"echo '>'; complete -C {shlex.quote(line)}" for line in CASES)
    out = shell(["fish", "-N", "-c", f"unify --show-completion fish | source; {asked}"], installed)
    for part, (line, found) in zip(out.split(">\n")[1:], CASES.items(), strict=True):
        words = {answer.partition("\t")[0] for answer in part.splitlines()}
        assert words == (found or words), line
    assert "samples/" in out


def test_zsh_takes_the_script(installed):
    if not shutil.which("zsh"):
        pytest.skip("zsh is not installed")
    script = 'autoload -Uz compinit; compinit -u; eval "$(unify --show-completion zsh)"; '
    out = shell(["zsh", "-f", "-c", script + "echo $_comps[unify]"], installed)
    assert out == "_unify_completion\n"
    asked = {"_UNIFY_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "unify index bu"}
    assert '"build"' in shell(["unify"], installed | asked)


def test_installing_writes_into_the_home_alone(installed, tmp_path: Path):
    done = subprocess.run(
        ["bash", "-c", "unify --install-completion; exit $?"],
        env={**installed, "HOME": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "unify" in "".join(p.read_text() for p in tmp_path.rglob("*") if p.is_file())


def test_completing_loads_no_library():
    asked = {"_UNIFY_COMPLETE": "complete_bash", "COMP_WORDS": "unify ind", "COMP_CWORD": "1"}
    done = run_unify(**asked, PYTHONPROFILEIMPORTTIME="1")
    assert done.out == "index\n"
    loaded = {line.rpartition("|")[2].strip() for line in done.err.splitlines()}
    assert "typer" in loaded
    assert not loaded & {"numpy", "numba", "faiss", "openvino", "av", "torch"}
