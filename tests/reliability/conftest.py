from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.corpus import Corpus

MEMORY = Path("/dev/shm")  # where there is one, no real disk has to turn for a simulated one


@pytest.fixture
def quick_path() -> Iterator[Path]:
    """A folder for work that syncs very often."""
    place = MEMORY if MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="unify-", dir=place) as name:
        yield Path(name)


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return Corpus.make(tmp_path / "index", removed=0.2)
