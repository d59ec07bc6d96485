"""`unify serve`: the page and the REST interface, in a browser on this machine."""

from __future__ import annotations

import os
import secrets
import signal
import socket
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from unify.cli import render
from unify.cli.options import IndexOption

if TYPE_CHECKING:
    from unify.cli.web.guard import Door
    from unify.cli.web.library import Library

_CONNECTIONS = 400  # each may hold two open files
_STUCK_S = 10  # after which what cannot end is cut off


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(serve)


def serve(
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where to listen. Default: this machine alone.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="0 takes a free one.")
    ] = 8765,
    index: IndexOption = None,
) -> None:
    """Search in a browser: a page with a player; and over REST.

    Only indexed files are served, by id; an index may name any, so serve none that you do not
    trust. Elsewhere than on this machine a token is needed: that of UNIFY_TOKEN, or a new one,
    printed once. REST: /api/v1/openapi.json; counts: /metrics.
    Needs:  pip install 'unify-search[serve]'

    Examples:
        unify serve
        unify serve --port 9000 --index library
        unify serve --host 0.0.0.0   # others need the token that it prints
    """
    from unify.engine.errors import MissingPackage

    try:
        import fastapi  # noqa: F401
        import prometheus_client  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise MissingPackage(
            f"unify serve needs {error.name}", "pip install 'unify-search[serve]'"
        ) from None
    from unify.cli.web.guard import Door, is_loopback
    from unify.cli.web.library import Library

    token = os.environ.get("UNIFY_TOKEN", "")
    if not token and not is_loopback(host):
        token = secrets.token_urlsafe(24)
    library = Library(index)
    with _listening(host, port) as listener:
        library.warm_up()
        _announce(library, host, listener.getsockname()[1], token)
        _run(library, Door(host, token), listener)


def _listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        UsageError: the address cannot be had.
    """
    from unify.engine.errors import UsageError

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=512)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        raise UsageError(
            f"cannot listen on {host}, port {port}: {why}", "choose another --port or --host"
        ) from None


def _announce(library: Library, host: str, port: int, token: str) -> None:
    from unify.cli.web.words import ServedWords

    videos = library.view().backend.statistics().videos
    shown = {"0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(host, host)
    shown = f"[{shown}]" if ":" in shown else shown
    secret = f"?token={quote(token, safe='')}" if token else ""
    render.tell(f"serving {render.counted(videos, 'video')} of {library.directory}; ctrl-C ends it")
    if problem := ServedWords().problem:
        render.tell(f"the dictionary is left out: {problem}")
    render.say(f"http://{shown}:{port}/{secret}")


def _run(library: Library, door: Door, listener: socket.socket) -> None:
    """Serve until a signal ends it; what is being answered may finish, within some seconds."""
    import uvicorn

    from unify.cli.web.app import make_app
    from unify.cli.web.ending import PatientServer
    from unify.cli.web.protocol import PunctualProtocol

    config = uvicorn.Config(
        make_app(library, door),
        http=PunctualProtocol,
        ws="none",
        log_level="warning",
        access_log=False,  # what people look for is theirs
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_CONNECTIONS,
        backlog=512,
        h11_max_incomplete_event_size=64 << 10,  # a query of 4,096 characters, in percents
        timeout_graceful_shutdown=_STUCK_S,
    )
    server = PatientServer(config)
    server.run([listener])
    if server.ended_by == signal.SIGTERM:  # whoever sent it sees that it was obeyed
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.raise_signal(signal.SIGTERM)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # while the interpreter ends, too
    render.tell("ended")
    raise typer.Exit(130)
