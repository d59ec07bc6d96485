"""What frozen stems make of a data set's pictures, computed once and kept on disk.

Training looks at every picture some twenty times, and the stem, where most of the work is, gives
the same each time. Several views of each picture are kept (mirrored, cropped), so that what is
trained above the stem still sees variety. It must not know what is learned from them.
Sizes: P pictures, K views.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np

from unify.encoders.datasets import DataSet, Item
from unify.engine.durable import replace_file
from unify.engine.errors import MediaError, UsageError
from unify.engine.types import Float16, Float32, Int64, UInt8
from unify.indexer.ports import FrameShape
from unify.indexer.scaling import scale_picture

CROPPED_AREA = (0.5, 1.0)  # share of the picture that a cropped view keeps
CROPPED_ASPECT = 1.18  # at most so much wider or higher
LARGER = 1.25  # cropped views are cut from a picture so much larger than the stem takes
REPORT_EVERY = 1000

Decoded: TypeAlias = Iterator[tuple[Item, UInt8]]  # see `DataSet.frames`

log = logging.getLogger(__name__)


class FrameStem(Protocol):
    """The part of a picture tower that stays as it is."""

    @property
    def stamp(self) -> str:
        """Names its weights, so that another stem does not find these results."""
        ...

    @property
    def frame_shape(self) -> FrameShape:
        """The pictures it takes."""
        ...

    def encode(self, frames: UInt8) -> Float32:
        """Encode (F, height, width, 3) frames to (F, ...)."""
        ...


@dataclass(frozen=True, slots=True)
class FrameFeatures:
    """The stem's results for one data set.

    Attributes:
        key: names what they were computed from and how; other features have another.
        values: (P, K, ...) float16, on disk.
        rows: an item's name to its rows of `values`, in time order.
        failed: items that cannot be decoded, and why.
    """

    key: str
    values: Float16
    rows: dict[str, Int64]
    failed: dict[str, str]


def frame_features(
    data: DataSet, stem: FrameStem, cache: Path, views: int, count: int
) -> FrameFeatures:
    """Read a data set's features from the cache, computing them first if they are not there.

    Args:
        data: the data set.
        stem: encodes pictures.
        cache: a folder; made if needed.
        views: K; 1 is the picture as a search sees it, further ones are mirrored and cropped.
        count: pictures of an item, at most.

    Raises:
        UsageError: nothing of it can be decoded.
    """
    cache.mkdir(parents=True, exist_ok=True)
    key = f"{data.name}-{data.split}-{_content(data)}-{stem.stamp}-{views}x{count}"
    index, values = cache / f"{key}.json", cache / f"{key}.f16"
    if not index.is_file():
        log.info("%s: encoding the pictures of %d items", data.name, len(data.items))
        _compute(data, stem, index, values, views, count)
    record = json.loads(index.read_text("utf-8"))
    shape = tuple(record["shape"])
    return FrameFeatures(
        key,
        np.memmap(values, np.float16, "r", shape=shape),
        {item: np.arange(*span) for item, span in record["rows"].items()},
        record["failed"],
    )


def _content(data: DataSet) -> str:
    """Return a hash of which items there are and which pictures they have.

    Of a file it knows size and time of change, not its folder: a data set may be moved.
    """
    listed = [
        (item.name, item.stills, _stamp(item.video), item.start_s, item.end_s)
        for item in data.items
    ]
    text = json.dumps([_stamp(data.archive), listed])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _stamp(path: Path | None) -> tuple[str, int, int] | None:
    if path is None:
        return None
    facts = path.stat()
    return path.name, facts.st_size, facts.st_mtime_ns


def _compute(
    data: DataSet, stem: FrameStem, index: Path, values: Path, views: int, count: int
) -> None:
    rows: dict[str, tuple[int, int]] = {}
    failed: dict[str, str] = {}
    shape: tuple[int, ...] = ()
    done = 0
    partial = values.with_name(f"{values.name}.{os.getpid()}.tmp")
    with partial.open("wb") as file:
        for item, pictures in _views(data, stem.frame_shape, views, count, failed):
            found = stem.encode(pictures.reshape(-1, *pictures.shape[2:])).astype(np.float16)
            shape = (views, *found.shape[1:])
            file.write(found.tobytes())
            rows[item.name] = (done, done + len(pictures))
            if done // REPORT_EVERY < (done + len(pictures)) // REPORT_EVERY:
                log.info("%s: %d pictures", data.name, done + len(pictures))
            done += len(pictures)
    if not done:
        partial.unlink()
        raise UsageError(f"no item of {data.name} can be decoded", "check its files")
    partial.replace(values)
    record = {"shape": (done, *shape), "rows": rows, "failed": failed}
    replace_file(index, json.dumps(record).encode())


def _views(
    data: DataSet, shape: FrameShape, views: int, count: int, failed: dict[str, str]
) -> Iterator[tuple[Item, UInt8]]:
    """Yield (item, (F, K, height, width, 3) pictures)."""

    def note(item: Item, error: MediaError) -> None:
        failed[item.name] = str(error)

    width, height = round(LARGER * shape.width), round(LARGER * shape.height)
    plain = data.frames(data.items, shape, count, note)
    if views <= 2:
        for item, frames in plain:
            yield item, np.stack([frames, frames[:, :, ::-1]][:views], axis=1)
        return
    larger = data.frames(data.items, FrameShape(width, height, shape.fit), count, note)
    for item, frames, large in _both(data.items, plain, larger):
        rng = np.random.default_rng(zlib.crc32(item.name.encode()))
        made = [frames, frames[:, :, ::-1]]
        for view in range(2, views):
            cut = np.stack([crop(frame, shape, rng) for frame in large])
            made.append(cut[:, :, ::-1] if view % 2 else cut)
        yield item, np.stack(made, axis=1)


def _both(
    items: Sequence[Item], one: Decoded, other: Decoded
) -> Iterator[tuple[Item, UInt8, UInt8]]:
    """Pair two decodings of the same items; what only one of them has is left out.

    They are decoded twice, as a picture scaled down from a larger one is not quite the one that
    an index sees; and a decoder that is killed in one pass may live through the other.
    """
    places = {item.name: place for place, item in enumerate(items)}
    a, b = next(one, None), next(other, None)
    while a and b:
        ahead = places[a[0].name] - places[b[0].name]
        if not ahead:
            yield *a, b[1]
        if ahead <= 0:
            a = next(one, None)
        if ahead >= 0:
            b = next(other, None)


def crop(picture: UInt8, shape: FrameShape, rng: np.random.Generator) -> UInt8:
    """Cut a random part out of a picture and scale it to a shape."""
    area = rng.uniform(*CROPPED_AREA)
    aspect = CROPPED_ASPECT ** rng.uniform(-1, 1)
    height, width = picture.shape[:2]
    high = min(height, round(height * np.sqrt(area / aspect)))
    wide = min(width, round(width * np.sqrt(area * aspect)))
    top, left = int(rng.integers(height - high + 1)), int(rng.integers(width - wide + 1))
    part = picture[top : top + high, left : left + wide]
    return scale_picture(part, FrameShape(shape.width, shape.height, "squash"))
