"""Where one shot of a video ends and the next begins, from the features of its frames.

Change points of the cosine kernel: the cuts that leave frames closest to the mean of their shot,
at a price for each cut. Of all ways to cut, the best one is found, not a good one (Arlot, Celisse
and Harchaoui 2019, https://jmlr.org/papers/v20/16-155.html; pruned as in Killick, Fearnhead and
Eckley 2012, https://doi.org/10.1080/01621459.2012.737745). A camera that wanders far enough pays
such a price without any cut, so a cut must also show as a jump. A flash of one frame would be two
cuts, which it cannot pay unless it is very unlike the rest.

The constants were chosen on stills that a moving camera looks at (`benchmarks/concatenated.py`,
docs/moments.md), never on the clips that are reported: `PRICE` 0.8 to 1.6 and `JUMP` 0.25 to 0.45
differ by little. It must not know pictures, times of frames, or moments.
"""

from __future__ import annotations

import math

import numpy as np

from unify.engine.types import Float32, Float64, Int64

PRICE = 0.8  # of a cut, in squared distances between unit vectors, a frame a second
JUMP = 0.25  # least cosine distance between the seconds before and after a cut
NEAR_S = 2.0  # how many they are
LONGEST_S = 600.0  # of a shot in the search: a longer one has no jump where it was parted


def find_shots(
    features: Float32, duration_s: float, price: float = PRICE, jump: float = JUMP
) -> Int64:
    """Return the first frame of each shot, ascending, the first of them 0.

    Time grows with frames times frames of a shot, up to `LONGEST_S`: 86,400 frames of 1,280
    numbers take 1.5 s in shots of 8 s, 5 s without any cut. Memory is a few numbers a frame.

    Args:
        features: (F, C) of frames evenly spread over the video, F >= 1; may be mapped.
        duration_s: of the video, above 0.
        price: see `PRICE`.
        jump: see `JUMP`.
    """
    per_s = max(1.0, len(features) / duration_s)  # rarer frames are no surer of a cut
    lengths = np.maximum(_lengths(features), 1e-12)
    cuts = _change_points(features, lengths, price * per_s, math.ceil(LONGEST_S * per_s))
    near = round(NEAR_S * per_s)
    jumps = [cut for cut in cuts if _distance(features, lengths, cut, near) > jump]
    return np.array([0, *jumps], np.int64)


def _lengths(features: Float32) -> Float64:
    squares = np.einsum("fc,fc->f", features, features, dtype=np.float64)
    return np.asarray(np.sqrt(squares), np.float64)


def _change_points(features: Float32, lengths: Float64, price: float, longest: int) -> list[int]:
    """Return the frames at which the best way to cut begins a new shot, ascending, without 0.

    A shot of n frames whose unit vectors add up to s is worth |s|^2 / n, less the price.
    """
    count = len(features)
    worth = np.zeros(count + 1)  # of the best way to cut the frames before this one
    begins = np.zeros(count + 1, np.int64)  # where its last shot begins
    energy = np.zeros(count)  # |s|^2 of the shot from here to the newest frame
    first = 0  # no earlier frame can begin the last shot any more
    for new in range(count):
        alike = (
            features[first : new + 1] @ features[new] / (lengths[first : new + 1] * lengths[new])
        )
        ahead = np.cumsum(alike[::-1], dtype=np.float64)[::-1]  # the newest with all from here
        energy[first : new + 1] += 2 * ahead - alike[-1]
        sizes = np.arange(new + 1 - first, 0, -1)
        worths = worth[first : new + 1] + energy[first : new + 1] / sizes
        best = int(np.argmax(worths))
        worth[new + 1], begins[new + 1] = worths[best] - price, first + best
        alive = worths > worth[new + 1]  # else a shot that begins after the newest is no worse
        first = max(first + int(np.argmax(alive)), new + 2 - longest)
    cuts: list[int] = []
    end = int(begins[count])
    while end > 0:
        cuts.append(end)
        end = int(begins[end])
    return cuts[::-1]


def _distance(features: Float32, lengths: Float64, cut: int, near: int) -> float:
    """Return the cosine distance between the means of the frames before and after a cut."""
    before, after = slice(max(0, cut - near), cut), slice(cut, cut + near)
    a, b = ((features[part] / lengths[part, None]).mean(axis=0) for part in (before, after))
    scale = float(np.linalg.norm(a) * np.linalg.norm(b))
    return 1 - float(a @ b) / scale if scale else 0.0
