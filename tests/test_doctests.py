"""Runs the examples in the docstrings under the modules' own names.

Pytest's own collection would import `engine/types.py` as `engine.types`, a second copy.
"""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
WITH_EXAMPLES = [
    ".".join(("unify", *path.relative_to(ROOT).with_suffix("").parts))
    for folder in ("engine", "indexer", "encoders", "cli")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_examples_hold(name: str):
    results = doctest.testmod(importlib.import_module(name))
    assert results.attempted > 0
    assert results.failed == 0
