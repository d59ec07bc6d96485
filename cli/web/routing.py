"""What all routes of the REST interface have: their prefix, their faults, HEAD beside GET."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends
from fastapi.routing import APIRoute

from unify.cli.web import models
from unify.cli.web.asking import only_known

PREFIX = "/api/v1"
_FAULTS: dict[int | str, dict[str, Any]] = {
    400: {"model": models.Error, "description": "It cannot be read."},
    404: {"model": models.Error, "description": "There is no such thing."},
    422: {"model": models.Error, "description": "A parameter has a value that it cannot have."},
    503: {"model": models.Error, "description": "Not now."},
}


def new_router() -> APIRouter:
    """Return a router for routes of the interface."""
    return APIRouter(prefix=PREFIX, responses=_FAULTS, dependencies=[Depends(only_known)])


def answer_head(router: APIRouter) -> None:
    """Answer HEAD wherever a router answers GET; it is no operation of its own."""
    for route in router.routes[:]:
        assert isinstance(route, APIRoute)
        if route.methods == {"GET"}:
            router.add_api_route(
                route.path.removeprefix(PREFIX), route.endpoint,
                methods=["HEAD"], include_in_schema=False,
            )  # fmt: skip
