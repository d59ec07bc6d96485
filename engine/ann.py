"""Approximate search over the latents of one large segment: FAISS lists of short codes.

A flat search reads every vector of a segment, which costs more than 2 ms on one core from
`ANN_FROM` rows. So a segment of that size gets one more file, `ann.faiss`. Each vector is turned
onto the quarter of the axes that hold most of the segment's energy, coded with 4 bits an axis
(`IndexIVFPQFastScan`; Andre, Kermarrec, Le Scouarnec 2015, "Cache locality is not enough"), and
put in the list of its nearest centroid. A search looks at the lists nearest to the query, takes
`FETCH` times as many rows as asked for by their codes, and scores those exactly from the float16
latents. What it misses nobody knows, so it promises no bound: `exact` searches are flat.

The file lies inside the segment's folder and covers that segment alone: it is made when the
segment is written or compacted, is never stale, and goes when the segment goes. It is built from
a sample and in blocks, so that memory stays bounded, with fixed seeds, so that the same rows give
the same bytes; it is opened when an approximate search first needs it.

FAISS has no GPU version of fast-scan codes. With a GPU unfiltered searches are flat there, and so
exact: not sooner than these lists on one CPU thread where one query comes at a time (7 ms for 2
million vectors on an H200, FAISS's products with one query run at a seventh of its bandwidth), but
far sooner where many come at once (`python benchmarks/gpu.py`).

Which structure, and the numbers below: `python benchmarks/latents.py`. In 17,385 real latents the
effort finds 99.6 % of the 100 best and all of the 10 best (200 captions); in 200,000 drawn at
random with their covariance, which is harder, 94 % and 98 %, in 0.6 ms instead of 6. More effort
(9 times the square root, 800 candidates) finds 98 % and 99 % there and costs 0.4 ms more, which a
hybrid search, whose other side finds the rest, does not repay.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from unify.engine import arrays, durable, rescore
from unify.engine.latents import FlatLatents, gpu, load_faiss, map_flat, read
from unify.engine.postings import pool
from unify.engine.shared_scan import shared_topk
from unify.engine.types import Bool, Float16, Float32, Float64, Int64

ANN = "ann.faiss"
AXES = "ann_axes.npy"
ANN_FROM = 65_536  # rows of a segment
LISTS = 2.0  # times the square root of the rows
SAMPLE = 40  # rows a list that is trained on
ITERATIONS = 10
KEPT, LEAST_KEPT = 0.25, 128  # share of the axes that codes keep, and at least so many
BLOCK = 16_384  # rows added at once
SEED = 1234

PROBES = 6  # times the square root of the lists: so many are looked at, of all rows
FETCH = 2  # times as many candidates as rows asked for,
LEAST = 400  # and at least so many: what is wanted may lie deep among few
FLAT_BELOW = 0.05  # share of allowed rows; below, flat over those is sooner and exact
DEEPEST = 1 / 16  # share of a segment's rows asked for; above, flat is sooner

Scored: TypeAlias = tuple[Int64, Float32 | Float64]  # rows, and their scores


def write_ann(path: Path, vectors: Float16) -> None:
    """Write the lists of (M, D) vectors of length at most 1."""
    faiss = load_faiss()
    faiss.omp_set_num_threads(os.cpu_count() or 1)
    try:
        index, axes = _build(faiss, vectors)
    finally:
        faiss.omp_set_num_threads(1)
    arrays.save(path.with_name(AXES), axes.ravel())
    durable.write_file(
        path, lambda file: faiss.write_index(index, faiss.PyCallbackIOWriter(file.write))
    )


def _build(faiss: Any, vectors: Float16) -> tuple[Any, Float32]:
    """Return the lists of vectors, and the axes that their codes keep."""
    count, dim = vectors.shape
    lists = max(1, min(round(LISTS * math.sqrt(count)), count // SAMPLE))
    rows = np.linspace(0, count - 1, min(count, SAMPLE * lists)).astype(np.int64)
    sample = vectors[rows].astype(np.float32)
    axes = _axes(sample, _kept(dim))
    index = faiss.IndexIVFPQFastScan(
        faiss.IndexFlatIP(len(axes)), len(axes), lists, len(axes), 4, faiss.METRIC_INNER_PRODUCT
    )
    for training in (index.cp, index.pq.cp):
        training.seed, training.niter = SEED, ITERATIONS
        training.min_points_per_centroid = 1  # fewer are no fault: no warning
    index.cp.spherical = True  # the nearest centroid is that of the largest inner product
    index.train(sample @ axes.T)
    for start in range(0, count, BLOCK):
        index.add(vectors[start : start + BLOCK].astype(np.float32) @ axes.T)
    return index, axes


def _kept(dim: int) -> int:
    """Return how many of `dim` axes are kept."""
    return max(round(KEPT * dim), min(dim, LEAST_KEPT))


def _axes(sample: Float32, kept: int) -> Float32:
    """Return (kept, D) orthogonal axes that hold most of the (n, D) vectors' energy.

    Not centred: inner products with the query must stay what they are.
    """
    _, axes = np.linalg.eigh((sample.T @ sample).astype(np.float64))
    return np.ascontiguousarray(axes.T[::-1][:kept], np.float32)


class AnnLatents:
    """The lists of one segment."""

    def __init__(self, path: Path, count: int, dim: int) -> None:
        self._faiss, self._path = load_faiss(), path
        axes = arrays.load(path.with_name(AXES), "<f4")
        kept = len(axes) // dim
        self._axes: Float32 = axes[: kept * dim].reshape(kept, dim)
        self._index = read(path, "IwPf", count, kept)

    def candidates(
        self, queries: Float32, k: int, allow: Bool | None, share: float
    ) -> tuple[Int64, Float32]:
        """Return (B, k) allowed rows that may be the best, and their scores by code; -1: none.

        Args:
            queries: (B, D) float32; several share the reading of lists.
            k: how many.
            allow: (M,) bool, or None for all.
            share: of rows allowed, above 0. The best allowed rows lie the further off the fewer
                there are, so that more lists are looked at.

        Raises:
            DamagedIndex: a list names a row that there is not.
        """
        lists = self._index.nlist
        looked_at = min(lists, math.ceil(PROBES * math.sqrt(lists / share)))
        probes = self._faiss.SearchParametersIVF(nprobe=looked_at)
        if allow is not None:
            probes.sel = self._faiss.IDSelectorBitmap(np.packbits(allow, bitorder="little"))
        # Holds for the calling thread alone; one query takes longer on several.
        self._faiss.omp_set_num_threads(1 if len(queries) == 1 else os.cpu_count() or 1)
        scores, rows = self._index.search(queries @ self._axes.T, k, params=probes)
        if rows.max(initial=-1) >= self._index.ntotal:  # FAISS checks none, nor do kernels
            raise arrays.damaged(self._path, "a row is out of range")
        return rows, scores


@dataclass(frozen=True, slots=True)
class Found:
    """What one segment has for one query.

    Attributes:
        rows: (n,) int64, the best first.
        scores: (n,) float32.
        listed: whether rows came from lists: more of them than were asked for, their scores by
            code alone.
    """

    rows: Int64
    scores: Float32
    listed: bool


class SegmentLatents:
    """One segment's latents: flat, and by lists where there are any and they pay.

    Args:
        flat: the file of all vectors.
        ann: the file of the lists, or None.
        count: M.
        dim: D.
        fast: use compiled kernels.
    """

    def __init__(
        self, flat: Path, ann: Path | None, count: int, dim: int, fast: bool = False
    ) -> None:
        self._flat, self._ann, self._fast = flat, ann, fast
        self._count, self._dim = count, dim

    @cached_property
    def _exact(self) -> FlatLatents:
        return FlatLatents(self._flat, self._count, self._dim)

    @cached_property
    def _lists(self) -> AnnLatents:
        assert self._ann is not None
        return AnnLatents(self._ann, self._count, self._dim)

    @cached_property
    def _vectors(self) -> Float16:
        return map_flat(self._flat, self._count, self._dim)

    def approximates(self, allow: Bool | None) -> bool:
        """Return whether the lists pay where not too many rows are asked for."""
        if self._ann is None or (allow is None and gpu() is not None):
            return False
        return self._share(allow) >= FLAT_BELOW

    def _share(self, allow: Bool | None) -> float:
        return 1.0 if allow is None else float(np.count_nonzero(allow)) / self._count

    def fetch(self, queries: Float32, k: int, allow: Bool | None, exact: bool) -> list[Found]:
        """Return what each of (B, D) queries finds, by lists or flat; see `topk`."""
        share = self._share(allow)
        if exact or not self.approximates(allow) or k > DEEPEST * share * self._count:
            return self._flat_topk(queries, k, allow)
        rows, codes = self._lists.candidates(queries, max(FETCH * k, LEAST), allow, share)
        there = rows >= 0
        return [
            Found(own[some], scores[some], True)
            if np.count_nonzero(some) >= k
            else self._flat_topk(query[None], k, allow)[0]  # what is allowed lies far from it
            for query, own, scores, some in zip(queries, rows, codes, there, strict=True)
        ]

    def _flat_topk(self, queries: Float32, k: int, allow: Bool | None) -> list[Found]:
        if self._exact.on_gpu(k, allow):
            many = self._exact.topk_on_gpu(queries, k)
        elif len(queries) > 1:
            many = shared_topk(self._vectors, queries, k, allow, self._fast)
        else:
            many = [self._exact.topk(queries[0], k, allow)]
        return [Found(rows, scores, False) for rows, scores in many]

    def scores(self, rows: Int64, query: Float32) -> Float64:
        """Return (n,) exact scores of ascending rows."""
        return rescore.latent_scores(self._vectors, rows, query.astype(np.float64), self._fast)


def topk(
    segments: Sequence[SegmentLatents],
    queries: Float32,
    k: int,
    allows: Sequence[Bool | None],
    exact: bool,
    threads: int = 1,
) -> list[tuple[list[Scored], bool]]:
    """Return for each query every segment's best rows and their scores, and whether surely.

    Of what lists have found in all segments together, only the best by code are scored from the
    stored values: reading these in random order is the dear part. Where any segment has searched
    its lists, all scores are exact.

    Args:
        segments: S of them.
        queries: (B, D) float32; several share scans.
        k: how many, at least 1; fewer come back when fewer are allowed.
        allows: for each segment, (M,) bool, or None for all.
        exact: search flat.
        threads: that share the segments of one query; many queries use all processors.
    """

    def fetch(segment: SegmentLatents, allow: Bool | None) -> list[Found]:
        return segment.fetch(queries, k, allow, exact)

    def finish(query: Float32, found: Sequence[Found]) -> tuple[list[Scored], bool]:
        if any(part.listed for part in found):
            return _scored(segments, query, found, k), False
        return [(part.rows, part.scores) for part in found], True

    over_segments = map if threads == 1 or len(queries) > 1 else pool().map
    by_query = zip(*over_segments(fetch, segments, allows), strict=True)
    return list((map if len(queries) == 1 else pool().map)(finish, queries, by_query))


def _scored(
    segments: Sequence[SegmentLatents], query: Float32, found: Sequence[Found], k: int
) -> list[Scored]:
    """Return rows and exact scores by segment, best first."""
    codes = [part.scores for part in found if part.listed]
    most = max(FETCH * k, LEAST)
    together = np.concatenate(codes) if len(codes) > 1 else np.zeros(0, np.float32)
    least = np.partition(together, -most)[-most] if len(together) > most else -np.inf
    parts: list[Scored] = []
    for segment, part in zip(segments, found, strict=True):
        rows = np.sort(part.rows[part.scores >= least] if part.listed else part.rows)
        scores = segment.scores(rows, query)
        order = np.argsort(-scores, kind="stable")[:k]
        parts.append((rows[order], scores[order]))
    return parts
