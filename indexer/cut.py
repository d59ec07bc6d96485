"""Cuts a time range out of a video into a file of its own, with its sound.

`exact` decodes and encodes again: the first picture is the one that shows at the asked start.
`fast` copies what is stored, which can only begin at a key picture: the true start is reported.
Must not know why the range was chosen. Untrusted bytes meet native code here: run it through
`indexer/jobs.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import av
from av.error import FFmpegError

from unify.engine.errors import MediaError
from unify.indexer.container import reason
from unify.indexer.reencode import encode_range
from unify.indexer.seek import Entry, SeekableFile
from unify.indexer.stream_copy import Written, copy_range


class CutMode(StrEnum):
    """How a range becomes a file."""

    EXACT = "exact"
    FAST = "fast"


@dataclass(frozen=True, slots=True)
class CutRequest:
    """A range to cut.

    Attributes:
        path: the video.
        start_s: seconds after its first picture.
        end_s: likewise, above `start_s`.
        mode: how.
        out: the file to write; its suffix says the container.
    """

    path: str
    start_s: float
    end_s: float
    mode: CutMode
    out: str


@dataclass(frozen=True, slots=True)
class CutResult:
    """What a cut file holds.

    Attributes:
        start_s: index time of its first picture.
        end_s: index time at which its last picture ends.
        pictures: how many.
        sound: whether it has sound.
        left_out: kinds of streams that the source has and the cut has not.
        damage: what of the source could not be read on the way, or "".
    """

    start_s: float
    end_s: float
    pictures: int
    sound: bool
    left_out: tuple[str, ...]
    damage: str


def cut(request: CutRequest, alive: Callable[[], None] = lambda: None) -> CutResult:
    """Write the file; what stands at `request.out` is replaced.

    Args:
        request: what to cut.
        alive: called after every packet.

    Raises:
        MediaError: the source cannot be read there, or the container cannot hold its streams.
    """
    exact = request.mode is CutMode.EXACT
    make = encode_range if exact else copy_range
    try:
        with (
            SeekableFile(request.path, alive).entered() as entry,
            av.open(request.out, "w") as out,
        ):
            written = make(entry, request.start_s, request.end_s, out)
            return _result(entry, written)
    except (FFmpegError, ValueError) as error:
        kind = Path(request.out).suffix
        hint = "try --out FILE.mp4 or FILE.mkv" if exact else "cut it with --exact, or into .mkv"
        raise MediaError(f"cannot be cut into {kind} ({reason(error)})", hint) from None


def _result(entry: Entry, written: Written) -> CutResult:
    if written.first is None:
        raise MediaError("no picture of it lies in that range")
    kept = [entry.stream, *(entry.container.streams.audio[:1] if written.sound else ())]
    others = {stream.type for stream in entry.container.streams if stream not in kept}
    return CutResult(
        entry.seconds(written.first),
        entry.seconds(written.end),
        written.count,
        written.sound,
        tuple(sorted(others)),
        entry.file.damage,
    )
