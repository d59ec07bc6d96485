"""Whether the journal and the manifest of an index tell the same story.

A writer that was killed leaves the journal a step behind, which the next one mends; that is no
damage. Reported is what nothing would mend.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from unify.engine import tables
from unify.engine.errors import DamagedIndex
from unify.engine.manifest import read_manifest
from unify.engine.segment import Segment
from unify.indexer.entries import Entry, State
from unify.indexer.journal import NAME, Journal


def disagreements(directory: Path) -> list[str]:
    """Return a line for each fault of the journal; none without a journal, which is allowed.

    Raises:
        IndexUnavailable: there is no index, or its journal cannot be read now.
        DamagedIndex: its manifest or its tables cannot be read.
    """
    if not (directory / NAME).exists():
        return []
    generation = read_manifest(directory).generation
    try:
        with Journal(directory, create=False) as journal:
            entries = journal.entries(generation)
    except DamagedIndex as error:
        return [error.message]
    return [line for _, line in faults(directory, entries)]


def faults(directory: Path, entries: list[Entry]) -> list[tuple[Entry, str]]:
    """Return each entry of a journal that cannot be right, and why.

    Raises:
        IndexUnavailable: there is no index.
        DamagedIndex: its manifest or its tables cannot be read.
    """
    where = directory / NAME
    last = {entry.path: entry for entry in entries}
    twice = [entry for entry in entries if last[entry.path] is not entry]
    return [
        *((entry, f"{where}: {entry.path} is in it twice") for entry in twice),
        *((entry, f"{where}: {line}") for entry, line in _miscounted(directory, entries)),
    ]


def _miscounted(directory: Path, entries: list[Entry]) -> list[tuple[Entry, str]]:
    """Compare how many moments each complete video has."""
    manifest = read_manifest(directory)  # after the journal: what was complete then is published
    live = tables.read_videos(directory, manifest)
    rows: Counter[int] = Counter()
    for entry in manifest.segments:
        ids, counts = np.unique(
            Segment(directory, entry, manifest.settings).moments["video"], return_counts=True
        )
        rows.update(dict(zip(ids.tolist(), counts.tolist(), strict=True)))
    return [
        (
            entry,
            f"{entry.path} has moments: "
            f"{entry.moments:,} in it and {rows[entry.id]:,} in the segments",
        )
        for entry in entries
        if entry.state is State.COMPLETE
        and entry.id in live
        and entry.moments not in (0, rows[entry.id])  # 0: filled in from the manifest
    ]
