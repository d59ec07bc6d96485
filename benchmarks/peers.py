"""The engines that we are compared with, each behind one small adapter.

Every engine gets one thread where it can be told so, and the values as they are: those that take
whole numbers alone get them rounded, and lose by it. Hybrid engines fetch max(100, 5k) rows from
each side, as we do, and fuse by our own map: they have a weighted sum of raw scores, so they are
asked for the very same ranking. (Where a row was fetched by one side only they miss its other
score; that is theirs.)
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import lucene
import numpy as np
import scipy.sparse
from engines import Collection, Engine, Found, disk_bytes
from recall import Library, csr

from unify.engine.fusion import Mode, affine
from unify.engine.latents import load_faiss
from unify.engine.types import EncodedQuery, Float32

CHUNK = 2_000  # rows given to a database at once


class Scipy:
    """A sparse matrix product over inverted lists, then a partition of what matched."""

    name, side, package = "scipy", Mode.LEXICON, "scipy"

    def open(self, _: Library, collection: Callable[[], Collection], __: Path) -> None:
        """Invert the rows."""
        made = collection()
        self._terms = made.terms
        self._lists = csr(made.rows, made.terms).astype(np.float32).T.tocsr()  # (V, M)
        lists = self._lists
        self.size_bytes = lists.data.nbytes + lists.indices.nbytes + lists.indptr.nbytes

    def prepare(self, query: EncodedQuery, _: str, __: int) -> scipy.sparse.csr_array:
        """Make a matrix of one row."""
        indptr = np.array([0, len(query.terms)])
        columns = query.terms.astype(np.int32)
        return scipy.sparse.csr_array((query.weights, columns, indptr), (1, self._terms))

    def search(self, query: scipy.sparse.csr_array, k: int) -> Found:
        """Multiply and select."""
        product = query @ self._lists
        rows, scores = product.indices, product.data
        if len(scores) > k:
            part = np.argpartition(-scores, k)[:k]
            rows, scores = rows[part], scores[part]
        return Found(rows[np.argsort(-scores, kind="stable")].astype(np.int64))


class Faiss:
    """A flat index of the same float16 values, called directly."""

    name, side, package = "faiss flat fp16", Mode.LATENT, "faiss-cpu"

    def open(self, _: Library, collection: Callable[[], Collection], __: Path) -> None:
        """Add all vectors."""
        faiss, latents = load_faiss(), collection().latents
        kind = faiss.ScalarQuantizer.QT_fp16
        self._index = faiss.IndexScalarQuantizer(latents.shape[1], kind, faiss.METRIC_INNER_PRODUCT)
        self._index.add(latents)
        self.size_bytes = latents.size * 2

    def prepare(self, query: EncodedQuery, _: str, __: int) -> Float32:
        """Make a matrix of one row."""
        assert query.latent is not None
        return query.latent[None]

    def search(self, latent: Float32, k: int) -> Found:
        """Search."""
        return Found(self._index.search(latent, k)[1][0])


class Seismic:
    """Seismic (https://github.com/TusKANNy/seismic), its default index; approximate.

    The parameters are those that reached a recall of .99 on this workload in earlier runs.
    """

    name, side, package = "seismic", Mode.LEXICON, "pyseismic-lsr"
    query_cut: ClassVar[int] = 20
    heap_factor: ClassVar[float] = 0.8

    def open(self, _: Library, collection: Callable[[], Collection], folder: Path) -> None:
        """Load the index, or build it with all cores."""
        import seismic

        path = folder / "seismic.index.seismic"
        self._string = seismic.get_seismic_string()
        if not path.exists():
            made, data = collection(), seismic.SeismicDataset()
            for i in range(len(made.rows)):
                terms, weights = made.rows.row(i)
                data.add_document(str(i), self._words(terms), weights)
            seismic.SeismicIndex.build_from_dataset(data).save(str(folder / "seismic"))
        self._index = seismic.SeismicIndex.load(str(path))
        self.size_bytes = disk_bytes([path])

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


class Lucene:
    """Impact search of Anserini in a process of its own, which tells its time; whole numbers."""

    name, side, package = "lucene impact", Mode.LEXICON, "anserini"

    def open(self, _: Library, collection: Callable[[], Collection], folder: Path) -> None:
        """Export and index where needed, then start the process."""
        index = self._built(collection, folder)
        self._server = lucene.Server(index)
        self.size_bytes = disk_bytes(index.rglob("*"))

    def _built(self, collection: Callable[[], Collection], folder: Path) -> Path:
        index = folder / "lucene"
        if not index.exists():
            lucene.build(lucene.vectors(collection().rows), index)
        return index

    def prepare(self, query: EncodedQuery, _: str, __: int) -> dict[str, int]:
        """Round the weights."""
        return lucene.impacts(query.terms, query.weights)

    def search(self, query: dict[str, int], k: int) -> Found:
        """Ask the process."""
        rows, own_ms = self._server.search(query, k)
        return Found(np.array(rows, np.int64), own_ms)


class Pyserini(Lucene):
    """The same index through pyserini itself, as its users call it, in our process.

    Its import needs Java 21 with `jdk.incubator.vector`, and `OPENAI_API_KEY` set to anything.
    """

    name, package = "pyserini impact", "pyserini"

    def open(self, _: Library, collection: Callable[[], Collection], folder: Path) -> None:
        """Import, and open the index that the Lucene engine made."""
        from pyserini.search.lucene import LuceneImpactSearcher

        index = self._built(collection, folder)
        self._searcher = LuceneImpactSearcher(str(index), self)
        self.size_bytes = disk_bytes(index.rglob("*"))

    def encode(self, query: dict[str, int]) -> dict[str, int]:
        """Be the encoder that pyserini asks for: queries come encoded."""
        return query

    def search(self, query: dict[str, int], k: int) -> Found:
        """Search."""
        hits = self._searcher.search(query, k)
        return Found(np.array([int(hit.docid) for hit in hits], np.int64))


class Pisa:
    """PISA's MaxScore (https://github.com/pisa-engine/pisa) through PyTerrier; whole numbers.

    PyTerrier's own overhead, a pandas frame a query, is in its time.
    """

    name, side, package = "pisa maxscore", Mode.LEXICON, "pyterrier-pisa"

    def open(self, _: Library, collection: Callable[[], Collection], folder: Path) -> None:
        """Index the rounded weights as tokens and frequencies, scored by frequency alone."""
        import pyterrier_pisa

        path = folder / "pisa"
        self._index = pyterrier_pisa.PisaIndex(str(path), stemmer="none", stops="none", threads=1)
        if not self._index.built():
            made = collection()
            self._index.toks_indexer(scale=1.0).index(
                {"docno": name, "toks": impacts} for name, impacts in lucene.vectors(made.rows)
            )
        self._pipes: dict[int, Any] = {}
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
        """Run the pipeline."""
        return Found(self._pipes[k](query)["docno"].to_numpy().astype(np.int64))


class Qdrant:
    """The Qdrant core, embedded: sparse index and HNSW, optimised, fused by a formula."""

    name, side, package = "qdrant-edge hybrid", Mode.FUSED, "qdrant-edge-py"

    def open(self, _: Library, collection: Callable[[], Collection], folder: Path) -> None:
        """Load the shard, or fill and optimise it."""
        import qdrant_edge as q

        path, made = folder / "qdrant", collection()
        self._calibration = made.calibration
        if path.exists():
            self._shard = q.EdgeShard.load(str(path))
        else:
            path.mkdir(parents=True)
            width = made.latents.shape[1]
            config = q.EdgeConfig(
                vectors={"latent": q.EdgeVectorParams(width, q.Distance.Dot)},
                sparse_vectors={"lexicon": q.EdgeSparseVectorParams()},
                max_search_threads=1,
            )
            self._shard = q.EdgeShard.create(str(path), config)
            for first in range(0, len(made.rows), CHUNK):
                numbers = range(first, min(first + CHUNK, len(made.rows)))
                points = [q.Point(i, self._vectors(made, i)) for i in numbers]
                self._shard.update(q.UpdateOperation.upsert_points(points))
            self._shard.optimize()
            self._shard.flush()
        self.size_bytes = disk_bytes(path.rglob("*"))

    def _vectors(self, made: Collection, i: int) -> dict[str, Any]:
        import qdrant_edge as q

        terms, weights = made.rows.row(i)
        sparse = q.SparseVector(terms.tolist(), weights.tolist())
        return {"latent": made.latents[i].tolist(), "lexicon": sparse}

    def prepare(self, query: EncodedQuery, _: str, k: int) -> Any:
        """Make a request: two prefetches and our affine map over their scores."""
        import qdrant_edge as q

        assert query.latent is not None
        one, depth = affine(query, self._calibration), max(100, 5 * k)
        sparse = q.SparseVector(query.terms.tolist(), query.weights.tolist())
        scales = {"$score[0]": one.latent_scale, "$score[1]": one.lexicon_scale}
        parts = [
            q.Expression.Mult([q.Expression.Constant(scale), q.Expression.Variable(name)])
            for name, scale in scales.items()
        ]
        return q.QueryRequest(
            limit=k,
            query=q.Formula(q.Expression.Sum(parts), dict.fromkeys(scales, 0.0)),
            prefetches=[
                q.Prefetch(limit=depth, query=q.Query.Nearest(query.latent.tolist(), "latent")),
                q.Prefetch(limit=depth, query=q.Query.Nearest(sparse, "lexicon")),
            ],
        )

    def search(self, request: Any, _: int) -> Found:
        """Search."""
        return Found(np.array([point.id for point in self._shard.query(request)], np.int64))


class Milvus:
    """Milvus Lite through its client: a stand-in for a cluster more than an engine."""

    name, side, package = "milvus-lite hybrid", Mode.FUSED, "milvus-lite"

    def open(self, _: Library, collection: Callable[[], Collection], folder: Path) -> None:
        """Open the database, or fill it and build its two indexes."""
        import pymilvus as p

        path, made = folder / "milvus.db", collection()
        self._calibration = made.calibration
        self._client = p.MilvusClient(str(path))
        if not self._client.has_collection("moments"):
            schema = p.MilvusClient.create_schema(auto_id=False)
            schema.add_field("id", p.DataType.INT64, is_primary=True)
            schema.add_field("latent", p.DataType.FLOAT_VECTOR, dim=made.latents.shape[1])
            schema.add_field("lexicon", p.DataType.SPARSE_FLOAT_VECTOR)
            indexes = p.MilvusClient.prepare_index_params()
            indexes.add_index("latent", index_type="HNSW", metric_type="IP")
            indexes.add_index("lexicon", index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
            self._client.create_collection("moments", schema=schema, index_params=indexes)
            for first in range(0, len(made.rows), CHUNK):
                numbers = range(first, min(first + CHUNK, len(made.rows)))
                self._client.insert("moments", [self._row(made, i) for i in numbers])
        self._client.load_collection("moments")
        self.size_bytes = disk_bytes([path, *path.rglob("*")])

    def _row(self, made: Collection, i: int) -> dict[str, Any]:
        terms, weights = made.rows.row(i)
        sparse = dict(zip(terms.tolist(), weights.tolist(), strict=True))
        return {"id": i, "latent": made.latents[i], "lexicon": sparse}

    def prepare(self, query: EncodedQuery, _: str, k: int) -> dict[str, Any]:
        """Make two requests and a ranker: a weighted sum of raw scores, weights at most 1."""
        import pymilvus as p

        one, depth = affine(query, self._calibration), max(100, 5 * k)
        scales = np.array([one.latent_scale, one.lexicon_scale]) / max(
            one.latent_scale, one.lexicon_scale
        )
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
        (hits,) = self._client.hybrid_search("moments", **request, limit=k)
        return Found(np.array([hit["id"] for hit in hits], np.int64))


PEERS: dict[str, type[Engine]] = {
    "scipy": Scipy,
    "faiss": Faiss,
    "lucene": Lucene,
    "pyserini": Pyserini,
    "seismic": Seismic,
    "seismic-fast": SeismicFast,
    "pisa": Pisa,
    "qdrant": Qdrant,
    "milvus": Milvus,
}
