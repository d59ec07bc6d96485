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

from unify.engine.types import Bool, Int16, Int32, Int64, UInt8, UInt16

WINDOW = 65_536  # moments of an accumulator
BLOCK = 128  # of these, whose largest total is looked at first
SHIFT = 15  # binary places of a factor
UP = (1 << SHIFT) - 1  # rounds up, so that a total is never below the score
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
    factors: Int32,  # (Q,) descending: units of score that code 1 adds, times 2 ** SHIFT
    most: Int64,  # (Q,) units that a term adds at most
    cheap: Int64,  # (Q,) places of terms, first those that add little for many postings
    allow: Bool,  # (M,), or anything when `every`
    every: bool,
    floor: int,  # only rows above it are wanted, in units
    rows: Int64,  # (k,) out: a heap whose root is the worst kept
    scores: Int16,  # (k,) out, in units
) -> int:
    """Fill `rows` and `scores` with the k best rows, in no order; return how many there are.

    Once the k-th best score so far is above 0, terms that many rows hold and that add little are
    left for later (MaxScore; Turtle and Flood, 1995). With all that these could add, most rows
    stay below; only the others are completed. How much is left goes by how many those were.
    """
    found, share = 0, START
    spans = np.zeros((len(terms), 2), np.int64)  # of the terms' postings in a window
    later = np.zeros(len(terms), np.bool_)
    totals = np.zeros(WINDOW, np.int16)  # all 0 when a window begins
    for first in range(begin, end, WINDOW):
        width = min(WINDOW, end - first)
        if not (every or allow[first : first + width].any()):
            continue
        locate(indptr, len(ids), first // WINDOW * size, terms, spans)
        least = least_of(scores, found, floor)
        missing = leave(most, cheap, share * least, later)
        query = (ids, codes, spans, factors, most, later)
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
                query, missing, totals, first, width, allow, every, floor, rows, scores, found
            )
        else:
            found, completed = scan(
                query, missing, totals, first, width, allow, every, floor, rows, scores, found
            )
        share = share * 0.75 if completed * COMPLETION > saved else min(share * 1.25, MOST_LEFT)
    return found


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


def offer(rows: Int64, scores: Int16, found: int, floor: int, row: int, score: int) -> int:
    """Put a row into the heap if it is wanted, instead of the worst if that is full.

    Among equal scores the higher row is worse. Returns how many rows the heap holds.
    """
    if score <= floor:
        return found
    if found < len(rows):  # sift up
        child = found
        while child > 0:
            parent = (child - 1) // 2
            if scores[parent] < score or (scores[parent] == score and rows[parent] > row):
                break
            scores[child], rows[child] = scores[parent], rows[parent]
            child = parent
        scores[child], rows[child] = score, row
        return found + 1
    if score < scores[0] or (score == scores[0] and row > rows[0]):
        return found
    hole = 0  # replace the root, sift down
    while True:
        child = 2 * hole + 1
        if child >= found:
            break
        right = child + 1
        if right < found and (
            scores[right] < scores[child]
            or (scores[right] == scores[child] and rows[right] > rows[child])
        ):
            child = right
        if scores[child] > score or (scores[child] == score and rows[child] < row):
            break
        scores[hole], rows[hole] = scores[child], rows[child]
        hole = child
    scores[hole], rows[hole] = score, row
    return found
