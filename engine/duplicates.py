"""Near-duplicates fold into the best of them: copies of one clip would fill a page of hits.

Two moments are near-duplicates when the inner product of their latents is at least `ALIKE`. That
line was drawn between copies and other footage (`benchmarks/near_duplicates.py` on every third of
111 clips): of copies that are resized to two thirds at a low quality, trimmed, and cut at the
borders, 81, 100 and 97 percent are above it; at 0.95 only 49, 95 and 84. No two of these clips are
above 0.78, and no two of all 111 above 0.873. Of moments that follow one another in a clip 93
percent are: scenes that go on. Two scenes of one place or series may well be above it, so that what
is folded is always told.

It must not know how moments are found, nor what is looked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from unify.engine.answer import Answer, Hit
from unify.engine.backend import Backend
from unify.engine.options import MAX_K
from unify.engine.types import Float32

ALIKE = 0.92
_GROWTH = 2
_BLOCK = 512  # hits that are compared with better ones at once


def distinct(
    backend: Backend, find: Callable[[int], Answer], k: int, offset: int, alike: float = ALIKE
) -> Answer:
    """Return the best hits without near-duplicates of better ones, ranked anew.

    A hit counts the near-duplicates of it that were found with it (`Hit.duplicates`); further down
    there may be more. Whether a hit stays depends on better ones alone, so that pages fit together.
    Of what filters alone have left, nothing is better: all of it stays.

    Args:
        backend: holds the latents.
        find: returns the best so many hits, the best first.
        k: how many hits.
        offset: hits to leave out from the top.
        alike: least inner product of two latents of unit length.
    """
    depth = min(MAX_K, _GROWTH * (k + offset))
    while True:
        found = find(depth)
        kept = list(found)
        if found.scored:
            kept = _folded(found.hits, _unit(backend, found.hits), alike)
        if len(kept) >= k + offset or len(found) < depth or depth == MAX_K:
            page = kept[offset : offset + k]
            return replace(
                found, hits=tuple(replace(h, rank=offset + i) for i, h in enumerate(page, start=1))
            )
        depth = min(MAX_K, _GROWTH * depth)


def _unit(backend: Backend, hits: tuple[Hit, ...]) -> Float32:
    rows = backend.latents(np.array([hit.moment for hit in hits], np.int64))
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)  # float16 rounds them
    return np.asarray(rows / np.maximum(lengths, 1e-9), np.float32)


def _folded(hits: tuple[Hit, ...], latents: Float32, alike: float) -> list[Hit]:
    """Return the hits that are no near-duplicate of a kept one, with how many each stands for."""
    kept: list[int] = []
    counts: list[int] = []
    for start in range(0, len(latents), _BLOCK):
        block, earlier, new = latents[start : start + _BLOCK], len(kept), list[int]()
        near = block @ latents[kept].T >= alike  # (block, earlier)
        among = block @ block.T >= alike
        first = np.where(near.any(axis=1), near.argmax(axis=1) if earlier else 0, -1)
        for at, leader in enumerate(first.tolist()):
            if leader < 0 and among[at, new].any():
                leader = earlier + int(np.argmax(among[at, new]))
            if leader >= 0:
                counts[leader] += 1
            else:
                new.append(at)
                kept.append(start + at)
                counts.append(0)
    return [replace(hits[at], duplicates=n) for at, n in zip(kept, counts, strict=True)]
