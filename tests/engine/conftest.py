from pathlib import Path

import pytest

from tests.engine.corpus import Corpus


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return Corpus.make(tmp_path / "index", removed=0.2)
