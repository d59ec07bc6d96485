"""When terms show: along a whole video, and at which instant a moment answers a query best.

`engine/explain.py` does the same within one moment. Pure functions over a backend.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unify.engine.backend import Backend
from unify.engine.explain import TermTrack, frame_tracks
from unify.engine.lexicon import Lexicon
from unify.engine.types import Float32, Float64, Int64, UInt16


def video_tracks(
    backend: Backend, lexicon: Lexicon, moments: Int64, terms: Sequence[str]
) -> list[TermTrack]:
    """Return when each of some terms shows over all frames of a video, in the given order.

    Args:
        backend: holds the rows.
        lexicon: names the terms; words that it lacks are left out.
        moments: (M,) the video's moments, as `backend.moments_of` returns them.
        terms: words.
    """
    ids = [found for term in terms if (found := lexicon.lookup(term)) is not None]
    known: UInt16 = np.array(list(dict.fromkeys(ids)), np.uint16)
    return frame_tracks(backend, lexicon, moments, known) if len(moments) else []


def peak_s(backend: Backend, moment: int, terms: UInt16, weights: Float32) -> float | None:
    """Return the second at which a moment shows a query's terms most, or None where none does.

    Args:
        backend: holds the rows.
        moment: its id.
        terms: (Q,) term ids of the query.
        weights: (Q,) their weights; what is negative counts against a frame.
    """
    times, found = backend.tracks(moment, terms)  # (F,), (F, Q)
    scores = found @ weights.astype(np.float64)
    if not len(scores) or scores.max() <= 0:
        return None
    return float(times[int(np.argmax(scores))])


def squeezed(weights: Float64, points: int) -> list[float]:
    """Return at most `points` values, each the greatest of its stretch, to draw a line of.

    >>> squeezed(np.array([0.0, 1.0, 0.5, 0.25, 2.0]), 3)
    [1.0, 0.5, 2.0]
    """
    step = -(-len(weights) // points) if len(weights) else 1
    starts = np.arange(0, len(weights), step)
    return np.maximum.reduceat(weights, starts).tolist() if len(weights) else []
