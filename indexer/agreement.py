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
from unify.indexer.journal import NAME, Entry, Journal, State


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
    where = directory / NAME
    paths = Counter(entry.path for entry in entries)
    twice = [f"{where}: {path} is in it twice" for path, count in paths.items() if count > 1]
    return [*twice, *(f"{where}: {line}" for line in _counts(directory, entries))]


def _counts(directory: Path, entries: list[Entry]) -> list[str]:
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
        f"{entry.path} has moments: {entry.moments:,} in it and {rows[entry.id]:,} in the segments"
        for entry in entries
        if entry.state is State.COMPLETE
        and entry.id in live
        and entry.moments not in (0, rows[entry.id])  # 0: filled in from the manifest
    ]
