"""`unify models`."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("list")(list_models)
    app.command("show")(show)


def list_models() -> None:
    """List the packs that can be used now."""


def show(
    pack: Annotated[str, typer.Argument(metavar="ID", help="A pack's name.")] = "mini",
) -> None:
    """Show a pack: what it is made of, its licence, its card; checks every file's checksum."""
