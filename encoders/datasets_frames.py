"""Pictures of a data set's items: `count` of them, evenly spread over what the item is.

Videos go through the indexer's decoding process, so that a damaged one costs itself and nothing
else; stills come from a tar archive that is never unpacked. It must not know captions.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType

import numpy as np

from unify.engine.errors import MediaError, UsageError
from unify.engine.types import Int64, UInt8
from unify.indexer.ahead import ReadAhead
from unify.indexer.decoding import Batch, DecodeProcess, Event, Started
from unify.indexer.ports import FrameShape
from unify.indexer.scaling import decode_image
from unify.indexer.worker import Decoder, Request

CANDIDATE_FPS = 1.0
CANDIDATES = 600  # pictures of one video in memory at once; longer ones are thinned evenly


def spread(total: int, count: int) -> Int64:
    """Return `count` positions from the first to the last of `total`, or all if there are fewer.

    CLIP4Clip's uniform sampling: https://github.com/ArrowLuo/CLIP4Clip (`slice_framepos` 2).

    >>> spread(10, 4).tolist(), spread(3, 4).tolist()
    ([0, 3, 6, 9], [0, 1, 2])
    """
    return np.linspace(0, total - 1, min(total, count)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a video, in seconds; `end_s` may lie behind the video's own end."""

    path: Path
    start_s: float
    end_s: float


def decode_videos(
    spans: Sequence[Span], shape: FrameShape, count: int
) -> Iterator[UInt8 | MediaError]:
    """Decode spans of videos, one ahead of whoever uses them.

    Yields:
        For every span (F, height, width, 3) with 1 <= F <= count, in time order, or why there is
        none.
    """

    def decode(span: Span, process: DecodeProcess) -> Iterator[UInt8]:
        request = Request(str(span.path.absolute()), CANDIDATE_FPS, shape, Decoder.PYAV)
        yield choose_frames(process.decode(request), span, count)

    with ReadAhead[Span, UInt8](decode, [DecodeProcess()]) as ahead:
        for _, made in ahead.run(spans):
            found: UInt8 | MediaError
            try:
                found = next(made)
            except MediaError as error:
                found = error
            yield found


def choose_frames(events: Iterable[Event], span: Span, count: int) -> UInt8:
    """Choose frames of a span from what decoding the whole video gives; stop at the span's end.

    Raises:
        MediaError: the video cannot be decoded, or has no picture in the span.
    """
    kept: list[UInt8] = []
    seen, step = 0, 1
    for event in events:
        match event:
            case Started(_, duration_s):
                step += int(max(0.0, min(duration_s, span.end_s) - span.start_s) // CANDIDATES)
            case Batch(times_s, frames):
                for frame in frames[(times_s >= span.start_s) & (times_s < span.end_s)]:
                    if seen % step == 0:
                        kept.append(frame.copy())  # the batch can go
                    seen += 1
                if times_s[-1] >= span.end_s:
                    break
    if not kept:
        raise MediaError(f"no picture between {span.start_s:g} and {span.end_s:g} s")
    return np.stack([kept[i] for i in spread(len(kept), count)])


def decode_stills(
    path: Path, items: Sequence[Sequence[str]], shape: FrameShape, count: int
) -> Iterator[UInt8 | MediaError]:
    """Decode stills of an archive.

    Args:
        path: the archive.
        items: each the names of its stills, in time order.
        shape: the pictures to make.
        count: pictures of an item, at most.

    Yields:
        For every item (F, height, width, 3) with F = min(count, stills), or why there is none.
    """
    with StillArchive(path) as archive:
        for stills in items:
            chosen = [stills[i] for i in spread(len(stills), count)]
            found: UInt8 | MediaError
            try:
                found = np.stack([archive.picture(name, shape) for name in chosen])
            except MediaError as error:
                found = error
            yield found


class StillArchive:
    """A tar file of pictures, found by their names, with the folders they lie in or without.

    Args:
        path: the archive, not compressed.

    Raises:
        UsageError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._tar = tarfile.open(path, "r:")  # noqa: SIM115 - closed by __exit__
            files = [member for member in self._tar.getmembers() if member.isfile()]
        except (tarfile.TarError, OSError) as error:
            raise UsageError(
                f"{path} cannot be read ({error})", "it must be a tar file, not compressed"
            ) from None
        self._path = path
        self._members: dict[str, list[tarfile.TarInfo]] = {}
        for member in {member.name: member for member in files}.values():  # the last of a name
            parts = PurePosixPath(member.name).parts
            for i in range(len(parts)):
                self._members.setdefault("/".join(parts[i:]), []).append(member)

    def __enter__(self) -> StillArchive:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tar.close()

    def __contains__(self, name: str) -> bool:
        return self._find(name) is not None

    def _find(self, name: str) -> tarfile.TarInfo | None:
        found = self._members.get(name, [])
        if len(found) > 1:
            raise UsageError(
                f"{self._path} holds {len(found)} files named {name}, such as {found[0].name}",
                "name them with their folders in captions.json",
            )
        return found[0] if found else None

    def picture(self, name: str, shape: FrameShape) -> UInt8:
        """Decode one still.

        Raises:
            MediaError: it is not there, or not a picture; it is named.
        """
        member = self._find(name)
        try:
            file = self._tar.extractfile(member) if member else None
            return decode_image(file.read() if file else b"", shape)
        except (MediaError, tarfile.TarError, OSError) as error:
            raise MediaError(f"{name}: {error}") from None
