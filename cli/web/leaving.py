"""What is done for somebody ends once he has gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from anyio import CancelScope
from fastapi import Request
from starlette.requests import ClientDisconnect


@asynccontextmanager
async def until_gone(request: Request, end: Callable[[], None]) -> AsyncIterator[None]:
    """Call `end` if whoever asked leaves meanwhile; the body of the request must be read.

    Raises:
        ClientDisconnect: he has left before it was his turn.
    """

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        end()
        scope.cancel()

    with CancelScope() as scope:
        watching = asyncio.create_task(watch())
        try:
            yield
        finally:
            watching.cancel()
    if scope.cancelled_caught:
        raise ClientDisconnect
