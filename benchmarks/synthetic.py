"""A synthetic library of any size as an index on disk, and the pack that knows its queries.

    python benchmarks/synthetic.py --moments 200000 --shape topics --out DIR
    python benchmarks/synthetic.py --shape mini --sample       # statistics of a sample alone

`workload.py` says how moments and queries are drawn. Nothing of frames is stored but their times.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path

import numpy as np
from workload import BLOCK, DIM, SHAPES, Block, Overlap, Workload

from unify.encoders.calibrate import FLOOR, RARE
from unify.engine.lexicon import Lexicon
from unify.engine.types import Calibration, EncodedQuery, Float64, MomentCodes, SparseRows
from unify.engine.writer import IndexSettings, IndexWriter, MomentSpans, Root, Video

SEGMENT = 1 << 20  # moments; about 10 GB while one is written
PER_VIDEO = 64  # moments
MOMENT_S = 8.0


class Pack:
    """A `QueryEncoder` that knows a workload's queries by name: `q0`, `q1`, ..."""

    def __init__(self, workload: Workload, queries: list[EncodedQuery]) -> None:
        self._workload = workload
        self._queries = queries
        self.name = f"synthetic-{workload.shape.name}"
        said = json.dumps([asdict(workload.shape), workload.seed])
        self.fingerprint = hashlib.sha256(said.encode()).hexdigest()
        self.lexicon = Lexicon([f"t{i}" for i in range(workload.shape.terms)])

    @cached_property
    def calibration(self) -> Calibration:
        """Statistics of the first block, by the closed form that packs use."""
        block = self._workload.block(0)
        rows, count, terms = block.rows, len(block.rows), self._workload.shape.terms
        typical = float(rows.weights.mean())
        mean = np.bincount(rows.terms, rows.weights, terms) / count
        variance = np.bincount(rows.terms, rows.weights**2, terms) / count - mean**2
        variance = np.maximum(variance, typical**2 * RARE * (1 - RARE))
        cov = np.cov(block.latents.T)
        sd_lexicon = [np.sqrt(q.weights**2 @ variance[q.terms]) for q in self._queries]
        latents = [q.latent for q in self._queries if q.latent is not None]
        sd_latent = [np.sqrt(latent @ cov @ latent) for latent in latents]
        return Calibration(
            latent_mean=block.latents.mean(axis=0),
            latent_cov=cov.astype(np.float32),
            term_mean=np.maximum(mean, typical * RARE).astype(np.float32),
            term_var=variance.astype(np.float32),
            sd_latent_floor=FLOOR * float(np.median(sd_latent)),
            sd_lexicon_floor=FLOOR * float(np.median(sd_lexicon)),
            lexicon_weight=0.5,
            shows=0.5,
            weak=0.0,
        )

    def encode_query(self, text: str) -> EncodedQuery:
        """Return the query of that name."""
        return self._queries[int(text.removeprefix("q"))]

    def unknown_words(self, text: str) -> list[str]:
        """Return none: every word of a workload is a term."""
        return []

    def knows(self, word: str) -> bool:
        """Return true: no word of a workload is a slip."""
        return True

    def encode_queries(self, texts: Sequence[str]) -> list[EncodedQuery]:
        """Return the queries of those names."""
        return [self.encode_query(text) for text in texts]

    def settings(self) -> IndexSettings:
        """Return the settings of its indexes."""
        terms = self._workload.shape.terms
        return IndexSettings(self.name, self.fingerprint, DIM, terms, 1.0, MOMENT_S, "none")


def write_index(
    workload: Workload, pack: Pack, moments: int, directory: Path, segment: int = SEGMENT
) -> None:
    """Write the first `moments` moments as an index, a segment of `segment` moments at a time."""
    videos: list[Video] = []
    root = [Root("synthetic", "/synthetic")]
    with IndexWriter.open(directory, pack.settings()) as writer:
        for block in workload.blocks(moments):
            videos += add_block(writer, block, len(videos) + 1)
            if writer.pending_moments + BLOCK > segment:
                writer.publish(root, videos)
        writer.publish(root, videos)


def add_block(writer: IndexWriter, block: Block, number: int) -> list[Video]:
    """Buffer a block as videos `number`, `number + 1`, ..., and return these."""
    videos = []
    for start in range(0, len(block.rows), PER_VIDEO):
        codes = _video(block, start)
        first = np.arange(len(codes.latents))
        begin: Float64 = first.astype(np.float64) * MOMENT_S
        spans = MomentSpans(begin, begin + MOMENT_S, first, first + 1)
        writer.add(number, spans, begin, codes)
        videos.append(Video(number, 0, f"{number}.mp4", len(first) * MOMENT_S, 1e9))
        number += 1
    return videos


def write_queries(path: Path, queries: list[EncodedQuery]) -> None:
    """Write queries as `.npz`: latents (n, D), and rows as indptr, terms, weights."""
    rows = SparseRows.concatenate(
        SparseRows(np.array([0, len(q.terms)]), q.terms, q.weights) for q in queries
    )
    np.savez(
        path,
        latents=np.stack([q.latent for q in queries if q.latent is not None]),
        indptr=rows.indptr,
        terms=rows.terms,
        weights=rows.weights,
    )


def _video(block: Block, start: int) -> MomentCodes:
    """Cut one video out of a block; its frames show no terms."""
    latents = block.latents[start : start + PER_VIDEO]
    stop = start + len(latents)
    indptr = block.rows.indptr[start : stop + 1]
    span = slice(int(indptr[0]), int(indptr[-1]))
    rows = SparseRows(indptr - indptr[0], block.rows.terms[span], block.rows.weights[span])
    empty = SparseRows(
        np.zeros(len(latents) + 1, np.int64), np.zeros(0, np.uint16), np.zeros(0, np.float32)
    )
    return MomentCodes(latents, rows, empty)


def main() -> None:
    """Write an index and a queries file, or print the statistics of a sample."""
    parser = argparse.ArgumentParser(description="Make a synthetic index.")
    parser.add_argument("--moments", type=int, default=200_000)
    parser.add_argument("--shape", choices=SHAPES, default="topics")
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--segment", type=int, default=SEGMENT, help="moments of a segment")
    parser.add_argument("--seed", type=int, default=0)
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--out", type=Path, help="an empty or new folder")
    choice.add_argument("--sample", action="store_true", help="print statistics, write nothing")
    options = parser.parse_args()
    workload = Workload(SHAPES[options.shape], options.seed)
    queries = workload.queries(options.queries)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        pack = Pack(workload, queries)
        write_index(workload, pack, options.moments, options.out / "index", options.segment)
        write_queries(options.out / "queries.npz", queries)
    found = Overlap.of(workload.block(0).rows, queries, workload.shape.terms)
    sys.stdout.write(json.dumps(asdict(found)) + "\n")


if __name__ == "__main__":
    main()
