"""Whether the best of several shards are the best of the whole.

Protocol: a synthetic library of the shape `topics` is written as one index and as four, each with
a quarter of its blocks. The best ten of the shards' best ten, by score, are compared with the best
ten of the whole: exactly searched, through the whole planner; and latents by lists
(`engine/ann.py`), each against the truth of a flat scan of the same rows.
"""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from synthetic import Pack, add_block
from workload import SHAPES, Workload

from unify.engine.local import LocalBackend, open_snapshot
from unify.engine.manifest import Root, Video
from unify.engine.query import Filters
from unify.engine.search import Searcher
from unify.engine.writer import IndexWriter

SHARDS, K = 4, 10


def _written(
    workload: Workload, pack: Pack, scratch: Path, moments: int
) -> tuple[LocalBackend, list[LocalBackend]]:
    """Write a library as one index, and its blocks in turn as shards."""
    places = [scratch / "whole", *(scratch / f"shard-{n}" for n in range(SHARDS))]
    writers = [IndexWriter.open(place, pack.settings()) for place in places]
    videos: list[list[Video]] = [[] for _ in places]
    for number, block in enumerate(workload.blocks(moments)):
        made = add_block(writers[0], block, len(videos[0]) + 1)
        at = 1 + number % SHARDS
        add_block(writers[at], block, len(videos[0]) + 1)
        videos[0] += made
        videos[at] += made
    for writer, live in zip(writers, videos, strict=True):
        writer.publish([Root("synthetic", "/synthetic")], live)
        writer.__exit__(None, None, None)
    whole, *shards = map(open_snapshot, places)
    return whole, shards


def exact(moments: int, queries: int, scratch: Path) -> tuple[float, float]:
    """Return the share of the best that is the same, and the greatest difference of a score."""
    workload = Workload(SHAPES["topics"])
    pack = Pack(workload, workload.queries(queries))
    whole, shards = _written(workload, pack, scratch, moments)
    same, apart = 0, 0.0
    for number in range(queries):
        best, *parts = (
            [(hit.score, hit.video, hit.start_s) for hit in _hits(Searcher(one, pack), number)]
            for one in (whole, *shards)
        )
        merged = sorted((hit for part in parts for hit in part), reverse=True)[:K]
        same += len({hit[1:] for hit in merged} & {hit[1:] for hit in best})
        apart = max(apart, *(abs(a[0] - b[0]) for a, b in zip(merged, best, strict=True)))
    return same / (queries * K), apart


def _hits(searcher: Searcher, number: int) -> list[Any]:
    return list(searcher.search(f"q{number}", k=K, exact=True, moments=True).hits)


def by_lists(moments: int, queries: int, scratch: Path) -> tuple[float, float, float]:
    """Return the recall of the whole, of a shard (mean), and of the shards merged."""
    workload = Workload(SHAPES["topics"])
    pack = Pack(workload, workload.queries(queries))
    whole, shards = _written(workload, pack, scratch, moments)
    latents = np.stack([pack.encode_query(f"q{n}").latent for n in range(queries)])

    def best(backend: LocalBackend, exact: bool) -> list[list[tuple[float, int]]]:
        every = backend.allowed(Filters(), [], 0.0)
        fetched = backend.latent_topk(latents, K, every, exact, 1)
        return [list(zip(f.scores.tolist(), f.ids.tolist(), strict=True)) for f in fetched]

    def recall(truth: list[list[Any]], got: list[list[Any]]) -> float:
        pairs = zip(truth, got, strict=True)
        return sum(len(set(a) & set(b)) for a, b in pairs) / (queries * K)

    def merged(exact: bool) -> list[list[Any]]:
        answers = [
            [[(score, at, id_) for score, id_ in hits] for hits in best(shard, exact)]
            for at, shard in enumerate(shards)
        ]
        return [
            sorted(chain.from_iterable(parts), reverse=True)[:K]
            for parts in zip(*answers, strict=True)
        ]

    ids = [[[id_ for _, id_ in hits] for hits in best(b, e)] for b in (whole, *shards)
           for e in (True, False)]  # fmt: skip
    of_each = [recall(ids[i], ids[i + 1]) for i in range(0, len(ids), 2)]
    together = [[hit[1:] for hit in hits] for hits in merged(True)]
    got = [[hit[1:] for hit in hits] for hits in merged(False)]
    return of_each[0], float(np.mean(of_each[1:])), recall(together, got)
