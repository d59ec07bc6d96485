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
    block = 128
    up = np.uint32((1 << SHIFT) - 1)  # rounds up, so that a total is never below the score
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
            factor = np.uint32(factors[q])  # of negative ones the 16 bits kept are right too
            at = base + np.int64(terms[q])
            if not 0 <= indptr[at] <= indptr[at + 1] <= len(ids):
                raise IndexError("a list of postings is out of range")
            own = ids[indptr[at] : indptr[at + 1]]  # loops from 0: no index can be negative,
            steps = codes[indptr[at] : indptr[at + 1]]  # which a compiler would have to check
            for p in range(len(own)):
                step = (np.uint32(steps[p]) * factor + up) >> np.uint32(SHIFT)
                totals[own[p]] += np.int16(step)
        for start in range(0, width, block):
            stop = min(start + block, width)
            if found == k:
                part = totals[start:stop]
                top = part[0]
                for i in range(len(part)):
                    top = max(top, part[i])
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


def widen(
    halves: UInt16,  # (n, D) the bits of finite float16 values
    out: Float32,  # (n, D) out
) -> None:
    """Turn float16 to float32: move the bits to where float32 has them, then mend the exponent.

    No table and no branch, so that a compiler makes 8 or 16 values at a time.
    """
    bits = out.view(np.uint32)
    mend = np.float32(2.0**112)  # exponents stand for 15 less than they say, here for 127 less
    for i in range(halves.shape[0]):
        for j in range(halves.shape[1]):
            half = np.uint32(halves[i, j])
            size = (half & np.uint32(0x7FFF)) << np.uint32(13)
            bits[i, j] = size | ((half & np.uint32(0x8000)) << np.uint32(16))
        for j in range(halves.shape[1]):
            out[i, j] *= mend


def latent_scores(
    halves: UInt16,  # (M, D) the bits of finite float16 values
    rows: Int64,  # (n,)
    query: Float64,  # (D,)
    out: Float64,  # (n,) out
) -> None:
    """Compute inner products, summed as `rescore.latent_scores` says; converts as `widen` does."""
    dim = halves.shape[1]
    whole = dim - dim % LANES
    mend = np.float32(2.0**112)
    bits = np.zeros(dim, np.uint32)
    row = bits.view(np.float32)
    lanes = np.zeros(LANES, np.float64)
    for i in range(len(rows)):
        at = rows[i]
        for j in range(dim):
            half = np.uint32(halves[at, j])
            size = (half & np.uint32(0x7FFF)) << np.uint32(13)
            bits[j] = size | ((half & np.uint32(0x8000)) << np.uint32(16))
        lanes[:] = 0
        for start in range(0, whole, LANES):
            for j in range(LANES):
                lanes[j] += np.float64(row[start + j] * mend) * query[start + j]
        for j in range(whole, dim):
            lanes[j - whole] += np.float64(row[j] * mend) * query[j]
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
