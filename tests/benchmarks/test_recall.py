"""What the index finds and what rounding costs, as the script says it."""

from __future__ import annotations

import numpy as np
import pytest
import recall
from library import Library
from recall import rounded
from workload import SHAPES, Workload

from unify.engine.fusion import Mode

MOMENTS, QUERIES = 700, 6


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Library:
    return Library.at(tmp_path_factory.mktemp("lib"), "topics", MOMENTS, QUERIES, 1 << 20)


def test_an_index_finds_all_that_it_stores(library):
    lines = recall.search_table(library, library.truth())
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    assert [(row[0], row[1]) for row in cells] == [(m, k) for m in Mode for k in ("10", "100")]
    assert {row[3] for row in cells} == {"1.0000"}
    assert {row[4] for row in cells} == {"100.0%"}
    assert all(float(row[2]) > 0.97 for row in cells)


def test_finer_steps_round_less():
    workload = Workload(SHAPES["topics"])
    (block,) = workload.blocks(500)
    errors = []
    for steps in ("one", "term", recall.FLOAT16):
        (coarse,) = rounded(lambda: [block], workload.shape.terms, steps)
        errors.append(np.abs(coarse.rows.weights - block.rows.weights).max())
        np.testing.assert_array_equal(coarse.rows.terms, block.rows.terms)
    assert errors[2] < errors[1] < errors[0] <= block.rows.weights.max() / 255
