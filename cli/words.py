"""`unify words`: the user's dictionary."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unify.cli import jsonio, render
from unify.cli.options import IndexOption, JsonOption

if TYPE_CHECKING:
    from unify.engine.dictionary import Entry

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="One word, or several quoted.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("list")(list_words)
    app.command()(add)
    app.command()(remove)


def list_words(json: JsonOption = False) -> None:
    """List the names and what they stand for.

    The file is a text that may be edited by hand, a line each: unify config says where it is.

    Examples:
        unify words list
        unify words list --json
    """
    from unify.cli.wordsfile import read_words

    path, found = _path(), read_words()
    for entry in found.entries:
        if json:
            jsonio.emit(entry.record())
        else:
            render.say(f"{entry.name} = {entry.definition}")
    if not found.entries:
        render.tell(f"{path} defines nothing yet: unify words add NAME DEFINITION")


def add(
    name: NameArgument,
    definition: Annotated[
        list[str], typer.Argument(metavar="DEFINITION", help="Words, or words joined by OR.")
    ],
    index: IndexOption = None,
    json: JsonOption = False,
) -> None:
    """Say what a name looks like. From now on a query with it is read as its definition.

    All words of a definition are looked for, word^2 counts twice; with OR any of them will do. A
    name that is there already is replaced. Nothing is indexed again.

    Examples:
        unify words add nailong yellow dinosaur dress
        unify words add "snow leopard" leopard^2 snow
        unify words add pets cat OR dog
    """
    from unify.cli import wordsfile
    from unify.engine.dictionary import Entry

    entry = Entry.read(f"{name} = {' '.join(definition)}")
    path = _path()
    replaced = wordsfile.add(path, entry)
    if json:
        jsonio.emit({**entry.record(), "replaced": replaced})
    else:
        render.say(f"{entry.name} = {entry.definition}")
    render.tell(f"{'replaced' if replaced else 'added'} in {path}")
    _tell_unknown(entry, index)


def remove(name: NameArgument, json: JsonOption = False) -> None:
    """Take a name out of the dictionary.

    Examples:
        unify words remove nailong
    """
    from unify.cli import wordsfile

    path = _path()
    wordsfile.remove(path, name)
    if json:
        jsonio.emit({"removed": name})
    render.tell(f"{name} is removed from {path}")


def _path() -> Path:
    """Return the file.

    Raises:
        UsageError: there is to be none.
    """
    from unify.cli.wordsfile import VARIABLE, words_path
    from unify.engine.errors import UsageError

    path = words_path()
    if path is None:
        raise UsageError("there is no place for a dictionary", f"name a file in {VARIABLE}")
    return path


def _tell_unknown(entry: Entry, index: Any) -> None:
    """Say which words of a definition the lexicon lacks: they are read as in a sentence."""
    from unify.encoders.library import lexicon_at
    from unify.engine.errors import UnifyError

    try:
        pack, lexicon = lexicon_at(index)
    except UnifyError as error:
        render.tell(f"its words cannot be looked up: {error}")
        return
    for term in entry.terms:
        if lexicon.lookup(term.text) is None and not lexicon.term_ids(term.text):
            near = lexicon.suggest(term.text)
            advice = f"did you mean {', '.join(near)}?" if near else "a query can only guess at it"
            render.tell(f"{term.text} is not in the lexicon of {pack}; {advice}")
