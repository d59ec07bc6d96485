"""The REST interface, `/api/v1`: names, limits and models of every request.

Everything is GET and changes nothing. Work runs on threads of its own, a few at a time: searches
are refused only when very many wait already.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from functools import partial
from typing import Annotated, Any, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi import Path as InPath
from fastapi.exceptions import HTTPException
from fastapi.routing import APIRoute
from starlette.responses import FileResponse

from unify.cli.web import finding, models
from unify.cli.web.asking import Asked, only_known
from unify.cli.web.facts import index_status, moment_facts, video_facts, video_lines
from unify.cli.web.library import Library, NoSuchVideo, largest
from unify.cli.web.media import video_response
from unify.cli.web.metrics import TYPE, Metrics
from unify.indexer.thumbnails import Thumbnails, cache_folder

MAX_WAITING = 256  # searches
WIDTHS = (160, 320, 640)  # of thumbnails, pixels
_POINTS = 240  # of a track

_Made = TypeVar("_Made")


class Sort(StrEnum):
    """In which order hits come."""

    SCORE = "score"
    TIME = "time"


class Desk:
    """What the routes share.

    Args:
        library: the index.
        threads: searches, and decoders of pictures, at once.
    """

    def __init__(self, library: Library, threads: int = 2) -> None:
        self.library = library
        self.metrics = Metrics()
        self.thumbnails = Thumbnails(cache_folder(), processes=threads)
        self._searching = CapacityLimiter(threads)
        self._drawing = CapacityLimiter(threads)

    async def search(self, work: Callable[[], _Made]) -> _Made:
        """Run a search when it is its turn.

        Raises:
            HTTPException: too many wait.
        """
        if self._searching.statistics().tasks_waiting >= MAX_WAITING:
            self.metrics.refused.inc()
            raise HTTPException(503, "too many searches wait", {"retry-after": "1"})
        return await to_thread.run_sync(work, limiter=self._searching)

    async def draw(self, work: Callable[[], _Made]) -> _Made:
        """Make a picture when it is its turn."""
        return await to_thread.run_sync(work, limiter=self._drawing)


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


AtDesk = Annotated[Desk, Depends(_desk)]
VideoId = Annotated[int, InPath(ge=0, lt=2**32)]
Top = Annotated[int, Query(ge=1, le=200)]


_FAULTS: dict[int | str, dict[str, Any]] = {
    400: {"model": models.Error, "description": "It cannot be read."},
    404: {"model": models.Error, "description": "There is no such thing."},
    422: {"model": models.Error, "description": "A parameter has a value that it cannot have."},
    503: {"model": models.Error, "description": "Not now."},
}
api = APIRouter(prefix="/api/v1", responses=_FAULTS, dependencies=[Depends(only_known)])


@api.get("/search", tags=["search"], response_model=models.SearchAnswer)
async def search(
    desk: AtDesk,
    asked: Asked,
    k: Annotated[int, Query(ge=1, le=200, description="How many hits.")] = 24,
    offset: Annotated[int, Query(ge=0, le=9_800)] = 0,
    sort: Annotated[Sort, Query(description="time: the same hits by video and time.")] = Sort.SCORE,
) -> Response:
    """Find moments from a sentence, from a moment, or from both."""
    question = replace(
        asked, in_time=sort is Sort.TIME, options={**asked.options, "k": k, "offset": offset}
    )

    def work() -> tuple[bytes, float]:
        started = time.perf_counter()
        body = finding.search(desk.library.view(), question).model_dump_json().encode()
        return body, time.perf_counter() - started

    body, spent_s = await desk.search(work)
    desk.metrics.search_s.observe(spent_s)
    timing = {"server-timing": f"search;dur={1000 * spent_s:.2f}"}
    return Response(body, media_type="application/json", headers=timing)


@api.get("/facets", tags=["search"])
async def facets(desk: AtDesk, asked: Asked, top: Top = 16) -> models.Facets:
    """Return the terms that tell the good hits of a query from the library, to narrow it by."""
    return await desk.search(lambda: finding.common(desk.library.view(), asked, top))


@api.get("/terms", tags=["library"])
async def terms(desk: AtDesk, top: Top = 40) -> models.LibraryTerms:
    """Return the terms that most moments of the library show."""

    def work() -> models.LibraryTerms:
        view = desk.library.view()
        return models.LibraryTerms(
            terms=[
                models.LibraryTerm(term=view.lexicon.terms[term], moments=int(view.counts[term]))
                for term in largest(view.counts, top)
            ],
            moments=view.backend.statistics().moments,
        )

    return await desk.search(work)


@api.get("/videos", tags=["library"])
async def videos(
    desk: AtDesk,
    offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 24,
) -> models.VideoList:
    """List videos, those indexed last first."""

    def work() -> models.VideoList:
        view = desk.library.view()
        chosen = view.newest[offset : offset + limit]
        return models.VideoList(
            total=len(view.newest), videos=[video_facts(view, view.video(i)) for i in chosen]
        )

    return await desk.search(work)


@api.get("/videos/{video_id}", tags=["library"])
async def video(desk: AtDesk, video_id: VideoId) -> models.VideoFacts:
    """Return what is known of a video."""
    view = desk.library.view()
    return video_facts(view, view.video(video_id))


@api.get("/videos/{video_id}/moments", tags=["library"])
async def moments_of(desk: AtDesk, video_id: VideoId) -> models.MomentList:
    """List the moments of a video, in time order."""

    def work() -> models.MomentList:
        view = desk.library.view()
        found = [moment_facts(view, int(moment)) for moment in view.moments_of(video_id)]
        return models.MomentList(video_id=video_id, moments=found)

    return await desk.search(work)


@api.get("/videos/{video_id}/terms", tags=["library"])
async def video_terms(
    desk: AtDesk,
    video_id: VideoId,
    term: Annotated[
        list[str] | None, Query(max_length=64, description="These; by default the strongest.")
    ] = None,
    top: Annotated[int, Query(ge=1, le=64)] = 12,
    points: Annotated[int, Query(ge=1, le=_POINTS)] = 120,
) -> models.VideoTracks:
    """Return when terms show in a video: a line for each, and time ranges."""
    work = partial(video_lines, desk.library, video_id, term, top, points)
    return await desk.search(work)


@api.get("/moments/{moment}", tags=["library"])
async def moment(
    desk: AtDesk, moment: Annotated[int, InPath(ge=0, lt=2**63)]
) -> models.MomentFacts:
    """Return what is known of a moment of this generation."""
    view = desk.library.view()
    if not view.has_moment(moment):
        raise NoSuchVideo(f"no moment {moment}", "search again: ids change between builds")
    return moment_facts(view, moment)


@api.get(
    "/videos/{video_id}/thumbnail",
    tags=["media"],
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}},
)
async def thumbnail(
    desk: AtDesk,
    video_id: VideoId,
    t: Annotated[float, Query(ge=0, le=1e9, allow_inf_nan=False, description="Seconds.")] = 0.0,
    w: Annotated[int, Query(description=f"Pixels: one of {', '.join(map(str, WIDTHS))}.")] = 320,
) -> Response:
    """Return a JPEG of what shows at a time."""
    width = next((width for width in WIDTHS if width >= w), WIDTHS[-1])

    def work() -> bytes:
        view = desk.library.view()
        time_s = min(t, view.video(video_id).duration_s)
        return desk.thumbnails.thumbnail(str(view.file(video_id)), time_s, width)

    data = await desk.draw(work)
    keep = {"cache-control": "private, max-age=86400"}
    return Response(data, media_type="image/jpeg", headers=keep)


@api.get(
    "/videos/{video_id}/stream",
    tags=["media"],
    response_class=FileResponse,
    responses={
        200: {"content": {"video/*": {}}},
        206: {"description": "The ranges asked for.", "content": {"video/*": {}}},
        416: {"description": "The file has no such range.", "content": {"text/plain": {}}},
    },
)
async def stream(desk: AtDesk, video_id: VideoId, download: bool = False) -> Response:
    """Return the bytes of a video's file, all or by `Range`."""
    view = desk.library.view()
    return await to_thread.run_sync(partial(video_response, view, video_id, download))


@api.get("/status", tags=["library"])
async def status(desk: AtDesk) -> models.Status:
    """Return how the index stands, and how far a running build is."""
    return await to_thread.run_sync(partial(index_status, desk.library))


for _route in api.routes[:]:  # HEAD is answered wherever GET is, and is no operation of its own
    assert isinstance(_route, APIRoute)
    api.add_api_route(
        _route.path.removeprefix(api.prefix), _route.endpoint,
        methods=["HEAD"], include_in_schema=False,
    )  # fmt: skip


async def metrics(request: Request) -> Response:
    """Return counts and latencies for Prometheus."""
    desk = _desk(request)
    page = desk.metrics.page(desk.library.view(), desk.library.building() is not None)
    return Response(page, media_type=TYPE)
