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

It must not know how an engine works, only which rows it returns.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse
from synthetic import SHAPES, Block, Pack, Workload, write_index

from unify.engine.errors import UsageError
from unify.engine.fusion import Mode, affine
from unify.engine.local import LocalBackend, open_snapshot
from unify.engine.postings import WINDOW
from unify.engine.search import Searcher
from unify.engine.segment import stored as kept
from unify.engine.types import Calibration, EncodedQuery, Float32, Float64, Int64, SparseRows

KEPT = 256  # best rows remembered of a query: more than any k, ties included
TIE = 1e-6
KS = (10, 100)
LIMIT = 0.002  # recall@10 that rounding may cost
FLOAT16 = "float16"


@dataclass(frozen=True, slots=True)
class Best:
    """The best rows of n queries on one side, best first.

    Attributes:
        rows: (n, r) int64, r <= `KEPT`; a row is a moment's place in the order of writing.
        scores: (n, r) float64.
    """

    rows: Int64
    scores: Float64

    def recall(self, found: Sequence[Int64], k: int) -> float:
        """Return the mean share of the k best that was found, ties counted as right.

        Args:
            found: rows by query, best first; more than k are not looked at.
            k: at most `KEPT`.
        """
        k = min(k, self.rows.shape[1])
        last = self.scores[:, k - 1]
        right = self.scores >= (last - TIE * np.abs(last))[:, None]
        shares = [
            min(k, int(np.isin(rows[:k], best[good]).sum())) / k
            for rows, best, good in zip(found, self.rows, right, strict=True)
        ]
        return float(np.mean(shares))


Truth: TypeAlias = dict[Mode, Best]


def truth(
    blocks: Iterable[Block],
    queries: Sequence[EncodedQuery],
    calibration: Calibration,
    terms: int,
    modes: Sequence[Mode] = tuple(Mode),
) -> Truth:
    """Score every moment for every query in float64, a block at a time.

    Args:
        blocks: all moments, in order.
        queries: n of them, each with a latent.
        calibration: for the fused scores.
        terms: V.
        modes: sides to rank by.
    """
    latents = np.stack([q.latent for q in queries if q.latent is not None]).astype(np.float64)
    asked = _matrix(queries, terms)
    maps = {mode: [affine(query, calibration, mode) for query in queries] for mode in modes}
    empty = Best(np.zeros((len(queries), 0), np.int64), np.zeros((len(queries), 0)))
    best = dict.fromkeys(modes, empty)
    first = 0
    for block in blocks:
        latent = latents @ block.latents.astype(np.float64).T  # (n, m)
        lexicon = (asked @ csr(block.rows, terms).T).toarray()
        for mode in modes:
            pairs = zip(maps[mode], latent, lexicon, strict=True)
            scores = np.stack([one(lat, lex) for one, lat, lex in pairs])
            best[mode] = _merge(best[mode], scores, first)
        first += len(block.rows)
    return best


def _merge(best: Best, scores: Float64, first: int) -> Best:
    """Keep the best of what was kept and of rows `first`, `first + 1`, ..., ties to the lower."""
    new = np.broadcast_to(np.arange(first, first + scores.shape[1]), scores.shape)
    rows = np.concatenate([best.rows, new], axis=1)
    scores = np.concatenate([best.scores, scores], axis=1)
    if rows.shape[1] > KEPT:
        part = np.argpartition(-scores, KEPT, axis=1)[:, :KEPT]
        rows, scores = np.take_along_axis(rows, part, 1), np.take_along_axis(scores, part, 1)
    order = np.lexsort((rows, -scores), axis=1)
    return Best(np.take_along_axis(rows, order, 1), np.take_along_axis(scores, order, 1))


def csr(rows: SparseRows, terms: int) -> scipy.sparse.csr_array:
    """Return rows as a (M, V) float64 matrix."""
    shape = (len(rows), terms)
    columns = rows.terms.astype(np.int32)
    return scipy.sparse.csr_array((rows.weights.astype(np.float64), columns, rows.indptr), shape)


def _matrix(queries: Sequence[EncodedQuery], terms: int) -> scipy.sparse.csr_array:
    counts = [len(query.terms) for query in queries]
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    columns = np.concatenate([query.terms for query in queries])
    return csr(SparseRows(indptr, columns, np.concatenate([q.weights for q in queries])), terms)


def stored(backend: LocalBackend) -> Iterator[Block]:
    """Yield the values that an index holds, a segment at a time."""
    for segment in backend.segments:
        indptr, terms, stored = segment.forward
        weights = stored.astype(np.float32)
        rows = SparseRows(np.asarray(indptr), np.asarray(terms), weights)
        yield Block(segment.latents.astype(np.float32), rows)


def row_numbers(backend: LocalBackend) -> Callable[[Int64], Int64]:
    """Return what maps moment ids of an index to rows in the order of writing."""
    bases = np.array([segment.base for segment in backend.segments])
    counts = [len(segment) for segment in backend.segments]
    shift = np.concatenate([[0], np.cumsum(counts)[:-1]]) - bases

    def rows(ids: Int64) -> Int64:
        numbers: Int64 = ids + shift[np.searchsorted(bases, ids, side="right") - 1]
        return numbers

    return rows


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


@dataclass(frozen=True, slots=True)
class Library:
    """A workload, its queries, and the index of its first moments."""

    workload: Workload
    pack: Pack
    queries: list[EncodedQuery]
    moments: int
    index: Path

    @classmethod
    def at(
        cls, folder: Path, shape: str, moments: int, queries: int, segment: int, seed: int = 0
    ) -> Library:
        """Open the library of that shape and size under a folder; write it when it is absent."""
        workload = Workload(SHAPES[shape], seed)
        asked = workload.queries(queries)
        pack = Pack(workload, asked)
        index = folder / f"{shape}-{moments}-{pack.fingerprint[:8]}" / "index"
        if not (index / "manifest.json").exists():
            write_index(workload, pack, moments, index, segment)
        elif open_snapshot(index).manifest.moments != moments:
            raise UsageError(f"{index} is not whole", "remove that folder and run again")
        return cls(workload, pack, asked, moments, index)

    @property
    def terms(self) -> int:
        """V."""
        return self.workload.shape.terms

    def truth(self) -> Truth:
        """Return the truth over the values as they were made; kept beside the index."""
        path = self.index.with_name(f"truth-{len(self.queries)}.npz")
        if not path.exists():
            made = self.truth_of(self.workload.blocks(self.moments))
            columns: dict[str, Any] = {f"{mode}_rows": best.rows for mode, best in made.items()}
            columns |= {f"{mode}_scores": best.scores for mode, best in made.items()}
            np.savez(path, **columns)
        with np.load(path, allow_pickle=False) as kept:
            return {mode: Best(kept[f"{mode}_rows"], kept[f"{mode}_scores"]) for mode in Mode}

    def truth_of(self, blocks: Iterable[Block], modes: Sequence[Mode] = tuple(Mode)) -> Truth:
        """Return the truth over other values."""
        return truth(blocks, self.queries, self.pack.calibration, self.terms, modes)


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
    parser.add_argument("--segment", type=int, default=1 << 20, help="moments of a segment")
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
