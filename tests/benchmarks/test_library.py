"""The library on disk: rows in order, the truth kept, what is broken or of another kind refused."""

from __future__ import annotations

import numpy as np
import pytest
from library import Library, row_numbers
from synthetic import Pack
from truth import Best
from workload import BLOCK, SHAPES, Workload

from unify.engine.errors import UsageError
from unify.engine.fusion import Mode
from unify.engine.local import open_snapshot

MOMENTS, QUERIES = 700, 6


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Library:
    return Library.at(tmp_path_factory.mktemp("lib"), "topics", MOMENTS, QUERIES, 1 << 20)


def test_other_segments_are_another_index_and_rows_keep_the_order_of_writing(tmp_path):
    one = Library.at(tmp_path, "topics", BLOCK + 64, 1, 1 << 20)
    two = Library.at(tmp_path, "topics", BLOCK + 64, 1, BLOCK)
    assert one.index.parent == two.index.parent
    assert len(open_snapshot(one.index).segments) == 1
    backend = open_snapshot(two.index)
    assert len(backend.segments) == 2
    ids = np.concatenate([s.base + np.arange(len(s)) for s in backend.segments])
    shuffled = np.random.default_rng(0).permutation(len(ids))
    np.testing.assert_array_equal(row_numbers(backend)(ids[shuffled]), shuffled)


def test_truth_is_kept_and_a_broken_library_refused(library, monkeypatch):
    first = library.truth()
    monkeypatch.setattr(Workload, "blocks", lambda *_: pytest.fail("scored again"))
    kept = library.truth()[Mode.FUSED]
    assert isinstance(kept, Best)
    np.testing.assert_array_equal(first[Mode.FUSED].rows, kept.rows)
    assert not list(library.index.parent.glob("*.tmp*"))
    folder = library.index.parent
    wanted = folder.with_name(folder.name.replace(str(MOMENTS), str(MOMENTS + 1)))
    folder.rename(wanted)
    try:
        with pytest.raises(UsageError, match="not whole"):
            Library.at(wanted.parent, "topics", MOMENTS + 1, QUERIES, 1 << 20)
    finally:
        wanted.rename(folder)


def test_a_pack_knows_its_queries_and_its_shape():
    workload = Workload(SHAPES["topics"])
    pack = Pack(workload, workload.queries(2))
    assert pack.encode_query("q1") is pack.encode_queries(["q1"])[0]
    other = Pack(Workload(SHAPES["heavy"]), [])
    assert pack.fingerprint != other.fingerprint
