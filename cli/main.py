"""The `unify` command: registers the commands, and turns errors into one line and an exit code.

Every command imports what it needs when it runs, so that `unify --help` loads neither numba nor
faiss, and `unify search` loads no decoder.
"""

from __future__ import annotations

import sys

import typer

from unify.cli import (
    chapters,
    evaluate,
    export,
    hit,
    index,
    models,
    search,
    serve,
    sheet,
    system,
    terms,
    train,
)
from unify.cli.options import Group

app = typer.Typer(
    cls=Group,
    name="unify",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Find moments in videos from a sentence, on your own machine.\n\n"
    "Index a folder once:  unify index build videos/\n\n"
    "Then search it:       unify search a man cooking pasta",
)
index_app = typer.Typer(no_args_is_help=True, help="Make an index, look at it, check it.")
models_app = typer.Typer(
    no_args_is_help=True, help="The packs that turn video and text to vectors."
)

index.register(index_app)
models.register(models_app)
app.add_typer(index_app, name="index")
search.register(app)
terms.register(app)
hit.register(app)
export.register(app)
sheet.register(app)
chapters.register(app)
app.add_typer(models_app, name="models")
evaluate.register(app)
train.register(app)
serve.register(app)
system.register(app)


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    app()
