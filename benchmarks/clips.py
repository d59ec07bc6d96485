"""Index a folder of clips with captions, search every caption, and report recall and speed.

    python benchmarks/clips.py FOLDER [--captions FILE] [--pack NAME] [--json]

Protocol: FOLDER holds the clips and `captions.tsv`, whose header names at least the columns
`file` and `caption`; one caption a clip. Each caption is a query as a user would type it; the
gallery is every indexed clip, a clip's score its best moment's. Ranks are at mid-rank: clips
that tie with the right one count half. R@k is the percentage of captions whose clip is ranked k
or better, MdR the median rank. A clip that is listed but failed to index counts as never found.

Indexing speed is seconds of video over wall seconds of a build into an empty directory. Latency
is one warm query in this process at k=10, with the text encoder, single-threaded callers.
"""

from __future__ import annotations

import argparse
import csv
import json
import platform
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import unify
from unify.encoders.evaluate import mid_ranks, recall
from unify.engine.fusion import Mode
from unify.engine.search import Searcher

MODES = (Mode.LATENT, Mode.LEXICON, Mode.FUSED)


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a TSV by the names in its header."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def read_captions(path: Path) -> list[tuple[str, str]]:
    """Return (file, caption) rows of a TSV with a header."""
    return [(row["file"], row["caption"]) for row in read_rows(path)]


def ranks(index: Searcher, captions: list[tuple[str, str]], mode: Mode) -> np.ndarray:
    """Return the rank of each caption's clip, infinity for clips that are not indexed."""
    count = index.backend.statistics().videos
    found = []
    for file, caption in captions:
        hits = index.search(caption, count, mode=mode)
        names = [Path(hit.video).name for hit in hits]
        if file not in names:
            found.append(np.inf)
            continue
        scores = np.array([[hit.score for hit in hits]])
        found.append(float(mid_ranks(scores, np.array([names.index(file)]))[0]))
    return np.array(found)


def summary(found: np.ndarray) -> dict[str, float]:
    """Return R@1, R@5, R@10 in percent and the median rank."""
    figures = recall(found)
    percents = (figures.at_1, figures.at_5, figures.at_10)
    row = {f"R@{k}": round(value, 1) for k, value in zip((1, 5, 10), percents, strict=True)}
    return row | {"MdR": figures.median}


def latencies_ms(index: Searcher, captions: list[tuple[str, str]]) -> np.ndarray:
    """Return milliseconds of every caption's search, after one pass to warm up."""
    times = []
    for counted in (False, True):
        for _, caption in captions:
            started = time.perf_counter()
            index.search(caption, 10)
            if counted:
                times.append(1000 * (time.perf_counter() - started))
    return np.array(times)


def measure(folder: Path, captions: list[tuple[str, str]], pack: str) -> dict[str, object]:
    """Build, search, and return all figures."""
    with tempfile.TemporaryDirectory() as temporary:
        started = time.perf_counter()
        report = unify.build_index([folder], temporary, unify.BuildOptions(pack=pack))
        build_s = time.perf_counter() - started
        index = unify.open_index(temporary)
        statistics = index.backend.statistics()
        results = {str(mode): summary(ranks(index, captions, mode)) for mode in MODES}
        times = latencies_ms(index, captions)
        return {
            "pack": pack,
            "fingerprint": index.encoder.fingerprint,
            "captions": len(captions),
            "videos": statistics.videos,
            "moments": statistics.moments,
            "failed": [f"{path}: {reason}" for path, reason in report.failed],
            "video_s": round(report.video_s, 1),
            "build_s": round(build_s, 2),
            "times_real_time": round(report.video_s / build_s, 1),
            "recall": results,
            "query_p50_ms": round(float(np.percentile(times, 50)), 2),
            "query_p99_ms": round(float(np.percentile(times, 99)), 2),
            "machine": f"{platform.machine()}, Python {platform.python_version()}",
        }


def table(figures: dict[str, object]) -> str:
    """Return the figures as markdown."""
    by_mode = figures["recall"]
    assert isinstance(by_mode, dict)
    lines = ["| mode | R@1 | R@5 | R@10 | MdR |", "|---|---|---|---|---|"]
    for mode, row in by_mode.items():
        lines.append(f"| {mode} | " + " | ".join(f"{value:g}" for value in row.values()) + " |")
    lines += [
        "",
        f"{figures['captions']} captions, {figures['videos']} videos, {figures['moments']} "
        f"moments, pack {figures['pack']} ({str(figures['fingerprint'])[:12]})",
        f"indexed {figures['video_s']} s of video in {figures['build_s']} s: "
        f"{figures['times_real_time']} x real time",
        f"query p50 {figures['query_p50_ms']} ms, p99 {figures['query_p99_ms']} ms, "
        "text encoder included",
        f"machine: {figures['machine']}",
    ]
    failed = figures["failed"]
    assert isinstance(failed, list)
    return "\n".join([*lines, *(f"failed: {line}" for line in failed)])


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="Recall and speed on captioned clips.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--captions", type=Path, help="default: FOLDER/captions.tsv")
    parser.add_argument("--pack", default="mini")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    captions = read_captions(options.captions or options.folder / "captions.tsv")
    figures = measure(options.folder, captions, options.pack)
    sys.stdout.write((json.dumps(figures, indent=1) if options.json else table(figures)) + "\n")


if __name__ == "__main__":
    main()
