"""Whatever its own description allows, the interface answers as described and never with 5xx."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, seed, settings
from starlette.testclient import TestClient

from unify.cli.web.app import make_app
from unify.cli.web.guard import Door

schemathesis = pytest.importorskip("schemathesis", reason="needs schemathesis")
not_a_server_error = pytest.importorskip("schemathesis.checks").not_a_server_error
conformance = pytest.importorskip("schemathesis.specs.openapi.checks")
CHECKS = (
    not_a_server_error,
    conformance.status_code_conformance,
    conformance.response_schema_conformance,
)
PATHS = (
    "/search", "/facets", "/terms", "/words", "/videos", "/videos/{video_id}",
    "/videos/{video_id}/moments", "/videos/{video_id}/terms", "/moments/{moment}",
    "/videos/{video_id}/thumbnail", "/videos/{video_id}/stream", "/videos/{video_id}/cut",
    "/videos/{video_id}/chapters", "/export", "/status", "/pictures/{picture}/thumbnail",
)  # fmt: skip
SENT = "/pictures"  # and POST


@pytest.fixture(scope="module")
def described(library):
    app = make_app(library, Door("testserver"))

    async def asked(scope, receive, send):
        if scope["type"] == "lifespan":  # every request would bring an end of its own
            for step in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{step}.complete"})
        else:
            await app(scope, receive, send)

    with TestClient(app):
        yield schemathesis.openapi.from_asgi("/api/v1/openapi.json", asked)


def test_every_route_is_tried(described):
    assert set(described.raw_schema["paths"]) == {f"/api/v1{path}" for path in (*PATHS, SENT)}


@pytest.mark.parametrize("path", [*PATHS, SENT])
@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_it_answers_as_described(described, path, mode):
    operation = described[f"/api/v1{path}"]["POST" if path == SENT else "GET"]
    kind = schemathesis.GenerationMode(mode)
    if mode == "negative" and not list(operation.iter_parameters()):
        return

    @seed(12)
    @settings(
        max_examples=12, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=operation.as_strategy(generation_mode=kind))
    def ask(case):
        case.call_and_validate(checks=CHECKS)

    ask()
