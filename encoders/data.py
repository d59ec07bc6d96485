"""Captioned stills for training: what is in the archives, and which items are held out.

A data folder holds `msrvtt-train/` (`frames.tar`, `captions.json`: `{id: {frames, captions}}`)
and `flickr8k-train/` (`images.tar`, `captions.json`: `{file: captions}`). An item is held out by
a hash of its name alone, so that the split is the same on every machine and for every model.
It must not know what is learned from the items.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from unify.engine.errors import UsageError


class Source(StrEnum):
    """Where an item comes from."""

    MSRVTT = "msrvtt"
    FLICKR8K = "flickr8k"


# Share of each source that is held out: about 500 items each.
HELD_OUT = {Source.MSRVTT: 0.115, Source.FLICKR8K: 0.0834}
ARCHIVES = {
    Source.MSRVTT: ("msrvtt-train", "frames.tar"),
    Source.FLICKR8K: ("flickr8k-train", "images.tar"),
}


@dataclass(frozen=True, slots=True)
class Item:
    """A video or photo with its captions.

    Attributes:
        source: its data set.
        name: its id in the data set.
        stills: file names in the archive, in time order.
        captions: at least one.
    """

    source: Source
    name: str
    stills: tuple[str, ...]
    captions: tuple[str, ...]

    @property
    def held_out(self) -> bool:
        """Whether it is kept for choosing and reporting, never trained on."""
        return split_position(self.source, self.name) < HELD_OUT[self.source]


def split_position(source: Source, name: str) -> float:
    """Return the place of an item in [0, 1): the first 32 bits of SHA-256 of `source/name`.

    >>> round(split_position(Source.MSRVTT, "video1"), 4)
    0.7331
    """
    digest = hashlib.sha256(f"{source}/{name}".encode()).hexdigest()
    return int(digest[:8], 16) / 2**32


def read_training_items(folder: Path) -> list[Item]:
    """Read the items of all sources, in the order of their names.

    Raises:
        UsageError: a captions file is missing.
    """
    return [item for source in Source for item in _read(folder, source)]


def _read(folder: Path, source: Source) -> list[Item]:
    path = folder / ARCHIVES[source][0] / "captions.json"
    try:
        rows = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist", "give the folder of the data sets") from None
    items = []
    for name, row in sorted(rows.items()):
        stills, captions = (
            (row["frames"], row["captions"]) if isinstance(row, dict) else ([name], row)
        )
        items.append(Item(source, name, tuple(stills), tuple(captions)))
    return items


def read_stills(folder: Path, source: Source) -> Iterator[tuple[str, bytes]]:
    """Yield (file name, encoded picture) of an archive, in its order."""
    directory, archive = ARCHIVES[source]
    with tarfile.open(folder / directory / archive) as tar:
        for member in tar:
            file = tar.extractfile(member)
            if file is not None:
                yield PurePosixPath(member.name).name, file.read()
