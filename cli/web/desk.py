"""What the routes share: the index, the dictionary, and whose turn it is.

Work runs on threads of its own, a few at a time: searches are refused only when very many wait.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request
from fastapi import Path as InPath
from fastapi.exceptions import HTTPException

from unify.cli.web.library import Library
from unify.cli.web.metrics import Metrics
from unify.cli.web.pictures import Pictures
from unify.cli.web.words import ServedWords
from unify.indexer.thumbnails import Thumbnails, cache_folder

MAX_WAITING = 256  # searches
MAX_CUTS = 64  # that wait

_Made = TypeVar("_Made")


class Desk:
    """What the routes share.

    Args:
        library: the index.
        paths: whether those who ask may know where files lie.
        threads: searches, decoders of pictures, and cuts, at once.
    """

    def __init__(self, library: Library, paths: bool, threads: int = 2) -> None:
        self.library = library
        self.paths = paths
        self.metrics = Metrics()
        self.thumbnails = Thumbnails(cache_folder(), processes=threads)
        self.pictures = Pictures()
        self.words = ServedWords()
        self._searching = CapacityLimiter(threads)
        self._drawing = CapacityLimiter(threads)
        self._cutting = CapacityLimiter(threads)

    def close(self) -> None:
        """End the decoders."""
        self.thumbnails.close()
        self.pictures.close()

    async def search(self, work: Callable[[], _Made]) -> _Made:
        """Run a search when it is its turn.

        Raises:
            HTTPException: too many wait.
        """
        return await self._run(work, self._searching, MAX_WAITING, "searches")

    async def cut(self, work: Callable[[], _Made]) -> _Made:
        """Do a long job on the files of videos when it is its turn.

        Raises:
            HTTPException: too many wait.
        """
        return await self._run(work, self._cutting, MAX_CUTS, "cuts and exports")

    async def draw(self, work: Callable[[], _Made]) -> _Made:
        """Make a picture when it is its turn."""
        return await to_thread.run_sync(work, limiter=self._drawing)

    async def _run(
        self, work: Callable[[], _Made], turn: CapacityLimiter, most: int, what: str
    ) -> _Made:
        if turn.statistics().tasks_waiting >= most:
            self.metrics.refused.inc()
            raise HTTPException(503, f"too many {what} wait", {"retry-after": "1"})
        return await to_thread.run_sync(work, limiter=turn)


def desk_of(request: Request) -> Desk:
    """Return the desk of the application that answers a request."""
    desk: Desk = request.app.state.desk
    return desk


AtDesk = Annotated[Desk, Depends(desk_of)]
VideoId = Annotated[int, InPath(ge=0, lt=2**32)]
