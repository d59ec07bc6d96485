"""What the commands share: option types, error handling, and words that begin with a minus."""

from __future__ import annotations

import os
import re
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

IndexOption = Annotated[
    Path | None,
    typer.Option(
        "--index",
        metavar="DIR",
        envvar="UNIFY_INDEX",
        readable=False,  # the engine says it in its own words, with its own exit code
        help="The index directory. Default: the nearest .unify from here upwards.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON lines to stdout.")]
NoWordsOption = Annotated[
    bool, typer.Option("--no-words", help="Without your dictionary (unify words).")
]
NoSubtitlesOption = Annotated[
    bool, typer.Option("--no-subtitles", help="Only what shows counts, not what is said.")
]
ExcludeOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="GLOB",
        help="Leave out files and folders, as a line of .unifyignore does. May be repeated.",
    ),
]
Words = Annotated[list[str] | None, typer.Argument(metavar="WORDS", help="What to look for.")]

_MARK = "\x00"  # cannot occur in an argument
_OURS = re.compile(r"-k(\d+)?$|-h$|--|-$|[^-]")
_NUMBER = re.compile(r"-\d*\.?\d+$")


class QueryCommand(TyperCommand):
    """A command whose words may begin with a minus: `unify search dog -beach`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Mark such words, so that the parser takes them for arguments."""
        if "--" in args and not ctx.resilient_parsing:  # which is while a word is completed
            self._tell_taken(ctx, args[args.index("--") + 1 :])
        valued = {name for p in self.get_params(ctx) if not _is_flag(p) for name in p.opts}
        return super().parse_args(
            ctx,
            [
                arg
                if _OURS.match(arg) or not arg or (_NUMBER.match(arg) and before in valued)
                else _MARK + arg
                for before, arg in zip(["", *args], args, strict=False)
            ],
        )

    def _tell_taken(self, ctx: Any, words: list[str]) -> None:
        """Say which words behind `--` would be options before it."""
        options = {name for option in self.get_params(ctx) for name in option.opts}
        for word in words:
            if word.partition("=")[0] in options:
                complain(f"{word} stands behind -- and is read as a word: put options before --")


def _is_flag(option: Any) -> bool:
    """Whether an option stands alone, without a value behind it."""
    return bool(getattr(option, "is_flag", False))


def joined(words: list[str] | None) -> str:
    """Return the query that the words of a command line make."""
    return " ".join(word.removeprefix(_MARK) for word in words or [])


class Group(TyperGroup):
    """The whole program: turns expected errors into one line on stderr and an exit code."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        _keep_lines(self)

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        from unify.engine.errors import UnifyError

        try:
            return super().invoke(ctx)
        except UnifyError as error:
            complain(str(error))
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second one must not cut this short
            complain("stopped; what was finished is kept, run the same command to go on")
            raise typer.Exit(130) from None
        except BrokenPipeError:  # the reader of our output has gone, as in `unify search x | head`
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - nothing is left to flush
            raise typer.Exit(0) from None
        except OSError as error:
            complain(f"{error.filename or 'input or output'}: {error.strerror or error}")
            raise typer.Exit(1) from None


def _keep_lines(command: Any) -> None:
    """Have the lines of the examples in all help stay lines, where others are filled."""
    command.help = re.sub(r"(\n\n)(?=(Examples|Exit codes):\n)", "\\1\b\n", command.help or "")
    for inner in getattr(command, "commands", {}).values():
        _keep_lines(inner)


def refuse(*rules: tuple[bool, str, str]) -> None:
    """Raise the first of some errors that is one: whether it is, what, and what to do.

    Raises:
        UsageError: one is.
    """
    from unify.engine.errors import UsageError

    for wrong, what, remedy in rules:
        if wrong:
            raise UsageError(what, remedy)


def complain(message: str) -> None:
    """Print one line to stderr."""
    typer.echo(f"unify: {' '.join(message.split())}", err=True)
