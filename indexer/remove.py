"""Taking videos off an index by path, whether their files exist or not.

What is removed is forgotten: a later build of a folder in which the file still lies indexes it
again, unless the rules of `indexer/ignore.py` leave it out.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from unify.engine.errors import UsageError
from unify.engine.manifest import read_manifest
from unify.engine.writer import IndexWriter
from unify.indexer.catalog import Catalog
from unify.indexer.discover import Discovery, is_under
from unify.indexer.entries import Copy, Entry
from unify.indexer.journal import Journal
from unify.indexer.plan import Plan, drop


@dataclass(slots=True)
class Removal:
    """What was taken off. Paths are as the user wrote them when they were indexed.

    Attributes:
        removed: videos that can no longer be found, those among them whose new content waits for
            a build.
        kept: (old path, new path) of videos that are still found at a copy of their file.
        forgotten: copies, failed and pending videos that are no longer listed.
        generation: the published generation.
    """

    removed: list[str] = field(default_factory=list)
    kept: list[tuple[str, str]] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    generation: int = 0


def remove(
    paths: Sequence[str], directory: Path, *, everything: bool = False, dry_run: bool = False
) -> Removal:
    """Take files, and all below folders, off an index.

    Args:
        paths: absolute, relative to the working directory, or as the index shows them.
        directory: the index.
        everything: also where nothing would stay.
        dry_run: change nothing, and say what would be removed.

    Raises:
        UsageError: nothing of a path is in the index, or nothing would stay; then nothing is
            removed.
        IndexUnavailable: there is no index, or another process is writing it.
        DamagedIndex: its manifest or its journal is damaged.
    """
    settings = read_manifest(directory).settings
    with IndexWriter.open(directory, settings) as writer, Journal(directory) as journal:
        catalog = Catalog(writer, journal)
        searchable = catalog.published
        gone = {file.path for path in paths for file in _meant(path, catalog)}
        plan = Plan(copies=[copy for copy in catalog.copies if copy.path not in gone])
        entries = [e for e in catalog.entries.values() if e.path in gone]
        for entry in entries:
            drop(entry, plan)
        names = {entry.id: catalog.shown(entry) for entry in entries}
        copies = [catalog.shown(copy) for copy in catalog.copies if copy.path in gone]
        all_gone = len(entries) > 1 and gone.issuperset(file.path for file in catalog.files)
        if all_gone and not (everything or dry_run):
            raise UsageError(
                f"this would take all {len(entries):,} videos off the index",
                "see them with --dry-run; if they are meant, add --all",
            )
        if not dry_run:
            catalog.follow(plan, Discovery())
        lost = [e for e in plan.removed if e.path not in searchable]
        return Removal(
            removed=[names[e.id] for e in plan.removed if e.path in searchable],
            kept=[(names[entry.id], catalog.shown(entry)) for entry in plan.renamed],
            forgotten=[*(names[entry.id] for entry in lost), *copies],
            generation=writer.manifest.generation,
        )


def _meant(path: str, catalog: Catalog) -> list[Entry | Copy]:
    """Return the files that a path names, seen from here or as the index shows them."""
    absolute, shown = os.path.abspath(path), os.path.normpath(path)  # noqa: PTH100 - links stay
    found = [file for file in catalog.files if is_under(file.path, absolute)]
    found = found or [file for file in catalog.files if is_under(catalog.shown(file), shown)]
    if not found:
        raise UsageError(
            f"nothing of {path} is in the index", "see what is in it: unify index status"
        )
    return found
