"""The rows of one tenant of a collection, as they are stored.

A row that was read is remembered: its id is a hash of what it says, so it cannot change. It must
not know what is searched for.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from threading import Lock

import numpy as np

from unify.engine import rescore
from unify.engine.errors import IndexUnavailable
from unify.engine.milvus.collection import Collection
from unify.engine.milvus.filter import of_tenant
from unify.engine.milvus.rows import FIELDS, Row, decode
from unify.engine.types import Int64

REMEMBERED = 8_192  # rows
FETCHED = 1_024  # rows fetched by id at once


class Store:
    """Counts, lists and fetches rows."""

    def __init__(self, collection: Collection) -> None:
        self._link, self._name = collection.link, collection.name
        self._size = collection.about.settings.lexicon_size
        self._tenant = of_tenant(collection.link.place.tenant)
        self._rows: OrderedDict[int, Row] = OrderedDict()
        self._lock = Lock()  # a batch's queries run on several threads

    def where(self, asked: str | None) -> str:
        """Return the expression of the tenant's rows that meet one; all, where it is empty."""
        return f"{self._tenant} and {asked}" if asked else self._tenant

    def count(self, asked: str) -> int:
        """Return how many rows meet an expression."""
        return self._link.count(self._name, self.where(asked))

    def ids(self, asked: str | None) -> Int64:
        """Return the ids of the rows that meet an expression, ascending."""
        found = self._link.rows(self._name, self.where(asked), ["id"])
        return np.sort(np.array([row["id"] for row in found], np.int64))

    def videos(self, asked: str) -> set[int]:
        """Return the videos of the rows that meet an expression."""
        found = self._link.rows(self._name, self.where(asked), ["id", "video"])
        return {row["video"] for row in found}

    def some(self, asked: str | None, count: int) -> list[int]:
        """Return the ids of some rows that meet an expression."""
        found = self._link.read(
            "query", self._name, filter=self.where(asked), limit=count, output_fields=["id"]
        )
        return [row["id"] for row in found]

    def listed(self, asked: str) -> Iterator[Row]:
        """Yield the rows that meet an expression."""
        for found in self._link.rows(self._name, self.where(asked), FIELDS):
            yield decode(found, self._size)

    def rows(self, ids: Int64) -> list[Row]:
        """Return the rows of some ids, those not remembered from the server.

        Raises:
            IndexUnavailable: a row is gone since it was found.
            DamagedIndex: one is not what was pushed.
        """
        wanted = ids.tolist()
        with self._lock:
            known = {i: self._rows[i] for i in wanted if i in self._rows}
        missing = [i for i in dict.fromkeys(wanted) if i not in known]
        for at in range(0, len(missing), FETCHED):
            part = missing[at : at + FETCHED]
            found = self._link.read("query", self._name, ids=part, output_fields=FIELDS)
            known |= {row.id: row for row in (decode(each, self._size) for each in found)}
        if any(i not in known for i in missing):
            raise IndexUnavailable(
                f"moments of {self._link.place} went while it was read", "search again"
            )
        self._remember({i: known[i] for i in wanted})
        return [known[i] for i in wanted]

    def _remember(self, rows: dict[int, Row]) -> None:
        with self._lock:
            for i, row in rows.items():
                self._rows[i] = row
                self._rows.move_to_end(i)
            while len(self._rows) > REMEMBERED:
                self._rows.popitem(last=False)

    def forward(self, ids: Int64) -> rescore.Rows:
        """Return the weights of some rows: indptr (n + 1,), terms, weights."""
        rows = self.rows(ids)
        counts = [len(row.terms) for row in rows]
        return (
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            np.concatenate([np.zeros(0, np.uint16), *(row.terms for row in rows)]),
            np.concatenate([np.zeros(0, np.float16), *(row.weights for row in rows)]),
        )
