"""Bring an index up to date with files: plan, have the videos encoded, publish.

Videos are encoded by workers here (`indexer/here.py`) or on other machines (`indexer/fleet.py`);
whole videos go to the engine's writer, which is published every so often. Publish first, journal
second: killed at any instant, the next build follows the manifest and carries on.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from unify.engine.errors import IndexUnavailable, MediaError, UsageError
from unify.engine.manifest import IndexSettings
from unify.engine.writer import IndexWriter
from unify.indexer.catalog import Catalog
from unify.indexer.decode_decord import require_decord
from unify.indexer.decoding import Batch, Event, Limits, Started
from unify.indexer.discover import (
    EVERYTHING,
    Choice,
    Discovery,
    digest,
    discover,
    is_under,
)
from unify.indexer.encode import Encoded, OutOfReach, Workers
from unify.indexer.entries import Entry, State
from unify.indexer.eta import Remaining
from unify.indexer.here import Here
from unify.indexer.interrupts import held_back
from unify.indexer.journal import NAME, Journal
from unify.indexer.plan import Disk, Job, Plan, make_plan
from unify.indexer.ports import VideoEncoder
from unify.indexer.progress import (
    Advanced,
    BuildReport,
    Planned,
    Progress,
    Published,
    VideoFailed,
    VideoFinished,
    VideoStarted,
)
from unify.indexer.worker import Decoder

__all__ = ["BuildReport", "Progress", "build"]

_PUBLISH_MOMENTS = 4096
_PUBLISH_S = 30.0


def build(
    paths: Sequence[Path],
    directory: Path,
    encoder: VideoEncoder,
    settings: IndexSettings,
    progress: Callable[[Progress], None] | None = None,
    *,
    retry_failed: bool = False,
    prune: bool = False,
    workers: int | None = None,
    max_memory_bytes: int | None = None,
    limits: Limits | None = None,
    choice: Choice = EVERYTHING,
    fleet: Workers | None = None,
) -> BuildReport:
    """Index videos, or bring an index up to date with their files.

    Args:
        paths: files and folders.
        directory: the index; made where there is none.
        encoder: what turns frames into vectors and weights.
        settings: what the index is, or shall be, built with.
        progress: called with what happens, as it happens.
        retry_failed: try videos again that failed before and have not changed.
        prune: take vanished files for deleted even where a whole folder looks empty.
        workers: decoding processes; by default what `indexer/resources.py` says.
        max_memory_bytes: what all processes may take together, or None.
        limits: what one video may cost.
        choice: which of the videos under the paths are meant.
        fleet: who encodes in place of this machine; how many and at what cost is its own matter.

    Raises:
        UsageError: a path does not exist or holds no video, or a setting cannot be used.
        IndexUnavailable: another process is writing the index, or it cannot be written, or the
            fleet lost some videos.
        IncompatibleIndex: it was built by another pack or with other settings.
        DamagedIndex: its manifest or its journal is damaged.
    """
    began_s = time.monotonic()
    _check_decoder(settings)
    if (workers is not None and workers < 1) or not settings.fps > 0:
        raise UsageError("workers and fps must be above 0")
    found = discover(paths, choice)
    if found.empty and not (prune and (directory / NAME).exists()):
        raise _nothing_in(found)
    fleet = fleet or Here(encoder, settings, workers, max_memory_bytes, limits)
    with IndexWriter.open(directory, settings) as writer, Journal(directory) as journal:
        catalog = Catalog(writer, journal)
        if found.empty and not catalog.knows_under(found):
            raise _nothing_in(found)
        plan = make_plan(
            found.candidates,
            list(catalog.entries.values()),
            journal.copies(),
            Disk(_digest_or_nothing, found.gone, _remover(found, prune)),
            retry_failed,
        )
        catalog.follow(plan, found)
        run = _Run(catalog, progress or (lambda event: None))
        run.report = _first_report(plan, found, catalog)
        run.index(plan.jobs, fleet)
    run.report.wall_s = time.monotonic() - began_s
    return run.report


def _check_decoder(settings: IndexSettings) -> None:
    try:
        decoder = Decoder(settings.decoder)
    except ValueError:
        known = " or ".join(Decoder)
        raise UsageError(f"no decoder {settings.decoder!r}", f"choose {known}") from None
    if decoder is Decoder.DECORD:
        require_decord()


def _nothing_in(found: Discovery) -> UsageError:
    for path, why in found.unreadable:
        if os.path.normpath(path) in found.named:
            return UsageError(f"{path} cannot be read ({why})", "check its permissions")
    left_out = f" but {len(found.ignored):,} that rules leave out" if found.ignored else ""
    return UsageError(
        f"no video in {', '.join(found.empty)}{left_out}",
        "give a folder with videos; if its videos were deleted, --prune takes them off the index",
    )


def _digest_or_nothing(path: str) -> str:
    try:
        return digest(path)
    except OSError:
        return ""  # the decoder will say why


def _remover(found: Discovery, prune: bool) -> Callable[[str], bool]:
    """Return what tells whether a vanished file was deleted, as far as the named PATHs can tell.

    A folder that could not be read tells nothing; nor does a PATH in which there is no video at
    all any more (a disk that is not mounted).
    """
    there = [*found.ignored, *(candidate.path for candidate in found.candidates)]
    full = {folder for folder in found.named if any(is_under(path, folder) for path in there)}
    blind = [*found.choice.away, *(os.path.normpath(path) for path, _ in found.unreadable)]

    def may_remove(path: str) -> bool:
        if path in found.choice.unsettled or any(is_under(path, folder) for folder in blind):
            return False
        folder = next((folder for folder in found.named if is_under(path, folder)), None)
        return folder is not None and (prune or folder in full)

    return may_remove


class _Run:
    """Sees to it that what becomes of the videos of a plan is in the index and in the report."""

    def __init__(self, catalog: Catalog, tell: Callable[[Progress], None]) -> None:
        self.report = BuildReport()
        self._catalog = catalog
        self._tell = tell
        self._done_bytes = 0
        self._total_bytes = 1
        self._duration_s = 1.0
        self._remaining = Remaining([])
        self._job_began_s = self._told_s = self._published_s = time.monotonic()
        self._publishing = False

    def index(self, jobs: list[Job], workers: Workers) -> None:
        """Index all videos; on ctrl-C publish those that are finished.

        Raises:
            IndexUnavailable: some videos got no answer; the next build looks at them again.
        """
        total = sum(job.candidate.size_bytes for job in jobs)
        self._total_bytes = max(1, total)
        self._remaining = Remaining([job.candidate.size_bytes for job in jobs])
        self._job_began_s = self._told_s = time.monotonic()
        self._tell(Planned(len(jobs), total, self.report.skipped))
        waiting = {job.entry.id: job for job in jobs}
        writer = self._catalog.writer
        outcomes = workers.work(jobs, writer.directory, self._watch)
        with writer.writing(), closing(outcomes):
            try:
                for job, outcome in outcomes:
                    if job.entry.id in waiting:  # a machine that was lost may have answered
                        del waiting[job.entry.id]
                        self._video(job, outcome)
                    if self._due():
                        self._publish()
            except BaseException:  # ctrl-C, or a fault: what is finished is kept
                if not self._publishing:
                    self._publish()
                raise
        self._publish()
        if waiting:
            lost = [job.candidate.shown for job in waiting.values()]
            raise IndexUnavailable(
                f"lost with their workers: {len(lost):,} of {len(jobs):,} videos, "
                f"such as {lost[0]}",
                "run again: the build goes on with them; one that is lost each time ends whoever "
                "works on it: --exclude it",
            )

    def _watch(self, job: Job, event: Event) -> None:
        match event:
            case Started(_, duration_s):
                self._duration_s = duration_s
                self._tell(VideoStarted(job.candidate.shown, duration_s))
            case Batch(times_s, _):
                done_s = min(float(times_s[-1]), self._duration_s)
                self._advance(done_s / self._duration_s, job.candidate.size_bytes, done_s)

    def _video(self, job: Job, outcome: Encoded | MediaError) -> None:
        shown = job.candidate.shown
        if isinstance(outcome, MediaError):
            self._failed(replace(job.entry, state=State.FAILED, note=str(outcome)), outcome)
        else:
            entry = outcome.entry
            self._catalog.writer.add(entry.id, outcome.spans, outcome.frame_times, outcome.codes)
            self._catalog.finish(entry)
            self.report.indexed += 1
            self.report.moments += entry.moments
            self.report.video_s += entry.duration_s
            if entry.note:
                self.report.damaged.append((shown, entry.note))
            self._tell(VideoFinished(shown, entry.moments, entry.note))
        now_s, size_bytes = time.monotonic(), job.candidate.size_bytes
        self._remaining.finished(size_bytes, now_s - self._job_began_s)
        self._job_began_s = now_s
        self._done_bytes += size_bytes
        self._advance(0.0, 0, 0.0)

    def _failed(self, entry: Entry, error: MediaError) -> None:
        # A file out of reach may be whole: it stays pending, and what was searchable of it stays.
        lost = isinstance(error, OutOfReach)
        for one in [entry] if lost else self._catalog.fail(entry):
            shown = self._catalog.shown(one)
            self.report.failed.append((shown, one.note))
            if shown in self.report.duplicates:
                self.report.duplicates.remove(shown)
            self._tell(VideoFailed(shown, one.note))

    def _advance(self, part: float, size_bytes: int, part_s: float) -> None:
        """Tell how far it is, with a part of the video at work done."""
        share = min(1.0, (self._done_bytes + part * size_bytes) / self._total_bytes)
        now_s = time.monotonic()
        cost_s, passed_s = now_s - self._job_began_s, now_s - self._told_s
        left_s = self._remaining.estimate_s(part, size_bytes, cost_s, passed_s)
        self._told_s = now_s
        self._tell(Advanced(share, self.report.video_s + part_s, left_s))

    def _due(self) -> bool:
        waiting = self._catalog.writer.pending_moments
        late = time.monotonic() - self._published_s > _PUBLISH_S
        return waiting >= _PUBLISH_MOMENTS or (waiting > 0 and late)

    def _publish(self) -> None:
        self._publishing = True
        with held_back():
            new = self._catalog.publish()
            self._publishing = False
        if new:
            self._tell(Published(self._catalog.writer.manifest.generation, self.report.indexed))
        self._published_s = time.monotonic()
        self.report.generation = self._catalog.writer.manifest.generation


def _first_report(plan: Plan, found: Discovery, catalog: Catalog) -> BuildReport:
    ignored, seen = set(found.ignored), {candidate.path for candidate in found.candidates}
    known = (e for e in catalog.entries.values() if e.state is State.COMPLETE)
    return BuildReport(
        found=len(found.candidates),
        skipped=plan.skipped,
        renamed=len(plan.renamed),
        removed=sum(entry.state is State.COMPLETE for entry in plan.removed),
        missing=[catalog.shown(entry) for entry in plan.missing],
        failed=[(catalog.shown(entry), entry.note) for entry in plan.failed],
        duplicates=[catalog.shown(copy) for copy in plan.copies if copy.path in seen],
        unreadable=found.unreadable,
        ignored=len(ignored),
        kept=[catalog.shown(entry) for entry in known if entry.path in ignored],
        generation=catalog.writer.manifest.generation,
    )
