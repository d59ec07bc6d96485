"""Latent vectors in FAISS: written as a float16 flat index, searched exactly.

Each segment's latents are one FAISS file. FAISS maps it (`IO_FLAG_MMAP_IFC`), so that opening
reads nothing; the rescorer maps the same bytes as a float16 matrix, so that both sides score
the very same stored values. Where FAISS sees a GPU the matrix is copied there once a process, in
float32, and searched by one thread at a time (FAISS's indexes on a GPU are not thread-safe).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

import numpy as np

from unify.engine import arrays, durable
from unify.engine.errors import DamagedIndex, MissingPackage
from unify.engine.types import Bool, Float16, Float32, Int64

WIDEN_FROM = 0.15  # share of allowed rows; above, all rows are searched for more, then filtered
WIDER = 2  # times as many as should be needed
_GPU_LARGEST_K = 2048  # FAISS's limit; deeper fetches and filters stay on the CPU
_GPU_BLOCK = 65_536  # rows copied at once
_gpu_lock = Lock()


@cache
def load_faiss() -> Any:
    """Import FAISS on first use, to run on one thread: for one query more do not pay.

    On a busy machine they even wait for each other, tens of times as long as the search takes.

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
    faiss.omp_set_num_threads(1)
    return faiss


def write_flat(path: Path, blocks: Iterable[Float16], count: int, dim: int) -> None:
    """Write float16 vectors as a flat inner-product index; values are kept bit for bit.

    FAISS would hold all of them in memory. In its format for this index type the number of
    vectors stands at byte 8, and the codes, after their length in bytes, end the file.

    Args:
        path: the file.
        blocks: (m, dim) each, `count` rows in all.
        count: M.
        dim: D.
    """
    faiss = load_faiss()
    kind = faiss.ScalarQuantizer.QT_fp16
    empty = faiss.IndexScalarQuantizer(dim, kind, faiss.METRIC_INNER_PRODUCT)
    header = bytearray(faiss.serialize_index(empty).tobytes())
    header[8:16] = count.to_bytes(8, "little")
    header[-8:] = (2 * count * dim).to_bytes(8, "little")

    def write(file: BinaryIO) -> None:
        file.write(header)
        for block in blocks:
            file.write(np.ascontiguousarray(block, "<f2").data)

    durable.write_file(path, write)


def map_flat(path: Path, count: int, dim: int) -> Float16:
    """Map the (count, dim) float16 values inside a file of `write_flat`; needs no FAISS.

    The codes are the last field of FAISS's format for this index type, so they end the file.
    """
    with arrays.reading(path):
        offset = path.stat().st_size - 2 * count * dim
    if offset < 0:
        raise DamagedIndex(
            f"{path} is too short for {count} vectors", "see all damage with: unify index verify"
        )
    with arrays.reading(path):
        return np.asarray(np.memmap(path, "<f2", "r", offset, (count, dim)))


def read(path: Path, kind: str, count: int, dim: int) -> Any:
    """Map a FAISS file.

    Args:
        path: the file.
        kind: FAISS's four letters for the type of index.
        count: vectors in it.
        dim: their dimensions.

    Raises:
        DamagedIndex: it is damaged, or holds something else.
    """
    faiss = load_faiss()
    with arrays.reading(path), path.open("rb") as file:
        head = file.read(16)
    # FAISS may crash on a file that is not what it expects, so its first fields are looked at.
    if head != struct.pack("<4siq", kind.encode(), dim, count):
        raise DamagedIndex(
            f"{path} is damaged, or of another matrix", "see all damage with: unify index verify"
        )
    try:
        return faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    except (RuntimeError, MemoryError) as error:
        with arrays.reading(path), path.open("rb"):  # no file is left for it: no damage
            pass
        what = (str(error).splitlines() or ["lengths that cannot be"])[-1]
        raise arrays.damaged(path, what) from None


@cache
def gpu() -> Any:
    """Return FAISS's resources of GPU 0, one for the process, or None where there is no GPU."""
    faiss = load_faiss()
    # `index_cpu_to_all_gpus` is no test: it is there without a GPU too.
    there = hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus() > 0
    return faiss.StandardGpuResources() if there else None


class FlatLatents:
    """Exact inner-product search over one segment's latents."""

    def __init__(self, path: Path, count: int, dim: int) -> None:
        self._faiss = load_faiss()
        self._index = read(path, "IxSQ", count, dim)
        self._gpu: Any = _gpu_flat(map_flat(path, count, dim)) if gpu() else None

    def topk(self, query: Float32, k: int, allow: Bool | None) -> tuple[Int64, Float32]:
        """Return rows and scores of the k best allowed vectors, best first.

        Args:
            query: (D,) float32.
            k: how many, at least 1; fewer come back when fewer are allowed.
            allow: (M,) bool, or None for all.
        """
        if allow is None:
            return self._search(query, k)
        allowed = int(np.count_nonzero(allow))
        k = min(k, allowed)
        if k and allowed >= WIDEN_FROM * len(allow):
            # FAISS takes some five times as long for a row under a filter.
            rows, scores = self._search(query, math.ceil(WIDER * k * len(allow) / allowed) + WIDER)
            kept = allow[rows]
            if np.count_nonzero(kept) >= k:  # whatever was not found is no better than these
                return rows[kept][:k], scores[kept][:k]
        return self._search(query, k, allow) if k else (np.zeros(0, np.int64), np.zeros(0, "f4"))

    def on_gpu(self, k: int, allow: Bool | None) -> bool:
        """Return whether the GPU holds these vectors and can look for k of them."""
        return self._gpu is not None and allow is None and k <= _GPU_LARGEST_K

    def topk_on_gpu(self, queries: Float32, k: int) -> list[tuple[Int64, Float32]]:
        """Return what `topk` does without a filter, for each of (B, D) queries."""
        with _gpu_lock:
            scores, rows = self._gpu.search(queries, min(k, self._index.ntotal))
        return list(zip(rows, scores, strict=True))

    def _search(self, query: Float32, k: int, allow: Bool | None = None) -> tuple[Int64, Float32]:
        if self.on_gpu(k, allow):
            return self.topk_on_gpu(query[None], k)[0]
        return self.topk_on_cpu(query, k, allow)

    def topk_on_cpu(
        self, query: Float32, k: int, allow: Bool | None = None
    ) -> tuple[Int64, Float32]:
        """Return what `topk` does, looking at the allowed rows alone."""
        params = None
        if allow is not None:
            selector = self._faiss.IDSelectorBitmap(np.packbits(allow, bitorder="little"))
            params = self._faiss.SearchParameters(sel=selector)
        k = min(k, self._index.ntotal)
        self._faiss.omp_set_num_threads(1)  # holds for the calling thread alone
        scores, rows = self._index.search(query.reshape(1, -1), k, params=params)
        found = rows[0] >= 0
        return rows[0][found], scores[0][found]


def _gpu_flat(vectors: Float16) -> Any:
    """Copy vectors to the GPU; None where they do not fit."""
    try:
        # In float32: with float16 FAISS rounds the query too, by more than the certificate allows.
        index = load_faiss().GpuIndexFlatIP(gpu(), vectors.shape[1])
        for start in range(0, len(vectors), _GPU_BLOCK):
            index.add(vectors[start : start + _GPU_BLOCK].astype(np.float32))
    except RuntimeError:  # out of GPU memory: the CPU has them all
        return None
    return index
