from itertools import pairwise

import faiss
import numpy as np
import pytest

from unify.engine.errors import DamagedIndex
from unify.engine.latents import FlatLatents, map_flat, write_flat

DIM = 24


def vectors(count: int) -> np.ndarray:
    drawn = np.random.default_rng(count).standard_normal((count, DIM))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float16)


@pytest.mark.parametrize("sizes", [[7], [3, 0, 4], [1] * 7])
def test_written_in_blocks_it_is_what_faiss_itself_writes(tmp_path, sizes):
    matrix = vectors(7)
    ends = np.cumsum([0, *sizes])
    blocks = [matrix[a:b] for a, b in pairwise(ends)]
    write_flat(tmp_path / "flat", blocks, 7, DIM)
    kind = faiss.ScalarQuantizer.QT_fp16
    index = faiss.IndexScalarQuantizer(DIM, kind, faiss.METRIC_INNER_PRODUCT)
    index.add(matrix.astype(np.float32))
    assert (tmp_path / "flat").read_bytes() == faiss.serialize_index(index).tobytes()
    np.testing.assert_array_equal(map_flat(tmp_path / "flat", 7, DIM), matrix)


@pytest.fixture(scope="module")
def flat(tmp_path_factory) -> FlatLatents:
    path = tmp_path_factory.mktemp("flat") / "flat"
    write_flat(path, [vectors(500)], 500, DIM)
    return FlatLatents(path, 500, DIM)


QUERY = vectors(1)[0].astype(np.float32)
SCORES = vectors(500).astype(np.float32) @ QUERY


@pytest.mark.parametrize(
    "allow",
    [
        None,
        *(np.random.default_rng(0).random(500) < share for share in (0.99, 0.5, 0.2, 0.01, 0.0)),
        np.median(SCORES) > SCORES,  # the best half is forbidden
        np.quantile(SCORES, 0.8) < SCORES,
    ],
)
@pytest.mark.parametrize("k", [1, 20, 499])
def test_flat_search_is_exact_under_any_filter(flat, allow, k):
    kept = np.arange(500) if allow is None else np.flatnonzero(allow)
    rows, found = flat.topk(QUERY, k, allow)
    order = kept[np.argsort(-SCORES[kept])][:k]
    np.testing.assert_array_equal(rows, order)
    np.testing.assert_allclose(found, SCORES[order], atol=1e-6)


def test_a_file_that_is_too_short_or_of_another_matrix(tmp_path):
    write_flat(tmp_path / "flat", [vectors(5)], 5, DIM)
    with pytest.raises(DamagedIndex, match="of another matrix"):
        FlatLatents(tmp_path / "flat", 6, DIM)
    with pytest.raises(DamagedIndex, match="too short for 500 vectors"):
        map_flat(tmp_path / "flat", 500, DIM)
