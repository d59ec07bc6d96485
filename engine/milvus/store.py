"""The rows of one tenant of a collection, as they are stored.

A row that was read is remembered: its id is a hash of what it says, so it cannot change. It must
not know what is searched for.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from threading import Lock
from typing import Any

import numpy as np

from unify.engine import rescore
from unify.engine.errors import IndexUnavailable
from unify.engine.milvus.collection import Collection
from unify.engine.milvus.filter import of_tenant
from unify.engine.milvus.link import PAGE
from unify.engine.milvus.rows import FIELDS, Row, decode, paths_of, read_places
from unify.engine.types import Int64

REMEMBERED = 8_192  # rows
FETCHED = 1_024  # whole rows fetched at once: 70 KB each at most, mostly 5


class Store:
    """Counts, lists and fetches rows."""

    def __init__(self, collection: Collection, consistency: str = "Bounded") -> None:
        """See what a collection holds.

        Args:
            collection: whose rows.
            consistency: "Bounded" may miss what was written within the last seconds; "Strong"
                misses nothing that was acknowledged.
        """
        self._link, self._name = collection.link, collection.name
        self._size = collection.about.settings.lexicon_size
        self._tenant = of_tenant(collection.link.place.tenant)
        self._consistency = consistency
        self._rows: OrderedDict[int, Row] = OrderedDict()
        self._lock = Lock()  # a batch's queries run on several threads

    def where(self, asked: str | None) -> str:
        """Return the expression of the tenant's rows that meet one; all, where it is empty."""
        return f"{self._tenant} and {asked}" if asked else self._tenant

    def count(self, asked: str) -> int:
        """Return how many rows meet an expression."""
        return self._link.count(self._name, self.where(asked))

    def fields(self, asked: str | None, names: list[str], page: int = PAGE) -> Iterator[Any]:
        """Yield some fields of the rows that meet an expression, by ascending id."""
        return self._link.rows(self._name, self.where(asked), names, self._consistency, page)

    def ids(self, asked: str | None) -> Int64:
        """Return the ids of the rows that meet an expression, ascending."""
        return np.fromiter((row["id"] for row in self.fields(asked, ["id"])), np.int64)

    def owners(self, asked: str | None) -> Iterator[int]:
        """Yield the video of each row that meets an expression."""
        return (row["video"] for row in self.fields(asked, ["id", "video"]))

    def paths(self, asked: str) -> Iterator[tuple[int, list[tuple[str, str]]]]:
        """Yield the videos that meet an expression, with their paths as of `paths_of`."""
        for row in self.fields(f"{asked} and part == 0", ["id", "video", "places"]):
            yield row["video"], paths_of(read_places(row["places"]))

    def some(self, asked: str | None, count: int) -> list[int]:
        """Return the ids of some rows that meet an expression."""
        found = self._link.read(
            "query", self._name, filter=self.where(asked), limit=count, output_fields=["id"]
        )
        return [row["id"] for row in found]

    def listed(self, asked: str) -> Iterator[Row]:
        """Yield the rows that meet an expression."""
        for found in self.fields(asked, FIELDS, FETCHED):
            yield decode(found, self._size)

    def rows(self, ids: Int64) -> list[Row]:
        """Return the rows of some ids, those not remembered from the server.

        Raises:
            IndexUnavailable: a row is gone since it was found.
            DamagedIndex: one is not what was pushed.
        """
        wanted = ids.tolist()
        known = self._known(wanted)
        for found in self._by_id(wanted, known, FIELDS, FETCHED):
            row = decode(found, self._size)
            known[row.id] = row
        self._see_that_all_are(wanted, known)
        self._remember({i: known[i] for i in wanted})
        return [known[i] for i in wanted]

    def videos(self, ids: Int64) -> Int64:
        """Return the videos of some rows, of which no more is fetched.

        Raises:
            IndexUnavailable: a row is gone since it was found.
        """
        wanted = ids.tolist()
        known = {i: row.video for i, row in self._known(wanted).items()}
        for found in self._by_id(wanted, known, ["id", "video"], PAGE):
            known[found["id"]] = found["video"]
        self._see_that_all_are(wanted, known)
        return np.array([known[i] for i in wanted], np.int64)

    def _known(self, wanted: list[int]) -> dict[int, Row]:
        with self._lock:
            return {i: self._rows[i] for i in wanted if i in self._rows}

    def _by_id(
        self, wanted: list[int], known: dict[int, Any], names: list[str], at_once: int
    ) -> Iterator[Any]:
        missing = [i for i in dict.fromkeys(wanted) if i not in known]
        for at in range(0, len(missing), at_once):
            yield from self._link.read(
                "query", self._name, ids=missing[at : at + at_once], output_fields=names,
                consistency_level=self._consistency,
            )  # fmt: skip

    def _see_that_all_are(self, wanted: list[int], known: dict[int, Any]) -> None:
        if any(i not in known for i in wanted):
            raise IndexUnavailable(
                f"moments of {self._link.place} went while it was read", "search again"
            )

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
