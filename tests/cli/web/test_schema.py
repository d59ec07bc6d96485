"""Whatever its own description allows, the interface answers as described and never with 5xx."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, seed, settings

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
    "/search", "/facets", "/terms", "/videos", "/videos/{video_id}", "/videos/{video_id}/moments",
    "/videos/{video_id}/terms", "/moments/{moment}", "/videos/{video_id}/thumbnail",
    "/videos/{video_id}/stream", "/status",
)  # fmt: skip


@pytest.fixture(scope="module")
def described(library):
    app = make_app(library, Door("testserver"))
    return schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)


def test_every_route_is_tried(described):
    assert set(described.raw_schema["paths"]) == {f"/api/v1{path}" for path in PATHS}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_it_answers_as_described(described, path, mode):
    operation = described[f"/api/v1{path}"]["GET"]
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
