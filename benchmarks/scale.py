"""What a large library takes: machines, money, and what runs out first.

    python benchmarks/scale.py CLIPS [--keep FILE] [--hours 1000000] [--vcpu-hour 0.04] ...

Protocol: `constants.py` and `merging.py` measure on this machine, at small size, what a moment and
a video cost and how shards merge; `--keep` keeps that, and takes it from there the next time. All
else is arithmetic with `Assumed`, of which each is an option: costs add up, machines share evenly.
None of it ran on more than one machine. How shards answer is taken from `docs/benchmarks.md`.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from constants import PUBLISHED, Constants, measure
from merging import SHARDS, K

MACHINES = (1, 10, 100, 1_000, 10_000)
PUBLISH_S = 30.0  # a build publishes at least as often
QUERIES_S = 88.0  # that one shard answers one by one: docs/benchmarks.md
YEAR_DAYS = 365.25


@dataclass(frozen=True, slots=True)
class Assumed:
    """What is not measured.

    Attributes:
        hours: of video.
        video_minutes: length of a video.
        mbit: a second of a video file.
        cpus: of a machine.
        vcpu_hour: dollars for one CPU and its share of memory for an hour.
        disk_month: dollars for a GB of disk for a month.
        shard: moments of a shard: what 16 GiB and two CPUs are known to serve.
        copies: of each shard that answer.
        store_gbit: what the machines can read of the videos' store, together, a second.
        link_gbit: what one machine can receive a second.
        memory_gb: of a machine that builds.
        publish_s: longest that a publish may take.
    """

    hours: float = 1e6
    video_minutes: float = 10.0
    mbit: float = 1.2
    cpus: int = 2
    vcpu_hour: float = 0.04
    disk_month: float = 0.08
    shard: float = 1e7
    copies: int = 2
    store_gbit: float = 100.0
    link_gbit: float = 10.0
    memory_gb: float = 8.0
    publish_s: float = PUBLISH_S


class Library:
    """The arithmetic of one library."""

    def __init__(self, known: Constants, assumed: Assumed) -> None:
        self.known, self.assumed = known, assumed
        self.moments = known.moments * assumed.hours
        self.moment_bytes = sum(known.bytes_by_part.values())
        self.videos_per_moment = 60 / assumed.video_minutes / known.moments
        self.shards = math.ceil(self.moments / assumed.shard)
        self.cpu_hours = known.cpu * assumed.hours / 3600

    def builder_s(self, moments: float, machines: float = math.inf) -> dict[str, float]:
        """Return CPU seconds of the one process that writes an index, by what they are for.

        Args:
            moments: in the index.
            machines: that feed it: few make less than a publish holds between two of them.
        """
        videos = moments * self.videos_per_moment
        publishes = moments / min(PUBLISHED, machines * self.rate * PUBLISH_S)
        return {
            "writing": moments * self.known.add,
            "compacting once": moments * self.known.compact,
            "publishing: videos": publishes * videos / 2 * self.known.publish,
            "publishing: segments": publishes * publishes / 2 * self.known.listed,
            "Ray's driver": videos * (self.known.driver or 0.0),
        }

    @property
    def rate(self) -> float:
        """Moments a second that one machine makes."""
        return self.assumed.cpus / self.known.cpu * self.known.moments

    @property
    def machines_per_builder(self) -> float:
        """How many machines keep the builder of one shard busy."""
        return self.assumed.shard / sum(self.builder_s(self.assumed.shard).values()) / self.rate

    def read_gbit(self, machines: float) -> float:
        """Return Gbit of video a second that so many machines read."""
        return machines * self.assumed.cpus / self.known.cpu * 3600 * self.assumed.mbit / 1e3

    def busy(self, machines: int) -> float:
        """Return how many of the machines the store keeps busy."""
        return min(machines, self.assumed.store_gbit / self.read_gbit(1))

    def wall_h(self, machines: int) -> float:
        """Return hours until all is indexed: by CPU, or by the store where that is slower."""
        return self.cpu_hours / (self.busy(machines) * self.assumed.cpus)

    def builds(self, machines: int) -> int:
        """Return how many indexes are written at once, so that no writer is waited for."""
        return min(self.shards, math.ceil(self.busy(machines) / self.machines_per_builder))

    def builder_hours(self, machines: float = math.inf) -> float:
        """Return CPU hours of the builders of all shards, each fed by so many machines."""
        return self.shards * sum(self.builder_s(self.assumed.shard, machines).values()) / 3600


def table(*rows: tuple[object, ...]) -> str:
    """Return rows as markdown, the first as head."""
    lines = [f"| {' | '.join(map(str, row))} |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])


def measured(known: Constants) -> Iterator[tuple[object, ...]]:
    """Yield what was measured."""
    yield "measured", "value"
    for part, size in sorted(known.bytes_by_part.items(), key=lambda item: -item[1]):
        yield f"bytes a moment: {part}", f"{size:,.0f}"
    yield "bytes a moment, all", f"{sum(known.bytes_by_part.values()):,.0f}"
    yield "pictures a moment", f"{known.frames:.1f}"
    yield "bytes that an actor sends of a moment", f"{known.sent:,.0f}"
    yield "moments of an hour, 640x360", f"{known.moments:,.0f}"
    yield "CPU seconds of an hour, 640x360", f"{known.cpu:,.0f}"
    moment = f"{1e6 * known.add:.0f}, {1e6 * known.compact:.0f}"
    yield "CPU µs to write a moment, to rewrite one", moment
    publish = f"{1e6 * known.publish:.1f}, {1e6 * known.listed:.0f}"
    yield "CPU µs of a publish for each live video, each segment", publish
    yield "bytes a video: tables, journal", f"{known.table:,.0f}, {known.journal:,.0f}"
    memory = f"{known.resident:,.0f}, {known.job:,.0f}"
    yield "bytes of the builder's memory for a video, more while it waits", memory
    yield "bytes of the manifest for a segment", f"{known.segment:,.0f}"
    driver = "not measured" if known.driver is None else f"{1e3 * known.driver:.1f}"
    yield "CPU ms of Ray's driver for a video", driver


def library(it: Library) -> Iterator[tuple[object, ...]]:
    """Yield what the library is."""
    a = it.assumed
    size_gb = it.moments * it.moment_bytes / 1e9
    serving = it.shards * a.copies
    yield f"{a.hours:,.0f} hours", "value"
    yield "moments", f"{it.moments / 1e6:,.0f} million"
    yield f"videos of {a.video_minutes:g} minutes", f"{it.moments * it.videos_per_moment:,.0f}"
    yield "index", f"{size_gb / 1e3:,.1f} TB, {it.moment_bytes:,.0f} bytes a moment"
    yield f"shards of {a.shard / 1e6:g} million moments", f"{it.shards:,}"
    yield "CPU hours to index", f"{it.cpu_hours:,.0f}"
    yield "CPU hours of the builders", f"{it.builder_hours():,.0f}"
    yield "dollars to index", f"{(it.cpu_hours + it.builder_hours()) * a.vcpu_hour:,.0f}"
    yield f"machines that answer, {a.copies} to a shard", f"{serving:,}"
    yield "queries a second, one by one", f"{a.copies * QUERIES_S:,.0f}"
    month_h = YEAR_DAYS / 12 * 24
    yield "dollars a month to answer", f"{serving * a.cpus * month_h * a.vcpu_hour:,.0f}"
    yield "dollars a month for their disks", f"{size_gb * a.copies * a.disk_month:,.0f}"


def fleets(it: Library) -> Iterator[tuple[object, ...]]:
    """Yield what so many machines come to."""
    a = it.assumed
    yield (
        "machines", "time", "builds at once", "read, Gbit/s", "sent, MB/s", "dollars", "slowest is"
    )  # fmt: skip
    for machines in MACHINES:
        hours = it.wall_h(machines)
        busy, builds = it.busy(machines), it.builds(machines)
        dollars = (hours * machines * a.cpus + it.builder_hours(busy / builds)) * a.vcpu_hour
        time = (
            f"{hours / 24 / YEAR_DAYS:.1f} years" if hours > 17_520 else f"{hours / 24:,.1f} days"
        )
        yield (
            f"{machines:,}", time if hours > 48 else f"{hours:,.1f} hours", f"{builds:,.0f}",
            f"{min(it.read_gbit(machines), a.store_gbit):,.1f}",
            f"{it.moments * it.known.sent / hours / 3600 / 1e6:,.1f}", f"{dollars:,.0f}",
            "the videos' store" if busy < machines else "CPU",
        )  # fmt: skip


def builder(it: Library) -> Iterator[tuple[object, ...]]:
    """Yield the CPU hours of the one process that writes an index."""
    sizes = (it.assumed.shard / 10, it.assumed.shard, it.assumed.shard * 10, it.moments)
    all_of = [it.builder_s(size) for size in sizes]
    yield ("CPU hours of one builder", *(f"{size / 1e6:,.0f} million moments" for size in sizes))
    for what in all_of[0]:
        yield (what, *(f"{seconds[what] / 3600:,.2f}" for seconds in all_of))
    yield ("all", *(f"{sum(seconds.values()) / 3600:,.2f}" for seconds in all_of))


def limits(it: Library) -> Iterator[tuple[object, ...]]:
    """Yield where each resource ends, the soonest first in each part."""
    a, known = it.assumed, it.known
    publish_videos = a.publish_s / known.publish
    yield "resource", "ends at", "because"
    yield (
        "the videos' store", f"{a.store_gbit / it.read_gbit(1):,.0f} machines",
        f"each reads {1e3 * it.read_gbit(1):,.0f} Mbit/s of {a.store_gbit:g} Gbit/s",
    )  # fmt: skip
    yield (
        "CPU of one builder", f"{it.machines_per_builder:,.0f} machines",
        f"each makes {it.rate:,.1f} moments a second",
    )  # fmt: skip
    yield (
        "network of one builder", f"{a.link_gbit * 1e9 / 8 / (it.rate * known.sent):,.0f} machines",
        f"each sends {it.rate * known.sent / 1e3:,.0f} kB/s to {a.link_gbit:g} Gbit/s",
    )  # fmt: skip
    yield (
        "table of videos", f"{publish_videos / 1e6:,.1f} million videos in an index",
        f"every publish writes it whole: {a.publish_s:g} s, as often as there is one",
    )  # fmt: skip
    in_memory = known.resident + known.job
    yield (
        "memory of one builder", f"{a.memory_gb * 1e9 / in_memory / 1e6:,.1f} million videos",
        f"{in_memory:,.0f} bytes each of {a.memory_gb:g} GB, all of them in one build",
    )  # fmt: skip
    yield (
        "memory that answers", f"{a.shard / 1e6:g} million moments in an index",
        "16 GiB with pages of files, in docs/benchmarks.md",
    )  # fmt: skip
    yield (
        "CPUs that answer", f"{QUERIES_S:g} queries a second for each copy",
        "every query asks every shard; one by one, in docs/benchmarks.md",
    )  # fmt: skip
    segments, alone = a.shard / PUBLISHED, a.shard / (it.rate * PUBLISH_S)
    yield (
        "manifest", f"never: {segments * known.segment / 1e6:,.1f} MB for a shard",
        f"{segments:,.0f} segments of {known.segment:,.0f} bytes, {alone:,.0f} of one machine's",
    )  # fmt: skip
    journal_mb = a.shard * it.videos_per_moment * known.journal / 1e6
    yield (
        "journal", f"never: {journal_mb:,.0f} MB for a shard",
        f"{known.journal:,.0f} bytes a video, two commits a publish",
    )  # fmt: skip
    yield (
        "disk", f"never: {a.shard * it.moment_bytes / 1e9:,.0f} GB for a shard",
        "twice that while it is compacted",
    )  # fmt: skip


def shards(known: Constants) -> Iterator[tuple[object, ...]]:
    """Yield how shards merge."""
    same, apart = known.merged
    whole, each, merged = known.by_lists
    yield f"best {K}", "value"
    yield f"exact, {SHARDS} shards merged: the same moments as the whole", f"{same:.2%}"
    yield "exact: greatest difference of a score", f"{apart:g}"
    yield "latents by lists: recall of the whole", f"{whole:.4f}"
    yield "latents by lists: recall of a shard, mean", f"{each:.4f}"
    yield f"latents by lists: recall of {SHARDS} shards merged", f"{merged:.4f}"


def constants(options: argparse.Namespace) -> Constants:
    """Measure, or read what was kept."""
    if options.keep and options.keep.exists():
        return Constants(**json.loads(options.keep.read_text()))
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        known = measure(
            options.clips, Path(folder), options.moments, options.lists, options.queries
        )
    if options.keep:
        options.keep.write_text(json.dumps(asdict(known)))
    return known


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description="What a large library takes.")
    parser.add_argument("clips", type=Path, help="a folder of .mp4 files")
    parser.add_argument("--keep", type=Path, help="keep what was measured, or take it from here")
    parser.add_argument("--folder", type=Path, help="for what is made on the way")
    parser.add_argument("--moments", type=int, default=20_000, help="of the exact shards")
    parser.add_argument("--lists", type=int, default=278_528, help="of the shards by lists")
    parser.add_argument("--queries", type=int, default=200)
    for one in fields(Assumed):
        name = f"--{one.name.replace('_', '-')}"
        parser.add_argument(name, type=type(one.default), default=one.default)
    options = parser.parse_args()
    known = constants(options)
    it = Library(known, Assumed(*(getattr(options, one.name) for one in fields(Assumed))))
    for rows in (
        measured(known), library(it), fleets(it), builder(it), limits(it), shards(known)
    ):  # fmt: skip
        sys.stdout.write(table(*rows) + "\n\n")


if __name__ == "__main__":
    main()
