"""A place in a file of Milvus's own, and a link to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from unify.engine.milvus.link import Link
from unify.engine.milvus.place import MilvusPlace, milvus_place


@pytest.fixture
def place(tmp_path: Path) -> MilvusPlace:
    found = milvus_place(f"milvus:{tmp_path}/lite.db/clips")
    assert found is not None
    return found


@pytest.fixture
def link(place):
    opened = Link(place, create=True)
    yield opened
    opened.close()
