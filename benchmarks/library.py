"""A synthetic library on disk: the index, the queries, the truth, each made once and kept.

It must not know what is measured on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from synthetic import Pack, write_index
from truth import Best, Truth, truth
from workload import SHAPES, Block, Workload

from unify.engine.errors import UsageError
from unify.engine.fusion import Mode
from unify.engine.local import LocalBackend, open_snapshot
from unify.engine.manifest import FORMAT
from unify.engine.types import EncodedQuery, Int64, SparseRows


@dataclass(frozen=True, slots=True)
class Library:
    """A workload, its queries, and the index of its first moments.

    Attributes:
        folder: under which it lies.
        workload: all values.
        pack: that knows the queries by name.
        queries: by number.
        moments: in the index.
        segment: moments of a segment at most.
        index: the index directory.
    """

    folder: Path
    workload: Workload
    pack: Pack
    queries: list[EncodedQuery]
    moments: int
    segment: int
    index: Path

    @classmethod
    def at(
        cls, folder: Path, shape: str, moments: int, queries: int, segment: int, seed: int = 0
    ) -> Library:
        """Open the library of that shape and size under a folder; write it when it is absent.

        Indexes of another format or with other segments lie beside each other.

        Raises:
            UsageError: it was not written to its end.
        """
        workload = Workload(SHAPES[shape], seed)
        asked = workload.queries(queries)
        pack = Pack(workload, asked)
        cut = f"-{segment}" if segment < moments else ""
        index = folder / f"{shape}-{moments}-{pack.fingerprint[:8]}" / f"index-{FORMAT}{cut}"
        if not (index / "manifest.json").exists():
            write_index(workload, pack, moments, index, segment)
        elif open_snapshot(index).manifest.moments != moments:
            raise UsageError(f"{index} is not whole", "remove that folder and run again")
        return cls(folder, workload, pack, asked, moments, segment, index)

    @property
    def shape(self) -> str:
        """The name of the workload's shape."""
        return self.workload.shape.name

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
            part = path.with_suffix(".tmp.npz")
            np.savez(part, **columns)
            part.replace(path)
        with np.load(path, allow_pickle=False) as kept:
            return {mode: Best(kept[f"{mode}_rows"], kept[f"{mode}_scores"]) for mode in Mode}

    def truth_of(self, blocks: Iterable[Block], modes: Sequence[Mode] = tuple(Mode)) -> Truth:
        """Return the truth over other values."""
        return truth(blocks, self.queries, self.pack.calibration, self.terms, modes)


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
