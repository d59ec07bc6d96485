"""Files that are made when they are asked for: clips, timelines and chapters."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import PurePath
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Query, Request, Response

from unify.cli.chaptering import Chapters
from unify.cli.web import cutting, exporting
from unify.cli.web.asking import Asked, Offset, Order, Sort, paged
from unify.cli.web.desk import AtDesk, VideoId
from unify.cli.web.exporting import TimelineFormat
from unify.cli.web.leaving import until_gone
from unify.cli.web.models import ChapterList, readable
from unify.cli.web.routing import answer_head, new_router
from unify.engine.atoms import MAX_CHARACTERS
from unify.engine.dictionary import NO_NAMES
from unify.engine.errors import UsageError
from unify.indexer.chapters import SHORTEST_S, ChapterFormat
from unify.indexer.cut import CutMode
from unify.indexer.jobs import JobProcess
from unify.indexer.timecode import rate_named
from unify.indexer.timelines import MAX_EVENTS

_LONGEST_S = 1e9

Seconds = Annotated[float, Query(ge=0, le=_LONGEST_S, allow_inf_nan=False)]

downloads = new_router()


class FormatName(StrEnum):
    """How chapters come."""

    json = "json"
    list = "list"
    webvtt = "webvtt"
    ffmetadata = "ffmetadata"


def _told(name: str, what: str) -> dict[str, Any]:
    return {name: {"description": what, "schema": {"type": "string"}}}


@downloads.get(
    "/videos/{video_id}/cut",
    tags=["media"],
    response_class=Response,
    responses={
        200: {
            "content": {"video/*": {}},
            "headers": _told("unify-cut", "What the clip holds, as JSON: `start_s`, `end_s`, ..."),
        },
        206: {"description": "The ranges asked for.", "content": {"video/*": {}}},
        416: {"description": "The clip has no such range.", "content": {"text/plain": {}}},
    },
)
async def cut(
    desk: AtDesk, request: Request, video_id: VideoId, start_s: Seconds, end_s: Seconds,
    mode: Annotated[
        CutMode,
        Query(description="exact: encoded again, right to the picture; fast: a copy of what is "
              "stored, which begins at the key picture before."),
    ] = CutMode.EXACT,
) -> Response:  # fmt: skip
    """Cut a range of at most ten minutes out of a video, with its sound, as `unify cut` does.

    Its header `unify-cut` says what it holds: true `start_s` and `end_s`, `pictures`, `sound`,
    `left_out`, `damage`.
    """
    return await cutting.clip(desk, request, video_id, start_s, end_s, mode)


@downloads.get(
    "/export",
    tags=["search"],
    response_class=Response,
    responses={
        200: {
            "content": {"text/plain": {}, "application/xml": {}},
            "headers": _told("unify-timeline", "As JSON: `events`, their `rate`, how many are "
                             "`rounded` to it."),
        }
    },
)  # fmt: skip
async def export(
    desk: AtDesk, request: Request, asked: Asked,
    format: Annotated[
        TimelineFormat, Query(description="edl: CMX 3600; fcpxml: Final Cut Pro XML.")
    ],
    k: Annotated[int, Query(ge=1, le=MAX_EVENTS, description="How many hits.")] = 24,
    offset: Offset = 0, sort: Order = Sort.SCORE,
    ranks: Annotated[
        str, Query(max_length=4000, description="Which of them: all, or as in 1,3,5-8.")
    ] = "all",
    rate: Annotated[
        str,
        Query(max_length=12, pattern=r"^([0-9./]+([nN]?[dD][fF])?)?$",
              description="Pictures a second: 25, 23.976, 29.97 (drop-frame), 29.97ndf. Else what "
              "most of the videos have."),
    ] = "",
    generation: Annotated[
        int | None,
        Query(ge=0, lt=2**63, description="Refuse it once the index has another generation: ranks "
              "may then be those of other hits."),
    ] = None,
) -> Response:  # fmt: skip
    """Return hits of a search as a timeline, as `unify export` does.

    Its sources are absolute paths where this machine alone is served, else as given to `build`.
    """
    view = await desk.view()
    if generation not in (None, view.generation):
        raise UsageError(
            f"the index has changed: its generation is {view.generation}, not {generation}",
            "search again",
        )
    wanted = rate_named(rate) if rate else None
    sought = paged(asked, k, offset, sort)
    search = await desk.search(lambda: exporting.found(view, sought, desk.pictures))
    with JobProcess(cutting.LIMITS) as process:
        async with until_gone(request, process.interrupt):
            made = await desk.draw(
                lambda: exporting.timeline(view, search, ranks, format, wanted, desk.paths, process)
            )
    kind = "text/plain" if format is TimelineFormat.EDL else "application/xml"
    return _saved(made.text, kind, made.name, {"unify-timeline": json.dumps(made.facts)})


@downloads.get(
    "/videos/{video_id}/chapters",
    tags=["library"],
    response_model=ChapterList,
    responses={200: {"content": {"text/plain": {}, "text/vtt": {}}}},
)
async def chapters(
    desk: AtDesk, video_id: VideoId,
    q: Annotated[
        list[Annotated[str, Query(max_length=MAX_CHARACTERS)]] | None,
        Query(max_length=32, description="Subjects of chapters; else what the video shows."),
    ] = None,
    format: Annotated[
        FormatName, Query(description="list is for a description, ffmetadata for FFmpeg.")
    ] = FormatName.json,
    shortest: Annotated[
        float, Query(ge=0, le=_LONGEST_S, allow_inf_nan=False, description="Seconds, at least.")
    ] = SHORTEST_S,
    words: Annotated[
        bool, Query(description="Names of the server's own dictionary are read as such.")
    ] = True,
) -> Response:  # fmt: skip
    """Return chapters of a video, as `unify chapters` does: by subjects, or where it changes."""
    view = await desk.view()
    view.video(video_id)

    def make() -> Chapters:
        names = desk.words.dictionary() if words else NO_NAMES
        return exporting.chapters(view, video_id, q or (), shortest, names)

    made = await desk.search(make)
    if format is FormatName.json:
        body = exporting.as_model(video_id, made).model_dump_json()
        return Response(body, media_type="application/json")
    form = ChapterFormat(format.value)
    kind, suffix = exporting.KINDS[form]
    name = f"{PurePath(view.path(video_id)).stem}.{suffix}"
    return _saved(exporting.as_text(made, form), kind, name, {})


answer_head(downloads)


def _saved(body: bytes, kind: str, name: str, headers: dict[str, str]) -> Response:
    """Return a text that is to be saved under a name."""
    place = f"attachment; filename*=utf-8''{quote(readable(name), safe='')}"
    return Response(body, media_type=kind, headers={**headers, "content-disposition": place})
