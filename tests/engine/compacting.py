"""Compaction of an index of which nothing but its ids is known."""

from pathlib import Path

from unify.engine.compact import Compaction, Progress, rewrite
from unify.engine.manifest import read_manifest
from unify.engine.writer import IndexWriter


def compact(directory: Path, progress: Progress | None = None) -> Compaction:
    """Compact, videos in the order of their ids."""
    settings = read_manifest(directory).settings
    with IndexWriter.open(directory, settings) as writer:
        return rewrite(writer, {id_: id_ for id_ in writer.live_videos}, progress=progress)
