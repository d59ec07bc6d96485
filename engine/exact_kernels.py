"""The inner loops of exact scores, in the subset of Python that numba compiles.

Called through `engine/rescore.py` and `engine/shared_scan.py`, never directly; they run uncompiled
too, slowly. What is read from a file and used as an index is checked, as in `engine/kernels.py`.
"""

from __future__ import annotations

import numpy as np

from unify.engine.types import Float32, Float64, Int64, UInt16

LANES = 16  # partial sums of an inner product


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
    places: UInt16,  # (V,) where the query has a term; 0: nowhere
    query: Float64,  # (1 + Q,) the query's weights by place
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
        if top >= len(places):
            raise IndexError("a term is out of range")
        for p in range(begin, end):
            if places[terms[p]]:
                total += np.float64(values[halves[p]]) * query[places[terms[p]]]
        out[i] = total
