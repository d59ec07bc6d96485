"""A video file's container: opened with care, and what it says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.stream import VideoStream

from unify.engine.errors import MediaError

# What a file names must not be fetched, nor read: it may be another's.
_PLAYLISTS = {"concat", "dash", "hls", "imf", "vobsub"}
OPTIONS = {
    "protocol_whitelist": "file",
    "format_whitelist": ",".join(sorted(av.formats_available - _PLAYLISTS)),
}

Opened: TypeAlias = tuple[InputContainer, VideoStream]


def reason(error: Exception) -> str:
    """Return FFmpeg's own words for an error, on one line."""
    return " ".join(str(getattr(error, "strerror", None) or error).split())


@contextmanager
def opened(path: Path, threads: int) -> Iterator[Opened]:
    """Open a file and choose its video stream.

    Args:
        path: absolute, or a name might be read as an URL.
        threads: of the decoder; 0: as many as there are processors.

    Raises:
        MediaError: it cannot be read, it is not a video, or nothing can decode it.
    """
    try:
        if path.stat().st_size == 0:
            raise MediaError("the file is empty (0 bytes)")
        container = av.open(path, "r", options=OPTIONS, metadata_errors="replace")
    except OSError as error:
        raise MediaError(f"cannot be read ({reason(error)})") from None
    except FFmpegError as error:
        raise MediaError(f"not a video, or cut short ({reason(error)})") from None
    with container:
        pictures = [s for s in container.streams.video if not _is_cover(s)]
        if not pictures:
            raise MediaError(f"no video stream ({_describe(container)})")
        if pictures[0].codec_context is None:
            raise MediaError("no decoder for its video codec")
        pictures[0].thread_type = "AUTO"
        pictures[0].codec_context.thread_count = threads
        if _is_still(path, container):  # half a JPEG would pass for a whole one, grey below
            pictures[0].codec_context.options = {"err_detect": "explode"}
        yield container, pictures[0]


def pixel_aspect(stream: VideoStream) -> float:
    """Return the width of a pixel divided by its height."""
    return float(stream.sample_aspect_ratio or 1)


def declared_duration_s(container: InputContainer, stream: VideoStream) -> float | None:
    """Return seconds as declared: often missing, sometimes wrong."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else None


def recorded(container: InputContainer, stream: VideoStream) -> float | None:
    """Return seconds since 1970 UTC when it was recorded, or None."""
    for metadata in (container.metadata, stream.metadata):
        try:
            when = datetime.fromisoformat(metadata.get("creation_time", ""))
        except ValueError:
            continue
        seconds = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
        if seconds > 0:  # writers without a clock leave 1904 or 1970
            return seconds
    return None


def _is_still(path: Path, container: InputContainer) -> bool:
    """Whether a file holds one picture alone.

    Of large pictures FFmpeg takes a film of JPEGs, too, for a still. Cameras cut such pictures a
    little short, and each is worth looking at.
    """
    if container.format.name != "image2" and not container.format.name.endswith("_pipe"):
        return False
    with suppress(FFmpegError), av.open(path, "r", options=OPTIONS) as again:
        packets = (packet for packet in again.demux(video=0) if packet.size)
        return len(list(islice(packets, 2))) < 2
    return True


def _is_cover(stream: VideoStream) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


def _describe(container: InputContainer) -> str:
    kinds = sorted({stream.type for stream in container.streams if stream.type != "video"})
    return f"only {', '.join(kinds)}" if kinds else "only a cover picture, or nothing"
