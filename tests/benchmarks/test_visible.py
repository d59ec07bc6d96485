"""Added moments are found, the library itself stays as it was, and nothing is left behind."""

from __future__ import annotations

import pytest
import visible
from library import Library
from visible import Seconds, copy_of, measure, table

from unify.engine.local import open_snapshot


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Library:
    return Library.at(tmp_path_factory.mktemp("lib"), "topics", 300, 2, 1 << 20)


def test_what_is_added_is_found_and_the_library_stays(library):
    before = {path: path.read_bytes() for path in library.index.rglob("*") if path.is_file()}
    taken = measure(library, 70, 2)
    assert len(taken) == 2
    assert all(min(one.open_writer, one.publish, one.find) > 0 for one in taken)
    after = {path: path.read_bytes() for path in library.index.rglob("*") if path.is_file()}
    assert before == after
    assert {path.name for path in library.index.parent.iterdir()} == {library.index.name}


def test_what_a_reader_does_not_find_is_no_success(library, tmp_path, monkeypatch):
    copy = copy_of(library.index, tmp_path)
    stale = open_snapshot(copy)
    monkeypatch.setattr(visible, "open_snapshot", lambda _: stale)
    with pytest.raises(RuntimeError, match="does not find"):
        visible.add(library, copy, library.workload.block(1).first(70))


def test_the_slowest_run_decides(library):
    quick, slow = Seconds(0.1, 0.2, 0.3), Seconds(0.1, 0.8, 0.2)
    assert table(library, 70, [quick, quick]).endswith("slowest 0.600 s, bar 1 s: pass")
    assert table(library, 70, [quick, slow]).endswith("slowest 1.100 s, bar 1 s: MISS")
