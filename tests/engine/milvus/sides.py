"""What there is of a library: here, and in Milvus."""

from __future__ import annotations

from pathlib import Path

from unify.engine.local import open_snapshot
from unify.engine.milvus.collection import named
from unify.engine.milvus.link import Link
from unify.engine.milvus.rows import local_rows
from unify.engine.writer import Root

SHOWS = 0.6
ROOTS = [Root("clips", "/abs/clips")]


def ids_of(directory: Path, tenant: str = "") -> list[int]:
    return sorted(row.id for row in local_rows(open_snapshot(directory), tenant))


def ids_there(link: Link) -> list[int]:
    collection = named(link)
    assert collection is not None
    return [row["id"] for row in link.rows(collection.name, "id >= 0", ["id"], "Strong")]
