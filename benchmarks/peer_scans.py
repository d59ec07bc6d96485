"""Plain scans as engines: the least that any index has to beat."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.sparse
from engines import Collection, Engine, Found
from library import Library
from truth import csr

from unify.engine.fusion import Mode
from unify.engine.latents import load_faiss
from unify.engine.types import EncodedQuery, Float32


class Scipy(Engine):
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


class Faiss(Engine):
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
