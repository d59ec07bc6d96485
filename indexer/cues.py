"""From timed lines of speech to the words said at each frame and in each moment.

A line belongs to the frames that it covers; one that falls between two frames, to the nearest.
A moment has the words of its frames. However long, crowded or wrong the lines are, the work and
the rows are bounded. Knows neither files nor what a word becomes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from unify.engine.types import Float64, Int64

LONGEST_S = 60.0  # a line that stays longer says nothing of when its words are said
FRAME_WORDS = 64
MOMENT_WORDS = 128


@dataclass(frozen=True, slots=True)
class Cue:
    """A line of speech: plain text, and seconds after the video's first frame."""

    start_s: float
    end_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """What is said in one video.

    Attributes:
        frames: for each of F frames, distinct word ids.
        moments: for each of M moments, distinct word ids.
        outside: lines that lie wholly before or after the video, which nothing holds.
    """

    frames: list[list[int]]
    moments: list[list[int]]
    outside: int


def said_in(
    cues: Sequence[Cue],
    times_s: Float64,
    duration_s: float,
    ranges: Int64,
    terms_of: Callable[[str], Iterable[int]],
) -> Said:
    """Give each frame and each moment the words that are said there.

    Args:
        cues: in any order, overlapping or not.
        times_s: (F,) float64 seconds of the frames, ascending; F >= 1.
        duration_s: of the video.
        ranges: (M, 2) first and one-past-last frame of each moment.
        terms_of: the word ids of a text.

    >>> cues = [Cue(0.9, 2.1, "we cook pasta"), Cue(5.2, 5.3, "pasta"), Cue(99, 100, "bye")]
    >>> ids = {"cook": 4, "pasta": 7}
    >>> said = said_in(
    ...     cues, np.arange(7.0), 7.0, np.array([[0, 4], [4, 7]]),
    ...     lambda text: [ids[word] for word in text.split() if word in ids],
    ... )
    >>> said.frames, said.moments, said.outside
    ([[], [4, 7], [4, 7], [], [], [7], []], [[4, 7], [7]], 1)
    """
    frames: list[dict[int, None]] = [{} for _ in times_s]  # dicts: sets that keep their order
    outside = 0
    for cue in cues:
        if cue.start_s >= duration_s or cue.end_s < 0:
            outside += 1
            continue
        words = dict.fromkeys(terms_of(cue.text))
        for frame in _frames(cue, times_s):
            if len(frames[frame]) < FRAME_WORDS:
                frames[frame] |= words
    moments = [
        list(dict.fromkeys(word for i in range(first, last) for word in frames[i]))[:MOMENT_WORDS]
        for first, last in ranges.tolist()
    ]
    return Said([list(words)[:FRAME_WORDS] for words in frames], moments, outside)


def _frames(cue: Cue, times_s: Float64) -> range:
    """Return the frames that a line covers, or the one nearest to it."""
    end_s = min(max(cue.end_s, cue.start_s), cue.start_s + LONGEST_S)
    first = int(np.searchsorted(times_s, cue.start_s, "left"))
    last = int(np.searchsorted(times_s, end_s, "right"))
    if first < last:
        return range(first, last)
    before = max(0, first - 1)
    away_s = np.abs(times_s[before : first + 1] - (cue.start_s + end_s) / 2)
    nearest = before + int(away_s.argmin())
    return range(nearest, nearest + 1)
