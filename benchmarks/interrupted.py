"""A push that is killed again and again: is it complete at the end, and is nothing there twice?

    python benchmarks/interrupted.py [--moments N] [--kills N] [--seed N]

Protocol: an index directory of N made-up moments (64 dimensions, some 30 terms each) is pushed
into a new file of Milvus Lite by a process of its own, which is killed with SIGKILL after a random
number of acknowledged batches; the server inside it dies with it. That is repeated, each time with
the same command, and after the last kill the push may end. Printed is what each run found there,
and at the end how many moments are there, how many ids, and how many rows differ from the
directory's.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from unify.engine.local import open_snapshot
from unify.engine.milvus.backend import open_collection
from unify.engine.milvus.link import Link
from unify.engine.milvus.place import MilvusPlace, milvus_place
from unify.engine.milvus.push import BATCH, Wish, push
from unify.engine.milvus.rows import local_rows
from unify.engine.segment import MomentSpans
from unify.engine.types import MomentCodes, SparseRows
from unify.engine.writer import IndexSettings, IndexWriter, Root, Video

DIM, TERMS, PER_VIDEO = 64, 500, 50
SHOWS = 0.5


def say(line: str) -> None:
    """Print a line now: who reads it may be killing us."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def write_index(directory: Path, moments: int, seed: int) -> None:
    """Write an index of made-up moments."""
    rng = np.random.default_rng(seed)
    settings = IndexSettings("made-up", "0" * 64, DIM, TERMS, 1.0, 8.0, "none")
    with IndexWriter.open(directory, settings) as writer:
        starts = np.arange(PER_VIDEO, dtype=np.float64)
        frames = np.arange(PER_VIDEO)
        spans = MomentSpans(starts, starts + 1, frames, frames + 1)
        videos = []
        for number in range(1, moments // PER_VIDEO + 1):
            latents = rng.standard_normal((PER_VIDEO, DIM)).astype(np.float32)
            latents /= np.linalg.norm(latents, axis=1, keepdims=True)
            dense = np.maximum(rng.standard_normal((PER_VIDEO, TERMS)) - 1.5, 0).astype(np.float32)
            rows = SparseRows.from_dense(dense, 64)
            tracks = SparseRows.from_dense(dense, 4)
            writer.add(number, spans, starts, MomentCodes(latents, rows, tracks))
            videos.append(Video(number, 0, f"{number}.mp4", float(PER_VIDEO), 0.0))
        writer.publish([Root("made-up", "/made-up")], videos)


def push_here(index: Path, place: MilvusPlace) -> None:
    """Push, and print a line for each batch that was acknowledged."""
    link = Link(place, create=True)
    done = push(open_snapshot(index), link, SHOWS, Wish(), lambda n, of: say(f"{n} {of}"))
    say(f"whole {done.moments} {done.sent}")


def push_and_kill(index: Path, address: str, batches: int | None) -> str:
    """Push in a process of its own, killed after some batches; return what it said last."""
    command = [sys.executable, __file__, "--push", str(index), address]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    last = "nothing"
    for count, line in enumerate(child.stdout, start=1):
        last = line.strip()
        if count == batches:
            child.send_signal(signal.SIGKILL)
            break
    child.wait()
    return last


def main() -> None:
    """Push and kill, then count."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moments", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--push", nargs=2, metavar=("INDEX", "MILVUS"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.push:
        place = milvus_place(chosen.push[1])
        assert place is not None
        push_here(Path(chosen.push[0]), place)
        return
    rng = random.Random(chosen.seed)
    with tempfile.TemporaryDirectory() as scratch:
        index, address = Path(scratch) / "index", f"milvus:{scratch}/lite.db/moments"
        write_index(index, chosen.moments, chosen.seed)
        usual = max(1, chosen.moments // BATCH // chosen.kills)
        for number in range(1, chosen.kills + 1):
            last = push_and_kill(index, address, rng.randint(1, usual))
            say(f"kill {number}: acknowledged, to send: {last}")
        say(f"last run: moments, sent by it: {push_and_kill(index, address, None)}")
        place = milvus_place(address)
        assert place is not None
        store = open_collection(place).store
        counted, ids = store.count(""), store.ids(None).tolist()
        ours = {row.id for row in local_rows(open_snapshot(index), "")}
        say(
            f"{chosen.kills} kills: {counted:,} moments of {len(ours):,} there, "
            f"{len(ids) - len(set(ids))} twice, {len(set(ids) ^ ours)} missing or strange"
        )


if __name__ == "__main__":
    main()
