"""The facade: its names, and what merely starting the program loads."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import unify

ROOT = Path(__file__).resolve().parent.parent
HEAVY = {"av", "decord", "faiss", "numba", "onnxruntime", "openvino", "scipy", "torch"}


def loaded_by(*arguments: str) -> set[str]:
    """Run Python with these arguments from the checkout; return the top-level modules loaded."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    mark = "import time:"
    lines = done.stderr.splitlines()
    assert done.returncode == 0, "\n".join(line for line in lines if not line.startswith(mark))
    loaded = (line.rsplit("|", 1)[1].strip() for line in lines if line.startswith(mark))
    return {name.split(".")[0] for name in loaded}


def test_public_names_are_sorted_and_unique():
    assert unify.__all__ == sorted(set(unify.__all__))


def test_every_public_name_can_be_had():
    assert {"build_index", "open_index"} <= set(unify.__all__)
    for name in unify.__all__:
        assert getattr(unify, name) is not None


def test_public_names_are_listed():
    assert set(unify.__all__) <= set(dir(unify))


def test_the_version_is_the_distributions():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert unify.__version__ == project["project"]["version"]


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        unify.no_such_name  # noqa: B018


def test_import_loads_nothing_heavy():
    assert not loaded_by("-c", "import unify") & HEAVY


def test_help_loads_nothing_heavy():
    assert not loaded_by("-m", "unify", "--help") & HEAVY


def test_what_is_loaded_would_be_seen():
    assert "numba" in loaded_by("-c", "import numba")
