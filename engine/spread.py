"""Several moments of each video, none overlapping a better one of the same video.

Between one hit a video and every moment: windows overlap by half, so that a good scene takes
several places of a list of moments. It must not know how moments are found.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace

from unify.engine.answer import Answer, Hit
from unify.engine.errors import UsageError
from unify.engine.options import MAX_K

_GROWTH = 4


def spread(find: Callable[[int], Answer], k: int, offset: int, per_video: int) -> Answer:
    """Return the best hits of which each video has at most so many, ranked anew.

    Args:
        find: returns the best so many moments, the best first.
        k: how many hits.
        offset: hits to leave out from the top.
        per_video: how many of one video.

    Raises:
        UsageError: `per_video` is below 1.
    """
    if per_video < 1:
        raise UsageError(f"{per_video} hits a video", "use 1 or more")
    depth = min(MAX_K, _GROWTH * (k + offset))
    while True:
        found = find(depth)
        kept = _apart(found, per_video)
        if len(kept) >= k + offset or len(found) < depth or depth == MAX_K:
            page = kept[offset : offset + k]
            return replace(
                found, hits=tuple(replace(h, rank=offset + i) for i, h in enumerate(page, start=1))
            )
        depth = min(MAX_K, _GROWTH * depth)


def _apart(hits: Iterable[Hit], per_video: int) -> list[Hit]:
    kept: list[Hit] = []
    spans: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    counts: Counter[str] = Counter()
    for hit in hits:
        overlaps = any(hit.start_s < end and start < hit.end_s for start, end in spans[hit.path])
        if counts[hit.path] < per_video and not overlaps:
            kept.append(hit)
            counts[hit.path] += 1
            spans[hit.path].append((hit.start_s, hit.end_s))
    return kept


def by_time(found: Answer) -> Answer:
    """Return the same hits by video and by time in it; each keeps its rank."""
    return replace(found, hits=tuple(sorted(found, key=lambda hit: (hit.video, hit.start_s))))
