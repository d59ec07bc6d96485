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
        kept, counts = list(range(len(found))), [0] * len(found)
        if found.scored:
            kept, counts = _folded(_unit(backend, found.hits), k + offset, alike)
        if len(kept) >= k + offset or len(found) < depth or depth == MAX_K:
            page = range(offset, min(len(kept), offset + k))
            hits = (replace(found[kept[i]], rank=i + 1, duplicates=counts[i]) for i in page)
            return replace(found, hits=tuple(hits))
        depth = min(MAX_K, _GROWTH * depth)


def _unit(backend: Backend, hits: tuple[Hit, ...]) -> Float32:
    rows = backend.latents(np.array([hit.moment for hit in hits], np.int64))
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)  # float16 rounds them
    return np.asarray(rows / np.maximum(lengths, 1e-9), np.float32)


def _folded(latents: Float32, most: int, alike: float) -> tuple[list[int], list[int]]:
    """Return the first rows that are no near-duplicate of one before, and how many fold into each.

    Args:
        latents: (n, D) of unit length, of the best hit first.
        most: so many of them, and none after them. What follows can still fold into them.
        alike: see `distinct`.
    """
    size = min(most, len(latents))
    kept: list[int] = []
    leaders = np.empty((size, latents.shape[1]), np.float32)  # latents[kept]
    counts = np.zeros(size, np.int64)
    for start in range(0, len(latents), _BLOCK):
        block, earlier = latents[start : start + _BLOCK], len(kept)
        near = block @ leaders[:earlier].T >= alike  # (block, earlier)
        folds = near.any(axis=1)
        if folds.any():
            counts += np.bincount(near[folds].argmax(axis=1), minlength=size)
        if earlier == size:
            continue
        rest = np.flatnonzero(~folds)
        among = np.tril(block[rest] @ block[rest].T >= alike, -1)  # (rest, those before)
        linked = set(np.flatnonzero(among.any(axis=1)).tolist())
        new: list[int] = []
        for at in range(len(rest)):
            if at in linked and among[at, new].any():
                counts[earlier + int(np.argmax(among[at, new]))] += 1
            elif len(kept) < size:
                leaders[len(kept)] = block[rest[at]]
                kept.append(start + int(rest[at]))
                new.append(at)
    return kept, counts[: len(kept)].tolist()
