"""The help of every command: 80 columns, with examples that can be run as they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from tests.cli.conftest import run_unify
from tests.examples import words_of
from unify.cli.main import app

PROGRAM: Any = typer.main.get_command(app)


def paths(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words that name each command, those of the groups too."""
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from paths(inner, (*path, name))


PATHS = list(paths(PROGRAM))


def help_of(path: tuple[str, ...]) -> str:
    done = CliRunner(env={"COLUMNS": "80"}).invoke(app, [*path, "--help"], prog_name="unify")
    assert done.exit_code == 0
    return done.output


def examples_of(path: tuple[str, ...]) -> list[str]:
    block = re.search(r"^  Examples:\n((?:      .*\n)+)", help_of(path), re.M)
    return [line.strip() for line in block[1].splitlines()] if block else []


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_help_fits_and_shows_how_the_command_is_used(path):
    assert max(map(len, help_of(path).splitlines())) <= 80
    examples = examples_of(path)
    assert any(" ".join(("unify", *path)) in example for example in examples), examples
    for example in examples:
        parse(example)


@pytest.mark.parametrize(
    "path", [(), *dict.fromkeys(path[:1] for path in PATHS if path[1:])], ids=" ".join
)
def test_what_a_command_does_is_told_whole_in_the_list_of_commands(path):
    listed = help_of(path).partition("Commands:")[2]
    assert listed
    assert [line for line in listed.splitlines() if line.endswith("...")] == []


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_every_option_says_what_it_is_for(path):
    command = PROGRAM
    for name in path:
        command = command.commands[name]
    assert [option.name for option in command.params if not getattr(option, "help", "")] == []


def parse(example: str) -> None:
    """Parse an example as the program does, without running it."""
    words = words_of(re.sub(r"^(nice|torchrun .* -m) |  +#.*$", "", example))
    command, context = PROGRAM, None
    assert words.pop(0) == "unify", example
    while hasattr(command, "commands"):
        name = words.pop(0)
        command = command.commands[name]
    with command.make_context(name, words, parent=context):
        pass


def test_an_example_that_does_not_parse_is_found():
    with pytest.raises(Exception, match="No such option"):
        parse("unify search a dog --nonsense")


def test_help_of_the_program_in_a_pipe_is_80_columns_too():
    done = run_unify("--help", COLUMNS="200")
    assert done.code == 0
    assert max(map(len, done.out.splitlines())) <= 80
