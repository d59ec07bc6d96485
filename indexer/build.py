"""Bring an index up to date with files: plan, decode, encode, publish.

Pictures flow from decoding processes through bounded queues to the encoder; whole videos go to
the engine's writer, which is published every so often. Publish first, journal second: killed at
any instant, the next build follows the manifest and carries on.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from unify.engine.errors import MediaError, UsageError
from unify.engine.manifest import IndexSettings
from unify.engine.said import add_said
from unify.engine.types import Float64
from unify.engine.writer import IndexWriter
from unify.indexer.ahead import ReadAhead
from unify.indexer.catalog import Catalog
from unify.indexer.cues import said_in
from unify.indexer.decode_decord import require_decord
from unify.indexer.decoding import (
    Batch,
    DecodeProcess,
    Event,
    Finished,
    Limits,
    Speech,
    Started,
)
from unify.indexer.discover import (
    EVERYTHING,
    Choice,
    Discovery,
    digest,
    discover,
    gone,
    is_under,
)
from unify.indexer.eta import Remaining
from unify.indexer.features import FeatureFile
from unify.indexer.interrupts import held_back
from unify.indexer.journal import NAME, Entry, Journal, State
from unify.indexer.moments import cut_moments
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
from unify.indexer.resources import Share, share_out, taken_bytes
from unify.indexer.shots import find_shots
from unify.indexer.worker import Decoder, Request

__all__ = ["BuildReport", "Progress", "build"]

_PUBLISH_MOMENTS = 4096
_PUBLISH_S = 30.0
_WARM_FRAMES = 16


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

    Raises:
        UsageError: a path does not exist or holds no video, or a setting cannot be used.
        IndexUnavailable: another process is writing the index, or it cannot be written.
        IncompatibleIndex: it was built by another pack or with other settings.
        DamagedIndex: its manifest or its journal is damaged.
    """
    began_s = time.monotonic()
    decoder = _decoder(settings)
    if (workers is not None and workers < 1) or not settings.fps > 0:
        raise UsageError("workers and fps must be above 0")
    found = discover(paths, choice)
    if found.empty and not (prune and (directory / NAME).exists()):
        raise _nothing_in(found)
    share = _share(encoder, workers, max_memory_bytes)
    with IndexWriter.open(directory, settings) as writer, Journal(directory) as journal:
        catalog = Catalog(writer, journal)
        if found.empty and not catalog.knows_under(found):
            raise _nothing_in(found)
        plan = make_plan(
            found.candidates,
            list(catalog.entries.values()),
            journal.copies(),
            Disk(_digest_or_nothing, gone, lambda path: _may_remove(path, found, prune)),
            retry_failed,
        )
        catalog.follow(plan, found)
        run = _Run(catalog, encoder, settings, decoder, progress or (lambda event: None))
        share = share.among(len(plan.jobs))
        run.threads = share.threads
        run.report = _first_report(plan, found, catalog)
        limits = replace(limits or Limits(), data_bytes=share.data_bytes)
        run.index(plan.jobs, [DecodeProcess(limits) for _ in range(share.workers)])
    run.report.wall_s = time.monotonic() - began_s
    return run.report


def _share(encoder: VideoEncoder, workers: int | None, max_memory_bytes: int | None) -> Share:
    if max_memory_bytes is not None:  # once it has encoded something, what it takes is known
        shape = encoder.frame_shape
        encoder.encode_frames(np.zeros((_WARM_FRAMES, shape.height, shape.width, 3), np.uint8))
    return share_out(workers, max_memory_bytes, taken_bytes())


def _decoder(settings: IndexSettings) -> Decoder:
    try:
        decoder = Decoder(settings.decoder)
    except ValueError:
        known = " or ".join(Decoder)
        raise UsageError(f"no decoder {settings.decoder!r}", f"choose {known}") from None
    if decoder is Decoder.DECORD:
        require_decord()
    return decoder


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


def _may_remove(path: str, found: Discovery, prune: bool) -> bool:
    """Whether a vanished file was deleted, as far as the named PATHs can tell.

    A folder that could not be read, or in which there is no video at all any more (a disk that
    is not mounted), tells nothing.
    """
    if path in found.unsettled:
        return False
    if any(is_under(path, os.path.normpath(blind)) for blind, _ in found.unreadable):
        return False
    for folder in found.named:
        if is_under(path, folder):
            there = itertools.chain(found.ignored, (c.path for c in found.candidates))
            return prune or any(is_under(other, folder) for other in there)
    return False


@dataclass(frozen=True, slots=True)
class _Digested:
    """The content of a job's file, hashed before it is decoded."""

    digest: str


@dataclass(slots=True)
class _Seen:
    """What has been seen of a video: its entry, times of its frames, its subtitles."""

    entry: Entry
    times: list[Float64] = field(default_factory=list)
    speech: Speech = field(default_factory=lambda: Speech([], []))


class _Run:
    """Encodes the videos of a plan."""

    def __init__(
        self,
        catalog: Catalog,
        encoder: VideoEncoder,
        settings: IndexSettings,
        decoder: Decoder,
        tell: Callable[[Progress], None],
    ) -> None:
        self.report = BuildReport()
        self._catalog = catalog
        self._encoder = encoder
        self._settings = settings
        self._decoder = decoder
        self._tell = tell
        self._done_bytes = 0
        self._total_bytes = 1
        self._remaining = Remaining([])
        self._job_began_s = self._told_s = self._published_s = time.monotonic()
        self.threads = 0
        self._publishing = False

    def index(self, jobs: Sequence[Job], processes: Sequence[DecodeProcess]) -> None:
        """Index all videos; on ctrl-C publish those that are finished."""
        total = sum(job.candidate.size_bytes for job in jobs)
        self._total_bytes = max(1, total)
        self._remaining = Remaining([job.candidate.size_bytes for job in jobs])
        self._job_began_s = self._told_s = time.monotonic()
        self._tell(Planned(len(jobs), total, self.report.skipped))
        with ReadAhead[Job, Event | _Digested](self._decode, processes) as ahead:
            try:
                for job, events in ahead.run(jobs):
                    self._video(job, events)
                    if self._due():
                        self._publish()
            except BaseException:  # ctrl-C, or a fault: what is finished is kept
                if not self._publishing:
                    self._publish()
                raise
        self._publish()

    def _decode(self, job: Job, process: DecodeProcess) -> Iterator[Event | _Digested]:
        """Run in a thread: the pictures of one video, and the hash of its file."""
        path = job.candidate.path
        try:
            yield _Digested(job.entry.digest or digest(path))
        except OSError as error:
            raise MediaError(f"cannot be read ({error.strerror or error})") from None
        shape = self._encoder.frame_shape
        files = job.candidate.sidecars.paths
        request = Request(path, self._settings.fps, shape, self._decoder, files, self.threads)
        yield from process.decode(request)

    def _video(self, job: Job, events: Iterable[Event | _Digested]) -> None:
        entry, shown = job.entry, job.candidate.shown
        try:
            entry = self._encode(job, events)
        except MediaError as error:
            failed = replace(job.entry, state=State.FAILED, note=str(error))
            self._catalog.fail(failed)
            self.report.failed.append((shown, str(error)))
            self._tell(VideoFailed(shown, str(error)))
        else:
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

    def _encode(self, job: Job, events: Iterable[Event | _Digested]) -> Entry:
        """Encode one video into the writer and return its entry."""
        writer = self._catalog.writer
        with writer.writing(), FeatureFile(writer.directory) as features:
            seen = self._look(job, events, features)
            return self._moments(seen, features)

    def _look(self, job: Job, events: Iterable[Event | _Digested], features: FeatureFile) -> _Seen:
        """Encode the frames of one video."""
        seen = _Seen(job.entry)
        for event in events:
            match event:
                case _Digested():
                    seen.entry = replace(seen.entry, digest=event.digest)
                case Started():
                    seen.entry = _with_facts(seen.entry, event, job.candidate.mtime_ns)
                    self._tell(VideoStarted(job.candidate.shown, event.duration_s))
                case Speech():
                    seen.speech = event
                case Batch():
                    seen.times.append(event.times_s)
                    rows = self._encoder.encode_frames(event.frames)
                    features.append(rows)
                    duration_s = seen.entry.duration_s
                    done_s = min(float(event.times_s[-1]), duration_s)
                    self._advance(done_s / duration_s, job.candidate.size_bytes, done_s)
                case Finished():
                    seen.entry = replace(seen.entry, note=event.damage)
        return seen

    def _moments(self, seen: _Seen, features: FeatureFile) -> Entry:
        """Cut the frames that were seen into moments, and encode these."""
        entry, speech = seen.entry, seen.speech
        frame_times = np.concatenate(seen.times)
        rows = features.whole()
        shots = find_shots(rows, entry.duration_s)
        spans = cut_moments(frame_times, entry.duration_s, self._settings.window_s, shots)
        ranges = np.stack([spans.first, spans.last], axis=1)
        codes = self._encoder.encode_moments(rows, ranges)
        notes = [*([entry.note] if entry.note else []), *speech.damage]
        if speech.cues:
            said = said_in(
                speech.cues, frame_times, entry.duration_s, ranges, self._encoder.terms_of
            )
            codes = add_said(codes, said.moments, said.frames, self._settings.lexicon_size)
            if said.outside:
                lines = f"{said.outside:,} of {len(speech.cues):,} lines"
                notes.append(f"subtitles: {lines} lie outside the video")
        self._catalog.writer.add(entry.id, spans, frame_times, codes)
        cues, note = len(speech.cues), "; ".join(notes)
        return replace(entry, moments=len(spans), cues=cues, note=note)

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


def _with_facts(entry: Entry, started: Started, mtime_ns: int) -> Entry:
    recorded = started.facts.recorded
    return replace(
        entry,
        duration_s=started.duration_s,
        recorded=mtime_ns / 1e9 if recorded is None else recorded,
        width=started.facts.width,
        height=started.facts.height,
        codec=started.facts.codec,
    )


def _first_report(plan: Plan, found: Discovery, catalog: Catalog) -> BuildReport:
    ignored = set(found.ignored)
    known = (e for e in catalog.entries.values() if e.state is State.COMPLETE)
    return BuildReport(
        found=len(found.candidates),
        skipped=plan.skipped,
        renamed=len(plan.renamed),
        removed=sum(entry.state is State.COMPLETE for entry in plan.removed),
        missing=[catalog.shown(entry) for entry in plan.missing],
        failed=[(catalog.shown(entry), entry.note) for entry in plan.failed],
        duplicates=[catalog.shown(copy) for copy in plan.copies],
        unreadable=found.unreadable,
        ignored=len(ignored),
        kept=[catalog.shown(entry) for entry in known if entry.path in ignored],
        generation=catalog.writer.manifest.generation,
    )
