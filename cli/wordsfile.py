"""The user's dictionary as a file: where it is, reading it, and changing a line of it.

It is the user's own text (`engine/dictionary.py` says of which form): what is not changed stays as
it is, comments, order and line endings.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from unify.engine.dictionary import Dictionary, Entry, name_words, numbered
from unify.engine.errors import UsageError

VARIABLE = "UNIFY_WORDS"
_MOST_BYTES = 1 << 20
_BOM = "\ufeff"
_WITHOUT = "mend it, or search with --no-words"


def words_path() -> Path | None:
    """Return the file: `UNIFY_WORDS`, else the one in the XDG config folder.

    None where `UNIFY_WORDS` is empty, or there is no home folder: then there is no dictionary.
    """
    if (given := os.environ.get(VARIABLE)) is not None:
        return Path(given).expanduser() if given else None
    try:
        base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    except RuntimeError:  # no home
        return None
    return Path(base) / "unify" / "words.txt"


def read_words() -> Dictionary:
    """Return what the file defines; a file that is not there yet defines nothing.

    Raises:
        UsageError: it cannot be read, or is not where `UNIFY_WORDS` says.
    """
    path = words_path()
    return Dictionary() if path is None else Dictionary.read(_text(path), str(path))


def add(path: Path, entry: Entry) -> bool:
    """Write a definition into the file, in place of an older one of the same name.

    Returns:
        whether there was one.

    Raises:
        UsageError: the file cannot be read or written, or is full.
    """
    line = f"{entry.name} = {entry.definition}"

    def changed(text: str) -> str:
        lines, at = text.split("\n"), _line_of(text, path, entry.name)
        if at is None:
            ended = text if not text or text.endswith("\n") else f"{text}\n"
            return f"{ended}{line}\n"
        written = lines[at].partition("#")[0].rstrip()
        lines[at] = line + lines[at][len(written) :]  # a comment behind it stays
        return "\n".join(lines)

    before, after = _rewrite(path, changed)
    return len(before.entries) == len(after.entries)


def remove(path: Path, name: str) -> None:
    """Take a name out of the file.

    Raises:
        UsageError: it is not there, or the file cannot be read or written.
    """

    def changed(text: str) -> str:
        lines, at = text.split("\n"), _line_of(text, path, name)
        if at is None:
            raise UsageError(f"{path} does not define {name!r}", "see unify words list")
        return "\n".join(lines[:at] + lines[at + 1 :])

    _rewrite(path, changed)


def _line_of(text: str, path: Path, name: str) -> int | None:
    """Return the line that defines a name, from 0, or None."""
    wanted = name_words(name)
    found = (n for n, entry in numbered(text, str(path)) if name_words(entry.name) == wanted)
    return next((number - 1 for number in found), None)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise UsageError(f"{path} is larger than 1 MiB", _WITHOUT)
        return data.decode().removeprefix(_BOM)
    except FileNotFoundError:
        if os.environ.get(VARIABLE):
            raise UsageError(
                f"{VARIABLE} names {path}, which is not there", "unify words add makes it"
            ) from None
        return ""
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", _WITHOUT) from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no UTF-8 text", _WITHOUT) from None


def _rewrite(path: Path, changed: Callable[[str], str]) -> tuple[Dictionary, Dictionary]:
    """Replace the file by a changed one, whole or not at all; return what it defines by either."""
    path = Path(os.path.realpath(path))  # a link stays a link, but for one to itself
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(path.parent):
            text = _text(path) if path.exists() else ""
            before = Dictionary.read(text, str(path))
            text = changed(text)
            after = Dictionary.read(text, str(path))
            _replace(path, text.encode())
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror}", f"name another file in {VARIABLE}"
        ) from None
    return before, after


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until nobody else changes a dictionary in a folder: two changes must both be kept."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace(path: Path, data: bytes) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, partial)
        partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink()
