"""What is done for somebody ends once he has gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import Request


@asynccontextmanager
async def until_gone(request: Request, end: Callable[[], None]) -> AsyncIterator[None]:
    """Call `end` if whoever asked leaves meanwhile; the body of the request must be read."""

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        end()

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
