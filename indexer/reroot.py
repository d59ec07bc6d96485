"""A library that lies elsewhere now: its videos are found there, and nothing is encoded again.

Building the new place would do the same by content, at the price of reading every file.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from unify.engine.errors import UsageError
from unify.engine.manifest import Root, read_manifest
from unify.engine.writer import IndexWriter
from unify.indexer.catalog import Catalog
from unify.indexer.discover import gone, is_under
from unify.indexer.entries import Entry, State
from unify.indexer.journal import Journal


@dataclass(frozen=True, slots=True)
class Rerooting:
    """What moved.

    Attributes:
        roots: (old, new) absolute paths.
        videos: searchable videos under them.
        missing: those whose file is not at the new place, by the new absolute path.
        generation: the published generation.
    """

    roots: list[tuple[str, str]]
    videos: int
    missing: list[str]
    generation: int


def reroot(old: str, new: Path, directory: Path) -> Rerooting:
    """Point the roots of an index at or below a folder to another folder.

    Args:
        old: where they were, absolute or as it was given to a build.
        new: where they are.
        directory: the index.

    Raises:
        UsageError: no root lies there, or the new place is no folder, holds none of the videos,
            or has videos of its own under the same names.
        IndexUnavailable: there is no index, or another process is writing it.
        DamagedIndex: its manifest or its journal is damaged.
    """
    if not new.is_dir():
        raise UsageError(f"{new} is no folder", "give the folder where the videos are now")
    settings = read_manifest(directory).settings
    with IndexWriter.open(directory, settings) as writer, Journal(directory) as journal:
        catalog = Catalog(writer, journal)
        moved = _moved(old, new, catalog)
        changed = [e for e in catalog.entries.values() if e.root in moved]
        there = [_path(entry, moved) for entry in changed if entry.state is State.COMPLETE]
        missing = [path for path in there if gone(path)]
        if there and len(missing) == len(there):
            raise UsageError(
                f"{new} holds nothing of {old} (videos: {len(there):,})",
                f"the first would be {there[0]}",
            )
        taken = {e.path for e in catalog.entries.values() if e.root not in moved}
        for path in (_path(entry, moved) for entry in changed):
            if path in taken:
                raise UsageError(
                    f"{path} is in the index already",
                    f"take one of the two off: unify index remove {old}",
                )
        catalog.move(moved)
        return Rerooting(
            roots=[(path, root.path) for path, root in moved.items()],
            videos=len(there),
            missing=missing,
            generation=writer.manifest.generation,
        )


def _moved(old: str, new: Path, catalog: Catalog) -> dict[str, Root]:
    """Return the new roots by the paths of the old ones."""
    given = {root.path: root.given for root in catalog.writer.roots}
    roots = sorted({file.root for file in catalog.files})
    base = next((path for path in roots if given.get(path) == old), os.path.abspath(old))  # noqa: PTH100 - links stay
    found = [path for path in roots if is_under(path, base)]
    if not found:
        known = ", ".join(roots) or "none"
        raise UsageError(f"no root of the index lies at {old}", f"its roots are: {known}")
    target = os.path.normpath(new.absolute())
    return {
        path: Root(
            os.path.normpath(new / os.path.relpath(path, base)),
            os.path.normpath(Path(target) / os.path.relpath(path, base)),
        )
        for path in found
    }


def _path(entry: Entry, moved: dict[str, Root]) -> str:
    return os.path.normpath(Path(moved[entry.root].path) / entry.rel)
