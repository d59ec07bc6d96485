"""A heap of the best rows and their scores, in the subset of Python that numba compiles.

It is compiled into `engine/kernels.py`, by whose date numba tells whether what it keeps is stale:
when this file changes, that one must.
"""

from __future__ import annotations

from unify.engine.types import Int16, Int64


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


def settle(rows: Int64, scores: Int16, found: int) -> None:
    """Turn the heap into a list, best first."""
    for n in range(found - 1, 0, -1):
        row, score = rows[0], scores[0]  # the worst of those that are left
        offer(rows[:n], scores[:n], n, -32_769, rows[n], scores[n])
        rows[n], scores[n] = row, score
