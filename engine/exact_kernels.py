"""The inner loops of exact scores, in the subset of Python that numba compiles.

Called through `engine/rescore.py` and `engine/shared_scan.py`, never directly; they run uncompiled
too, slowly. What is read from a file and used as an index is checked, as in `engine/kernels.py`.
"""

from __future__ import annotations

import numpy as np

from unify.engine.types import Float32, Float64, Int64, UInt16

LANES = 16  # partial sums of an inner product
AHEAD = 16  # rows that are asked for before the first of them is needed
LINE = 32  # values of 16 bits that memory delivers together


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
) -> int:
    """Compute inner products, summed as `rescore.latent_scores` says; converts as `widen` does.

    Returns:
        what `read_ahead` does.
    """
    dim = halves.shape[1]
    whole = dim - dim % LANES
    mend = np.float32(2.0**112)
    bits = np.zeros(dim, np.uint32)
    row = bits.view(np.float32)
    lanes = np.zeros(LANES, np.float64)
    read = 0
    for i in range(len(rows)):
        if i % AHEAD == 0:
            read ^= read_ahead(halves, rows[i : i + AHEAD])
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
    return read


def read_ahead(halves: UInt16, rows: Int64) -> int:
    """Read a value of each line of some rows, so that memory delivers all of them at once.

    Rows lie anywhere: it takes longer to find one than to score it.

    Returns:
        a number without a meaning, for which alone a compiler leaves these readings in.
    """
    read = 0
    for row in rows:
        for j in range(0, halves.shape[1], LINE):
            read ^= halves[row, j]
    return read


def lexicon_scores(
    indptr: Int64,  # (M + 1,)
    terms: UInt16,  # (N,)
    halves: UInt16,  # (N,) the bits of float16 weights
    rows: Int64,  # (n,)
    places: UInt16,  # (V,) where the query has a term; 0: nowhere
    query: Float64,  # (1 + Q,) the query's weights by place
    out: Float64,  # (n,) out
) -> int:
    """Compute sparse inner products, summed in the order of a row's terms.

    Converts as `widen` does; reads ahead, and returns what that does, as `latent_scores`.
    """
    mend = np.float64(2.0**112)
    bits = np.zeros(1, np.uint32)
    weight = bits.view(np.float32)
    read = 0
    for i in range(len(rows)):
        if i % AHEAD == 0:
            for n in range(i, min(i + AHEAD, len(rows))):
                begin, end = indptr[rows[n]], indptr[rows[n] + 1]
                if not 0 <= begin <= end <= len(terms):
                    raise IndexError("a row is out of range")
                for p in range(begin, end, LINE):
                    read ^= terms[p] ^ halves[p]
        total = 0.0
        begin, end = indptr[rows[i]], indptr[rows[i] + 1]
        top = np.uint16(0)
        for p in range(begin, end):
            top = max(top, terms[p])
        if top >= len(places):
            raise IndexError("a term is out of range")
        for p in range(begin, end):
            if places[terms[p]]:
                half = np.uint32(halves[p])
                size = (half & np.uint32(0x7FFF)) << np.uint32(13)
                bits[0] = size | ((half & np.uint32(0x8000)) << np.uint32(16))
                total += np.float64(weight[0]) * mend * query[places[terms[p]]]
        out[i] = total
    return read
