"""How soon moments can be found: from handing them to a writer until a new reader returns one.

    python benchmarks/visible.py [--moments 200000] [--added 1000] [--runs 5] [--folder DIR]

Works on a copy of a synthetic library whose segments are links to those of the original, which
nobody changes; the copy is removed. Each run adds other moments as a segment of its own, made
durable, and then opens the index anew and searches for one of them, which must come first. Timed
are all of it and its parts; encoding is not in it. The bar is on the slowest run.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from library import Library
from synthetic import SEGMENT, add_block
from workload import BLOCK, SHAPES, Block

from unify.engine.local import open_snapshot
from unify.engine.query import Filters
from unify.engine.writer import IndexWriter

LIMIT_S = 1.0


@dataclass(frozen=True, slots=True)
class Seconds:
    """What one run took: to open a writer, to add and publish, to open a reader and search."""

    open_writer: float
    publish: float
    find: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.open_writer + self.publish + self.find


def copy_of(index: Path, folder: Path) -> Path:
    """Copy an index, its segments as links."""
    copy = folder / "index"
    for path in sorted(index.rglob("*")):
        target = copy / path.relative_to(index)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            target.mkdir(exist_ok=True)
        elif path.parent == index:
            shutil.copy2(path, target)
        else:
            os.link(path, target)
    return copy


def add(library: Library, index: Path, block: Block) -> Seconds:
    """Add a block's moments to an index and find the last of them.

    Raises:
        RuntimeError: a new reader does not return it.
    """
    started = time.perf_counter()
    with IndexWriter.open(index, library.pack.settings()) as writer:
        opened = time.perf_counter()
        videos = list(writer.live_videos.values())
        videos += add_block(writer, block, max(video.id for video in videos) + 1)
        writer.publish(writer.roots, videos)
    published = time.perf_counter()
    backend = open_snapshot(index)
    everything = backend.allowed(Filters(), [], 0.0)
    (side,) = backend.latent_topk(block.latents[-1:], 1, everything, exact=True, threads=1)
    found = time.perf_counter()
    last = backend.segments[-1]
    if side.ids.tolist() != [last.base + len(last) - 1]:
        raise RuntimeError(f"{index}: a new reader does not find what was added")
    return Seconds(opened - started, published - opened, found - published)


def measure(library: Library, added: int, runs: int) -> list[Seconds]:
    """Add moments that the library does not hold, run after run."""
    first = -(-library.moments // BLOCK)
    parent = library.index.parent
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        copy = copy_of(library.index, Path(folder))
        return [
            add(library, copy, library.workload.block(first + run).first(added))
            for run in range(runs)
        ]


def table(library: Library, added: int, taken: list[Seconds]) -> str:
    """Return the runs as markdown."""
    names = [field.name for field in fields(Seconds)]
    slowest = max(one.total for one in taken)
    verdict = "pass" if slowest <= LIMIT_S else "MISS"
    lines = [
        f"**{added:,} moments added to {library.moments:,}**, shape {library.shape}",
        "",
        f"| run | {' s | '.join(name.replace('_', ' ') for name in names)} s | all s |",
        "|---" * (len(names) + 2) + "|",
    ]
    for number, one in enumerate(taken, 1):
        parts = " | ".join(f"{getattr(one, name):.3f}" for name in names)
        lines.append(f"| {number} | {parts} | {one.total:.3f} |")
    middle = float(np.median([one.total for one in taken]))
    lines += ["", f"median {middle:.3f} s, slowest {slowest:.3f} s, bar {LIMIT_S:g} s: {verdict}"]
    return "\n".join(lines)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="How soon added moments can be found.")
    parser.add_argument("--moments", type=int, default=200_000)
    parser.add_argument("--shape", choices=SHAPES, default="topics")
    parser.add_argument("--added", type=int, default=1_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--segment", type=int, default=SEGMENT, help="moments of a segment")
    parser.add_argument("--folder", type=Path, default=Path(".bench"))
    options = parser.parse_args()
    library = Library.at(options.folder, options.shape, options.moments, 200, options.segment)
    taken = measure(library, options.added, options.runs)
    sys.stdout.write(table(library, options.added, taken) + "\n")


if __name__ == "__main__":
    main()
