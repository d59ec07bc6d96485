"""Compaction in the order of what videos hold, whatever ids they have.

A video's number is the beginning of its content's hash, so that the same videos come to the same
bytes however they were added. It fits into an id, which a full compaction makes of it. It must
not know segments.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from unify.engine.compact import Compaction, Progress, rewrite
from unify.engine.manifest import read_manifest
from unify.engine.writer import IndexWriter
from unify.indexer.catalog import Catalog
from unify.indexer.journal import Journal

_HEX = 8  # digits of a hash that make a number, but for the last bit: half of all ids stay free


def compact(directory: Path, full: bool = False, progress: Progress | None = None) -> Compaction:
    """Compact an index; killed at any instant, the old one stays whole.

    Args:
        directory: the index.
        full: rewrite everything and give all videos new ids: their numbers.
        progress: called with rows rewritten so far and rows to be rewritten.

    Raises:
        IndexUnavailable: there is none, or another process is writing it.
        DamagedIndex: a file is not what was written; nothing is changed then.
    """
    settings = read_manifest(directory).settings
    with IndexWriter.open(directory, settings) as writer, Journal(directory) as journal:
        catalog = Catalog(writer, journal)
        contents = {
            id_: catalog.entries[id_].digest if id_ in catalog.entries else ""
            for id_ in writer.live_videos
        }
        numbers = numbered(contents)
        if full:
            others = sorted(catalog.entries.keys() - numbers.keys())
            free = max([*catalog.entries, *numbers.values()], default=0) + 1
            new = numbers | {id_: free + i for i, id_ in enumerate(others)}
            journal.announce(new, writer.manifest.generation + 1)
        done = rewrite(writer, numbers, full, progress)
        journal.follow(writer.manifest.generation)
    return done


def numbered(contents: Mapping[int, str]) -> dict[int, int]:
    """Give each video a number of its own, in the order of their contents' hashes.

    Args:
        contents: hexadecimal hashes by id; "" where it is not known, which comes last.

    >>> numbered({1: "ffffffffffff", 2: "00000004aa", 3: "00000005bb", 4: ""})
    {2: 2, 3: 3, 1: 2147483647, 4: 2147483648}
    """
    numbers: dict[int, int] = {}
    last = 0
    for id_ in sorted(contents, key=lambda id_: (contents[id_] == "", contents[id_], id_)):
        last = max(last + 1, int(contents[id_][:_HEX] or "0", 16) >> 1)
        numbers[id_] = last
    return numbers
