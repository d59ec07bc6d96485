"""Repair of a damaged index: what is whole stays searchable, what is lost waits for a build.

The manifest has a copy; its tables and the journal know of each other's videos; lists are made of
rows. Videos whose rows are lost become pending. Killed at any instant, a repair can be run again.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from unify.engine import tables
from unify.engine.errors import DamagedIndex, IndexUnavailable, NoIndex
from unify.engine.lock import take
from unify.engine.manifest import (
    COPY,
    Manifest,
    Root,
    Video,
    read_manifest,
    restore_manifest,
)
from unify.engine.mend import mend, name_problems, whole_tombstones
from unify.engine.verify import copy_problems
from unify.engine.writer import IndexWriter
from unify.indexer.agreement import faults
from unify.indexer.catalog import Catalog
from unify.indexer.journal import NAME, Journal
from unify.indexer.salvage import renew_journal, videos_of


@dataclass(slots=True)
class Repair:
    """What a repair found and did. Paths are as the user wrote them.

    Attributes:
        problems: a line for each damaged file or part.
        lost: videos that cannot be found until they are encoded again; they are pending.
        unknown: videos that stay searchable, and of which the journal no longer knows from which
            file, of what size and time, they were made: the next build encodes them again.
        rewritten: segments that were written again from their rows.
        dropped: segments of which nothing could be kept.
        generation: the published generation.
    """

    problems: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    rewritten: int = 0
    dropped: int = 0
    generation: int = 0


def repair(directory: Path) -> Repair:
    """Repair an index.

    Raises:
        IndexUnavailable: there is none, another process is writing it, or a file cannot be read
            or written now.
        DamagedIndex: too much is damaged; nothing is changed then.
    """
    done = Repair()
    settings = _manifest(directory, done).settings
    done.problems += copy_problems(directory)
    live = partial(_live, done)
    with IndexWriter.open(directory, settings, live) as writer, Journal(directory) as journal:
        roots = writer.roots
        # What is lost now may be unknown to the journal: it learns of it before the rows go.
        journal.follow(writer.manifest.generation)
        journal.reconcile(writer.live_videos, roots, max(writer.live_videos, default=0))
        mended = mend(writer)
        done.problems += mended.problems
        done.rewritten, done.dropped = mended.rewritten, mended.dropped
        _forget_faults(writer, journal, done)
        catalog = Catalog(writer, journal)
        catalog.publish()  # copies, where only the journal knew them
        done.generation = writer.manifest.generation
    done.lost = [_shown(video, roots) for video in mended.lost]
    unknown = [e for e in catalog.entries.values() if e.mtime_ns < 0 and not e.digest]
    done.unknown = [catalog.shown(e) for e in unknown if e.id in writer.live_videos]
    return done


def _shown(video: Video, roots: Sequence[Root]) -> str:
    return os.path.normpath(Path(roots[video.root].given) / video.rel)


def _manifest(directory: Path, done: Repair) -> Manifest:
    """Read the manifest, put in place from its copy where it is damaged.

    Raises:
        DamagedIndex: neither is whole.
    """
    try:
        return read_manifest(directory)
    except (DamagedIndex, NoIndex) as error:
        if not (directory / COPY).is_file() and isinstance(error, NoIndex):
            raise
        with take(directory):
            restored = restore_manifest(directory)
        if not restored:
            raise DamagedIndex(
                f"{error.message}, and it has no whole copy",
                "nothing can be saved: delete the index and build it again",
            ) from None
        done.problems.append(error.message)
    return read_manifest(directory)


def _live(done: Repair, directory: Path, manifest: Manifest) -> dict[int, Video]:
    """Return what can be searched, from the tables or else from the journal, which is whole then.

    Raises:
        DamagedIndex: both are damaged.
        IndexUnavailable: the journal is needed, and cannot be read now.
    """
    bad = name_problems(directory, manifest)
    try:
        with Journal(directory, create=not bad) as journal:
            entries = journal.entries(manifest.generation)
    except (DamagedIndex, IndexUnavailable) as error:
        if isinstance(error, IndexUnavailable) and (not bad or (directory / NAME).exists()):
            raise  # it may well be whole
        if bad:
            raise DamagedIndex(
                f"{bad[0]}, and {error.message}",
                "nothing tells which videos these are: delete the index and build it again",
            ) from None
        live = tables.read_videos(directory, manifest)
        renew_journal(directory, live, manifest.roots)
        done.problems.append(error.message)
        return live
    if bad:
        return videos_of(entries, manifest.roots, whole_tombstones(directory, manifest))
    return tables.read_videos(directory, manifest)


def _forget_faults(writer: IndexWriter, journal: Journal, done: Repair) -> None:
    """Let the journal forget what it has wrong: the manifest tells it again."""
    found = faults(writer.directory, journal.entries())
    with journal.transaction():
        journal.forget(entry.id for entry, _ in found)
    done.problems += [line for _, line in found]
