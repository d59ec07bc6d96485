"""Where the index is: an explicit place, `UNIFY_INDEX`, or the nearest `.unify`.

A place is a directory, or the address of a Milvus collection (`engine/milvus/place.py`).
"""

from __future__ import annotations

import os
from pathlib import Path

from unify.engine.errors import UsageError
from unify.engine.manifest import COPY, NAME
from unify.engine.milvus.place import MilvusPlace, milvus_place

FOLDER = ".unify"
VARIABLE = "UNIFY_INDEX"


def locate(given: str | os.PathLike[str] | None = None) -> Path:
    """Return the index directory to read or to create.

    Args:
        given: an index directory, or a folder that has one as its `.unify`; without it
            `UNIFY_INDEX`, then the nearest `.unify` from the working directory upwards,
            then `./.unify`, whether it exists or not.

    Raises:
        UsageError: it is no directory but a Milvus collection.
    """
    chosen = given or os.environ.get(VARIABLE)
    if chosen:
        if place := milvus_place(chosen):
            raise UsageError(
                f"this needs an index directory, not {place}",
                "name one: --index DIR; unify index pull makes one of a collection",
            )
        path = Path(chosen).expanduser().absolute()
        inside = path / FOLDER
        return inside if _is_index(inside) and not _is_index(path) else path
    here = Path.cwd()
    for folder in (here, *here.parents):
        if _is_index(folder / FOLDER):
            return folder / FOLDER
    return here / FOLDER


def _is_index(folder: Path) -> bool:
    """Whether a folder holds an index, be it one that has lost its manifest."""
    return any((folder / name).is_file() for name in (NAME, COPY))


def elsewhere(given: str | os.PathLike[str] | None = None) -> MilvusPlace | None:
    """Return the Milvus collection that holds the index, or None where a directory does.

    Raises:
        UsageError: its address cannot be read.
    """
    chosen = given or os.environ.get(VARIABLE)
    return milvus_place(chosen) if chosen else None


def known_as(given: str | os.PathLike[str] | None = None) -> Path:
    """Return a path that names the index wherever it is, for what is kept about it."""
    place = elsewhere(given)
    return place.known_as if place else locate(given)
