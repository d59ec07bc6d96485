"""One video, from its file to what the index keeps of it, wherever that is done.

It must not know the journal, the writer, or how many videos are at work at once.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np

from unify.engine.errors import MediaError
from unify.engine.manifest import IndexSettings
from unify.engine.said import add_said
from unify.engine.segment import MomentSpans
from unify.engine.types import Float32, Float64, MomentCodes
from unify.indexer.cues import said_in
from unify.indexer.decoding import Batch, DecodeProcess, Event, Finished, Speech, Started
from unify.indexer.discover import Candidate, digest
from unify.indexer.entries import Entry
from unify.indexer.features import FeatureFile
from unify.indexer.moments import cut_moments
from unify.indexer.plan import Job
from unify.indexer.ports import VideoEncoder
from unify.indexer.shots import find_shots
from unify.indexer.sidecars import SUBTITLES
from unify.indexer.worker import Decoder, Request


@dataclass(frozen=True, slots=True)
class Encoded:
    """What the index keeps of a video.

    Attributes:
        entry: the job's, with all that was found out.
        spans: of its M moments.
        frame_times: (F,) seconds.
        codes: of the moments and frames.
    """

    entry: Entry
    spans: MomentSpans
    frame_times: Float64
    codes: MomentCodes


class OutOfReach(MediaError):
    """The file itself cannot be opened or read: its place may be at fault, not its content."""


Outcome: TypeAlias = tuple[Job, Encoded | MediaError]
Watch: TypeAlias = Callable[[Job, Event], None]


class Workers(Protocol):
    """Whoever encodes the videos of a build: this machine, or others."""

    def work(self, jobs: list[Job], folder: Path, watch: Watch) -> Generator[Outcome, None, None]:
        """Encode videos; yield each as it is done, in any order, some perhaps never.

        Args:
            jobs: what to encode.
            folder: on a disk of this machine that has room.
            watch: called with what happens to the job at work, where that can be seen.
        """
        ...


@dataclass(frozen=True, slots=True)
class Digested:
    """The content of a job's file, hashed before it is decoded."""

    digest: str


@dataclass(slots=True)
class _Seen:
    """What has been seen of a video: its entry, times of its frames, its subtitles."""

    entry: Entry
    times: list[Float64] = field(default_factory=list)
    speech: Speech = field(default_factory=lambda: Speech([], []))


class VideoIndexer:
    """Decodes and encodes videos as an index wants them.

    Args:
        encoder: what turns frames into vectors and weights.
        settings: what the index is built with.
    """

    def __init__(self, encoder: VideoEncoder, settings: IndexSettings) -> None:
        self._encoder = encoder
        self._settings = settings

    def decode(self, job: Job, process: DecodeProcess, threads: int) -> Iterator[Event | Digested]:
        """Yield the pictures of one video, after the hash of its file.

        Args:
            job: the video.
            process: who decodes it.
            threads: of the decoder.

        Raises:
            OutOfReach: the file cannot be read.
            MediaError: it is no video that can be decoded.
        """
        path = job.candidate.path
        try:
            yield Digested(digest(path))  # now: it may be another file than when it was planned
        except OSError as error:
            raise OutOfReach(f"cannot be read ({error.strerror or error})") from None
        shape, decoder = self._encoder.frame_shape, Decoder(self._settings.decoder)
        files = job.candidate.sidecars.paths
        yield from process.decode(Request(path, self._settings.fps, shape, decoder, files, threads))
        if not _stands(job.candidate):
            yield Digested("")  # what was decoded is nobody's content; the next build looks again

    def encode(
        self, job: Job, events: Iterable[Event | Digested], folder: Path, watch: Watch
    ) -> Encoded:
        """Encode what `decode` yields; each frame once.

        Args:
            job: the video.
            events: as `decode` yields them.
            folder: on a disk that has room for the features of its frames.
            watch: called after each event that people want to know of.

        Raises:
            MediaError: `decode` raised it.
            OSError: the disk is full.
        """
        with FeatureFile(folder) as features:
            seen = _Seen(job.entry)
            for event in events:
                match event:
                    case Digested():
                        seen.entry = replace(seen.entry, digest=event.digest)
                        continue
                    case Started():
                        seen.entry = _with_facts(seen.entry, event, job.candidate.mtime_ns)
                    case Speech():
                        seen.speech = event
                    case Batch():
                        seen.times.append(event.times_s)
                        features.append(self._encoder.encode_frames(event.frames))
                    case Finished():
                        seen.entry = replace(seen.entry, note=event.damage)
                watch(job, event)
            return self._moments(seen, features.whole())

    def _moments(self, seen: _Seen, rows: Float32) -> Encoded:
        """Cut the frames that were seen into moments, and encode these."""
        entry, speech = seen.entry, seen.speech
        frame_times = np.concatenate(seen.times)
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
                lines = f"{said.outside:,} of {len(speech.cues):,}"
                notes.append(f"{SUBTITLES}: lines outside the video: {lines}")
        cues, note = len(speech.cues), "; ".join(notes)
        entry = replace(entry, moments=len(spans), cues=cues, note=note)
        return Encoded(entry, spans, frame_times, codes)


def _stands(candidate: Candidate) -> bool:
    """Whether a file is what it was when it was found."""
    try:
        found = Path(candidate.path).stat()
    except OSError:
        return False
    return (found.st_size, found.st_mtime_ns) == (candidate.size_bytes, candidate.mtime_ns)


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
