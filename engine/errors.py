"""Every error that unify raises on purpose, with its exit code.

    UnifyError                     what went wrong, where, and what to do about it
    ├── UsageError            2    a path or an option that cannot be used
    │   └── MissingPackage    2    an optional package is not installed
    ├── QueryError            2    a query that cannot be answered, with the position in it
    ├── IndexUnavailable      3    it cannot be read or written now
    │   ├── NoIndex           3    nothing there
    │   └── IncompatibleIndex 3    built by another pack or with other settings
    ├── DamagedIndex          4    a file of the index is missing, cut short or altered
    └── MediaError            5    one video cannot be read (recorded, the build goes on)

Nothing below `cli/` prints or exits: it raises one of these.
"""

from __future__ import annotations


class UnifyError(Exception):
    """Base of all expected errors.

    Args:
        message: what went wrong and where, without a final full stop.
        hint: what to do about it; empty when there is nothing to advise.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class UsageError(UnifyError):
    """A path or an option that cannot be used."""

    exit_code = 2


class MissingPackage(UsageError):
    """An optional package is needed and not installed; the hint is the pip line."""


class QueryError(UnifyError):
    """A query that cannot be answered.

    Args:
        message: what is wrong with it.
        hint: what to write instead.
        position: 0-based offset in the query text, or None when it concerns the whole.
    """

    exit_code = 2

    def __init__(self, message: str, hint: str = "", position: int | None = None) -> None:
        at = "" if position is None else f" at character {position + 1}"
        super().__init__(message + at, hint)
        self.position = position


class IndexUnavailable(UnifyError):
    """The index cannot be read or written now."""

    exit_code = 3


class NoIndex(IndexUnavailable):
    """There is no index at that place."""


class IncompatibleIndex(IndexUnavailable):
    """The index was built by another pack, with other settings, or by another format version."""


class DamagedIndex(UnifyError):
    """A file of the index is missing, cut short or altered; the message names it."""

    exit_code = 4


class MediaError(UnifyError):
    """One video cannot be read; the indexer records the message and goes on."""

    exit_code = 5
