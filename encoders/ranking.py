"""Ranks in both directions, text to video and video to text, from blocks of scores.

Video to text needs every item's best caption before it can count what beats it, so blocks are
gone through twice: memory grows with queries plus items, never with their product. It must not
know what the scores are made of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from unify.encoders.evaluate import Recall, Scores, mid_ranks, recall
from unify.engine.fusion import Mode
from unify.engine.types import Calibration, Float64

# Of fused scores, which are in standard deviations. R@1 of held-out Flickr8k captions, 26.7 without
# dual softmax: 28.4 with 1, 29.3 with 2, 28.9 with 3.
SOFTMAX_SCALE = 2.0

View: TypeAlias = Callable[[Scores], Float64]
"""Makes (Q, M) scores of a block, by which both queries and items are ranked."""
Blocks: TypeAlias = Callable[[], Iterable[Scores]]
"""Scores everything, block by block, as often as it is called."""


@dataclass(frozen=True, slots=True)
class BothWays:
    """Text to video, where every caption is a query, and video to text.

    Video to text ranks all captions for a video and counts the best of its own; captions of
    others that tie with it count half. With one caption a video this is the usual protocol of
    MSR-VTT 1k-A, with five that of Flickr8k.
    """

    text_to_video: Recall
    video_to_text: Recall


def mode_view(calibration: Calibration, mode: Mode) -> View:
    """Return the view of one mode: the scores of a search.

    Lexicon scores are divided by the length of the query's weights, as training compares them:
    no text-to-video rank changes, and video to text does not prefer long captions.
    """

    def view(block: Scores) -> Float64:
        scores = block.fused(calibration, mode)
        if mode is not Mode.LEXICON:
            return scores
        lengths = np.array([np.linalg.norm(query.weights) for query in block.queries])
        return np.asarray(scores / np.maximum(lengths, 1e-6)[:, None], np.float64)

    return view


def dual_softmax(view: View, blocks: Blocks) -> View:
    """Return a view by the product of the softmax over items and the softmax over queries.

    It uses all queries at once, which no search can: never to be mixed with other figures
    (Cheng et al. 2021, arXiv:2109.04290).

    Args:
        view: of fused scores.
        blocks: all queries.
    """
    over_queries = np.float64(-np.inf)  # becomes (M,)
    for block in blocks():
        over_queries = np.logaddexp(over_queries, _log_sum(SOFTMAX_SCALE * view(block), 0)[0])

    def dual(block: Scores) -> Float64:
        scores = SOFTMAX_SCALE * view(block)
        return np.asarray(2 * scores - _log_sum(scores, 1) - over_queries, np.float64)

    return dual


def _log_sum(scores: Float64, axis: int) -> Float64:
    top = scores.max(axis=axis, keepdims=True)
    return np.asarray(top + np.log(np.exp(scores - top).sum(axis=axis, keepdims=True)), np.float64)


def rank_both_ways(blocks: Blocks, views: Mapping[str, View], items: int) -> dict[str, BothWays]:
    """Rank items for every query and queries for every item, once for each view.

    Args:
        blocks: all queries; gone through twice.
        views: name to scores.
        items: M.
    """
    tallies = {name: _Tally(view, items) for name, view in views.items()}
    for block in blocks():
        for tally in tallies.values():
            tally.look(block)
    for block in blocks():
        for tally in tallies.values():
            tally.count(block)
    return {name: tally.both_ways() for name, tally in tallies.items()}


class _Tally:
    """Ranks by one view: the best own caption of an item is known only once all were seen."""

    def __init__(self, view: View, items: int) -> None:
        self._view = view
        self._ranks: list[Float64] = []
        self._best = np.full(items, -np.inf)
        self._ahead = np.zeros(items)
        self._ties = np.zeros(items)

    def look(self, block: Scores) -> None:
        """Rank items for the queries, and remember the best own caption of each item."""
        scores = self._view(block)
        self._ranks.append(mid_ranks(scores, block.right))
        np.maximum.at(self._best, block.right, scores[np.arange(len(scores)), block.right])

    def count(self, block: Scores) -> None:
        """Count, for each item, the queries of others that beat or tie its best own one."""
        scores = self._view(block)
        own = scores[np.arange(len(scores)), block.right] == self._best[block.right]
        self._ahead += (scores > self._best).sum(axis=0)
        self._ties += (scores == self._best).sum(axis=0)
        np.subtract.at(self._ties, block.right, own)

    def both_ways(self) -> BothWays:
        asked = np.isfinite(self._best)
        ranks = (self._ahead + self._ties / 2 + 1)[asked]
        return BothWays(recall(np.concatenate(self._ranks)), recall(ranks))
