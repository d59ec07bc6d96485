"""The Qdrant core, embedded (qdrant-edge): sparse index and HNSW, optimised, fused by a formula.

Values are stored in 16 bits, as ours are: in tries at 20,000 moments that was as exact as 32 bits,
and faster.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from engines import Collection, Engine, Found, built, disk_bytes
from library import Library

from unify.engine.fusion import Mode, affine
from unify.engine.types import EncodedQuery

CHUNK = 2_000  # rows given to it at once

# A shard locks its log, so both engines share one.
_shards: dict[Path, Any] = {}
_users: Counter[Path] = Counter()


class Qdrant(Engine):
    """Two prefetches and a formula over their scores, as its documentation shows hybrid search.

    A row that one prefetch alone found counts 0 on the other side, which its recall shows.
    """

    name, side, package = "qdrant-edge hybrid", Mode.FUSED, "qdrant-edge-py"
    _path: Path | None = None

    def open(self, library: Library, collection: Callable[[], Collection], folder: Path) -> None:
        """Load the shard, or fill and optimise it.

        Raises:
            RuntimeError: it does not hold all moments.
        """
        import qdrant_edge as q

        self._calibration = library.pack.calibration
        path = built(folder, "qdrant", self.package, lambda part: _fill(part, collection()))
        if path not in _shards:
            _shards[path] = q.EdgeShard.load(str(path / "shard"))
        self._path, self._shard = path, _shards[path]
        _users[path] += 1
        held = self._shard.count(q.CountRequest(exact=True))
        if held != library.moments:
            raise RuntimeError(f"{path} holds {held} of {library.moments} moments")
        self.size_bytes = disk_bytes(path.rglob("*"))

    def prepare(self, query: EncodedQuery, _: str, k: int) -> Any:
        """Make a request with our affine map as its formula."""
        import qdrant_edge as q

        one = affine(query, self._calibration)
        scales = {"$score[0]": one.latent_scale, "$score[1]": one.lexicon_scale}
        parts = [
            q.Expression.Mult([q.Expression.Constant(scale), q.Expression.Variable(name)])
            for name, scale in scales.items()
        ]
        return q.QueryRequest(
            limit=k,
            query=q.Formula(q.Expression.Sum(parts), dict.fromkeys(scales, 0.0)),
            prefetches=self._prefetches(query, max(100, 5 * k)),
        )

    def _prefetches(self, query: EncodedQuery, depth: int) -> list[Any]:
        import qdrant_edge as q

        return [q.Prefetch(limit=depth, query=side) for side in _sides(query)]

    def search(self, request: Any, _: int) -> Found:
        """Search."""
        return Found(np.array([point.id for point in self._shard.query(request)], np.int64))

    def close(self) -> None:
        """Release the shard, unless the other engine still uses it."""
        path, self._path = self._path, None
        if path:
            _users[path] -= 1
            if not _users[path]:
                _shards.pop(path).close()


class QdrantRescored(Qdrant):
    """The same, with what either side found scored on both sides before the formula: as we do."""

    name = "qdrant-edge hybrid, rescored"

    def _prefetches(self, query: EncodedQuery, depth: int) -> list[Any]:
        import qdrant_edge as q

        found = super()._prefetches(query, depth)
        return [q.Prefetch(limit=2 * depth, query=side, prefetches=found) for side in _sides(query)]


def _sides(query: EncodedQuery) -> list[Any]:
    import qdrant_edge as q

    assert query.latent is not None
    sparse = q.SparseVector(query.terms.tolist(), query.weights.tolist())
    return [
        q.Query.Nearest(query.latent.tolist(), "latent"),
        q.Query.Nearest(sparse, "lexicon"),
    ]


def _fill(folder: Path, made: Collection) -> None:
    import qdrant_edge as q

    half = q.VectorStorageDatatype.Float16
    config = q.EdgeConfig(
        vectors={
            "latent": q.EdgeVectorParams(made.latents.shape[1], q.Distance.Dot, datatype=half)
        },
        sparse_vectors={"lexicon": q.EdgeSparseVectorParams(datatype=half)},
        max_search_threads=1,
    )
    path = folder / "shard"
    path.mkdir()
    shard = q.EdgeShard.create(str(path), config)
    for first in range(0, len(made.rows), CHUNK):
        numbers = range(first, min(first + CHUNK, len(made.rows)))
        points = [q.Point(i, _vectors(made, i)) for i in numbers]
        shard.update(q.UpdateOperation.upsert_points(points))
    shard.optimize()
    shard.flush()
    shard.close()


def _vectors(made: Collection, i: int) -> dict[str, Any]:
    import qdrant_edge as q

    terms, weights = made.rows.row(i)
    sparse = q.SparseVector(terms.tolist(), weights.tolist())
    return {"latent": made.latents[i].tolist(), "lexicon": sparse}
