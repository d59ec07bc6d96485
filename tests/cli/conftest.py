"""The real command, as a subprocess, on an index of the sample videos made by the real pack."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Run:
    """What one run of the command gave."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict]:
        """Stdout as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def complaint(self) -> str:
        """The last line of stderr, which every error ends in."""
        return self.err.strip().splitlines()[-1]


def run_unify(*arguments: object, cwd: Path = ROOT, **environment: str) -> Run:
    """Run `unify` in a process of its own."""
    env = {k: v for k, v in os.environ.items() if k not in ("UNIFY_INDEX", "NO_COLOR")}
    done = subprocess.run(
        [sys.executable, "-m", "unify", *map(os.fspath, map(str, arguments))],
        cwd=cwd,
        env={**env, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return Run(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session", autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep apart what searches note for `unify open`, and the dictionary, of who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        patch.delenv("UNIFY_WORDS", raising=False)
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session")
def samples_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    index = tmp_path_factory.mktemp("samples") / "index"
    done = run_unify("index", "build", "samples", "--index", index)
    assert done.code == 0, done.err
    return index


@pytest.fixture
def unify(samples_index: Path) -> Callable[..., Run]:
    """Run `unify` on the samples' index."""

    def run(*arguments: object, cwd: Path = ROOT, **environment: str) -> Run:
        return run_unify(*arguments, cwd=cwd, UNIFY_INDEX=str(samples_index), **environment)

    return run
