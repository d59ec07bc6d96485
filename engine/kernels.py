"""The inner loops of top-k over postings, in the subset of Python that numba compiles.

Called through `engine/postings.py`, never directly; they run uncompiled too, slowly. Scores are
added up as 16-bit integers: half the bytes of float32, and the largest of a block of them is found
sixteen or more at a time. They are rounded up, so that no score is above its total. Compiled code
checks no index by itself, and a damaged file must not end the process: what is read from one and
used as an index is checked here.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from unify.engine.heap import offer, settle
from unify.engine.types import Bool, Float32, Float64, Int16, Int32, Int64, UInt8, UInt16

WINDOW = 65_536  # moments of an accumulator
BLOCK = 128  # of these, whose largest total is looked at first
SHIFT = 15  # binary places of a factor
UP = (1 << SHIFT) - 1  # rounds up, so that a total is never below the score
FULL = 32_767  # the largest total
SMALLEST = float(np.finfo(np.float32).tiny)
LINE = 64  # bytes that memory delivers together
# Shares of the k-th best score that the terms left for later may add: at first, and at most.
START, MOST_LEFT = 0.25, 0.6
COMPLETION = 1_000  # postings that are added while a row is completed, or nearly so
REVISITED = 8  # rows that are scanned while a posting is visited again

# Of a window: ids, codes, (Q, 2) spans, factors, (Q,) what a term can add, whether it comes later.
Query: TypeAlias = tuple[UInt16, UInt8, Int64, Int32, Int64, Bool]


def window_topk(
    indptr: Int64,  # (windows * size + 1,)
    ids: UInt16,  # (N,)
    codes: UInt8,  # (N,)
    size: int,  # V
    begin: int,  # first row, at the start of a window
    end: int,  # one past the last row
    terms: UInt16,  # (Q,)
    weights: Float64,  # (Q,) what code 1 of a term adds to a score
    allow: Bool,  # (M,), or anything when `every`
    every: bool,
    above: float,  # only rows that score more are wanted
    rows: Int64,  # (k,) out
    scores: Float32,  # (k,) out
) -> tuple[int, float, int]:
    """Fill `rows` and `scores` with the k best rows, best first, ties by row.

    Once the k-th best score so far is above 0, terms that many rows hold and that add little are
    left for later (MaxScore; Turtle and Flood, 1995). With all that these could add, most rows
    stay below; only the others are completed. How much is left goes by how many those were.

    Returns:
        how many rows there are, the unit that scores were rounded up to, and what `read_ahead`
        does.
    """
    # The total of any row fits 16 bits, each of its terms rounded up by less than two units.
    unit = max(255 * np.abs(weights).sum() / (FULL - 2 * len(weights)), SMALLEST)
    floor = floor_of(above, unit)
    descending = ascending(-weights)
    terms = terms[descending]
    factors = np.ceil(weights[descending] / unit * (1 << SHIFT)).astype(np.int32)
    most = np.maximum(factors.astype(np.int64) * 255 + UP, 0) >> SHIFT  # (Q,) that a term adds
    spans = np.zeros((len(terms), 2), np.int64)  # of the terms' postings in a window
    locate(indptr, len(ids), 0, terms, spans)
    # Places of terms, first those that add little for many postings.
    cheap = ascending(most / np.maximum(spans[:, 1] - spans[:, 0], 1))
    found, share, read = 0, START, 0
    heap = np.empty(len(rows), np.int16)  # of scores, in units; its root is the worst kept
    later = np.zeros(len(terms), np.bool_)
    totals = np.zeros(WINDOW, np.int16)  # all 0 when a window begins
    for first in range(begin, end, WINDOW):
        width = min(WINDOW, end - first)
        if not (every or allow[first : first + width].any()):
            continue
        locate(indptr, len(ids), first // WINDOW * size, terms, spans)
        least = least_of(heap, found, floor)
        missing = leave(most, cheap, share * least, later)
        query = (ids, codes, spans, factors, most, later)
        read ^= read_ahead(query)
        added = saved = 0
        for q in range(len(terms)):
            length = spans[q, 1] - spans[q, 0]
            if later[q]:
                saved += length
            else:
                add(query, q, totals)
                added += length
        if missing < least and added < width // REVISITED:
            found, completed = revisit(
                query, missing, totals, first, width, allow, every, floor, rows, heap, found
            )
        else:
            found, completed = scan(
                query, missing, totals, first, width, allow, every, floor, rows, heap, found
            )
        share = share * 0.75 if completed * COMPLETION > saved else min(share * 1.25, MOST_LEFT)
    settle(rows, heap, found)
    for n in range(found):
        scores[n] = np.float32(heap[n] * unit)
    return found, unit, read


def floor_of(above: float, unit: float) -> int:
    """Return the largest total, in units, that does not score above some score."""
    if above == -np.inf:
        return -FULL - 1
    floor = int(min(max(above / unit, -FULL), FULL))
    while floor < FULL and np.float32((floor + 1) * unit) <= above:
        floor += 1
    while floor >= -FULL and np.float32(floor * unit) > above:
        floor -= 1
    return floor


def ascending(keys: Float64) -> Int64:
    """Return what sorts a few keys; `np.argsort` takes seconds to compile."""
    order = np.zeros(len(keys), np.int64)
    for i in range(len(keys)):
        at = i
        while at > 0 and keys[order[at - 1]] > keys[i]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = i
    return order


def locate(indptr: Int64, count: int, base: int, terms: UInt16, spans: Int64) -> None:
    """Look up where the postings of each term stand."""
    for q in range(len(terms)):
        at = base + np.int64(terms[q])
        spans[q, 0], spans[q, 1] = indptr[at], indptr[at + 1]
    for q in range(len(terms)):
        if not 0 <= spans[q, 0] <= spans[q, 1] <= count:
            raise IndexError("a list of postings is out of range")


def least_of(scores: Int16, found: int, floor: int) -> int:
    """Return the score that a row must be above."""
    return max(floor, int(scores[0])) if found == len(scores) else floor


def leave(most: Int64, cheap: Int64, limit: float, later: Bool) -> int:
    """Choose terms that together add `limit` at most, and save most; return what they can add."""
    missing = 0
    later[:] = False
    if limit > 0:
        for q in cheap:
            if missing + most[q] <= limit:
                later[q] = True
                missing += most[q]
    return missing


def read_ahead(query: Query) -> int:
    """Read a value of each line of the lists that are added, so that memory delivers all at once.

    Returns:
        a number without a meaning, for which alone a compiler leaves these readings in.
    """
    ids, codes, spans, _, _, later = query
    read = 0
    for q in range(len(spans)):
        if not later[q]:
            for p in range(spans[q, 0], spans[q, 1], LINE // 2):
                read ^= ids[p]
            for p in range(spans[q, 0], spans[q, 1], LINE):
                read ^= codes[p]
    return read


def add(query: Query, q: int, totals: Int16) -> None:
    """Add what a term's postings add to the totals of a window."""
    ids, codes, spans, factors, _, _ = query
    factor = np.uint32(factors[q])  # of negative ones the 16 bits kept are right too
    own = ids[spans[q, 0] : spans[q, 1]]  # loops from 0: no index can be negative,
    steps = codes[spans[q, 0] : spans[q, 1]]  # which a compiler would have to check
    for p in range(len(own)):
        totals[own[p]] += np.int16(
            (np.uint32(steps[p]) * factor + np.uint32(UP)) >> np.uint32(SHIFT)
        )


def scan(
    query: Query, missing: int, totals: Int16, first: int, width: int, allow: Bool, every: bool,
    floor: int, rows: Int64, scores: Int16, found: int,
) -> tuple[int, int]:  # fmt: skip
    """Offer all rows of a window to the heap, and clear their totals.

    Returns:
        how many rows the heap holds, and how many were completed.
    """
    blocks = totals.reshape(-1, BLOCK)
    tops = np.empty(-(-width // BLOCK), np.int16)
    totals[width : len(tops) * BLOCK] = -FULL - 1  # no rows: they must not count as those of 0
    for b in range(len(tops)):
        top = blocks[b, 0]
        for i in range(BLOCK):
            top = max(top, blocks[b, i])
        tops[b] = top
    spare = len(tops) - len(rows)
    if found < len(rows) and every and spare >= 0 and not missing:
        # As many rows as are wanted have at least this.
        floor = max(floor, nth(tops, len(rows)) - 1)
    completed, least = 0, least_of(scores, found, floor)
    for b in range(len(tops)):
        if tops[b] + missing <= least:
            continue  # rows come in ascending order, so a tie with the root loses
        for i in range(BLOCK):
            at = b * BLOCK + i
            total = int(blocks[b, i])
            if total + missing > least and at < width and (every or allow[first + at]):
                if missing:
                    completed += 1
                    total = complete(query, missing, at, total, least)
                found = offer(rows, scores, found, floor, first + at, total)
                least = least_of(scores, found, floor)
    totals[:] = 0
    return found, completed


def nth(tops: Int16, n: int) -> int:
    """Return the n-th largest, by halving the range of 16 bits."""
    low, high = -32_768, 32_767
    while low < high:
        middle = (low + high + 1) // 2
        above = 0
        for i in range(len(tops)):
            above += tops[i] >= middle
        if above >= n:
            low = middle
        else:
            high = middle - 1
    return low


def revisit(
    query: Query, missing: int, totals: Int16, first: int, width: int, allow: Bool, every: bool,
    floor: int, rows: Int64, scores: Int16, found: int,
) -> tuple[int, int]:  # fmt: skip
    """Do what `scan` does by the postings that were added: rows without any are not wanted."""
    ids, _, spans, _, _, later = query
    completed = 0
    least = least_of(scores, found, floor)
    for q in range(len(spans)):
        if later[q]:
            continue
        own = ids[spans[q, 0] : spans[q, 1]]
        for p in range(len(own)):
            at = int(own[p])
            total = int(totals[at])
            totals[at] = 0
            if total + missing >= least and at < width and (every or allow[first + at]):
                if missing:
                    completed += 1
                    total = complete(query, missing, at, total, least)
                found = offer(rows, scores, found, floor, first + at, total)
                least = least_of(scores, found, floor)
    return found, completed


def complete(query: Query, missing: int, at: int, total: int, least: int) -> int:
    """Add what the terms left for later add to a row's total, until it cannot reach `least`."""
    ids, codes, spans, factors, most, later = query
    for q in range(len(spans)):
        if later[q]:
            missing -= most[q]
            begin, end = spans[q, 0], spans[q, 1]
            guess = begin + (end - begin) * at // WINDOW  # where it stands if rows lie evenly
            low, high, step = begin, end, 16
            if guess < end and ids[guess] < at:
                low = guess + 1
                while low + step < end and ids[low + step] < at:
                    low += step + 1
                    step *= 2
                high = min(low + step, end)
            else:
                high = guess
                while high - step >= begin and ids[high - step] >= at:
                    high -= step
                    step *= 2
                low = max(high - step, begin)
            while low < high:
                middle = (low + high) // 2
                if ids[middle] < at:
                    low = middle + 1
                else:
                    high = middle
            if low < end and ids[low] == at:
                total += (np.int64(codes[low]) * factors[q] + UP) >> SHIFT
            if total + missing < least:
                break
    return total
