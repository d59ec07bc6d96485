"""What a builder remembers of a video, and of a copy of one.

It must not know where that is kept.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum

from unify.indexer.sidecars import SUBTITLES


class State(StrEnum):
    """What became of a video."""

    PENDING = "pending"
    COMPLETE = "complete"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Entry:
    """One video as the journal knows it.

    Attributes:
        id: its id, 0 before it has one.
        root: absolute path of the PATH that it was found under.
        rel: path relative to the root.
        size_bytes: size when it was last looked at.
        mtime_ns: time of writing, likewise; -1 when unknown.
        digest: hash of its content, "" when not known yet.
        state: what became of it.
        note: why it failed, or what of it could not be read: of its pictures, then of its
            subtitles, each of which begins with `SUBTITLES`.
        duration_s: seconds.
        recorded: seconds since 1970 UTC.
        moments: how many it has.
        width: displayed pixels.
        height: displayed pixels.
        codec: FFmpeg's name of its decoder.
        subtitles: the stamp of its subtitle files, "" without any.
        cues: lines that its subtitles say, those inside the video included.
    """

    id: int
    root: str
    rel: str
    size_bytes: int
    mtime_ns: int
    digest: str = ""
    state: State = State.PENDING
    note: str = ""
    duration_s: float = 0.0
    recorded: float = 0.0
    moments: int = 0
    width: int = 0
    height: int = 0
    codec: str = ""
    subtitles: str = ""
    cues: int = 0

    @property
    def path(self) -> str:
        """Its absolute path."""
        return os.path.normpath(os.path.join(self.root, self.rel))  # noqa: PTH118 - fast

    @property
    def damaged(self) -> bool:
        """Whether pictures of an indexed video could not be read."""
        return bool(self.note) and not self.note.startswith(SUBTITLES)


@dataclass(frozen=True, slots=True)
class Copy:
    """A file with the same content as an indexed video; it is not indexed again."""

    root: str
    rel: str
    size_bytes: int
    mtime_ns: int
    digest: str

    @property
    def path(self) -> str:
        """Its absolute path."""
        return os.path.normpath(os.path.join(self.root, self.rel))  # noqa: PTH118
