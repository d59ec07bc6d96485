"""The best rows of each segment as the best of all, and what bounds the rest."""

from __future__ import annotations

import numpy as np

from unify.engine.ann import Scored
from unify.engine.backend import Fetched


def merge(parts: list[Scored], k: int, allowed: int, slack: float = 0.0) -> Fetched:
    """Merge the best rows of segments; bound what was not fetched by the last that was.

    Args:
        parts: (ids, scores) of each segment, best first, k at most; ids of the whole index.
        k: how many to return.
        allowed: rows that may be returned; where all of them are there, nothing is left to bound.
        slack: by how much a score may be too low.
    """
    if not parts:
        return Fetched(np.zeros(0, np.int64), np.zeros(0, np.float32), -np.inf)
    ids, scores = parts[0]
    if len(parts) > 1:
        ids = np.concatenate([part[0] for part in parts])
        scores = np.concatenate([part[1] for part in parts])
        if len(ids) > k:  # of many, few are sorted
            kept = scores >= np.partition(scores, -k)[-k]
            ids, scores = ids[kept], scores[kept]
        order = np.lexsort((ids, -scores))[:k]
        ids, scores = ids[order], scores[order]
    bound = -np.inf if len(ids) >= allowed else float(scores[-1]) + slack
    return Fetched(ids, scores, bound)
