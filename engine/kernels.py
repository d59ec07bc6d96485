"""The inner loop over postings, in the subset of Python that numba compiles.

Called through `engine/postings.py`, never directly; it runs uncompiled too, slowly.
"""

from __future__ import annotations

import numpy as np

from unify.engine.types import Bool, Float32, Int64, UInt8, UInt16


def window_topk(  # noqa: C901 - one loop nest: numba would compile helpers apart
    indptr: Int64,  # (windows * size + 1,)
    ids: UInt16,  # (N,)
    codes: UInt8,  # (N,)
    size: int,  # V
    count: int,  # M
    terms: UInt16,  # (Q,)
    factors: Float32,  # (Q,)
    allow: Bool,  # (M,), or anything when `every`
    every: bool,
    rows: Int64,  # (k,) out: a heap whose root is the worst kept
    scores: Float32,  # (k,) out
) -> int:
    """Fill `rows` and `scores` with the k best rows, in no order; return how many there are."""
    window = 65_536
    k = len(rows)
    found = 0
    totals = np.zeros(min(window, count), np.float32)
    for first in range(0, count, window):
        width = min(window, count - first)
        totals[:] = 0
        base = first // window * size
        for q in range(len(terms)):
            factor = factors[q]
            at = base + np.int64(terms[q])
            for p in range(indptr[at], indptr[at + 1]):
                totals[ids[p]] += factor * np.float32(codes[p])
        for i in range(width):
            score = totals[i]
            if (found == k and score <= scores[0]) or not (every or allow[first + i]):
                continue  # rows come in ascending order, so a tie with the root loses
            if found < k:  # sift up; among equal scores the higher row is worse
                child = found
                found += 1
                while child > 0:
                    parent = (child - 1) // 2
                    if scores[parent] < score:
                        break
                    scores[child], rows[child] = scores[parent], rows[parent]
                    child = parent
                scores[child], rows[child] = score, first + i
                continue
            hole = 0  # replace the root, sift down
            while True:
                child = 2 * hole + 1
                if child >= k:
                    break
                right = child + 1
                if right < k and (
                    scores[right] < scores[child]
                    or (scores[right] == scores[child] and rows[right] > rows[child])
                ):
                    child = right
                if scores[child] >= score:
                    break
                scores[hole], rows[hole] = scores[child], rows[child]
                hole = child
            scores[hole], rows[hole] = score, first + i
    return found
