"""The index that is served: one generation at a time, followed as builds publish new ones.

Knows videos by id and gives their files; a request never names a path. Reading goes on in the
generation that a request began with.
"""

from __future__ import annotations

import os
import threading
import time
from functools import cached_property
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import numpy as np

from unify.encoders.library import open_index
from unify.engine.errors import UnifyError, UsageError
from unify.engine.local import LocalBackend, open_snapshot
from unify.engine.location import locate
from unify.engine.manifest import NAME, Video
from unify.engine.search import Searcher
from unify.engine.types import Float64, Int64
from unify.indexer.live import Build, running_build
from unify.indexer.status import status

if TYPE_CHECKING:
    from unify.indexer.status import Status

_LOOK_EVERY_S = 0.5
_STATUS_EVERY_S = 5.0


class NoSuchVideo(UsageError):
    """No video, moment or file has this id."""


class View:
    """One generation of an index, with its pack."""

    def __init__(self, searcher: Searcher) -> None:
        assert isinstance(searcher.backend, LocalBackend)
        self.searcher = searcher
        self.backend = searcher.backend
        self.lexicon = searcher.encoder.lexicon
        self.shows = searcher.encoder.calibration.shows

    @property
    def generation(self) -> int:
        """Its number."""
        return self.backend.manifest.generation

    @cached_property
    def counts(self) -> Int64:
        """(V,) moments that show each term; read once, since it looks at every row."""
        return self.backend.term_counts(self.shows)

    @cached_property
    def moments_showing(self) -> dict[str, int]:
        """How many moments show each term."""
        return dict(zip(self.lexicon.terms, self.counts.tolist(), strict=True))

    @cached_property
    def newest(self) -> list[int]:
        """Ids of all videos, those indexed last first."""
        return sorted(self.backend.videos, reverse=True)

    def video(self, video_id: int) -> Video:
        """Return a video.

        Raises:
            NoSuchVideo: there is none of this id.
        """
        try:
            return self.backend.videos[video_id]
        except KeyError:
            raise NoSuchVideo(f"no video {video_id}", "search again: it was removed") from None

    def shown(self, video: Video) -> str:
        """Return a video's path as given to `build`."""
        return str(PurePath(self.backend.manifest.roots[video.root].given, video.rel))

    def file(self, video_id: int) -> Path:
        """Return where the file of a video, or else a copy of it, lies.

        Raises:
            NoSuchVideo: there is no such video, or no file of it any more.
        """
        video = self.video(video_id)
        for place in video.places:
            path = Path(self.backend.manifest.roots[place.root].path, place.rel)
            if path.is_file() and os.access(path, os.R_OK):
                return path
        raise NoSuchVideo(
            f"the file of {self.shown(video)} is gone, or may not be read",
            "connect its disk, or run the build again",
        )

    def path(self, video_id: int) -> str:
        """Return a video's absolute path, as the index knows it.

        Raises:
            NoSuchVideo: there is none of this id.
        """
        video = self.video(video_id)
        return str(PurePath(self.backend.manifest.roots[video.root].path, video.rel))

    def moments_of(self, video_id: int) -> Int64:
        """Return the ids of a video's moments, in time order."""
        return self.backend.moments_of(self.path(video_id))

    def strongest(self, moment: int, top: int) -> list[str]:
        """Return what a moment shows, strongest first."""
        return self.strongest_of(np.array([moment], np.int64), top)

    def strongest_of(self, moments: Int64, top: int) -> list[str]:
        """Return the words that some moments show most, by the greatest weight in any."""
        if not len(moments):
            return []
        every = np.arange(len(self.lexicon), dtype=np.uint16)
        strength = self.backend.term_weights(moments, every).max(axis=0)  # (V,)
        return [self.lexicon.terms[term] for term in largest(strength, top)]

    def has_moment(self, moment: int) -> bool:
        """Whether a live moment has this id."""
        for segment in self.backend.segments:
            row = moment & 0xFFFFFFFF
            if segment.id == moment >> 32 and row < len(segment):
                return int(segment.moments["video"][row]) in self.backend.videos
        return False


class Library:
    """An index directory, opened again whenever a build has published.

    Args:
        index: as of `open_index`.

    Raises:
        UnifyError: as `open_index` does.
    """

    def __init__(self, index: Path | None) -> None:
        self._view = View(open_index(locate(index)))
        self.directory = self._view.backend.directory
        self.problem = ""
        self._seen = self._mark()
        self._looked_s = time.monotonic()
        self._opening = threading.Lock()
        self._counting = threading.Lock()
        self._status: tuple[float, Status] | None = None

    def warm_up(self) -> None:
        """Load what the first search would wait for."""
        self._view.searcher.search("a person", 1)
        _ = self._view.counts

    def view(self) -> View:
        """Return the newest generation that can be opened."""
        now_s = time.monotonic()
        if now_s - self._looked_s > _LOOK_EVERY_S and self._opening.acquire(blocking=False):
            try:
                self._looked_s = now_s
                if (mark := self._mark()) != self._seen:
                    self._reopen()
                    self._seen = mark
            finally:
                self._opening.release()
        return self._view

    def building(self) -> Build | None:
        """Return how far a running build is."""
        return running_build(self.directory)

    def status(self) -> Status:
        """Return how the index stands, at most some seconds old: it looks at every file.

        Raises:
            UnifyError: it cannot be read.
        """
        # One looks at a time: where a disk does not answer, others are told what is known.
        if self._counting.acquire(blocking=self._status is None):
            try:
                now_s = time.monotonic()
                if self._status is None or now_s - self._status[0] > _STATUS_EVERY_S:
                    self._status = now_s, status(self.directory)
            finally:
                self._counting.release()
        assert self._status is not None
        return self._status[1]

    def _mark(self) -> tuple[int, ...]:
        """Return what changes when another generation is published."""
        try:
            facts = (self.directory / NAME).stat()
        except OSError:
            return ()
        return facts.st_ino, facts.st_mtime_ns, facts.st_size

    def _reopen(self) -> None:
        """Open the newest generation; where that fails, the one at hand stays."""
        try:
            snapshot = open_snapshot(self.directory)
            encoder = self._view.searcher.encoder
            if snapshot.manifest.settings.fingerprint != encoder.fingerprint:
                self._view = View(open_index(self.directory))
            else:
                self._view = View(Searcher(snapshot, encoder))
            self.problem = ""
        except UnifyError as error:
            self.problem = str(error)


def largest(values: Int64 | Float64, top: int) -> list[int]:
    """Return where the `top` largest of some values above 0 stand, largest first, ties by place.

    >>> largest(np.array([0, 3, 5, 3]), 2)
    [2, 1]
    """
    order = np.argsort(-values, kind="stable")[:top]
    return [int(i) for i in order if values[i] > 0]
