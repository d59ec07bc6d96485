"""What the routes share: the index, the dictionary, and whose turn it is.

Work runs on threads of its own, a few at a time of each kind: a disk that does not answer, or a
long cut, keeps no search waiting. Searches are refused only when very many wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, NoReturn, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request
from fastapi import Path as InPath
from fastapi.exceptions import HTTPException

from unify.cli.web.library import Library, View
from unify.cli.web.metrics import Metrics
from unify.cli.web.pictures import Pictures
from unify.cli.web.words import ServedWords
from unify.indexer.thumbnails import Thumbnails, cache_folder

MAX_WAITING = 256  # searches
MAX_CLIPS = 64  # waited for, being made, or being taken: each holds a file
_LOOKS = 8  # at files, at once

_Made = TypeVar("_Made")


class Desk:
    """What the routes share.

    Args:
        library: the index.
        paths: whether those who ask may know where files lie.
        threads: searches, short jobs on videos, and cuts, at once.
    """

    def __init__(self, library: Library, paths: bool, threads: int = 2) -> None:
        self.library = library
        self.paths = paths
        self.metrics = Metrics()
        self.thumbnails = Thumbnails(cache_folder(), processes=threads)
        self.pictures = Pictures()
        self.words = ServedWords()
        self._opening = CapacityLimiter(threads)
        self._looking = CapacityLimiter(_LOOKS)
        self._searching = CapacityLimiter(threads)
        self._drawing = CapacityLimiter(threads)
        self._cutting = CapacityLimiter(threads)
        self._clips = 0

    def close(self) -> None:
        """End the decoders."""
        self.thumbnails.close()
        self.pictures.close()

    async def view(self) -> View:
        """Return the newest generation that can be opened."""
        return await to_thread.run_sync(self.library.view, limiter=self._opening)

    async def look(self, work: Callable[[], _Made]) -> _Made:
        """Look at files, of which some may lie on a disk that does not answer."""
        return await to_thread.run_sync(work, limiter=self._looking)

    async def search(self, work: Callable[[], _Made]) -> _Made:
        """Run a search when it is its turn.

        Raises:
            HTTPException: too many wait.
        """
        if self._searching.statistics().tasks_waiting >= MAX_WAITING:
            self._refuse("too many searches wait")
        return await to_thread.run_sync(work, limiter=self._searching)

    @contextmanager
    def clip(self) -> Iterator[None]:
        """Hold a place for a clip, from when it is asked for until it is taken.

        Raises:
            HTTPException: too many are held.
        """
        if self._clips >= MAX_CLIPS:
            self._refuse("too many clips are being cut, or taken")
        self._clips += 1
        try:
            yield
        finally:
            self._clips -= 1

    async def cut(self, work: Callable[[], _Made]) -> _Made:
        """Do a long job on the file of a video when it is its turn."""
        return await to_thread.run_sync(work, limiter=self._cutting)

    async def draw(self, work: Callable[[], _Made]) -> _Made:
        """Do a short job on the files of videos, as to make a picture, when it is its turn."""
        return await to_thread.run_sync(work, limiter=self._drawing)

    def _refuse(self, why: str) -> NoReturn:
        self.metrics.refused.inc()
        raise HTTPException(503, why, {"retry-after": "1"})


async def desk_of(request: Request) -> Desk:
    """Return the desk of the application that answers a request."""
    desk: Desk = request.app.state.desk
    return desk


AtDesk = Annotated[Desk, Depends(desk_of)]
VideoId = Annotated[int, InPath(ge=0, lt=2**32)]
