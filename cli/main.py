"""The `unify` command: registers the commands, and turns errors into one line and an exit code.

Every command imports what it needs when it runs, so that `unify --help` loads neither numba nor
faiss, and `unify search` loads no decoder.
"""

from __future__ import annotations

import sys

import typer

from unify.cli import (
    chapters,
    config,
    doctor,
    evaluate,
    explain,
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
    words,
)
from unify.cli.options import Group

HELP = """Find moments in videos from a sentence, on your own machine.

A folder is indexed once; a search then says which moment of which file, and why. Data goes to
stdout, all else to stderr.

Examples:
    unify index build ~/Videos
    unify search a man cooking pasta
    unify open 1

Exit codes:
    0    success, also when nothing was found
    1    a check of unify doctor fails, or the system refuses something
    2    a bad query, option or path
    3    no index, or one of another pack
    4    a damaged index
    5    some videos cannot be read; the others are done
    130  stopped by ctrl-C

unify COMMAND --help shows its options and examples. unify config shows every value that holds, of
the environment too, and where it comes from. unify doctor checks the installation.
"""
INDEX_HELP = """Make an index, look at it, check it.

Examples:
    unify index build ~/Videos
    unify index status
    unify index list
    unify index verify
    unify index repair
"""
MODELS_HELP = """See, get and calibrate packs, which encode videos and texts.

Examples:
    unify models list
    unify models show mini
"""

WORDS_HELP = """Teach unify a name: words for it, in a dictionary of your own.

Examples:
    unify words add nailong yellow dinosaur dress
    unify search nailong on a stage
    unify words list
"""

app = typer.Typer(
    cls=Group,
    name="unify",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help=HELP,
)
index_app = typer.Typer(no_args_is_help=True, help=INDEX_HELP)
models_app = typer.Typer(no_args_is_help=True, help=MODELS_HELP)
words_app = typer.Typer(no_args_is_help=True, help=WORDS_HELP)

index.register(index_app)
models.register(models_app)
words.register(words_app)
app.add_typer(index_app, name="index")
search.register(app)
explain.register(app)
terms.register(app)
hit.register(app)
export.register(app)
sheet.register(app)
chapters.register(app)
app.add_typer(words_app, name="words")
app.add_typer(models_app, name="models")
evaluate.register(app)
train.register(app)
serve.register(app)
doctor.register(app)
config.register(app)
system.register(app)


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    app(prog_name="unify")  # also of `python -m unify`: completion goes by this name
