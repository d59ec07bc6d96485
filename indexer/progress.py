"""What a build says while it runs, and at the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Planned:
    """The work is known: videos to index, their bytes, and how many were unchanged."""

    videos: int
    size_bytes: int
    skipped: int


@dataclass(frozen=True, slots=True)
class VideoStarted:
    """The first pictures of a video are there: its path and true duration in seconds."""

    path: str
    duration_s: float


@dataclass(frozen=True, slots=True)
class Advanced:
    """The build got on.

    Attributes:
        share: part of the work that is done, by bytes of video files, from 0 to 1.
        video_s: seconds of video encoded so far.
        left_s: seconds that the rest will take, as far as can be told; see `indexer/eta.py`.
    """

    share: float
    video_s: float
    left_s: float


@dataclass(frozen=True, slots=True)
class VideoFinished:
    """A video was indexed: its moments, and what of it could not be read, or ""."""

    path: str
    moments: int
    damage: str


@dataclass(frozen=True, slots=True)
class VideoFailed:
    """A video could not be read."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Published:
    """A new generation can be searched."""

    generation: int
    videos: int


Progress: TypeAlias = Planned | VideoStarted | Advanced | VideoFinished | VideoFailed | Published


@dataclass(slots=True)
class BuildReport:
    """What a build did. Paths are as the user would write them; lists are (path, reason).

    Attributes:
        found: videos under the given PATHs.
        indexed: new, changed or retried videos that are searchable now.
        skipped: unchanged videos.
        renamed: known videos under a new path.
        removed: videos whose file is gone, no longer searchable.
        missing: videos whose file is gone, still searchable.
        failed: videos under the PATHs that cannot be read, earlier failures included.
        damaged: indexed videos of which a part cannot be read.
        duplicates: videos under the PATHs whose content is indexed under another path.
        unreadable: folders and files that could not be looked at.
        ignored: how many videos were left out by rules.
        kept: of these, those that are searchable from before.
        moments: moments of the indexed videos.
        video_s: seconds of the indexed videos.
        wall_s: seconds that the build took.
        generation: the published generation.
    """

    found: int = 0
    indexed: int = 0
    skipped: int = 0
    renamed: int = 0
    removed: int = 0
    missing: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    damaged: list[tuple[str, str]] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    ignored: int = 0
    kept: list[str] = field(default_factory=list)
    moments: int = 0
    video_s: float = 0.0
    wall_s: float = 0.0
    generation: int = 0
