"""Which FAISS structure finds latents soonest, at which recall, size and build time.

    python benchmarks/latents.py [--sizes N ...] [--real FOLDER ...] [--keep FILE] [--only NAME ...]

Protocol: every structure returns `fetch` times as many candidates as are wanted by its own codes;
these are scored exactly from the float16 latents, as a search does, and the best kept. Recall is
the share of the exact 10 and 100 best (float16 values, summed in float32) that are among them.
`effort` is the share of the lists that is looked at, or the breadth of a graph search. p50 is one
query of the best 100 at a time, rescoring included, on one thread, warm. `build` is in seconds of
processor time on one thread; structures with lists share one clustering, counted in each. `bytes`
are a moment's. Three kinds of latents, D = 512 or the pack's:

    synthetic   the moments and queries of `benchmarks/synthetic.py`, shape `topics`
    real        a pack's latents of single pictures of data sets; queries are captions of theirs
    normal      as many as wanted, drawn at random with mean and covariance of the real ones, asked
                for by the same captions: less clustered than real ones, so harder

Encoding the pictures takes minutes: --keep writes them to an .npz file, and reads it if there.
The inner products that are searched for are exact to float32 sums; ties in them do not happen.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from latent_sets import BLOCK, SEED, Latents, normal, real, synthetic
from timing import on_one_thread

from unify.engine.latents import load_faiss

faiss = load_faiss()

BEST = 100
PER_LIST = 40  # vectors that lists are trained on
IP = faiss.METRIC_INNER_PRODUCT
HEADER = (
    "| latents | structure | build s | bytes | effort | fetch | p50 ms | recall@10 | recall@100 |"
)


class Lists:
    """The clustering and the axes of most energy that structures with lists share."""

    def __init__(self, vectors: np.ndarray) -> None:
        self.count = round(2 * np.sqrt(len(vectors)))
        started = time.process_time()
        rng = np.random.default_rng(SEED)
        chosen = np.sort(rng.permutation(len(vectors))[: PER_LIST * self.count])
        self.sample = vectors[chosen].astype(np.float32)
        clusters = faiss.Kmeans(
            vectors.shape[1], self.count, niter=10, seed=SEED, spherical=True,
            min_points_per_centroid=1, max_points_per_centroid=PER_LIST,
        )  # fmt: skip
        clusters.train(self.sample)
        self.centroids = clusters.centroids
        _, axes = np.linalg.eigh((self.sample.T @ self.sample).astype(np.float64))
        self.axes = axes.T[::-1].astype(np.float32)  # (D, D), that of the most energy first
        self.build_s = time.process_time() - started


Make = Callable[[int, Lists], Any]
Coded = Callable[[Any, int, int], Any]  # of a quantizer, dimensions and a number of lists
Efforts = Sequence[tuple[float, int]]  # effort, and times as many candidates fetched


def ivf(coded: Coded) -> Make:
    """Return how to make a structure with lists."""

    def build(dim: int, lists: Lists) -> Any:
        quantizer = faiss.IndexFlatIP(dim)
        quantizer.add(lists.centroids)
        index = coded(quantizer, dim, lists.count)
        index.train(lists.sample)
        return index

    return build


def turned(coded: Coded, mixed: bool) -> Make:
    """Return how to make lists of the quarter of the axes of most energy, mixed among themselves.

    Mixing gives every axis the same energy: for codes that group axes.
    """

    def build(dim: int, lists: Lists) -> Any:
        axes = lists.axes[: dim // 4]
        if mixed:
            drawn = np.random.default_rng(SEED).standard_normal((len(axes), len(axes)))
            axes = np.linalg.qr(drawn)[0].astype(np.float32) @ axes
        turn = faiss.LinearTransform(dim, len(axes), False)
        faiss.copy_array_to_vector(np.ascontiguousarray(axes).ravel(), turn.A)
        turn.is_trained = True
        quantizer = faiss.IndexFlatIP(len(axes))
        quantizer.add(np.ascontiguousarray(lists.centroids @ axes.T))
        index = faiss.IndexPreTransform(turn, coded(quantizer, len(axes), lists.count))
        index.train(lists.sample)
        return index

    return build


def hnsw(dim: int, lists: Lists) -> Any:
    """Make a graph over float16 vectors."""
    index = faiss.IndexHNSWSQ(dim, faiss.ScalarQuantizer.QT_fp16, 32, IP)
    index.hnsw.efConstruction = 80
    index.train(lists.sample[:1])
    return index


def pq(bits_a_dim: float) -> Coded:
    """Return how to make product codes of 4 bits."""
    return lambda quantizer, dim, lists: faiss.IndexIVFPQFastScan(
        quantizer, dim, lists, int(dim * bits_a_dim / 4), 4, IP
    )


def sq8(quantizer: Any, dim: int, lists: int) -> Any:
    """Make scalar codes of 8 bits."""
    return faiss.IndexIVFScalarQuantizer(
        quantizer, dim, lists, faiss.ScalarQuantizer.QT_8bit, IP, True
    )


def rabitq(quantizer: Any, dim: int, lists: int) -> Any:
    """Make RaBitQ codes of 1 bit."""
    return faiss.IndexIVFRaBitQFastScan(quantizer, dim, lists, IP)


def efforts(*fetches: int) -> Efforts:
    """Combine what is looked at with what is fetched."""
    return [(share, fetch) for share in (1 / 16, 1 / 8, 1 / 4, 1 / 2) for fetch in fetches]


STRUCTURES: dict[str, tuple[Make, Efforts]] = {
    "Flat fp16": (
        lambda dim, _: faiss.IndexScalarQuantizer(dim, faiss.ScalarQuantizer.QT_fp16, IP),
        [(0, 1)],
    ),
    "IVF PQ fs, D/4 x 4 bit": (turned(pq(4), mixed=False), efforts(4, 8)),
    "IVF PQ fs, D/4 x 2 bit": (turned(pq(2), mixed=True), efforts(4, 8)),
    "IVF PQ fs, D x 1 bit": (ivf(pq(1)), efforts(4, 8)),
    "IVF PQ fs, D x 2 bit": (ivf(pq(2)), efforts(2, 4)),
    "IVF RaBitQ fs": (ivf(rabitq), efforts(4, 8)),
    "IVF SQ8": (ivf(sq8), efforts(1)),
    "HNSW32 fp16": (hnsw, [(128, 1), (256, 1), (512, 1)]),
}


def parameters(index: Any, effort: float) -> Any:
    """Return search parameters for an effort."""
    if isinstance(index, faiss.IndexHNSW):
        return faiss.SearchParametersHNSW(efSearch=int(effort))
    if isinstance(index, faiss.IndexPreTransform):
        inner = parameters(faiss.downcast_index(index.index), effort)
        return faiss.SearchParametersPreTransform(index_params=inner)
    if isinstance(index, faiss.IndexIVF):
        return faiss.SearchParametersIVF(nprobe=max(1, round(effort * index.nlist)))
    return None


def exact(latents: Latents) -> np.ndarray:
    """Return (Q, BEST) rows of the largest inner products."""
    vectors = latents.vectors.astype(np.float32)
    return np.stack([np.argsort(-(vectors @ q), kind="stable")[:BEST] for q in latents.queries])


def answers(
    index: Any, latents: Latents, effort: float, fetch: int
) -> tuple[list[np.ndarray], float]:
    """Return the rows found for each query, and the median milliseconds of one."""
    times, found = [], []
    chosen = parameters(index, effort)
    for query in latents.queries:
        started = time.perf_counter()
        _, rows = index.search(query[None], BEST * fetch, params=chosen)
        rows = np.sort(rows[0][rows[0] >= 0])
        scores = latents.vectors[rows].astype(np.float32) @ query
        found.append(rows[np.argsort(-scores, kind="stable")[:BEST]])
        times.append(time.perf_counter() - started)
    return found, 1000 * float(np.median(times))


def recall(found: Sequence[np.ndarray], right: np.ndarray, depth: int) -> float:
    """Return the mean share of the right rows that were found."""
    shares = [
        len(np.intersect1d(rows[:depth], best[:depth])) / depth
        for rows, best in zip(found, right, strict=True)
    ]
    return float(np.mean(shares))


def lines(latents: Latents, names: Iterable[str]) -> Iterator[str]:
    """Yield the rows of the table."""
    right = exact(latents)
    lists = Lists(latents.vectors)
    for name in names:
        make, tried = STRUCTURES[name]
        started = time.process_time()
        index = make(latents.vectors.shape[1], lists)
        for at in range(0, len(latents.vectors), BLOCK):
            index.add(latents.vectors[at : at + BLOCK].astype(np.float32))
        build_s = time.process_time() - started + (lists.build_s if "IVF" in name else 0)
        size = len(faiss.serialize_index(index)) / len(latents.vectors)
        for effort, fetch in tried:
            answers(index, Latents("", latents.vectors, latents.queries[:10]), effort, fetch)
            found, p50 = answers(index, latents, effort, fetch)
            yield (
                f"| {latents.name} | {name} | {build_s:.1f} | {size:.0f} | {effort:g} "
                f"| {fetch} | {p50:.3f} | {recall(found, right, 10):.3f} "
                f"| {recall(found, right, BEST):.3f} |"
            )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="FAISS structures for latents.")
    parser.add_argument("--sizes", type=int, nargs="*", default=[20_000, 200_000])
    parser.add_argument("--real", type=Path, nargs="*", default=[])
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--pack", default="mini")
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--only", nargs="*", default=list(STRUCTURES), choices=list(STRUCTURES))
    options = parser.parse_args()
    on_one_thread()
    sys.stdout.write(f"{HEADER}\n{'|---' * 9}|\n")
    kinds: list[Callable[[], Latents]] = [
        lambda count=count: synthetic(count, options.queries) for count in options.sizes
    ]
    if options.real or options.keep:
        found = real(options.real, options.pack, options.keep)
        kinds.append(lambda: found)
        kinds += [lambda count=count: normal(found, count) for count in options.sizes]
    for kind in kinds:
        latents = kind()
        step = max(1, len(latents.queries) // options.queries)
        latents = Latents(latents.name, latents.vectors, latents.queries[::step])
        for line in lines(latents, options.only):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
