"""Which files and folders a build leaves out: `.unifyignore` files and patterns of the caller.

Both are in the form of .gitignore (https://git-scm.com/docs/gitignore): a file speaks for the
folder that it lies in and for what is below, deeper ones win, `!` takes back. It must not know
what a video is.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from unify.engine.errors import UsageError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

NAME = ".unifyignore"


@dataclass(frozen=True, slots=True)
class Rules:
    """The patterns that hold in one folder.

    Attributes:
        above: patterns of the caller, which win over all files, and the folder they start from.
        layers: (folder, patterns) of the files, the topmost folder first.
    """

    above: tuple[tuple[str, GitIgnoreSpec], ...] = ()
    layers: tuple[tuple[str, GitIgnoreSpec], ...] = ()

    @classmethod
    def given(cls, patterns: Sequence[str], top: str) -> Rules:
        """Return the rules that patterns make for a whole PATH.

        Raises:
            UsageError: a pattern cannot be understood.
        """
        spec = [(top, _spec(patterns, f"--exclude {' '.join(patterns)}"))] if patterns else []
        return cls(tuple(spec))

    def within(self, folder: str) -> Rules:
        """Return the rules of a folder that has a file of them.

        Raises:
            UsageError: a pattern cannot be understood.
            OSError: the file cannot be read.
        """
        path = Path(folder) / NAME
        lines = os.fsdecode(path.read_bytes()).splitlines()
        return Rules(self.above, (*self.layers, (folder, _spec(lines, str(path)))))

    def ignore(self, path: str) -> bool:
        """Return whether a file, or with a slash at its end a folder, is left out.

        Args:
            path: absolute, in the folder of these rules.
        """
        for folder, spec in (*self.above, *reversed(self.layers)):
            verdict = spec.check_file(path[len(folder.rstrip(os.sep)) + 1 :]).include
            if verdict is not None:
                return verdict
        return False


def _spec(lines: Sequence[str], where: str) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError as error:
        raise UsageError(
            f"{where}: {error}", "write patterns as in a .gitignore, such as *.mov or /raw/"
        ) from None
