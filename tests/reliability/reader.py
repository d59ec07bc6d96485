"""`python -m tests.reliability.reader INDEX SECONDS SEED`: searches an index that is being written.

Every answer must be that of one generation: the writer marks the paths of all videos anew in each,
and scores must be those of brute force over the files that the opened generation names.
"""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path
from unittest import mock

from tests.engine.corpus import Corpus, FakePack
from tests.engine.test_search import brute_force
from unify.engine.fusion import Mode
from unify.engine.local import LocalBackend, open_snapshot
from unify.engine.search import Searcher
from unify.engine.verify import verify


def check(backend: LocalBackend, rng: random.Random) -> int:
    """Search one snapshot while others follow it; return how many searches agreed."""
    pack = FakePack()
    videos = list(backend.videos.values())
    marks = {video.rel.partition("/")[0] for video in videos}
    assert len(marks) <= 1, "videos of several generations"
    corpus = Corpus(backend.directory, pack, videos)
    searcher = Searcher(backend, pack)
    searches = rng.randint(1, 4)
    for _ in range(searches):
        time.sleep(rng.uniform(0, 0.05))  # the writer goes on
        text = " ".join(f"w{rng.randrange(20)}" for _ in range(3))
        answer = searcher.search(text, 5)
        with mock.patch("tests.engine.corpus.open_snapshot", lambda _: backend):
            expected = brute_force(corpus, searcher, text, 5, Mode.FUSED, False)
        assert [hit.moment for hit in answer] == [moment for moment, _ in expected]
        assert all(abs(h.score - s) < 2e-9 for h, (_, s) in zip(answer, expected, strict=True))
        assert {Path(hit.path).parent.name for hit in answer} <= marks
    return searches


def main(index: Path, seconds: float, seed: int) -> None:
    """Search until the time is up, then say how much that was."""
    rng = random.Random(seed)
    searches, generations = 0, set()
    print("reading", flush=True)  # noqa: T201
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        backend = open_snapshot(index)
        generations.add(backend.manifest.generation)
        searches += check(backend, rng)
        if rng.random() < 0.2:
            assert verify(index) == []
    print(json.dumps({"searches": searches, "generations": len(generations)}))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
