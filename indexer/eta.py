"""How long a build will still take, from what its videos have cost so far.

A video costs something for being opened and something for each of its bytes; both are fitted to
the videos that are done, so a folder of many small files and a few long ones is not guessed by
its bytes alone. It must not know clocks: whoever asks says how much time has gone by.
"""

from __future__ import annotations

from collections.abc import Sequence

_FALLS_S, _RISES_S = 5.0, 15.0  # how fast what is told follows what is computed
# A guess that counts as a twentieth of a video, until videos tell more: where all that are done
# are alike, they do not say which part of their cost would grow with their bytes.
_GUESS_WEIGHT, _GUESS_EACH_S, _GUESS_PER_BYTE_S = 0.05, 0.2, 0.15 / (1 << 20)
_FORGETTING = 0.998  # of one video's say, with each that follows: a disk may become slower


class Remaining:
    """Estimates the seconds left.

    Args:
        sizes_bytes: sizes of all videos to come, in order.
    """

    def __init__(self, sizes_bytes: Sequence[int]) -> None:
        self._files_left = len(sizes_bytes)
        self._bytes_left = float(sum(sizes_bytes))
        self._scale = max(1.0, self._bytes_left / max(1, self._files_left))
        # Sums for weighted least squares: 1, x, x * x, t, x * t.
        self._sums = [0.0] * 5
        for x in (0.0, 1.0):
            guess_s = _GUESS_EACH_S + _GUESS_PER_BYTE_S * self._scale * x
            self._sums = _with(self._sums, x, guess_s, _GUESS_WEIGHT)
        self._told: float | None = None

    def finished(self, size_bytes: int, cost_s: float) -> None:
        """Note that the next video is done, and what it cost."""
        self._files_left -= 1
        self._bytes_left -= size_bytes
        self._sums = _with(self._sums, size_bytes / self._scale, cost_s, 1.0)

    def estimate_s(self, part: float, size_bytes: int, cost_s: float, passed_s: float) -> float:
        """Return the seconds left.

        Args:
            part: of the video at work that is done, from 0 to 1.
            size_bytes: its size.
            cost_s: what it has cost so far.
            passed_s: since the last estimate.
        """
        if self._files_left <= 0:
            return 0.0
        each, per_byte = self._fit(part, size_bytes, cost_s)
        files = self._files_left - part
        size = max(0.0, self._bytes_left - part * size_bytes)
        now = each * files + per_byte * size / self._scale
        if self._told is None:
            self._told = now
        expected = max(0.0, self._told - passed_s)
        follow = min(1.0, passed_s / (_FALLS_S if now < expected else _RISES_S))
        self._told = expected + follow * (now - expected)
        return self._told

    def _fit(self, part: float, size_bytes: int, cost_s: float) -> tuple[float, float]:
        """Return seconds for each file and for each `_scale` bytes, neither below 0."""
        sums = self._sums
        if part > 0.0:  # the video at work counts for as much as is done of it
            sums = _with(sums, size_bytes / self._scale, cost_s / part, part)
        n, x, xx, t, xt = sums
        spread = n * xx - x * x
        per_byte = (n * xt - x * t) / spread  # the guess sees to it that sizes differ
        each = (t - per_byte * x) / n
        if per_byte < 0:
            return t / n, 0.0
        return (each, per_byte) if each >= 0 else (0.0, t / x)


def _with(sums: Sequence[float], x: float, t: float, weight: float) -> list[float]:
    """Add one video; large ones vary more, so they weigh less."""
    weight /= 1.0 + x
    new = (1.0, x, x * x, t, x * t)
    return [_FORGETTING * old + weight * value for old, value in zip(sums, new, strict=True)]
