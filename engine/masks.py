"""Which rows of segments may be returned: a mask a segment, from videos and from conditions.

It must not know how rows are scored.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from unify.engine import rescore
from unify.engine.backend import Condition
from unify.engine.postings import WINDOW
from unify.engine.segment import Segment
from unify.engine.types import Bool, UInt16, UInt32

Masks: TypeAlias = list[Bool]  # (M,) of each segment


def count(rows: Masks) -> int:
    """Return how many rows there are."""
    return sum(int(np.count_nonzero(part)) for part in rows)


def count_videos(segments: Sequence[Segment], rows: Masks) -> int:
    """Return of how many videos they are."""
    videos: set[int] = set()
    for segment, part in zip(segments, rows, strict=True):
        videos.update(np.unique(segment.moments["video"][part]).tolist())
    return len(videos)


def both(first: Masks | None, second: Masks) -> Masks:
    """Return the rows of both; None is every row."""
    return second if first is None else [a & b for a, b in zip(first, second, strict=True)]


def of_videos(segments: Sequence[Segment], videos: UInt32) -> Masks:
    """Return the rows of some videos."""
    return [np.isin(segment.moments["video"], videos) for segment in segments]


def meeting(segments: Sequence[Segment], condition: Condition, shows: float) -> Masks:
    """Return the rows that meet a condition; of what shows, from a weight of `shows` on."""
    shown = [_shown(segment, condition.terms, shows) for segment in segments]
    return [~part for part in shown] if condition.negated else shown


def _shown(segment: Segment, terms: tuple[int, ...], shows: float) -> Bool:
    """Return (M,) whether a row holds any of the terms: shown ones at `shows` or above."""
    indptr, ids, codes = segment.postings
    shown = np.zeros(len(segment), np.bool_)
    for window, at in enumerate(range(0, len(indptr) - 1, segment.stored_terms)):
        for term in terms:
            least = shows if term < segment.lexicon_size else 0.0  # said is said
            span = slice(int(indptr[at + term]), int(indptr[at + term + 1]))
            rows = ids[span].astype(np.int64) + window * WINDOW
            steps, scale = codes[span].astype(np.float64), np.float64(segment.scales[term])
            shown[rows[(steps - 1) * scale >= least]] = True
            # A code is the weight rounded up: of those a step around `least` the row decides.
            near = rows[((steps - 1) * scale < least) & (steps * scale >= least)]
            only: UInt16 = np.array([term], np.uint16)
            weights = rescore.weights_of(segment.forward, near, only, segment.stored_terms)
            shown[near[weights[:, 0] >= least]] = True
    return shown
