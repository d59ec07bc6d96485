"""The ASGI application: routes, the page, errors as JSON, and the guard around it all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import HTTPException, RequestValidationError
from starlette.exceptions import HTTPException as PlainHTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from unify import __version__
from unify.cli.web import models, scratch
from unify.cli.web.desk import Desk
from unify.cli.web.downloads import downloads
from unify.cli.web.guard import Door, Guard, is_loopback
from unify.cli.web.library import Library, NoSuchVideo
from unify.cli.web.pictures import MAX_BYTES, NoSuchPicture
from unify.cli.web.routes import api, metrics
from unify.engine.errors import (
    DamagedIndex,
    IndexUnavailable,
    MediaError,
    QueryError,
    UnifyError,
    UsageError,
)

STATIC = Path(__file__).resolve().parent / "static"
_STATUS: dict[type[UnifyError], int] = {
    NoSuchVideo: 404,
    NoSuchPicture: 404,
    UsageError: 400,
    QueryError: 400,
    MediaError: 404,  # nothing to see there
    DamagedIndex: 503,
    IndexUnavailable: 503,
}


def make_app(library: Library, door: Door) -> ASGIApp:
    """Return the application.

    Args:
        library: the index that is served.
        door: who is let in.
    """
    desk = Desk(library, paths=is_loopback(door.host))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        scratch.sweep()
        yield
        desk.close()

    app = FastAPI(
        title="unify",
        version=__version__,
        description="Find moments in videos from a sentence.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # their pages fetch scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.desk = desk
    app.include_router(api)
    app.include_router(downloads)
    app.add_route("/metrics", metrics)
    app.add_exception_handler(UnifyError, _expected)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(PlainHTTPException, _http)
    app.add_exception_handler(OSError, _unreadable)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _fault)
    app.mount("/", StaticFiles(directory=STATIC, html=True), name="page")
    larger = {("POST", f"{api.prefix}/pictures"): max(MAX_BYTES.values())}
    return Guard(app, door, desk.metrics, larger)


async def _expected(request: Request, error: Exception) -> JSONResponse:
    """Say what an error of ours says."""
    assert isinstance(error, UnifyError)
    kinds = (status for kind, status in _STATUS.items() if isinstance(error, kind))
    position = error.position if isinstance(error, QueryError) else None
    body = models.Error(message=error.message, hint=error.hint, position=position)
    return JSONResponse(body.model_dump(), next(kinds, 503))


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """Name the first parameter that cannot be, and why."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"][1:])
    body = models.Error(message=f"{name}: {first['msg']}", hint="see /api/v1/openapi.json")
    return JSONResponse(body.model_dump(), 422)


async def _unreadable(request: Request, error: Exception) -> JSONResponse:
    """Say which file cannot be read: those of an index are opened once they are needed."""
    assert isinstance(error, OSError)
    body = models.Error(
        message=f"cannot read {error.filename or 'a file'}: {error.strerror or error}",
        hint=request.app.state.desk.library.problem or "ask again: a build may have replaced it",
    )
    return JSONResponse(body.model_dump(), 503)


async def _gone(request: Request, error: Exception) -> Response:
    """Say nothing: nobody is there."""
    return Response(status_code=400)


async def _fault(request: Request, error: Exception) -> JSONResponse:
    """Say in JSON that this is our fault; the traceback is in the server's own output."""
    body = models.Error(message="a fault of unify serve", hint="its terminal says more")
    return JSONResponse(body.model_dump(), 500)


async def _http(request: Request, error: Exception) -> JSONResponse:
    """Say in JSON what the framework refuses."""
    assert isinstance(error, PlainHTTPException | HTTPException)
    return JSONResponse(
        models.Error(message=error.detail).model_dump(), error.status_code, error.headers
    )
