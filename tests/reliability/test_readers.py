"""Readers in processes of their own while an index is built, thinned out and compacted."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.engine.compacting import compact
from tests.engine.corpus import FakePack, random_codes, spans
from unify.engine.verify import verify
from unify.engine.writer import IndexWriter, Root, Video

ROOT = Path(__file__).resolve().parents[2]
MOST = 60  # videos


def write(index: Path, rng: random.Random, done: Counter[str]) -> None:
    """Do one of the things that a writer does."""
    what = rng.choice(["add", "add", "add", "remove", "compact"]) if done else "add"
    done[what] += 1
    if what == "compact":
        compact(index)
        return
    pack = FakePack()
    with IndexWriter.open(index, pack.settings()) as writer:
        for _ in range(rng.randint(1, 3)):
            videos = list(writer.live_videos.values())
            if what == "remove" or len(videos) > MOST:
                videos = rng.sample(videos, max(1, len(videos) // 2))
            first = done["videos"] + 1
            for video in range(first, first + rng.randint(1, 4) * (what == "add")):
                codes = random_codes(np.random.default_rng(video), pack, ties=False)
                writer.add(video, *spans(), codes)
                videos.append(Video(video, 0, "", 10.0, 0.0))
                done["videos"] = video
            mark = f"g{writer.manifest.generation + 1}"
            videos = [replace(v, rel=f"{mark}/{v.id}.mp4") for v in videos]
            writer.publish([Root("clips", "/abs/clips")], videos)
            done["generations"] += 1


def read_and_write(folder: Path, readers: int, seconds: float) -> None:
    index, rng, done = folder / "index", random.Random(3), Counter[str]()
    write(index, random.Random(0), done)
    command = [sys.executable, "-m", "tests.reliability.reader", str(index), str(seconds)]
    running = [
        subprocess.Popen([*command, str(seed)], cwd=ROOT, stdout=subprocess.PIPE)
        for seed in range(readers)
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == b"reading\n"
    while any(process.poll() is None for process in running):
        write(index, rng, done)
    said = [json.loads(process.communicate()[0] or "{}") for process in running]
    print(dict(done), said)  # noqa: T201
    assert [process.returncode for process in running] == [0] * readers
    assert min(one["searches"] for one in said) > 3
    assert min(one["generations"] for one in said) > 1
    assert done["compact"] > 0
    assert verify(index) == []


def test_readers_see_whole_generations(quick_path):
    read_and_write(quick_path, readers=2, seconds=3)


@pytest.mark.soak
def test_many_readers_see_whole_generations_for_long(quick_path):
    read_and_write(quick_path, readers=4, seconds=60)
