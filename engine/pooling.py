"""One score a video from those of its moments.

`max`, the default: its best moment's. `mean:m`: the mean of its m best moments' scores, or of all
that it has where they are fewer, so that a video that shows something throughout comes before one
that shows it once. Only moments that meet the filters count.

The certificate of `engine/execute.py` holds for both. A video is seen as soon as one of its moments
is, and then all of its moments are rescored. So of an unseen video every moment is unseen, each
scores at most the bound, and so does the mean of any of them.
"""

from __future__ import annotations

import re

import numpy as np

from unify.engine.backend import Allowed, Backend
from unify.engine.errors import UsageError
from unify.engine.types import Float64, Int64

_MEAN = re.compile(r"mean:([1-9]\d{0,2})$")


def read_pool(text: str) -> int:
    """Return m of `mean:m`, and 1 of `max`.

    Raises:
        UsageError: it is neither.

    >>> read_pool("max"), read_pool("mean:3")
    (1, 3)
    """
    found = _MEAN.match(text)
    if not found and text != "max":
        raise UsageError(f"cannot pool by {text!r}", "use max, or mean:3 (up to mean:999)")
    return int(found[1]) if found else 1


def pool_scores(scores: Float64, videos: Int64, m: int) -> Float64:
    """Return each video's pooled score at its best moment, and minus infinity at the others.

    Args:
        scores: (n,) of moments in the order that decides between equal ones.
        videos: (n,) that they belong to.
        m: how many of the best count.

    >>> pool_scores(np.array([1.0, 5.0, 3.0, 4.0]), np.array([7, 7, 7, 8]), 2).tolist()
    [-inf, 4.0, -inf, 4.0]
    """
    pooled = np.full(len(scores), -np.inf)
    if not len(scores):
        return pooled
    order = np.lexsort((-scores, videos))  # stable: of equal scores the first is the best
    owners = videos[order]
    starts = np.flatnonzero(np.concatenate([[True], owners[1:] != owners[:-1]]))
    sizes = np.diff(np.append(starts, len(order)))
    counted = np.arange(len(order)) - np.repeat(starts, sizes) < m
    sums = np.add.reduceat(np.where(counted, scores[order], 0.0), starts)
    pooled[order[starts]] = sums / np.minimum(sizes, m)
    return pooled


class Siblings:
    """Finds the other moments of videos, among those that may be returned."""

    def __init__(self, backend: Backend, allowed: Allowed) -> None:
        self._backend, self._allowed = backend, allowed
        self._every: tuple[Int64, Int64] | None = None

    def of(self, ids: Int64) -> Int64:
        """Return the allowed moments of all videos that these (n,) moments belong to."""
        if self._every is None:
            every = self._backend.every(self._allowed)
            self._every = every, self._backend.video_ids(every)
        every, owners = self._every
        return every[np.isin(owners, self._backend.video_ids(ids))]
