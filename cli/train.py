"""`unify train`."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from unify.cli import render


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train")(train)


def train(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The recipe, a TOML file.")],
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", metavar="DIR", help="A data set's folder; may be given again."),
    ] = None,
    towers: Annotated[
        str | None, typer.Option("--towers", metavar="DIR", help="What training starts from.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="The pack's folder.")
    ] = None,
    cache: Annotated[
        Path | None, typer.Option("--cache", metavar="DIR", help="For the frozen stems' results.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", help="Of what is drawn at random.")
    ] = None,
) -> None:
    """Train a pack by a recipe; started again it goes on where it was.

    Options count instead of what the recipe says. On several GPUs, start it with torchrun.

    Examples:
        unify train recipe.toml --out packs/mine
        torchrun --nproc-per-node 4 -m unify train recipe.toml
    """
    from unify.engine.errors import MissingPackage

    try:
        from unify.encoders.recipe import read_recipe
        from unify.encoders.train import train_pack
    except ModuleNotFoundError as error:
        raise MissingPackage(
            f"training needs {error.name}", "pip install 'unify-search[train]'"
        ) from None

    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    changes = {
        "data": tuple(data) if data else None,
        "towers": towers,
        "out": out,
        "cache": cache,
        "seed": seed,
    }
    if report := train_pack(read_recipe(config, changes)):
        render.say(report.table())
