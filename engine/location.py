"""Which directory holds the index: an explicit one, `UNIFY_INDEX`, or the nearest `.unify`."""

from __future__ import annotations

import os
from pathlib import Path

from unify.engine.manifest import NAME

FOLDER = ".unify"
VARIABLE = "UNIFY_INDEX"


def locate(given: str | os.PathLike[str] | None = None) -> Path:
    """Return the index directory to read or to create.

    Args:
        given: an index directory, or a folder that has one as its `.unify`; without it
            `UNIFY_INDEX`, then the nearest `.unify` from the working directory upwards,
            then `./.unify`, whether it exists or not.
    """
    chosen = given or os.environ.get(VARIABLE)
    if chosen:
        path = Path(chosen).expanduser().absolute()
        inside = path / FOLDER
        return inside if (inside / NAME).is_file() and not (path / NAME).is_file() else path
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / FOLDER / NAME).is_file():
            return folder / FOLDER
    return here / FOLDER
