"""`unify doctor`: runs the checks and prints each as a line, with what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial

import typer

from unify.cli import checks, jsonio, render
from unify.cli.checks import Finding, State
from unify.cli.options import IndexOption, JsonOption

_AGAIN = "see what it says; installing unify again may mend it"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor(index: IndexOption = None, json: JsonOption = False) -> None:
    """Check that everything unify needs works, one real check a line.

    `ok` works; `note` is not needed, or works in a lesser way; `FAIL` does not work. What is not
    ok says what to do. Exit code 1 when a check fails, else 0.

    Examples:
        unify doctor
        unify doctor --index library --json
    """
    healthy = True
    for name, check in _checks(index):
        found = _run(check)
        healthy &= found.state is not State.fail
        if json:
            jsonio.emit({"check": name, **asdict(found)})
        else:
            state = "FAIL" if found.state is State.fail else found.state.value
            text = f"{found.text}; {found.remedy}" if found.remedy else found.text
            render.say(f"{state:<5} {name:<11} {render.printable(text)}")
    if not healthy:
        raise typer.Exit(1)


def _checks(index: object) -> list[tuple[str, Callable[[], Finding]]]:
    return [
        ("python", checks.python),
        ("unify", checks.package),
        ("faiss", checks.faiss),
        ("openvino", checks.openvino),
        ("decoder", checks.decoder),
        ("kernels", checks.kernels),
        ("pack mini", checks.pack),
        ("index", partial(checks.index, index)),
        ("lock", partial(checks.lock, index)),
        ("disk", partial(checks.disk, index)),
        ("thumbnails", checks.thumbnails),
        ("player", checks.player),
        ("words", checks.words),
        *((name, partial(checks.extra, name)) for name in checks.EXTRAS),
    ]


def _run(check: Callable[[], Finding]) -> Finding:
    from unify.engine.errors import UnifyError

    try:
        return check()
    except UnifyError as error:
        return Finding(error.message, State.fail, error.hint or _AGAIN)
    except Exception as error:  # whatever a broken installation raises is the finding
        text = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return Finding(text, State.fail, _AGAIN)
