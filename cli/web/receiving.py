"""The body of a request as a file: bounded in size, in time and in number, and never left behind.

Whoever sends must keep up a pace, so that a few who do not cannot hold every place. Source:
https://en.wikipedia.org/wiki/Slowloris_(cyber_attack)
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import HTTPException, Request

from unify.cli.web import scratch

AT_ONCE = 8  # bodies
LATE_S = 15.0  # beyond what the pace allows
_PACE = 64 << 10  # bytes a second


@dataclass(frozen=True, slots=True)
class Received:
    """What somebody sent.

    Attributes:
        path: of the file that holds it.
        content: a hash of its bytes; the same file has the same one.
    """

    path: Path
    content: str


class Receiver:
    """Takes bodies in, some at once."""

    def __init__(self) -> None:
        self._held = 0

    @asynccontextmanager
    async def receive(self, request: Request, most: int) -> AsyncIterator[Received]:
        """Hold the body of a request in a file, in a folder of its own, as long as it is needed.

        Args:
            request: nothing of its body is read yet.
            most: bytes.

        Raises:
            HTTPException: too many are held, it is too large, too slow or empty, or has no room.
            ClientDisconnect: whoever sent it has gone.
        """
        if int(request.headers.get("content-length", "0")) > most:  # and no more is ever read
            raise HTTPException(413, f"the file is too large: at most {most:,} bytes")
        if self._held >= AT_ONCE:
            hint = {"retry-after": "1"}
            raise HTTPException(429, "too many files are being sent: send it again soon", hint)
        self._held += 1
        try:
            with scratch.folder() as folder:
                path = folder / "sent"
                try:
                    content = await _written(request, path)
                except OSError as error:
                    why = error.strerror or error
                    raise HTTPException(507, f"there is no room for the file: {why}") from None
                yield Received(path, content)
        finally:
            self._held -= 1


async def _written(request: Request, path: Path) -> str:
    """Write a body to a file, and return the hash of it."""
    loop = asyncio.get_running_loop()
    began_s, size, content = loop.time(), 0, hashlib.blake2b(digest_size=16)
    try:
        path.touch(0o600)
        with path.open("wb") as file:
            async with asyncio.timeout(LATE_S) as limit:
                async for chunk in request.stream():
                    size += len(chunk)
                    content.update(chunk)
                    file.write(chunk)
                    limit.reschedule(began_s + LATE_S + size / _PACE)
    except TimeoutError:
        raise HTTPException(408, f"the file came too slowly: {size:,} bytes came") from None
    if not size:
        raise HTTPException(400, "nothing was sent: the body is the picture or clip itself")
    return content.hexdigest()
