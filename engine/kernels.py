"""The inner loops, in the subset of Python that numba compiles.

Called through `engine/postings.py` and `engine/rescore.py`, never directly; they run uncompiled
too, slowly. Scores are added up as 16-bit integers: half the bytes of float32, and the largest of
a block of them is found sixteen or more at a time. They are rounded up, so that no score is above
its total. Compiled code checks no index by itself, and a damaged file must not end the process:
what is read from one and used as an index is checked here.
"""

from __future__ import annotations

import numpy as np

from unify.engine.types import Bool, Float32, Float64, Int16, Int32, Int64, UInt8, UInt16

WINDOW = 65_536  # moments of an accumulator
SHIFT = 15  # binary places of a factor
LANES = 16  # partial sums of an inner product


def window_topk(  # noqa: C901 - one loop nest: numba would compile helpers apart
    indptr: Int64,  # (windows * size + 1,)
    ids: UInt16,  # (N,)
    codes: UInt8,  # (N,)
    size: int,  # V
    begin: int,  # first row, at the start of a window
    end: int,  # one past the last row
    terms: UInt16,  # (Q,)
    factors: Int32,  # (Q,) units of score that code 1 adds, times 2 ** SHIFT
    allow: Bool,  # (M,), or anything when `every`
    every: bool,
    rows: Int64,  # (k,) out: a heap whose root is the worst kept
    scores: Int16,  # (k,) out, in units
) -> int:
    """Fill `rows` and `scores` with the k best rows, in no order; return how many there are."""
    block = 256
    up = (1 << SHIFT) - 1  # rounds up, so that a total is never below the score
    k = len(rows)
    found = 0
    totals = np.zeros(WINDOW, np.int16)
    for first in range(begin, end, WINDOW):
        width = min(WINDOW, end - first)
        if not every:
            some = False
            for i in range(first, first + width):
                some |= allow[i]
            if not some:
                continue
        totals[:] = 0
        base = first // WINDOW * size
        for q in range(len(terms)):
            factor = np.int64(factors[q])
            at = base + np.int64(terms[q])
            if not 0 <= indptr[at] <= indptr[at + 1] <= len(ids):
                raise IndexError("a list of postings is out of range")
            for p in range(indptr[at], indptr[at + 1]):
                totals[ids[p]] += np.int16((np.int64(codes[p]) * factor + up) >> SHIFT)
        for start in range(0, width, block):
            stop = min(start + block, width)
            if found == k:
                top = totals[start]
                for i in range(start, stop):
                    top = max(top, totals[i])
                if top <= scores[0]:
                    continue  # rows come in ascending order, so a tie with the root loses
            for i in range(start, stop):
                score = totals[i]
                if (found == k and score <= scores[0]) or not (every or allow[first + i]):
                    continue
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


def latent_scores(
    halves: UInt16,  # (M, D) the bits of float16 values
    values: Float32,  # (65,536,) what each pattern of bits means
    rows: Int64,  # (n,)
    query: Float64,  # (D,)
    out: Float64,  # (n,) out
) -> None:
    """Compute inner products, summed as `rescore.latent_scores` says."""
    dim = halves.shape[1]
    lanes = np.zeros(LANES, np.float64)
    for i in range(len(rows)):
        row = rows[i]
        lanes[:] = 0
        for start in range(0, dim, LANES):
            for j in range(start, min(start + LANES, dim)):
                lanes[j - start] += np.float64(values[halves[row, j]]) * query[j]
        step = LANES // 2
        while step:
            for j in range(step):
                lanes[j] += lanes[j + step]
            step //= 2
        out[i] = lanes[0]


def lexicon_scores(
    indptr: Int64,  # (M + 1,)
    terms: UInt16,  # (N,)
    halves: UInt16,  # (N,) the bits of float16 weights
    values: Float32,  # (65,536,) what each pattern of bits means
    rows: Int64,  # (n,)
    query: Float64,  # (V,) the query's weights
    out: Float64,  # (n,) out
) -> None:
    """Compute sparse inner products, summed in the order of a row's terms."""
    for i in range(len(rows)):
        total = 0.0
        begin, end = indptr[rows[i]], indptr[rows[i] + 1]
        if not 0 <= begin <= end <= len(terms):
            raise IndexError("a row is out of range")
        top = np.uint16(0)
        for p in range(begin, end):
            top = max(top, terms[p])
        if top >= len(query):
            raise IndexError("a term is out of range")
        for p in range(begin, end):
            total += np.float64(values[halves[p]]) * query[terms[p]]
        out[i] = total


def widen(
    halves: UInt16,  # (n, D) the bits of float16 values
    values: Float32,  # (65,536,) what each pattern of bits means
    out: Float32,  # (n, D) out
) -> None:
    """Turn float16 to float32."""
    for i in range(halves.shape[0]):
        for j in range(halves.shape[1]):
            out[i, j] = values[halves[i, j]]
