"""Latent vectors in FAISS: written as a float16 flat index, searched exactly.

Each segment's latents are one FAISS file. FAISS maps it (`IO_FLAG_MMAP_IFC`), so that opening
reads nothing; the rescorer maps the same bytes as a float16 matrix, so that both sides score
the very same stored values. Where FAISS sees a GPU the matrix is copied there once a process.

The GPU path (`_gpu_flat`) is written from FAISS's documentation and has not yet run on a GPU.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from unify.engine import durable
from unify.engine.errors import DamagedIndex, MissingPackage
from unify.engine.types import Bool, Float16, Float32, Int64

_GPU_LARGEST_K = 2048  # FAISS's limit; deeper fetches and filters stay on the CPU


def load_faiss() -> Any:
    """Import FAISS on first use.

    Raises:
        MissingPackage: neither faiss-cpu nor faiss-gpu is installed.
    """
    try:
        import faiss
    except ImportError:
        raise MissingPackage(
            "FAISS is not installed",
            "install one of: pip install 'unify-search[cpu]' or pip install 'unify-search[gpu]'",
        ) from None
    return faiss


def write_flat(path: Path, vectors: Float16) -> None:
    """Write (M, D) float16 vectors as a flat inner-product index; values are kept bit for bit."""
    faiss = load_faiss()
    count, dim = vectors.shape
    quantizer = faiss.ScalarQuantizer
    index = faiss.IndexScalarQuantizer(dim, quantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    index.add_sa_codes(np.ascontiguousarray(vectors).view(np.uint8).reshape(count, 2 * dim))
    durable.write_file(
        path, lambda file: faiss.write_index(index, faiss.PyCallbackIOWriter(file.write))
    )


def map_flat(path: Path, count: int, dim: int) -> Float16:
    """Map the (count, dim) float16 values inside a file of `write_flat`; needs no FAISS.

    The codes are the last field of FAISS's format for this index type, so they end the file.
    """
    offset = path.stat().st_size - 2 * count * dim
    if offset < 0:
        raise DamagedIndex(f"{path} is too short for {count} vectors", "run: unify index verify")
    return np.memmap(path, dtype="<f2", mode="r", offset=offset, shape=(count, dim))


class FlatLatents:
    """Exact inner-product search over one segment's latents."""

    def __init__(self, path: Path, count: int, dim: int) -> None:
        faiss = load_faiss()
        self._faiss = faiss
        self._gpu: Any = None
        if hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus() > 0:
            self._gpu = _gpu_flat(faiss, map_flat(path, count, dim))
        try:
            self._index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        except RuntimeError as error:
            raise DamagedIndex(
                f"{path} is damaged ({str(error).splitlines()[-1]})", "run: unify index verify"
            ) from None
        if (self._index.ntotal, self._index.d) != (count, dim):
            raise DamagedIndex(f"{path} holds another matrix", "run: unify index verify")

    def topk(self, query: Float32, k: int, allow: Bool | None) -> tuple[Int64, Float32]:
        """Return rows and scores of the k best allowed vectors, best first.

        Args:
            query: (D,) float32.
            k: how many, at least 1; fewer come back when fewer are allowed.
            allow: (M,) bool, or None for all.
        """
        faiss = self._faiss
        params = None
        if allow is not None:
            selector = faiss.IDSelectorBitmap(np.packbits(allow, bitorder="little"))
            params = faiss.SearchParameters(sel=selector)
        k = min(k, self._index.ntotal)
        fits = self._gpu is not None and allow is None and k <= _GPU_LARGEST_K
        index = self._gpu if fits else self._index
        scores, rows = index.search(query.reshape(1, -1), k, params=params)
        found = rows[0] >= 0
        return rows[0][found], scores[0][found]


def _gpu_flat(faiss: Any, vectors: Float16) -> Any:
    """Copy vectors to GPU 0. Not yet run on a GPU."""
    # In float32: with float16 FAISS rounds the query too, by more than the certificate allows.
    index = faiss.GpuIndexFlatIP(faiss.StandardGpuResources(), vectors.shape[1])
    index.add(np.ascontiguousarray(vectors, dtype=np.float32))
    return index
