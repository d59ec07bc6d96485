"""The REST interface, `/api/v1`: names, limits and models of every request.

Everything is GET and changes nothing, but that a picture or clip may be sent to search by: it is
kept in memory for a while.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Annotated

from fastapi import Path as InPath
from fastapi import Query, Request, Response
from starlette.responses import FileResponse

from unify.cli.web import answers, finding, models
from unify.cli.web.asking import Asked, Offset, Order, Sort, paged, seen
from unify.cli.web.desk import AtDesk, VideoId, desk_of
from unify.cli.web.facts import index_status, moment_facts, video_facts, video_lines
from unify.cli.web.library import NoSuchVideo, largest
from unify.cli.web.media import video_response
from unify.cli.web.metrics import TYPE
from unify.cli.web.routing import answer_head, new_router

WIDTHS = (160, 320, 640)  # of thumbnails, pixels
_POINTS = 240  # of a track


Top = Annotated[int, Query(ge=1, le=200)]


api = new_router()


@api.get("/search", tags=["search"], response_model=answers.SearchAnswer)
async def search(
    desk: AtDesk, asked: Asked,
    k: Annotated[int, Query(ge=1, le=200, description="How many hits.")] = 24,
    offset: Offset = 0, sort: Order = Sort.SCORE,
) -> Response:  # fmt: skip
    """Find moments from a sentence, from a moment or picture, or from both."""
    sought = paged(asked, k, offset, sort)

    def work() -> tuple[bytes, float]:
        started = time.perf_counter()
        view = desk.library.view()
        answer = finding.search(view, seen(sought, desk.pictures, view))
        body = answer.model_dump_json().encode()
        return body, time.perf_counter() - started

    body, spent_s = await desk.search(work)
    desk.metrics.search_s.observe(spent_s)
    timing = {"server-timing": f"search;dur={1000 * spent_s:.2f}"}
    return Response(body, media_type="application/json", headers=timing)


@api.get("/facets", tags=["search"])
async def facets(desk: AtDesk, asked: Asked, top: Top = 16) -> answers.Facets:
    """Return the terms that tell the good hits of a query from the library, to narrow it by."""

    def work() -> answers.Facets:
        view = desk.library.view()
        return finding.common(view, seen(asked, desk.pictures, view), top)

    return await desk.search(work)


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


@api.get("/words", tags=["library"])
async def words(desk: AtDesk) -> models.Words:
    """List the dictionary: names that queries may hold, and what they stand for."""
    entries = (await desk.look(desk.words.dictionary)).entries
    named = [models.DefinedName(**entry.record()) for entry in entries]
    return models.Words(words=named, problem=desk.words.problem)


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
    view = await desk.view()
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

    def work() -> models.MomentFacts:
        view = desk.library.view()
        if not view.has_moment(moment):
            raise NoSuchVideo(f"no moment {moment}", "search again: ids change between builds")
        return moment_facts(view, moment)

    return await desk.search(work)


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
    view = await desk.view()
    return await desk.look(partial(video_response, view, video_id, download))


@api.post(
    "/pictures",
    tags=["search"],
    status_code=201,
    responses={
        status: {"model": models.Error, "description": description}
        for status, description in (
            (408, "It came too slowly."),
            (413, "It is too large."),
            (415, "Its type is none of a picture or clip."),
            (429, "Too many are being sent."),
            (507, "There is no room for it."),
        )
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                kind: {"schema": {"type": "string", "format": "binary"}}
                for kind in ("image/*", "video/*")
            },
        }
    },
)
async def send_picture(desk: AtDesk, request: Request) -> models.SentPicture:
    """Send a picture or clip, as the body, and search by it: `search?picture=NAME`.

    Its Content-Type says which: a picture has at most 32 MiB, a clip 256 MiB and 10 minutes. The
    64 used last are kept, in memory; one that is forgotten may be sent again and has that name.
    """
    return await desk.pictures.take(request, await desk.view())


@api.get(
    "/pictures/{picture}/thumbnail",
    tags=["media"],
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}},
)
async def picture_thumbnail(
    desk: AtDesk, picture: Annotated[str, InPath(pattern="^[0-9a-f]{32}$")]
) -> Response:
    """Return a small JPEG of a picture or clip that was sent."""
    data = desk.pictures.kept(picture, await desk.view()).thumbnail
    keep = {"cache-control": "private, max-age=86400"}
    return Response(data, media_type="image/jpeg", headers=keep)


@api.get("/status", tags=["library"])
async def status(desk: AtDesk) -> models.Status:
    """Return how the index stands, and how far a running build is."""
    return await desk.look(partial(index_status, desk.library, desk.words))


answer_head(api)


async def metrics(request: Request) -> Response:
    """Return counts and latencies for Prometheus."""
    desk = await desk_of(request)
    view = await desk.view()
    building = await desk.look(desk.library.building)
    return Response(desk.metrics.page(view, building is not None), media_type=TYPE)
