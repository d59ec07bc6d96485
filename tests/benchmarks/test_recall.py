"""The truth against a straightforward float64 ranking, and recall with ties."""

from __future__ import annotations

import numpy as np
import pytest
import recall
from recall import Best, Library, rounded, row_numbers
from synthetic import BLOCK, SHAPES, Block, Pack, Workload

from unify.engine.errors import UsageError
from unify.engine.fusion import Mode, affine
from unify.engine.types import SparseRows

MOMENTS, QUERIES = 700, 6


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Library:
    return Library.at(tmp_path_factory.mktemp("lib"), "topics", MOMENTS, QUERIES, 1 << 20)


def dense(rows: SparseRows, terms: int) -> np.ndarray:
    out = np.zeros((len(rows), terms))
    out[np.repeat(np.arange(len(rows)), np.diff(rows.indptr)), rows.terms] = rows.weights
    return out


def test_truth_is_the_float64_ranking(library):
    (block,) = library.workload.blocks(MOMENTS)
    halves = [
        Block(block.latents[part], _rows(block.rows, part))
        for part in (slice(0, 300), slice(300, MOMENTS))
    ]
    made = library.truth_of(halves)
    weights = dense(block.rows, library.terms)
    for i, query in enumerate(library.queries):
        latent = block.latents.astype("f8") @ query.latent.astype("f8")
        lexicon = weights[:, query.terms] @ query.weights.astype("f8")
        for mode in Mode:
            scores = affine(query, library.pack.calibration, mode)(latent, lexicon)
            order = np.lexsort((np.arange(MOMENTS), -scores))[: recall.KEPT]
            np.testing.assert_allclose(made[mode].scores[i], scores[order], rtol=1e-9)
            assert made[mode].rows[i, :50].tolist() == order[:50].tolist()


def _rows(rows: SparseRows, part: slice) -> SparseRows:
    indptr = rows.indptr[part.start : part.stop + 1]
    span = slice(int(indptr[0]), int(indptr[-1]))
    return SparseRows(indptr - indptr[0], rows.terms[span], rows.weights[span])


def test_ties_count_as_right_and_misses_do_not():
    best = Best(np.array([[7, 3, 5, 1, 2]]), np.array([[9.0, 8.0, 8.0, 8.0, 1.0]]))
    assert best.recall([np.array([7, 1])], 2) == 1.0  # as good as row 3
    assert best.recall([np.array([7, 2])], 2) == 0.5
    assert best.recall([np.array([7])], 2) == 0.5
    assert best.recall([np.array([], np.int64)], 2) == 0.0
    assert best.recall([np.array([2, 9, 7, 3])], 2) == 0.0  # the right ones come too late


def test_an_index_finds_all_that_it_stores(library):
    lines = recall.search_table(library, library.truth())
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    assert [(row[0], row[1]) for row in cells] == [(m, k) for m in Mode for k in ("10", "100")]
    assert {row[3] for row in cells} == {"1.0000"}
    assert {row[4] for row in cells} == {"100.0%"}
    assert all(float(row[2]) > 0.97 for row in cells)


def test_row_numbers_are_the_order_of_writing(tmp_path):
    library = Library.at(tmp_path, "topics", BLOCK + 64, 1, BLOCK)
    backend = recall.open_snapshot(library.index)
    assert len(backend.segments) == 2
    ids = np.concatenate([s.base + np.arange(len(s)) for s in backend.segments])
    shuffled = np.random.default_rng(0).permutation(len(ids))
    np.testing.assert_array_equal(row_numbers(backend)(ids[shuffled]), shuffled)


def test_finer_steps_round_less():
    workload = Workload(SHAPES["topics"])
    (block,) = workload.blocks(500)
    errors = []
    for steps in ("one", "term", recall.FLOAT16):
        (coarse,) = rounded(lambda: [block], workload.shape.terms, steps)
        errors.append(np.abs(coarse.rows.weights - block.rows.weights).max())
        np.testing.assert_array_equal(coarse.rows.terms, block.rows.terms)
    assert errors[2] < errors[1] < errors[0] <= block.rows.weights.max() / 255


def test_truth_is_kept_and_a_broken_library_refused(library, monkeypatch):
    first = library.truth()
    monkeypatch.setattr(Workload, "blocks", lambda *_: pytest.fail("scored again"))
    np.testing.assert_array_equal(first[Mode.FUSED].rows, library.truth()[Mode.FUSED].rows)
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
