"""New ids for all videos of a journal, given in step with a generation of the manifest.

They are announced before the generation is published and given after it. A writer that dies in
between leaves the announcement, from which whoever opens the journal next sees what has happened.
The table is there only meanwhile.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping


def announce(db: sqlite3.Connection, new: Mapping[int, int], generation: int) -> None:
    """Note the ids that videos will have from a generation on.

    Args:
        db: the journal, in a transaction.
        new: ids by old ones, of all videos.
        generation: the one to come.
    """
    db.execute("CREATE TABLE renumbered (since INTEGER, old INTEGER, new INTEGER)")
    rows = [(generation, *pair) for pair in new.items()]
    db.executemany("INSERT INTO renumbered VALUES (?, ?, ?)", rows)


def announced(db: sqlite3.Connection, generation: int) -> dict[int, int]:
    """Return the ids that count since a generation, or one before, and are not yet given."""
    if not _waits(db):
        return {}
    rows = "SELECT old, new FROM renumbered WHERE since <= ?"
    return dict(db.execute(rows, (generation,)).fetchall())


def follow(db: sqlite3.Connection, generation: int) -> None:
    """Give the ids that were announced, if their generation was published.

    Args:
        db: the journal, in a transaction.
        generation: what the manifest says.
    """
    if not _waits(db):
        return
    new = announced(db, generation)
    pairs = [(-id_, old) for old, id_ in new.items()]  # not yet what another one still has
    db.executemany("UPDATE videos SET id = ? WHERE id = ?", pairs)
    db.execute("UPDATE videos SET id = -id WHERE id < 0")
    db.execute("DROP TABLE renumbered")


def _waits(db: sqlite3.Connection) -> bool:
    tables = "SELECT 1 FROM sqlite_master WHERE name = 'renumbered'"
    return db.execute(tables).fetchone() is not None
