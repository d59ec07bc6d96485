"""Milvus Lite through its client: a stand-in for a cluster more than an engine.

It is written in Python and serves gRPC from threads of our process: its time is the client's, and
it is timed by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from engines import Collection, Engine, Found, built, disk_bytes
from library import Library

from unify.engine.fusion import Mode, affine
from unify.engine.types import EncodedQuery

CHUNK = 2_000  # rows given to it at once
NAME = "moments"


class Milvus(Engine):
    """HNSW and a sparse inverted index, both flushed and loaded, `WeightedRanker` on raw scores."""

    name, side, package = "milvus-lite hybrid", Mode.FUSED, "milvus-lite"
    apart = True
    _client: Any = None

    def open(self, library: Library, collection: Callable[[], Collection], folder: Path) -> None:
        """Open the database, or fill it.

        Raises:
            RuntimeError: it does not hold all moments.
        """
        import pymilvus as p

        self._calibration = library.pack.calibration
        path = built(folder, "milvus", self.package, lambda part: _fill(part, collection()))
        self._path = path / "milvus.db"
        self._client = p.MilvusClient(str(self._path))
        self._client.load_collection(NAME)
        held = int(self._client.get_collection_stats(NAME)["row_count"])
        if held != library.moments:
            raise RuntimeError(f"{path} holds {held} of {library.moments} moments")
        self.size_bytes = disk_bytes(path.rglob("*"))

    def prepare(self, query: EncodedQuery, _: str, k: int) -> dict[str, Any]:
        """Make two requests and a ranker: a weighted sum of raw scores, weights at most 1."""
        import pymilvus as p

        one, depth = affine(query, self._calibration), max(100, 5 * k)
        scales = np.array([one.latent_scale, one.lexicon_scale])
        scales /= scales.max()
        sparse = dict(zip(query.terms.tolist(), query.weights.tolist(), strict=True))
        sides = (("latent", query.latent), ("lexicon", sparse))
        return {
            "reqs": [
                p.AnnSearchRequest([data], name, {"metric_type": "IP"}, limit=depth)
                for name, data in sides
            ],
            "ranker": p.WeightedRanker(*scales.tolist(), norm_score=False),
        }

    def search(self, request: dict[str, Any], k: int) -> Found:
        """Search."""
        (hits,) = self._client.hybrid_search(NAME, **request, limit=k)
        return Found(np.array([hit["id"] for hit in hits], np.int64))

    def close(self) -> None:
        """End the client and the server behind it."""
        if self._client:
            _end(self._client, self._path)


def _fill(folder: Path, made: Collection) -> None:
    import pymilvus as p

    path = folder / "milvus.db"
    client = p.MilvusClient(str(path))
    schema = p.MilvusClient.create_schema(auto_id=False)
    schema.add_field("id", p.DataType.INT64, is_primary=True)
    schema.add_field("latent", p.DataType.FLOAT_VECTOR, dim=made.latents.shape[1])
    schema.add_field("lexicon", p.DataType.SPARSE_FLOAT_VECTOR)
    indexes = p.MilvusClient.prepare_index_params()
    indexes.add_index("latent", index_type="HNSW", metric_type="IP")
    indexes.add_index("lexicon", index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
    client.create_collection(NAME, schema=schema, index_params=indexes)
    for first in range(0, len(made.rows), CHUNK):
        numbers = range(first, min(first + CHUNK, len(made.rows)))
        client.insert(NAME, [_row(made, i) for i in numbers])
    client.flush(NAME)  # rows in memory are scanned, not looked up in an index
    _end(client, path)


def _row(made: Collection, i: int) -> dict[str, Any]:
    terms, weights = made.rows.row(i)
    sparse = dict(zip(terms.tolist(), weights.tolist(), strict=True))
    return {"id": i, "latent": made.latents[i], "lexicon": sparse}


def _end(client: Any, path: Path) -> None:
    from milvus_lite.server_manager import server_manager_instance

    client.close()
    server_manager_instance.release_server(str(path))
