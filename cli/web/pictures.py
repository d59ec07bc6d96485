"""Pictures and clips that somebody sends, to search by them.

A file is looked at as `unify search --image` and `--clip` do, in a process that can be killed, and
is gone then. What stays, in memory and for a while, is what it was encoded to and a thumbnail. Its
name is a hash of its bytes: whoever has the file can send it again, and gets the same name.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from typing import cast

from anyio import CapacityLimiter, to_thread
from fastapi import HTTPException, Request

from unify.cli.web.leaving import until_gone
from unify.cli.web.library import View
from unify.cli.web.models import Kind, SentPicture
from unify.cli.web.receiving import Received, Receiver
from unify.engine.errors import UsageError
from unify.engine.manifest import IndexSettings
from unify.engine.types import EncodedQuery
from unify.indexer.decoding import DecodeProcess, Limits
from unify.indexer.ports import VideoEncoder
from unify.indexer.shown import encode_shown
from unify.indexer.thumbnails import Thumbnails

MAX_BYTES: dict[Kind, int] = {"picture": 32 << 20, "clip": 256 << 20}
KEPT = 64
_LIMITS = Limits(stall_s=20.0, total_s=180.0, memory_bytes=2 << 30, behind=5)
_GLIMPSE_S = 1.0  # into a clip: many begin black


class NoSuchPicture(UsageError):
    """No picture or clip of this name is kept."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What stays of a picture or clip: what it was encoded to, and a JPEG."""

    query: EncodedQuery
    thumbnail: bytes


class Pictures:
    """Takes pictures and clips, and keeps those used last; close it after use."""

    def __init__(self) -> None:
        self._receiver = Receiver()
        self._thumbnails = Thumbnails(None)  # other people's: not for the cache
        self._turn = CapacityLimiter(1)  # a pack encodes pictures for one thread at a time
        self._kept: OrderedDict[tuple[str, IndexSettings], Kept] = OrderedDict()
        self._lock = threading.Lock()

    def close(self) -> None:
        """End the process that makes thumbnails."""
        self._thumbnails.close()

    def kept(self, name: str, view: View) -> Kept:
        """Return what was sent, as the pack of an index sees it.

        Raises:
            NoSuchPicture: it was not sent, or is forgotten.
        """
        key = name, view.searcher.backend.settings
        with self._lock:
            if key not in self._kept:
                raise NoSuchPicture(
                    f"no picture {name!r} is kept", "send it again: POST /api/v1/pictures"
                )
            self._kept.move_to_end(key)
            return self._kept[key]

    async def take(self, request: Request, view: View) -> SentPicture:
        """Take a picture or clip from the body of a request.

        Raises:
            HTTPException: the body cannot be taken; see `Receiver.receive`.
            UsageError: it is no picture or clip.
            ClientDisconnect: whoever sent it has gone.
        """
        kind = _kind(request.headers.get("content-type", ""))
        async with self._receiver.receive(request, MAX_BYTES[kind]) as sent:
            with suppress(NoSuchPicture):
                self.kept(sent.content, view)
                return SentPicture(picture=sent.content, kind=kind)
            with closing(DecodeProcess(_LIMITS)) as process:
                async with until_gone(request, process.interrupt):
                    kept = await to_thread.run_sync(
                        self._looked_at, sent, kind, view, process, limiter=self._turn
                    )
            with self._lock:
                self._kept[sent.content, view.searcher.backend.settings] = kept
                if len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
        return SentPicture(picture=sent.content, kind=kind)

    def _looked_at(self, sent: Received, kind: Kind, view: View, process: DecodeProcess) -> Kept:
        encoder = cast("VideoEncoder", view.searcher.encoder)
        # PyAV alone follows nothing that the file names.
        settings = replace(view.searcher.backend.settings, decoder="pyav")
        query = encode_shown(
            sent.path, kind == "picture", encoder, settings, name="what was sent", process=process
        )
        return Kept(query, self._thumbnails.thumbnail(str(sent.path), _GLIMPSE_S))


def _kind(content_type: str) -> Kind:
    """Return what a file of a type is: a GIF moves, as a rule.

    Raises:
        HTTPException: it is neither.
    """
    family, _, format = content_type.lower().partition("/")
    if family not in ("image", "video"):
        raise HTTPException(415, "its Content-Type must be image/... or video/...")
    return "picture" if family == "image" and not format.startswith("gif") else "clip"
