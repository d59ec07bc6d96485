from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from tests.encoders.gallery import (
    TERMS,
    random_calibration,
    random_latents,
    random_queries,
    random_rows,
)
from unify.encoders import evaluate
from unify.encoders.evaluate import Gallery, Scores, recall, to_dense
from unify.encoders.ranking import (
    SOFTMAX_SCALE,
    BothWays,
    dual_softmax,
    mode_view,
    rank_both_ways,
)
from unify.engine.fusion import Mode
from unify.engine.types import SparseRows

ITEMS, QUERIES = 9, 31


def ranks_one_by_one(scores: np.ndarray, right: np.ndarray) -> BothWays:
    """The definitions, word by word."""
    to_video, to_text = [], []
    for row, item in zip(scores, right, strict=True):
        others = np.delete(row, item)
        to_video.append(1 + (others > row[item]).sum() + (others == row[item]).sum() / 2)
    for item in range(scores.shape[1]):
        own, others = scores[right == item, item], scores[right != item, item]
        if len(own):
            best = own.max()
            to_text.append(1 + (others > best).sum() + (others == best).sum() / 2)
    return BothWays(recall(np.array(to_video)), recall(np.array(to_text)))


@pytest.fixture
def gallery() -> Gallery:
    rng = np.random.default_rng(0)
    return Gallery(random_latents(rng, ITEMS), random_rows(rng, ITEMS), TERMS)


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("block", [4, 100])
def test_ranks_are_those_of_the_definitions(monkeypatch, gallery, mode, block):
    monkeypatch.setattr(evaluate, "BLOCK", block)
    rng = np.random.default_rng(1)
    calibration = random_calibration(rng)
    queries, right = random_queries(rng, QUERIES), rng.integers(0, ITEMS - 1, QUERIES)
    view = mode_view(calibration, mode)
    found = rank_both_ways(partial(gallery.blocks, queries, right), {"x": view}, ITEMS)
    scores = view(gallery.scores(queries, right))
    if mode is not Mode.FUSED:
        assert len(np.unique(scores)) < scores.size / 2, "ties are what this is about"
    assert found["x"] == ranks_one_by_one(scores, right)


@pytest.mark.parametrize("mode", list(Mode))
def test_a_view_ranks_items_as_a_search_does(gallery, mode):
    rng = np.random.default_rng(2)
    calibration = random_calibration(rng)
    block = gallery.scores(random_queries(rng, QUERIES), rng.integers(0, ITEMS, QUERIES))
    both = rank_both_ways(lambda: [block], {"x": mode_view(calibration, mode)}, ITEMS)
    assert both["x"].text_to_video == block.recall(calibration, mode)


def test_the_order_of_gallery_and_queries_changes_nothing():
    rng = np.random.default_rng(3)
    latents, rows = random_latents(rng, ITEMS), random_rows(rng, ITEMS)
    calibration = random_calibration(rng)
    queries, right = random_queries(rng, QUERIES), rng.integers(0, ITEMS, QUERIES)
    items, asked = rng.permutation(ITEMS), rng.permutation(QUERIES)
    moved_rows = SparseRows.from_dense(to_dense(rows, TERMS)[items], TERMS)
    before = Gallery(latents, rows, TERMS)
    after = Gallery(latents[items], moved_rows, TERMS)
    new_right = np.argsort(items)[right][asked]
    views = {str(mode): mode_view(calibration, mode) for mode in Mode}
    first = rank_both_ways(partial(before.blocks, queries, right), views, ITEMS)
    moved = [queries[i] for i in asked]
    assert rank_both_ways(partial(after.blocks, moved, new_right), views, ITEMS) == first


def test_equal_scores_are_not_a_success_either_way():
    right = np.repeat(np.arange(40), 5)
    block = Scores([], np.zeros((200, 40)), np.zeros((200, 40)), right, 0.0)
    found = rank_both_ways(lambda: [block], {"x": lambda scores: scores.latent}, 40)["x"]
    assert (found.text_to_video.at_10, found.text_to_video.median) == (0.0, 20.5)
    assert (found.video_to_text.at_10, found.video_to_text.median) == (0.0, 98.5)


def test_dual_softmax_is_the_product_of_both():
    rng = np.random.default_rng(4)
    scores = rng.standard_normal((6, 4))
    blocks = [
        Scores([], part, part, np.zeros(len(part), int), 0.0) for part in (scores[:4], scores[4:])
    ]
    dual = dual_softmax(lambda block: block.latent, lambda: blocks)
    exp = np.exp(SOFTMAX_SCALE * scores)
    product = exp / exp.sum(axis=1, keepdims=True) * exp / exp.sum(axis=0)
    np.testing.assert_allclose(np.exp(np.concatenate([dual(b) for b in blocks])), product)
    # A query that likes every item equally still takes the item that no other query wants.
    flat = np.array([[5.0, 5.0], [9.0, 0.0]])
    block = Scores([], flat, flat, np.array([1, 0]), 0.0)
    view = dual_softmax(lambda b: b.latent, lambda: [block])
    assert view(block).argmax(axis=1).tolist() == [1, 0]
