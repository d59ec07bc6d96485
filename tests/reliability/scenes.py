"""Builds small enough to be repeated hundreds of times, and what they must come to.

Videos are decoded once by a real worker and played back from then on.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.indexer.building import contents, run_build
from tests.indexer.media import make_video
from unify.engine.errors import MediaError
from unify.engine.manifest import read_manifest
from unify.engine.verify import verify
from unify.indexer import ahead, here
from unify.indexer import build as building
from unify.indexer.compaction import compact
from unify.indexer.decoding import DecodeProcess, Event
from unify.indexer.journal import Journal

_played: dict[bytes, list[Event] | MediaError] = {}  # by content


class Recorded(DecodeProcess):
    """Decodes every content once."""

    def decode(self, request: Any) -> Iterator[Event]:
        key = Path(request.path).read_bytes()
        if key not in _played:
            process = DecodeProcess()
            try:
                _played[key] = list(process.decode(request))
            except MediaError as error:
                _played[key] = error
            process.close()
        known = _played[key]
        if isinstance(known, MediaError):
            raise known
        yield from known


def hasten(patch: pytest.MonkeyPatch) -> None:
    """Publish after every video, and lose no time."""
    patch.setattr(here, "DecodeProcess", Recorded)
    patch.setattr(building, "_PUBLISH_MOMENTS", 1)
    patch.setattr(ahead, "_POLL_S", 0.001)


@dataclass(frozen=True)
class Scene:
    """Something done to an index.

    Attributes:
        clips: the videos.
        before: the index beforehand; need not exist.
        act: does it, given the index.
        full: whether the index is compacted to the full afterwards.
    """

    clips: Path
    before: Path
    act: Callable[[Path], object]
    full: bool = False

    def start(self, index: Path) -> Path:
        """Put the index as it was beforehand in place."""
        shutil.rmtree(index, ignore_errors=True)
        if self.before.exists():
            shutil.copytree(self.before, index)
        return index

    def finish(self, index: Path) -> dict[str, Any]:
        """Do what a user would do next, and return all that the index then is."""
        run_build([self.clips], index, workers=1)
        compact(index, self.full)
        return substance(index)


def first(folder: Path) -> Scene:
    """A first build."""
    clips = _clips(folder)
    return Scene(clips, folder / "none", lambda index: run_build([clips], index, workers=1))


def update(folder: Path) -> Scene:
    """A build that meets a renamed, a changed, a removed, a new, a copied and a broken file."""
    clips = _clips(folder)
    run_build([clips], folder / "before", workers=1)
    (clips / "a.mp4").rename(clips / "z.mp4")
    make_video(clips / "b.mp4", range(640, 670))
    (clips / "c.mkv").unlink()
    make_video(clips / "new.mp4", range(900, 930))
    shutil.copy(clips / "d.mp4", clips / "copy.mp4")
    (clips / "broken.mp4").write_bytes(b"nothing")
    return Scene(clips, folder / "before", lambda index: run_build([clips], index, workers=1))


def compaction(folder: Path) -> Scene:
    """A compaction of several segments, with rows of removed videos."""
    scene = update(folder)
    run_build([scene.clips], scene.before, workers=1)
    return Scene(scene.clips, scene.before, compact)


def renumbering(folder: Path) -> Scene:
    """A full compaction, after which all videos have other ids."""
    scene = compaction(folder)
    return replace(scene, act=lambda index: compact(index, full=True), full=True)


def _clips(folder: Path) -> Path:
    clips = folder / "clips"
    clips.mkdir(parents=True)
    for name, frames in (
        ("a.mp4", range(250)),
        ("b.mp4", range(600, 620)),
        ("c.mkv", [55] * 3),
        ("d.mp4", range(300, 440)),
    ):
        os.utime(make_video(clips / name, frames), (1e9, 1e9))
    return clips


def substance(index: Path) -> dict[str, Any]:
    """All that an index is, to the last byte, but for the numbers of generation and segments."""
    assert verify(index) == []
    manifest = read_manifest(index)
    with Journal(index, create=False) as journal:
        known = (journal.entries(), journal.copies())
    return {
        "moments": contents(index),
        "segments": [[(f.name, f.sha256) for f in s.files] for s in manifest.segments],
        "tables": [table.sha256 for table in manifest.tables],
        "roots": manifest.roots,
        "settings": manifest.settings,
        "counts": (manifest.videos, manifest.tombstones),
        "journal": known,
    }
