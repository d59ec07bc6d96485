"""`unify --version`."""

from __future__ import annotations

from typing import Annotated

import typer

from unify.cli import render


def register(app: typer.Typer) -> None:
    """Add the options of the program itself."""
    app.callback()(root)


def _version(wanted: bool) -> None:
    if wanted:
        from unify import __version__

        render.say(f"unify {__version__}")
        raise typer.Exit


def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options of the program itself."""
