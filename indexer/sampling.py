"""Which frames of a video are looked at, decided from the times of all of them.

The rule, once: `fps` pictures a second, each the one that shows at the middle of its interval.
A video too short for eight gets eight (or all that it has). A picture that shows through several
intervals is taken once. Knows nothing of files and decoders: both decoders follow it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unify.engine.types import Float64, Int64

LEAST_FRAMES = 8


@dataclass(frozen=True, slots=True)
class Timeline:
    """When each frame of a video shows.

    Attributes:
        ticks: (N,) int64 presentation times in the stream's clock, strictly ascending.
        tick_s: seconds of one tick.
        duration_s: from the first frame's start to the last one's end.
        counted: the container does not store presentation times; frames are told apart by
            their number in display order.
    """

    ticks: Int64
    tick_s: float
    duration_s: float
    counted: bool = False

    @property
    def times_s(self) -> Float64:
        """(N,) float64 seconds after the first frame."""
        times: Float64 = (self.ticks - self.ticks[0]) * self.tick_s
        return times


def choose_frames(times_s: Float64, duration_s: float, fps: float) -> Int64:
    """Return the numbers of the frames to look at, strictly ascending.

    Args:
        times_s: (N,) strictly ascending, from 0; N >= 1.
        duration_s: when the last frame ends.
        fps: frames per second of video.

    >>> choose_frames(np.arange(100) / 10, 10.0, 1.0).tolist()
    [5, 15, 25, 35, 45, 55, 65, 75, 85, 95]
    """
    total = len(times_s)
    if total <= LEAST_FRAMES:
        return np.arange(total, dtype=np.int64)
    count = max(LEAST_FRAMES, int(np.ceil(duration_s * fps - 1e-6)))
    step_s = 1.0 / fps if count > LEAST_FRAMES else duration_s / count
    # Asked of each frame, not of each interval: a broken clock may claim thousands of years. A
    # tick of rounding must not push a frame past the middle it starts at.
    numbers = np.maximum(0.0, np.ceil((times_s - 1e-6) / step_s - 0.5))
    middles = (numbers + 0.5) * step_s  # the first one at or after the frame's start
    shows = middles + 1e-6 < np.append(times_s[1:], np.inf)
    chosen: Int64 = np.flatnonzero(shows & (middles < duration_s) & (numbers < count))
    if len(chosen) < LEAST_FRAMES:  # pictures that stand still for long
        chosen = (np.arange(LEAST_FRAMES) * 2 + 1) * total // (2 * LEAST_FRAMES)
    return chosen
