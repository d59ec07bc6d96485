"""The flat search on a GPU. Where there is one, the other tests of the engine use it too."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from unify.engine import latents
from unify.engine.latents import FlatLatents, gpu, map_flat, write_flat

pytestmark = pytest.mark.skipif(gpu() is None, reason="FAISS sees no GPU")

DIM, COUNT = 512, 100_000
EPS = float(np.finfo(np.float32).eps)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Rows of one sign, so that rounding of long sums adds up, and of both."""
    rng = np.random.default_rng(0)
    drawn = rng.standard_normal((COUNT, DIM)).astype(np.float32)
    drawn[: COUNT // 2] = np.abs(drawn[: COUNT // 2])
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    path = tmp_path_factory.mktemp("flat") / "flat"
    write_flat(path, [drawn.astype(np.float16)], COUNT, DIM)
    return path


@pytest.fixture(scope="module")
def flat(path) -> FlatLatents:
    return FlatLatents(path, COUNT, DIM)


def queries(count: int) -> np.ndarray:
    drawn = np.random.default_rng(1).standard_normal((count, DIM)).astype(np.float32)
    drawn[::2] = np.abs(drawn[::2])
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


@pytest.mark.parametrize("k", [1, 10, 100, 2048])
def test_scores_are_float32_sums_and_no_better_row_is_left_out(flat, path, k):
    assert flat.on_gpu(k, None)
    stored = map_flat(path, COUNT, DIM).astype(np.float64)
    many = queries(8)
    found = [*flat.topk_on_gpu(many, k), *(flat.topk(query, k, None) for query in many)]
    for query, (rows, scores) in zip([*many, *many], found, strict=True):
        exact = stored @ query.astype(np.float64)
        slack = DIM * EPS  # what the certificate allows for
        assert len(set(rows)) == k
        np.testing.assert_allclose(scores, exact[rows], rtol=0, atol=slack)
        assert np.all(np.diff(scores) <= 0)
        assert np.delete(exact, rows).max() <= scores[-1] + slack


def test_deeper_than_the_gpu_can_and_filtered_searches_are_answered_too(flat, path):
    query = queries(2)[1]
    exact = map_flat(path, COUNT, DIM).astype(np.float32) @ query
    assert not flat.on_gpu(3000, None)
    assert set(flat.topk(query, 3000, None)[0]) == set(np.argsort(-exact)[:3000])
    allow = np.random.default_rng(2).random(COUNT) < 0.5
    kept = np.flatnonzero(allow)
    assert set(flat.topk(query, 50, allow)[0]) == set(kept[np.argsort(-exact[kept])[:50]])


def test_threads_share_it(flat):
    many = queries(64)
    alone = [flat.topk(query, 10, None)[0] for query in many]
    with ThreadPoolExecutor(8) as threads:
        for _ in range(5):
            together = threads.map(lambda query: flat.topk(query, 10, None)[0], many)
            for one, other in zip(alone, together, strict=True):
                np.testing.assert_array_equal(one, other)


def test_a_full_gpu_leaves_the_search_to_the_cpu(path):
    torch = pytest.importorskip("torch")
    room, _ = torch.cuda.mem_get_info()
    taken = torch.empty(room - 64 * 2**20, dtype=torch.uint8, device="cuda")
    assert latents.FlatLatents(path, COUNT, DIM).on_gpu(10, None) is False
    del taken
