"""Seismic (https://github.com/TusKANNy/seismic): blocks of like rows with sketches; approximate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from engines import Collection, Engine, Found, built, disk_bytes
from library import Library

from unify.engine.fusion import Mode
from unify.engine.types import EncodedQuery, Float32


class Seismic(Engine):
    """Its default index, one query at a time.

    Effort that reached a recall of .99 at 200,000 moments in earlier runs. At 20,000 none does:
    its lists are pruned when they are built, to what millions of rows need.
    """

    name, side, package = "seismic", Mode.LEXICON, "pyseismic-lsr"
    query_cut: ClassVar[int] = 20
    heap_factor: ClassVar[float] = 0.8

    def open(self, _: Library, collection: Callable[[], Collection], folder: Path) -> None:
        """Load the index, or build it with all cores."""
        import seismic

        self._string = seismic.get_seismic_string()

        def make(path: Path) -> None:
            made, data = collection(), seismic.SeismicDataset()
            for i in range(len(made.rows)):
                terms, weights = made.rows.row(i)
                data.add_document(str(i), self._words(terms), weights)
            seismic.SeismicIndex.build_from_dataset(data).save(str(path / "it"))

        path = built(folder, "seismic", self.package, make)
        self._index = seismic.SeismicIndex.load(str(path / "it.index.seismic"))
        self.size_bytes = disk_bytes(path.iterdir())

    def _words(self, terms: Any) -> Any:
        return np.array([str(term) for term in terms.tolist()], dtype=self._string)

    def prepare(self, query: EncodedQuery, name: str, _: int) -> tuple[str, Any, Float32]:
        """Name the terms."""
        return name, self._words(query.terms), query.weights

    def search(self, query: tuple[str, Any, Float32], k: int) -> Found:
        """Search."""
        found = self._index.search(*query, k, self.query_cut, self.heap_factor)
        return Found(np.array([int(document) for _, _, document in found], np.int64))


class SeismicFast(Seismic):
    """The same with half the effort."""

    name = "seismic, less effort"
    query_cut, heap_factor = 10, 0.9
