"""PISA (https://github.com/pisa-engine/pisa) through PyTerrier; whole numbers, exact over them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lucene
import numpy as np
from engines import Collection, Engine, Found, built, disk_bytes
from library import Library

from unify.engine.fusion import Mode
from unify.engine.types import EncodedQuery


class Pisa(Engine):
    """MaxScore on one thread; timed is the call into PISA, without PyTerrier's frames."""

    name, side, package = "pisa maxscore", Mode.LEXICON, "pyterrier-pisa"

    def open(self, library: Library, collection: Callable[[], Collection], folder: Path) -> None:
        """Index the rounded weights as tokens and frequencies, scored by frequency alone."""
        import pyterrier_pisa

        def index_of(path: Path) -> Any:
            return pyterrier_pisa.PisaIndex(str(path), stemmer="none", stops="none", threads=1)

        def make(path: Path) -> None:
            vectors = lucene.vectors(collection().rows)
            index_of(path / "index").toks_indexer(scale=1.0).index(
                {"docno": name, "toks": impacts} for name, impacts in vectors
            )

        path = built(folder, "pisa", self.package, make)
        self._index = index_of(path / "index")
        self._module = pyterrier_pisa._pisathon
        self._pipes: dict[int, Any] = {}
        self.search(self.prepare(library.queries[0], "q0", 10), 10)  # writes the last of its files
        self.size_bytes = disk_bytes(path.rglob("*"))

    def prepare(self, query: EncodedQuery, name: str, k: int) -> Any:
        """Make a frame of one row."""
        import pandas

        if k not in self._pipes:
            pipe = self._index.quantized(num_results=k, threads=1, query_algorithm="maxscore")
            self._pipes[k] = pipe
        toks = lucene.impacts(query.terms, query.weights)
        return pandas.DataFrame([{"qid": name, "query": "", "query_toks": toks}])

    def search(self, query: Any, k: int) -> Found:
        """Run the pipeline, a clock around the one call that searches."""
        module, native, own_ms = self._module, self._module.retrieve, 0.0

        def timed(*given: Any, **named: Any) -> Any:
            nonlocal own_ms
            started = time.perf_counter()
            found = native(*given, **named)
            own_ms = 1000 * (time.perf_counter() - started)
            return found

        module.retrieve = timed
        try:
            rows = self._pipes[k](query)["docno"].to_numpy().astype(np.int64)
        finally:
            module.retrieve = native
        return Found(rows, own_ms)
