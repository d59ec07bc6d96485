"""What a running build tells other processes: one small file beside the index.

The builder holds a lock on the file while it runs, so that a killed build never looks alive; it
asks for it again at every write, as whoever looks holds it for an instant. The
file is written in place (its readers skip what they cannot read) and removed at the end. Nothing
depends on it: where it cannot be written, the build goes on without.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType

from unify.indexer.progress import (
    Advanced,
    Planned,
    Progress,
    VideoFailed,
    VideoFinished,
    VideoStarted,
)

NAME = "progress.json"
_EVERY_S = 0.3


@dataclass(frozen=True, slots=True)
class Build:
    """A build that runs now.

    Attributes:
        started: seconds since 1970 at which it began to index.
        videos: to index.
        done: of these, those that are indexed.
        failed: of these, those that cannot be read.
        share: part of the work that is done, from 0 to 1.
        video_s: seconds of video encoded so far.
        left_s: seconds that the rest will take, or None where that cannot be told.
        current: path of the video that was begun last, or "".
    """

    started: float
    videos: int = 0
    done: int = 0
    failed: int = 0
    share: float = 0.0
    video_s: float = 0.0
    left_s: float | None = None
    current: str = ""


class Announcer:
    """Passes a build's progress on, and keeps the file up to date; use it as a context manager.

    Args:
        directory: the index.
        progress: called with every event, as without an announcer.
    """

    def __init__(self, directory: Path, progress: Callable[[Progress], None] | None) -> None:
        self._path = directory / NAME
        self._progress = progress or (lambda event: None)
        self._build = Build(time.time())
        self._descriptor: int | None = None
        self._written_s = 0.0

    def __enter__(self) -> Callable[[Progress], None]:
        return self._tell

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._descriptor is not None:
            with suppress(OSError):
                self._path.unlink()
            os.close(self._descriptor)

    def _tell(self, event: Progress) -> None:
        self._build = _after(self._build, event)
        if isinstance(event, Planned):
            self._open()
        now_s = time.monotonic()
        if self._descriptor is not None and now_s - self._written_s >= _EVERY_S:
            with suppress(OSError):  # a full disk, or just now somebody looks whether it is locked
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._written_s = now_s
                data = json.dumps(asdict(self._build)).encode("ascii")
                os.pwrite(self._descriptor, data.ljust(os.fstat(self._descriptor).st_size), 0)
        self._progress(event)

    def _open(self) -> None:
        """Open the file; by now the index's own lock is held, so nobody else writes it."""
        with suppress(OSError):
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)


def _after(build: Build, event: Progress) -> Build:
    """Return what is known after an event."""
    match event:
        case Planned(videos=videos):
            return replace(build, videos=videos)
        case VideoStarted(path=path):
            return replace(build, current=path)
        case Advanced(share=share, video_s=video_s, left_s=left_s):
            left = left_s if math.isfinite(left_s) else None
            return replace(build, share=share, video_s=video_s, left_s=left)
        case VideoFinished():
            return replace(build, done=build.done + 1)
        case VideoFailed():
            return replace(build, failed=build.failed + 1)
    return build


def running_build(directory: Path) -> Build | None:
    """Return how far the build of an index is, or None when none runs."""
    try:
        descriptor = os.open(directory / NAME, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None  # nobody holds it: left by a build that was killed
    except BlockingIOError:
        with suppress(ValueError, TypeError):
            return Build(**json.loads(os.pread(descriptor, 1 << 16, 0)))
        return None
    except OSError:
        return None
    finally:
        os.close(descriptor)
