"""What one moment, one video and one query cost, measured small: the numbers of `scale.py`.

Protocol. Times are CPU seconds of the processes that do the work, so that others on the machine
lengthen them little; sizes are bytes of files, unless said otherwise.

    footage  the folder's .mp4 clips are indexed into an empty directory by a process of its own
             with the pack `mini`, and compacted: bytes a moment (what is as large for any number up
             to 65,536 is shared out among so many), pictures a moment, and from both what an
             actor sends. Then so is one made video of 360 lines, 30 pictures a second and 1.2
             Mbit/s (`footage.py`): CPU seconds of an hour of video, starting the process left out
    writer   moments of the synthetic library `mini` are added and published 4,096 at a time, four
             times, and then compacted: CPU seconds of a moment, without term tracks; bytes that
             the manifest grows by, and CPU seconds, as many segments more are written
    catalog  an index of N videos without a moment in it is published once more, through the
             journal, at two N, in a process each: what a publish costs for each video that lives
             already, and what a video takes in tables, journal and the builder's memory; memory of
             jobs is what Python says that they take before Ray has them
    ray      videos that do not exist are handed out by Ray to one actor, at two numbers: CPU
             seconds of the driver for each video that comes back; left out where Ray is not there
    shards   `merging.py`
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import subprocess
import sys
import tempfile
import time
import tracemalloc
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import footage
import merging
from synthetic import Pack, add_block
from workload import SHAPES, Workload

from unify.encoders.packs import open_pack
from unify.engine.manifest import (
    IndexSettings,
    Manifest,
    Root,
    Video,
    read_manifest,
    write_manifest,
)
from unify.engine.postings import WINDOW
from unify.engine.writer import IndexWriter
from unify.indexer.catalog import Catalog
from unify.indexer.compaction import compact
from unify.indexer.discover import Candidate
from unify.indexer.entries import Entry
from unify.indexer.fleet import Fleet
from unify.indexer.journal import NAME, Journal
from unify.indexer.plan import Job
from unify.indexer.resources import taken_bytes

PUBLISHED = 4096  # moments at a time, as a build does
FIXED = ("postings_indptr.npy", "scales.npy")  # one size for each window of moments, full or not
PATH_BYTES = 40  # of a video's path below its root
_BUILD = """
import json, os, resource, sys, time, unify
from unify.encoders.packs import open_pack
from unify.indexer.resources import taken_bytes
def spent():
    return sum(sum(resource.getrusage(who)[:2]) for who in (0, -1))
pack = open_pack("mini"); before = spent()
report = unify.build_index(sys.argv[2:], sys.argv[1])
print(json.dumps([report.video_s, report.moments, spent() - before]))
"""


@dataclass(slots=True)
class Constants:
    """Measured; see the module.

    Attributes:
        bytes_by_part: bytes a moment of an index of real clips, by kind of file.
        frames: pictures a moment.
        sent: bytes an actor sends of a moment.
        moments: an hour of the made video.
        cpu: CPU seconds of an hour of the made video.
        add: CPU seconds to write a moment.
        compact: CPU seconds to rewrite one.
        segment: bytes of the manifest for a segment.
        publish: CPU seconds of a publish for each live video.
        table, journal, resident: bytes a video takes in the tables, the journal, the builder.
        driver: CPU seconds of Ray's driver for a video, or None.
        merged: share of the ten best that exact shards give as the whole does; greatest
            difference of a score.
        by_lists: recall of latents by lists: of the whole, of a shard (mean), of shards merged.
        listed: CPU seconds of a publish for each segment.
        job: bytes a video takes in the builder's memory while it waits to be encoded.
    """

    bytes_by_part: dict[str, float] = field(default_factory=dict)
    frames: float = 0.0
    sent: float = 0.0
    moments: float = 0.0
    cpu: float = 0.0
    add: float = 0.0
    compact: float = 0.0
    segment: float = 0.0
    publish: float = 0.0
    table: float = 0.0
    journal: float = 0.0
    resident: float = 0.0
    driver: float | None = None
    merged: tuple[float, float] = (0.0, 0.0)
    by_lists: tuple[float, float, float] = (0.0, 0.0, 0.0)
    listed: float = 0.0
    job: float = 0.0


def measure(clips: Path, folder: Path, moments: int, lists: int, queries: int) -> Constants:
    """Measure everything.

    Args:
        clips: a folder of .mp4 files.
        folder: for what is made on the way.
        moments: of the synthetic library for the exact shards.
        lists: the same for latents by lists; a shard has lists from 65,536 on.
        queries: for both.
    """
    found = Constants()
    for part in (
        partial(_footage, clips, folder),
        _writer,
        _catalog,
        _waiting,
        _ray,
        partial(_shards, moments, lists, queries),
    ):
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            part(found, Path(scratch))
        sys.stderr.write(f"measured: {found}\n")
    return found


def _build(index: Path, *videos: Path) -> tuple[float, int, float]:
    """Return seconds of video, moments, and CPU seconds of a build in a process of its own."""
    command = [sys.executable, "-c", _BUILD, str(index), *map(str, videos)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    video_s, moments, cpu_s = map(float, done.stdout.strip().strip("[]").split(","))
    return video_s, int(moments), cpu_s


def _footage(clips: Path, folder: Path, found: Constants, scratch: Path) -> None:
    _build(scratch / "clips", clips)
    _sizes(scratch / "clips", found)
    video = footage.make(clips, folder / "videos", "h264", 360, 600.0)
    video_s, moments, cpu_s = _build(scratch / "made", video)
    found.moments, found.cpu = moments / video_s * 3600, cpu_s / video_s * 3600


def _sizes(index: Path, found: Constants) -> None:
    compact(index)
    (entry,) = read_manifest(index).segments
    parts = found.bytes_by_part
    for file in entry.files:
        part = file.name.partition("_")[0].partition(".")[0]
        rows = WINDOW if file.name in FIXED else entry.moments
        parts[part] = parts.get(part, 0.0) + file.size_bytes / rows
    found.frames = entry.frames / entry.moments
    latents = 2 * parts["latents"]  # float32 on the way, float16 on the disk
    found.sent = latents + 1.5 * (parts["forward"] + parts["tracks"]) + parts["frames"] + 24


def _writer(found: Constants, scratch: Path) -> None:
    workload = Workload(SHAPES["mini"])
    pack = Pack(workload, workload.queries(1))
    blocks = [workload.block(number).first(PUBLISHED) for number in range(4)]
    videos: list[Video] = []
    with IndexWriter.open(scratch / "index", pack.settings()) as writer:
        sizes = []
        before_s = time.process_time()
        for block in blocks:
            videos += add_block(writer, block, len(videos) + 1)
            writer.publish([Root("s", "/s")], videos)
            sizes.append((writer.directory / "manifest.json").stat().st_size)
        found.add = (time.process_time() - before_s) / (PUBLISHED * len(blocks))
        found.segment = (sizes[-1] - sizes[0]) / (len(sizes) - 1)
        manifest = writer.manifest
    few, many = (_listed(scratch, replace(manifest, segments=manifest.segments * n))
                 for n in (100, 600))  # fmt: skip
    found.listed = (many - few) / (500 * len(blocks))
    before_s = time.process_time()
    compact(scratch / "index")
    found.compact = (time.process_time() - before_s) / (PUBLISHED * len(blocks))


def _listed(scratch: Path, manifest: Manifest) -> float:
    """Return CPU seconds to write a manifest."""
    before_s = time.process_time()
    write_manifest(scratch, manifest)
    return time.process_time() - before_s


def _catalog(found: Constants, scratch: Path) -> None:
    fresh = multiprocessing.get_context("spawn")  # a process each, for its memory
    with ProcessPoolExecutor(1, fresh, max_tasks_per_child=1) as pool:
        few, many = pool.map(_published, [scratch / "few", scratch / "many"], [20_000, 120_000])
    found.publish, found.table, found.journal, found.resident = (
        (b - a) / 100_000 for a, b in zip(few, many, strict=True)
    )


def _published(directory: Path, count: int) -> tuple[float, float, float, float]:
    """Return CPU seconds of one more publish over `count` videos, and bytes: see `Constants`."""
    settings = IndexSettings("none", "0" * 64, 512, 9_262, 1.0, 8.0, "pyav")
    root = Root("videos", "/videos")
    before = taken_bytes()
    with IndexWriter.open(directory, settings) as writer, Journal(directory) as journal:
        entries = [
            Entry(0, root.path, f"{number:0{PATH_BYTES - 4}d}.mp4", 1 << 20, 1, f"{number:064x}")
            for number in range(count + 1)
        ]
        with journal.transaction():
            entries = [journal.put(entry) for entry in entries]
        catalog = Catalog(writer, journal)
        for entry in entries[:-1]:
            catalog.finish(entry)
        catalog.publish()
        before_s = time.process_time()
        catalog.finish(entries[-1])
        catalog.publish()
        cpu_s = time.process_time() - before_s
        table = sum(file.size_bytes for file in writer.manifest.tables)
    return cpu_s, table, (directory / NAME).stat().st_size, taken_bytes() - before


def _ray(found: Constants, scratch: Path) -> None:
    if importlib.util.find_spec("ray") is None:
        return
    few, many = (_handed_out(scratch, count) for count in (100, 1_100))
    found.driver = (many - few) / 1_000


def _jobs(scratch: Path, count: int) -> list[Job]:
    root = Root("videos", str(scratch))
    paths = [f"{n:0{PATH_BYTES - 4}d}.mp4" for n in range(count)]
    return [
        Job(Candidate(root, path, n, n), Entry(n + 1, root.path, path, n, n))
        for n, path in enumerate(paths, 1 << 20)
    ]


def _waiting(found: Constants, scratch: Path) -> None:
    tracemalloc.start()
    jobs = _jobs(scratch, 20_000)
    found.job = tracemalloc.get_traced_memory()[0] / len(jobs)
    tracemalloc.stop()


def _handed_out(scratch: Path, count: int) -> float:
    pack = open_pack("mini")
    settings = IndexSettings("mini", pack.fingerprint, 512, 9_262, 1.0, 8.0, "pyav")
    jobs = _jobs(scratch, count)
    fleet = Fleet("local", partial(open_pack, "mini"), settings, actors=1)
    before_s = time.process_time()
    assert len(list(fleet.work(jobs, scratch, lambda job, event: None))) == count
    return time.process_time() - before_s


def _shards(moments: int, lists: int, queries: int, found: Constants, scratch: Path) -> None:
    found.merged = merging.exact(moments, queries, scratch / "exact")
    found.by_lists = merging.by_lists(lists, queries, scratch / "lists")
