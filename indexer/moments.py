"""From the times of frames to moments: in each shot, windows of fixed length, half overlapping.

Not across cuts: on captioned clips joined to long videos that doubles how often the best moment
is the right stretch (docs/moments.md). Not whole shots beside their windows: one in five moments
more, and hardly ever the best one. Knows times only, neither pictures nor files.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from unify.engine.segment import MomentSpans
from unify.engine.types import Float64, Int64


def cut_moments(
    frame_times: Float64, duration_s: float, window_s: float, shots: Int64
) -> MomentSpans:
    """Cut each shot of a video into windows; a shot ends half way to the next one's first frame.

    Args:
        frame_times: (F,) float64 seconds, strictly ascending, from 0 to duration_s; F >= 1.
        duration_s: seconds, above 0.
        window_s: seconds.
        shots: (S,) first frame of each shot, strictly ascending from 0; [0] for one shot.
    """
    inner = (frame_times[shots[1:] - 1] + frame_times[shots[1:]]) / 2
    edges = [0.0, *inner.tolist(), duration_s]
    ends = [*shots[1:].tolist(), len(frame_times)]
    parts = [
        _shifted(cut_windows(frame_times[first:last] - start_s, end_s - start_s, window_s),
                 start_s, end_s, first)
        for first, last, (start_s, end_s) in zip(shots.tolist(), ends, pairwise(edges), strict=True)
    ]  # fmt: skip
    return MomentSpans(
        np.concatenate([part.start_s for part in parts]),
        np.concatenate([part.end_s for part in parts]),
        np.concatenate([part.first for part in parts]),
        np.concatenate([part.last for part in parts]),
    )


def _shifted(spans: MomentSpans, start_s: float, end_s: float, first: int) -> MomentSpans:
    """Return the windows of a shot as moments of its video."""
    ends = spans.end_s + start_s
    ends[-1] = end_s  # not a rounding beside it
    return MomentSpans(spans.start_s + start_s, ends, spans.first + first, spans.last + first)


def cut_windows(frame_times: Float64, duration_s: float, window_s: float) -> MomentSpans:
    """Cut a video into windows of `window_s`, each starting half a window after the one before.

    The last one ends at the video's end, and takes the place of a window that starts less than
    a quarter of the step before it: the two would be the same moment twice. So a video shorter
    than a window and a quarter step is one moment. A window in which no frame was looked at (a
    picture that stands still, sparse sampling) is left out, except the last, which then takes
    the frame that shows at its start: a gap in a broken clock is not thousands of moments.

    Args:
        frame_times: (F,) float64 seconds, ascending, from 0 to duration_s; F >= 1.
        duration_s: seconds, above 0.
        window_s: seconds.
    """
    hop_s = window_s / 2
    last_start = duration_s - window_s
    if last_start < hop_s / 4:
        last_start = 0.0
    # Windows that a frame falls into: the one that starts at or before it, and the one before.
    numbers = np.unique(np.concatenate([frame_times // hop_s, frame_times // hop_s - 1]))
    starts = numbers[numbers >= 0] * hop_s
    starts = np.append(starts[starts <= last_start - hop_s / 4], last_start)
    ends = starts + window_s
    ends[-1] = duration_s
    first = np.searchsorted(frame_times, starts, side="left")
    last = np.searchsorted(frame_times, ends, side="left")
    last[-1] = len(frame_times)  # a frame at the very end belongs to the last window
    first[-1] = min(first[-1], len(frame_times) - 1)
    kept = last > first
    return MomentSpans(
        starts[kept], ends[kept], first[kept].astype(np.int64), last[kept].astype(np.int64)
    )
