"""From where an index is to the backend that reads it."""

from __future__ import annotations

import os

from unify.engine.backend import Backend
from unify.engine.local import open_snapshot
from unify.engine.location import elsewhere, locate


def open_backend(index: str | os.PathLike[str] | None = None) -> Backend:
    """Open an index, be it a directory or a Milvus collection.

    Args:
        index: where it is; see `locate`.

    Raises:
        UsageError: its address cannot be read.
        MissingPackage: the client of its server is not installed.
        IndexUnavailable: there is none, or its server does not answer.
        DamagedIndex: a file of it is damaged.
    """
    place = elsewhere(index)
    if place is None:
        return open_snapshot(locate(index))
    from unify.engine.milvus.backend import open_collection

    return open_collection(place)
