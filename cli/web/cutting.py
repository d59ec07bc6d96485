"""Clips of videos: cut when they are asked for, and gone once they are sent.

They are made as `unify cut` makes them, in a process that can be killed: it is when whoever asked
has gone. Nothing is written but a file in a temporary folder that nobody else may read.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import ExitStack, suppress
from dataclasses import asdict
from pathlib import Path

from fastapi import Request
from starlette.responses import FileResponse
from starlette.types import Receive, Scope, Send

from unify.cli.cuts import name_of
from unify.cli.web import scratch
from unify.cli.web.desk import Desk
from unify.cli.web.leaving import until_gone
from unify.cli.web.library import View
from unify.cli.web.media import mime_of
from unify.cli.web.models import readable
from unify.engine.errors import MediaError, UsageError
from unify.indexer.cut import CutMode, CutRequest, CutResult
from unify.indexer.decoding import Limits
from unify.indexer.jobs import JobProcess

MAX_S = 600.0  # of a clip
LATE_S = 15.0  # beyond what the pace allows
_PACE = 64 << 10  # bytes a second, at which a clip must be taken
LIMITS = Limits(stall_s=30.0, total_s=900.0, behind=5)  # searches go first


class Clip(FileResponse):
    """A clip to be saved; what it holds goes once it is sent, or not taken.

    Its header `unify-cut` has the fields of `CutResult` as JSON.
    """

    def __init__(self, held: ExitStack, path: Path, name: str, got: CutResult) -> None:
        facts = path.stat()
        super().__init__(
            path,
            media_type=mime_of(name),
            filename=readable(name),
            stat_result=facts,
            headers={"unify-cut": json.dumps(asdict(got)), "cache-control": "no-store"},
        )
        self._held, self._late_s = held, LATE_S + facts.st_size / _PACE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; who does not take it is left."""
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._late_s):
                    await super().__call__(scope, receive, send)
        finally:
            self._held.close()


async def clip(
    desk: Desk, request: Request, video_id: int, start_s: float, end_s: float, mode: CutMode
) -> Clip:
    """Cut a range out of a video.

    Args:
        desk: whose turn it is.
        request: whoever sent it, it is cut for.
        video_id: the video.
        start_s: seconds after its first picture.
        end_s: likewise.
        mode: right to the picture, or a copy from the key picture before.

    Raises:
        UsageError: it is no range of that video, or too long.
        NoSuchVideo: there is no such video, or its file is gone.
        MediaError: it cannot be cut there, or the decoder ended.
        HTTPException: too many clips are held.
    """
    view = await desk.view()
    _require_range(view, video_id, start_s, end_s)
    source = str(await desk.look(lambda: view.file(video_id)))
    name = name_of(source, start_s, end_s, mode is CutMode.EXACT)
    with ExitStack() as held:
        held.enter_context(desk.clip())
        # The name itself may be too long.
        out = held.enter_context(scratch.folder()) / f"clip{Path(name).suffix}"
        out.touch(0o600)
        wanted = CutRequest(source, start_s, end_s, mode, str(out))
        try:
            with JobProcess(LIMITS) as process:
                async with until_gone(request, process.interrupt):
                    got = await desk.cut(lambda: process.cut(wanted))
        except MediaError as error:
            hint = "take the exact cut (mode=exact)" if mode is CutMode.FAST else ""
            shown = view.shown(view.video(video_id))
            raise MediaError(f"{shown}: {error.message}", hint) from None
        return Clip(held.pop_all(), out, name, got)


def _require_range(view: View, video_id: int, start_s: float, end_s: float) -> None:
    if end_s <= start_s:
        raise UsageError(
            f"the range ends at {end_s:g} s and begins at {start_s:g} s", "end_s is above start_s"
        )
    if end_s - start_s > MAX_S:
        raise UsageError(
            f"the range has {end_s - start_s:g} s, and a clip at most {MAX_S:g} s",
            "cut it in parts, or download the video",
        )
    duration_s = view.video(video_id).duration_s
    if start_s >= duration_s:
        raise UsageError(
            f"the range begins at {start_s:g} s and the video ends at {duration_s:g} s",
            "begin before its end",
        )
