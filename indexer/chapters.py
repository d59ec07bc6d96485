"""Chapters of one video: from labels of its moments, or from where its moments change.

Must not know where labels and vectors come from. Formats: FFmpeg's metadata file
(https://ffmpeg.org/ffmpeg-formats.html#Metadata-2), WebVTT chapters
(https://www.w3.org/TR/webvtt1/#introduction-chapters), and the list that video sites read from a
description: a time and a title a line, the first at 0:00, three or more, each at least 10 s
(https://support.google.com/youtube/answer/9884579). Such a list has whole seconds only, so a
chapter is as long as its times, rounded, say: one from 0.00 to 9.98 s has 10 s.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np

from unify.engine.types import Float32, Float64

SHORTEST_S = 10.0
_ALIKE = 0.8  # inner product of neighbours that are one chapter, whatever their length


class ChapterFormat(StrEnum):
    """How chapters are written."""

    LIST = "list"
    WEBVTT = "webvtt"
    FFMETADATA = "ffmetadata"


@dataclass(frozen=True, slots=True)
class Chapter:
    """A stretch of a video; moments `first` to `last` - 1 lie in it."""

    start_s: float
    end_s: float
    first: int
    last: int


def edges(start_s: Float64, end_s: Float64, duration_s: float) -> Float64:
    """Return (M + 1,) seconds: moments overlap, so each reaches half way to its neighbours.

    Args:
        start_s: (M,) where moments begin, ascending.
        end_s: (M,) where they end.
        duration_s: of the video.

    >>> edges(np.array([0.0, 4.0, 8.0]), np.array([8.0, 12.0, 16.0]), 16.0).tolist()
    [0.0, 6.0, 10.0, 16.0]
    """
    middles = (start_s + end_s) / 2
    between = (middles[1:] + middles[:-1]) / 2
    return np.concatenate([[0.0], between, [max(duration_s, float(end_s[-1]))]])


def by_label(labels: Sequence[int], bounds: Float64, shortest_s: float) -> list[Chapter]:
    """Return the stretches of equal labels; those too short join the neighbour before.

    Args:
        labels: of M moments.
        bounds: (M + 1,) as of `edges`.
        shortest_s: least length of a chapter, in rounded times.
    """
    whole = np.round(bounds)
    cuts = [0, *(i for i in range(1, len(labels)) if labels[i] != labels[i - 1]), len(labels)]
    runs: list[tuple[int, int, int]] = []  # label, first, one past last
    for first, last in pairwise(cuts):
        short = whole[last] - whole[first] < shortest_s
        if runs and (short or runs[-1][0] == labels[first]):
            runs[-1] = (runs[-1][0], runs[-1][1], last)
        elif runs and whole[runs[-1][2]] - whole[runs[-1][1]] < shortest_s:
            runs[-1] = (labels[first], runs[-1][1], last)  # a short first one
        else:
            runs.append((labels[first], first, last))
    return [Chapter(float(bounds[a]), float(bounds[b]), a, b) for _, a, b in runs]


def by_change(vectors: Float32, bounds: Float64, shortest_s: float) -> list[Chapter]:
    """Join neighbours, the most alike first, until all are long enough and differ.

    Args:
        vectors: (M, D) unit vectors of the moments.
        bounds: (M + 1,) as of `edges`.
        shortest_s: least length of a chapter, in rounded times.
    """
    whole = np.round(bounds)
    sums = vectors.astype(np.float64)  # of a stretch at its first moment's row
    starts = np.arange(len(vectors))
    alike = _likeness(sums[:-1], sums[1:])  # of each stretch and the next
    while len(starts) > 1:
        lengths = np.diff(np.append(whole[starts], whole[-1]))
        short = (lengths[1:] < shortest_s) | (lengths[:-1] < shortest_s)
        at = int(np.argmax(np.where(short, alike + 2, alike)))  # what is too short goes first
        if not short[at] and alike[at] < _ALIKE:
            break
        sums[starts[at]] += sums[starts[at + 1]]
        starts = np.delete(starts, at + 1)
        alike = np.delete(alike, at)
        near = slice(max(0, at - 1), at + 1)  # nothing else has another neighbour now
        alike[near] = _likeness(sums[starts[:-1][near]], sums[starts[1:][near]])
    lasts = [*starts[1:].tolist(), len(vectors)]
    pairs = zip(starts.tolist(), lasts, strict=True)
    return [Chapter(float(bounds[a]), float(bounds[b]), a, b) for a, b in pairs]


def _likeness(a: Float64, b: Float64) -> Float64:
    """Return (N,) cosines of the rows of two (N, D)."""
    lengths = [np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12) for x in (a, b)]
    cosines: Float64 = (a / lengths[0] * (b / lengths[1])).sum(axis=1)
    return cosines


def written(chapters: Sequence[Chapter], titles: Sequence[str], how: ChapterFormat) -> str:
    """Return chapters as text.

    Args:
        chapters: in order.
        titles: one each.
        how: the format.
    """
    pairs = list(zip(chapters, (" ".join(title.split()) for title in titles), strict=True))
    if how is ChapterFormat.LIST:
        long = chapters[-1].end_s >= 3600
        return "".join(f"{_clock(c.start_s, long)} {title}\n" for c, title in pairs)
    if how is ChapterFormat.WEBVTT:
        cues = (
            f"{number}\n{_precise(c.start_s)} --> {_precise(c.end_s)}\n{_escaped_vtt(title)}\n"
            for number, (c, title) in enumerate(pairs, 1)
        )
        return "WEBVTT\n\n" + "\n".join(cues)
    parts = (
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={round(1000 * c.start_s)}\n"
        f"END={round(1000 * c.end_s)}\ntitle={_escaped_ffmetadata(title)}\n"
        for c, title in pairs
    )
    return ";FFMETADATA1\n" + "".join(parts)


def _clock(seconds: float, long: bool) -> str:
    whole = round(seconds)
    if long:
        return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}"


def _precise(seconds: float) -> str:
    """Return a time as WebVTT has it.

    >>> _precise(3725.5)
    '01:02:05.500'
    """
    ms = round(1000 * seconds)
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"


def _escaped_vtt(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("-->", "--&gt;")


def _escaped_ffmetadata(text: str) -> str:
    return re.sub(r"([=;#\\])", r"\\\1", text)
