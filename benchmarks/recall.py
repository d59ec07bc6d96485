"""How many of the truly best moments an engine finds, and what storing weights in a byte costs.

    python benchmarks/recall.py [--moments 200000] [--shape topics] [--queries 200] [--folder DIR]

The truth is scored by brute force in float64, over the values that a workload of `synthetic.py`
was made with: no engine's rounding is in it. Recall counts ties: whatever scores as much as the
k-th best, to one part in a million (what float32 sums can tell apart), is right. The first table
says how many the index finds: of the truth, and of a truth over the values that it stores, where
an answer that is called exact must miss nothing. The second says what rounding weights to a byte
alone costs, by how its steps are chosen: one for all terms, one a term (as an index has it, for
each segment), or one a term for each window of 65,536 moments. A library is `synthetic.py`'s
and is written to DIR when it is not there.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from library import Library, row_numbers, stored
from synthetic import SEGMENT
from truth import Truth
from workload import SHAPES, Block

from unify.engine.fusion import Mode
from unify.engine.local import open_snapshot
from unify.engine.postings import WINDOW
from unify.engine.search import Searcher
from unify.engine.segment import stored as kept
from unify.engine.types import Float32, SparseRows

KS = (10, 100)
LIMIT = 0.002  # recall@10 that rounding may cost
FLOAT16 = "float16"


def rounded(blocks: Callable[[], Iterable[Block]], terms: int, steps: str) -> Iterator[Block]:
    """Yield blocks with weights rounded to float16, or to a byte, 255 steps up to the largest.

    Args:
        blocks: makes the moments; called twice.
        terms: V.
        steps: `float16`, or of a byte: `one` for all terms, `term` for one a term, `window` for
            one a term and window.
    """
    largest: dict[int, Float32] = {}
    for window, block in _windows(blocks(), steps):
        most = largest.setdefault(window, np.zeros(terms, np.float32))
        np.maximum.at(most, block.rows.terms, block.rows.weights)
    for window, block in _windows(blocks(), steps):
        scales = np.maximum(largest[window] / np.float32(255), np.finfo(np.float32).tiny)
        if steps == "one":
            scales = np.full(terms, scales.max(), np.float32)
        rows = block.rows
        step = scales[rows.terms]
        weights = np.clip(np.rint(rows.weights / step), 1, 255).astype(np.float32) * step
        if steps == FLOAT16:
            weights = kept(rows.weights).astype(np.float32)
        yield Block(block.latents, SparseRows(rows.indptr, rows.terms, weights))


def _windows(blocks: Iterable[Block], steps: str) -> Iterator[tuple[int, Block]]:
    first = 0
    for block in blocks:  # a window is a whole number of blocks
        yield (first // WINDOW if steps == "window" else 0), block
        first += len(block.rows)


def search_table(library: Library, made: Truth) -> list[str]:
    """Return the table of what the index finds, through the planner, as a user gets it."""
    backend = open_snapshot(library.index)
    searcher, rows = Searcher(backend, library.pack), row_numbers(backend)
    held = library.truth_of(stored(backend))
    lines = [
        "| mode | k | recall of the truth | recall of stored values | answers called exact |",
        "|---|---|---|---|---|",
    ]
    for mode in Mode:
        for k in KS:
            answers = [
                searcher.search(f"q{i}", k, mode=mode, moments=True)
                for i in range(len(library.queries))
            ]
            found = [rows(answer.outcome.ids) for answer in answers]
            exact = float(np.mean([answer.exact for answer in answers]))
            lines.append(
                f"| {mode} | {k} | {made[mode].recall(found, k):.4f} "
                f"| {held[mode].recall(found, k):.4f} | {exact:.1%} |"
            )
    return lines


def rounding_table(library: Library, made: Truth) -> list[str]:
    """Return the table of what rounding weights costs: float16 is what rows keep."""
    lines = [
        f"| rounding | lexicon recall@10 | @100 | loss@10 | bar {LIMIT} |",
        "|---|---|---|---|---|",
    ]
    for steps in (FLOAT16, "one", "term", "window"):
        blocks = rounded(lambda: library.workload.blocks(library.moments), library.terms, steps)
        best = library.truth_of(blocks, (Mode.LEXICON,))
        found = list(best[Mode.LEXICON].rows)
        at = [made[Mode.LEXICON].recall(found, k) for k in KS]
        verdict = "not used" if steps != FLOAT16 else "pass" if 1 - at[0] < LIMIT else "MISS"
        said = steps if steps == FLOAT16 else f"a byte, steps of each {steps}"
        lines.append(f"| {said} | {at[0]:.4f} | {at[1]:.4f} | {1 - at[0]:.4f} | {verdict} |")
    return lines


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="Recall of an index against brute force.")
    parser.add_argument("--moments", type=int, default=200_000)
    parser.add_argument("--shape", choices=SHAPES, default="topics")
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--segment", type=int, default=SEGMENT, help="moments of a segment")
    parser.add_argument("--folder", type=Path, default=Path(".bench"))
    options = parser.parse_args()
    library = Library.at(
        options.folder, options.shape, options.moments, options.queries, options.segment
    )
    made = library.truth()
    said = f"{options.moments:,} moments, shape {options.shape}, {options.queries} queries"
    lines = [said, "", *search_table(library, made), "", *rounding_table(library, made)]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
