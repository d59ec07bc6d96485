"""The user's dictionary as it is served: read again whenever its file changes."""

from __future__ import annotations

import threading

from unify.cli.wordsfile import read_words, words_path
from unify.engine.dictionary import NO_NAMES, Dictionary
from unify.engine.errors import UsageError


class ServedWords:
    """What the file says now.

    Attributes:
        problem: what is wrong with the file, or "". Until it is mended it defines nothing.
    """

    def __init__(self) -> None:
        self.problem = ""
        self._dictionary = NO_NAMES
        self._seen: tuple[int, ...] | None = None
        self._reading = threading.Lock()
        self.dictionary()

    def dictionary(self) -> Dictionary:
        """Return what it defines."""
        with self._reading:
            if (mark := _mark()) != self._seen:
                self._read()
                self._seen = mark
            return self._dictionary

    def _read(self) -> None:
        try:
            self._dictionary, self.problem = read_words(), ""
        except UsageError as error:
            self._dictionary, self.problem = NO_NAMES, str(error)


def _mark() -> tuple[int, ...]:
    """Return what changes when the file does."""
    path = words_path()
    try:
        facts = path.stat() if path else None
    except OSError:
        return ()
    return (facts.st_ino, facts.st_mtime_ns, facts.st_size) if facts else ()
