"""Lucene as engines: through Anserini as its users call it, and its own search alone.

Weights are rounded to whole numbers. Java runs in a process of its own, which tells its time, and
is asked some thousand queries first: compiled code is several times as fast as what Java starts
with.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import lucene
import numpy as np
from engines import Collection, Engine, Found, built, disk_bytes
from library import Library

from unify.engine.fusion import Mode
from unify.engine.types import EncodedQuery


class Lucene(Engine):
    """Anserini's `SimpleImpactSearcher`; its time includes the stored ids and the way to Python."""

    name, side, package = "lucene impact", Mode.LEXICON, "anserini"
    alone: ClassVar[bool] = False
    _server: lucene.Server | None = None

    def open(self, library: Library, collection: Callable[[], Collection], folder: Path) -> None:
        """Export and index where needed, then start the process and warm it."""
        index = self._built(collection, folder)
        self._server = lucene.Server(index, self.alone)
        self._server.warm([lucene.impacts(q.terms, q.weights) for q in library.queries])

    def _built(self, collection: Callable[[], Collection], folder: Path) -> Path:
        path = built(
            folder, "lucene", "anserini",
            lambda part: lucene.build(lucene.vectors(collection().rows), part / "index"),
        )  # fmt: skip
        self.size_bytes = disk_bytes(path.rglob("*"))
        return path / "index"

    def prepare(self, query: EncodedQuery, _: str, __: int) -> dict[str, int]:
        """Round the weights."""
        return lucene.impacts(query.terms, query.weights)

    def search(self, query: dict[str, int], k: int) -> Found:
        """Ask the process."""
        assert self._server
        rows, own_ms = self._server.search(query, k)
        return Found(np.array(rows, np.int64), own_ms)

    def close(self) -> None:
        """End the process."""
        if self._server:
            self._server.close()


class LuceneAlone(Lucene):
    """`IndexSearcher.search` of the same index, up to Lucene's own row numbers: the least it takes.

    One segment that one thread wrote numbers its rows in their order.
    """

    name, alone = "lucene, search alone", True


class Pyserini(Lucene):
    """The same index through pyserini itself, as its users call it, in our process.

    Its import needs Java 21 with `jdk.incubator.vector`, and `OPENAI_API_KEY` set to anything.
    """

    name, package = "pyserini impact", "pyserini"

    def open(self, library: Library, collection: Callable[[], Collection], folder: Path) -> None:
        """Import, and open the index that the Lucene engine made."""
        from pyserini.search.lucene import LuceneImpactSearcher

        self._searcher = LuceneImpactSearcher(str(self._built(collection, folder)), self)
        asked = [lucene.impacts(q.terms, q.weights) for q in library.queries]
        lucene.warm(lambda query, k: self._searcher.search(query, k), asked)

    def encode(self, query: dict[str, int]) -> dict[str, int]:
        """Be the encoder that pyserini asks for: queries come encoded."""
        return query

    def search(self, query: dict[str, int], k: int) -> Found:
        """Search."""
        hits = self._searcher.search(query, k)
        return Found(np.array([int(hit.docid) for hit in hits], np.int64))
