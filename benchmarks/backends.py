"""The same questions to an index directory and to a Milvus collection of the same rows.

    python benchmarks/backends.py FOLDER [--moments N] [--queries N] [--to MILVUS]

Protocol: FOLDER holds clips and `captions.tsv`. They are indexed, and N made-up moments are added
to the index: each mixes the latents of two clips' moments with noise, and takes the weights of one
of them, shaken. The index is pushed to MILVUS (a new file of Milvus Lite where none is named) with
exact structures: FLAT for latents, SPARSE_INVERTED_INDEX for weights. Queries are the captions,
then first halves of some with second halves of others. Printed is for how many queries the ten
best videos are the same moments in the same order, what tells the others apart, and how many
scores are the same to the last bit. Milvus Lite is written in Python: its times say nothing of a
server's.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from clips import read_captions

import unify
from unify.engine.answer import Answer
from unify.engine.local import LocalBackend, open_snapshot
from unify.engine.milvus.collection import LatentIndex
from unify.engine.milvus.link import Link
from unify.engine.milvus.place import milvus_place
from unify.engine.milvus.push import Wish, push
from unify.engine.search import Searcher
from unify.engine.segment import MomentSpans
from unify.engine.types import MomentCodes, SparseRows
from unify.engine.writer import IndexWriter, Video

K = 10
PER_VIDEO = 5  # made-up moments


def add_made_up(index: Path, moments: int, seed: int = 0) -> None:
    """Add moments that are mixtures of an index's own to it."""
    snapshot = open_snapshot(index)
    rng = np.random.default_rng(seed)
    with IndexWriter.open(index, snapshot.settings) as writer:
        videos = list(writer.live_videos.values())
        first = max(writer.live_videos) + 1
        for number in range(moments // PER_VIDEO):
            starts = np.arange(PER_VIDEO, dtype=np.float64)
            frames = np.arange(PER_VIDEO)
            spans = MomentSpans(starts, starts + 1, frames, frames + 1)
            writer.add(first + number, spans, starts, _mixtures(snapshot, rng))
            name = f"made-up/{number}.mp4"
            videos.append(Video(first + number, 0, name, float(PER_VIDEO), 0.0))
        writer.publish(writer.roots, videos)


def _mixtures(snapshot: LocalBackend, rng: np.random.Generator) -> MomentCodes:
    """Return the codes of one made-up video."""
    segment = snapshot.segments[0]
    stored = segment.latents.astype(np.float32)
    pairs = rng.choice(len(segment), (PER_VIDEO, 2))
    latents = stored[pairs].sum(axis=1)
    latents += rng.standard_normal(latents.shape).astype(np.float32) * 0.02
    latents /= np.linalg.norm(latents, axis=1, keepdims=True)
    indptr, terms, weights = segment.forward
    rows = []
    for at in pairs[:, 0]:
        span = slice(int(indptr[at]), int(indptr[at + 1]))
        shaken = weights[span].astype(np.float32)
        shaken *= rng.uniform(0.7, 1.0, len(shaken)).astype(np.float32)
        rows.append(SparseRows(np.array([0, len(shaken)]), terms[span], shaken))
    every = SparseRows.concatenate(rows)
    return MomentCodes(latents, every, every)


def questions(captions: list[str], count: int) -> list[str]:
    """Return captions, then first halves of some with second halves of others."""

    def mixed() -> Iterator[str]:
        yield from captions
        for step in range(1, len(captions)):
            for at, caption in enumerate(captions):
                head, tail = caption.split(), captions[(at + step) % len(captions)].split()
                yield " ".join(head[: len(head) // 2] + tail[len(tail) // 2 :])

    return list(islice(mixed(), count))


@dataclass
class Agreement:
    """How far two backends agree.

    Attributes:
        same: queries whose ten best are the same, in the same order.
        tied: others in which only moments of the same score differ.
        different: the rest.
        scores: scores at the same rank that are the same to the last bit.
        ranks: scores compared.
        certified: queries that both backends certify.
    """

    same: int = 0
    tied: int = 0
    different: int = 0
    scores: int = 0
    ranks: int = 0
    certified: int = 0

    def add(self, one: Answer, other: Answer) -> None:
        """Compare two answers to a query."""
        named = [[(hit.video, hit.start_s) for hit in answer] for answer in (one, other)]
        scores = [[hit.score for hit in answer] for answer in (one, other)]
        self.same += named[0] == named[1]
        if named[0] != named[1]:
            tied = scores[0] == scores[1]
            self.tied += tied
            self.different += not tied
        self.ranks += len(scores[0])
        self.scores += sum(a == b for a, b in zip(*scores, strict=False))
        self.certified += one.exact and other.exact


def main() -> None:
    """Index, push, ask both, and print how far they agree."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--moments", type=int, default=5_000)
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--to", default="")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        index = Path(scratch) / "index"
        address = chosen.to or f"milvus:{scratch}/lite.db/clips"
        unify.build_index([chosen.folder], index)
        add_made_up(index, chosen.moments)
        here = unify.open_index(index)
        place = milvus_place(address)
        assert place is not None
        link = Link(place, create=True)
        shows = here.encoder.calibration.shows
        push(open_snapshot(index), link, shows, Wish(LatentIndex.FLAT))
        captions = [caption for _, caption in read_captions(chosen.folder / "captions.tsv")]
        searchers = (here, unify.open_index(address))
        found, times = compare(searchers, questions(captions, chosen.queries))
        sys.stdout.write(report(found, chosen.queries, times))
        link.close()


def compare(searchers: Sequence[Searcher], texts: list[str]) -> tuple[Agreement, np.ndarray]:
    """Ask all questions of two searchers; return how far they agree, and (Q, 2) milliseconds."""
    found, times = Agreement(), np.zeros((len(texts), 2))
    for number, text in enumerate(texts):
        answers = []
        for column, searcher in enumerate(searchers):
            started = time.perf_counter()
            answers.append(searcher.search(text, K))
            times[number, column] = 1000 * (time.perf_counter() - started)
        found.add(*answers)
    return found, times


def report(found: Agreement, queries: int, times: np.ndarray) -> str:
    """Return the figures as text."""
    local, remote = np.median(times, axis=0)
    return (
        f"{queries} queries: {found.same} the same {K} in the same order "
        f"({100 * found.same / queries:.1f} %), {found.tied} but for ties, "
        f"{found.different} different\n"
        f"scores the same to the last bit: {found.scores} of {found.ranks}\n"
        f"certified exact by both: {found.certified} of {queries}\n"
        f"median time: index directory {local:.1f} ms, Milvus {remote:.1f} ms\n"
    )


if __name__ == "__main__":
    main()
