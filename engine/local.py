"""The local backend: a consistent read view of the live segments of one index directory.

Opening reads the manifest, the tables and the headers of the files that the manifest names.
A snapshot never changes: a writer publishes beside it. Readers never open SQLite or the lock.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np

from unify.engine import arrays, claims, masks, rescore, tables
from unify.engine.ann import ANN_FROM, Scored, SegmentLatents
from unify.engine.ann import topk as topk_latents
from unify.engine.backend import Allowed, Condition, Fetched, MomentFacts, Statistics
from unify.engine.compiled import COMPILE_FROM, in_time
from unify.engine.costs import USUAL, Costs, machine_costs
from unify.engine.errors import DamagedIndex, UsageError
from unify.engine.manifest import IndexSettings, Manifest, read_manifest
from unify.engine.merging import merge
from unify.engine.paths import Paths
from unify.engine.postings import WINDOW, Lists, topk
from unify.engine.query import Filters
from unify.engine.segment import Segment
from unify.engine.types import EncodedQuery, Float32, Float64, Int64, UInt16

_EPS = float(np.finfo(np.float32).eps)
_TRIES = 5


def open_snapshot(directory: Path) -> LocalBackend:
    """Open the current generation.

    A file may vanish between reading the manifest and opening what it names, when a writer
    publishes twice in that time; then the newer manifest is read.

    Raises:
        IndexUnavailable: there is no index.
        IncompatibleIndex: another version of unify wrote it.
        DamagedIndex: a file is missing or has another size than the manifest says.
    """
    for _ in range(_TRIES):
        manifest = read_manifest(directory)
        try:
            return LocalBackend(directory, manifest)
        except FileNotFoundError as error:
            missing, last = error.filename, manifest.generation
            if read_manifest(directory).generation == last:
                break
    raise DamagedIndex(f"{missing} is missing", "see all damage with: unify index verify")


class LocalBackend:
    """Implements `Backend` over segments on disk."""

    def __init__(self, directory: Path, manifest: Manifest) -> None:
        self.directory = directory
        self.manifest = manifest
        if manifest.tables:  # no writer removes what this snapshot names while it is open
            self._claim = claims.share(directory / manifest.tables[0].name)
        for file in manifest.tables:
            arrays.check_size(directory / file.name, file)
        self.videos = tables.open_videos(directory, manifest)
        self._dead = tables.read_tombstones(directory, manifest)
        self.segments = [
            Segment(directory, entry, manifest.settings, at_random=True)
            for entry in manifest.segments
        ]
        self._segment_of = {segment.id: segment for segment in self.segments}
        self._paths = Paths(self.videos, manifest.roots)
        large = manifest.moments >= COMPILE_FROM
        self._latents = [
            SegmentLatents(s.latents_path, s.ann_path, len(s), s.latent_dim, large)
            for s in self.segments
        ]

    @property
    def settings(self) -> IndexSettings:
        """See `Backend`."""
        return self.manifest.settings

    @property
    def name(self) -> str:
        """See `Backend`."""
        return str(self.directory)

    def costs(self) -> Costs:
        """See `Backend`."""
        return machine_costs() if self.statistics().moments >= COMPILE_FROM else USUAL

    @property
    def _fast(self) -> bool:
        """Whether to use compiled kernels: answers are the same where no row may be missed."""
        moments = self.manifest.moments
        return moments >= COMPILE_FROM or (moments < ANN_FROM and in_time(self._compile))

    def _compile(self) -> None:
        """Call each kernel once."""
        segment, row, term = self.segments[0], np.zeros(1, np.int64), np.zeros(1, np.uint16)
        topk(Lists(segment.postings, segment.stored_terms, len(segment), term, np.ones(1)),
             None, 1, True)  # fmt: skip
        rescore.latent_scores(segment.latents, row, np.zeros(segment.latent_dim), True)
        query = rescore.sought(term, np.ones(1, np.float32), segment.stored_terms)
        rescore.lexicon_scores(segment.forward, row, query, True)

    @cached_property
    def _alive(self) -> masks.Masks | None:
        """Rows of live videos by segment, or None when there is no tombstone."""
        if not len(self._dead):
            return None
        return [~np.isin(segment.moments["video"], self._dead) for segment in self.segments]

    def statistics(self) -> Statistics:
        """See `Backend`."""
        return self._statistics

    @cached_property
    def _statistics(self) -> Statistics:
        alive = self._alive
        moments = self.manifest.moments if alive is None else masks.count(alive)
        windows = sum(-(-len(segment) // WINDOW) for segment in self.segments)
        return Statistics(moments, len(self.videos), len(self.segments), windows)

    def allowed(self, filters: Filters, conditions: list[Condition], shows: float) -> Allowed:
        """See `Backend`."""
        rows = self._alive
        if filters:
            rows = masks.both(rows, masks.of_videos(self.segments, self._paths.meeting(filters)))
        for condition in conditions:
            rows = masks.both(rows, masks.meeting(self.segments, condition, shows))
        if rows is None or rows is self._alive:
            statistics = self.statistics()
            return Allowed(statistics.moments, statistics.videos, rows)
        return Allowed(masks.count(rows), masks.count_videos(self.segments, rows), rows)

    def approximates(self, allowed: Allowed) -> bool:
        """See `Backend`."""
        return any(
            latents.approximates(None if allowed.rows is None else allowed.rows[i])
            for i, latents in enumerate(self._latents)
        )

    def latent_topk(
        self, latents: Float32, k: int, allowed: Allowed, exact: bool, threads: int
    ) -> list[Fetched]:
        """See `Backend`. The bound is infinite where any segment was searched by its lists."""
        rows = [None] * len(self.segments) if allowed.rows is None else allowed.rows
        fetched = []
        found = topk_latents(self._latents, latents, k, rows, exact, threads)
        for latent, (parts, surely) in zip(latents, found, strict=True):
            ids = [
                (own + segment.base, scores)
                for segment, (own, scores) in zip(self.segments, parts, strict=True)
            ]
            if surely:
                slack = len(latent) * _EPS * float(np.linalg.norm(latent)) * 1.01  # a float32 sum
                fetched.append(merge(ids, k, allowed.moments, slack))  # over rows of unit length
            else:
                fetched.append(replace(merge(ids, k, allowed.moments), bound=np.inf, exact=True))
        return fetched

    def lexicon_topk(
        self, terms: UInt16, weights: Float32, k: int, allowed: Allowed, threads: int
    ) -> Fetched:
        """See `Backend`."""
        parts: list[Scored] = []
        slack, above = 0.0, -np.inf
        for i, segment in enumerate(self.segments):
            factors = weights.astype(np.float64) * segment.scales[terms]
            lists = Lists(segment.postings, segment.stored_terms, len(segment), terms, factors)
            allow = None if allowed.rows is None else allowed.rows[i]
            found = topk(lists, allow, k, self._fast, threads, above)
            parts.append((found.rows + segment.base, found.scores))
            slack = max(slack, found.slack)
            if i + 1 < len(self.segments):
                so_far = np.concatenate([scores for _, scores in parts])
                above = np.partition(so_far, -k)[-k] if len(so_far) >= k else -np.inf
        return merge(parts, k, allowed.moments, slack)

    def fused_topk(self, query: EncodedQuery, k: int, allowed: Allowed) -> Fetched:
        """See `Backend`."""
        raise UsageError("an index directory has no server", "use another --fusion, such as rrf")

    def every(self, allowed: Allowed) -> Int64:
        """See `Backend`."""
        parts = [
            (np.arange(len(s)) if allowed.rows is None else np.flatnonzero(allowed.rows[i]))
            + s.base
            for i, s in enumerate(self.segments)
        ]
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    def latent_scores(self, ids: Int64, latent: Float32) -> Float64:
        """See `Backend`."""
        scores = np.zeros(len(ids))
        query = latent.astype(np.float64)
        for segment, at, rows in self._by_segment(ids):
            scores[at] = rescore.latent_scores(segment.latents, rows, query, self._fast)
        return scores

    def lexicon_scores(self, ids: Int64, terms: UInt16, weights: Float32) -> Float64:
        """See `Backend`."""
        scores = np.zeros(len(ids))
        query = rescore.sought(terms, weights, self.manifest.settings.stored_terms)
        for segment, at, rows in self._by_segment(ids):
            scores[at] = rescore.lexicon_scores(segment.forward, rows, query, self._fast)
        return scores

    def term_weights(self, ids: Int64, terms: UInt16) -> Float64:
        """See `Backend`."""
        weights = np.zeros((len(ids), len(terms)))
        for segment, at, rows in self._by_segment(ids):
            weights[at] = _gather(segment, segment.forward, rows, terms)
        return weights

    def latents(self, ids: Int64) -> Float32:
        """See `Backend`."""
        rows = np.zeros((len(ids), self.manifest.settings.latent_dim), np.float32)
        for segment, at, own in self._by_segment(ids):
            rows[at] = segment.latents[own]
        return rows

    def video_ids(self, ids: Int64) -> Int64:
        """See `Backend`."""
        videos = np.zeros(len(ids), np.int64)
        for segment, at, rows in self._by_segment(ids):
            videos[at] = segment.moments["video"][rows]
        return videos

    def postings_count(self, terms: UInt16) -> Int64:
        """See `Backend`."""
        new = terms[self._counted[terms] < 0]
        if len(new):
            counts = np.zeros(len(new), np.int64)
            for segment in self.segments:
                indptr = segment.postings[0]
                windows = np.arange(0, len(indptr) - 1, segment.stored_terms)
                at = windows[:, None] + new.astype(np.int64)  # (windows, new)
                counts += (indptr[at + 1] - indptr[at]).sum(axis=0)
            self._counted[new] = counts
        return self._counted[terms]

    @cached_property
    def _counted(self) -> Int64:
        """(2V,) what `postings_count` knows of each term; below 0, nothing."""
        return np.full(self.manifest.settings.stored_terms, -1, np.int64)

    def facts(self, moment: int) -> MomentFacts:
        """See `Backend`."""
        segment, row = self._locate(moment)
        video, _, _, _, start_s, end_s = segment.moments[row].item()
        (shown, path), *copies = self._paths.of(video)
        return MomentFacts(video, shown, path, start_s, end_s, tuple(copy for _, copy in copies))

    def tracks(self, moment: int, terms: UInt16) -> tuple[Float64, Float64]:
        """See `Backend`."""
        segment, row = self._locate(moment)
        record = segment.moments[row]
        frames = np.arange(int(record["first"]), int(record["last"]))
        return segment.frames[frames], _gather(segment, segment.tracks, frames, terms)

    def term_counts(self, shows: float) -> Int64:
        """See `Backend`."""
        counts = np.zeros(self.manifest.settings.lexicon_size, np.int64)
        for i, segment in enumerate(self.segments):
            indptr, terms, weights = segment.forward
            shown = (weights >= np.float64(shows)) & (terms < len(counts))
            if self._alive is not None:
                shown &= np.repeat(self._alive[i], np.diff(indptr))
            counts += np.bincount(terms[shown], minlength=len(counts))
        return counts

    def moments_of(self, video: str) -> Int64:
        """See `Backend`."""
        wanted = self._paths.find(video)
        found = [np.flatnonzero(s.moments["video"] == wanted) + s.base for s in self.segments]
        return np.concatenate(found)

    def _locate(self, moment: int) -> tuple[Segment, int]:
        return self._segment_of[moment >> 32], moment & 0xFFFFFFFF

    def _by_segment(self, ids: Int64) -> list[tuple[Segment, Int64 | slice, Int64]]:
        """Split ids into (segment, positions in `ids`, rows)."""
        if len(self.segments) == 1:
            return [(self.segments[0], slice(None), ids & 0xFFFFFFFF)]
        owners = ids >> 32
        split = ((s, np.flatnonzero(owners == s.id)) for s in self.segments)
        return [(s, at, ids[at] & 0xFFFFFFFF) for s, at in split if len(at)]


def _gather(segment: Segment, rows_of: rescore.Rows, rows: Int64, terms: UInt16) -> Float64:
    return rescore.weights_of(rows_of, rows, terms, segment.stored_terms)
