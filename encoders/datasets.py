"""Retrieval data sets: items with captions and where their pictures are, from a folder.

`read_dataset` finds the kind by what is in the folder: an archive of stills, MSR-VTT, DiDeMo,
MSVD, or videos with a `captions.tsv`. Videos that are annotated and not there are listed, never
dropped without a word. Which items of a training set are held out follows from their names
alone, so that the split is the same on every machine and for every model. It must not know what
is learned from the items, nor how they are scored.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from unify.encoders import datasets_formats as formats
from unify.encoders.datasets_files import VideoFiles, find_file, is_file
from unify.encoders.datasets_formats import Captions
from unify.encoders.datasets_frames import Span, StillArchive, decode_stills, decode_videos
from unify.engine.errors import MediaError, UsageError
from unify.engine.types import UInt8
from unify.indexer.ports import FrameShape

FRAMES = 12  # of an item, as CLIP4Clip takes for short clips
DIDEMO_FRAMES = 32  # of 30 s
DIDEMO_END_S = 30.0  # what annotators saw
HELD_OUT = {"msrvtt": 0.115, "flickr8k": 0.0834}  # about 500 items each of the training archives
HELD_OUT_ELSE = 0.1
LOOKED_FOR = (
    "MSRVTT_data.json, MSRVTT_*.csv, {train,val,test}_data.json, AllVideoDescriptions.txt, "
    "captions.json, captions.tsv"
)
WHOLE = "all"  # the split of a data set that has none
TRAIN = "train"


@dataclass(frozen=True, slots=True)
class Item:
    """A video or photo with its captions.

    Attributes:
        name: its id, unique in its data set.
        captions: at least one; each is a query of its own.
        stills: members of the data set's archive, in time order; empty when there is a video.
        video: the video file.
        start_s: where the item begins in the video.
        end_s: where it ends, or None for the video's end.
    """

    name: str
    captions: tuple[str, ...]
    stills: tuple[str, ...] = ()
    video: Path | None = None
    start_s: float = 0.0
    end_s: float | None = None


@dataclass(frozen=True, slots=True)
class DataSet:
    """Items of one split.

    Attributes:
        name: such as `msrvtt`.
        split: such as `1k-A`, `train`, or `all`.
        items: in the order of their names.
        missing: annotated items whose file is not there.
        archive: the tar file of the stills.
        frame_count: frames an item is looked at with, unless told otherwise.
    """

    name: str
    split: str
    items: tuple[Item, ...]
    missing: tuple[str, ...]
    archive: Path | None = None
    frame_count: int = FRAMES

    def select(self, keep: Callable[[str], bool]) -> DataSet:
        """Return the part whose names are kept, of the items and of what is missing."""
        return replace(
            self,
            items=tuple(item for item in self.items if keep(item.name)),
            missing=tuple(name for name in self.missing if keep(name)),
        )

    def frames(
        self,
        items: Sequence[Item],
        shape: FrameShape,
        count: int,
        failed: Callable[[Item, MediaError], None] | None = None,
    ) -> Iterator[tuple[Item, UInt8]]:
        """Decode items, in their order.

        Candidates are one picture a second of a video, or all stills; `count` of them are taken
        evenly from the first to the last. Videos are decoded ahead, in a process of their own.

        Args:
            items: of this data set.
            shape: the pictures to make.
            count: frames of an item, at most.
            failed: told of an item that cannot be decoded, which is then left out; without it
                the first such item ends the iteration.

        Yields:
            (item, (F, height, width, 3) uint8), 1 <= F <= count.

        Raises:
            MediaError: an item cannot be decoded and `failed` is not given; it is named.
        """
        if self.archive:
            decoded = decode_stills(self.archive, [item.stills for item in items], shape, count)
        else:
            decoded = decode_videos([_span(item) for item in items], shape, count)
        for item, found in zip(items, decoded, strict=True):
            if not isinstance(found, MediaError):
                yield item, found
            elif failed is None:
                raise MediaError(f"{item.name}: {found}")
            else:
                failed(item, found)


def split_position(dataset: str, name: str) -> float:
    """Return the place of an item in [0, 1): the first 32 bits of SHA-256 of `dataset/name`.

    >>> round(split_position("msrvtt", "video1"), 4)
    0.7331
    """
    digest = hashlib.sha256(f"{dataset}/{name}".encode()).hexdigest()
    return int(digest[:8], 16) / 2**32


def held_out(dataset: str, name: str) -> bool:
    """Return whether a training item is kept for choosing and reporting, never trained on.

    >>> [name for name in ("video1", "video2", "video3") if held_out("msrvtt", name)]
    ['video3']
    """
    return split_position(dataset, name) < HELD_OUT.get(dataset, HELD_OUT_ELSE)


def hold_out(dataset: DataSet) -> DataSet:
    """Return the held-out part of a training set, and say so in its split."""
    part = dataset.select(lambda name: held_out(dataset.name, name))
    if not part.items:
        raise UsageError(
            f"none of the {len(dataset.items):,} items of {dataset.name} is held out",
            "evaluate the whole set",
        )
    return replace(part, split=f"{dataset.split}-held-out")


def read_dataset(path: Path, split: str | None = None) -> DataSet:
    """Read a data set from its folder.

    - MSR-VTT (splits 1k-A or `test`, train-9k, train-7k) is known by `MSRVTT_data.json` or a
      `MSRVTT_*.csv`;
    - DiDeMo (test, val, train) by `{train,val,test}_data.json`;
    - MSVD (test, val, train) by `AllVideoDescriptions.txt`, or `captions.json` with
      `{train,val,test}_list.txt`;
    - stills by `captions.json` with one `.tar`; clips by `captions.tsv`: their one split is what
      the folder's name ends in.

    Annotations of the first three may lie one folder below; their videos are found by name
    anywhere below, whatever their extension. Formats and sources are in `datasets_formats.py`.

    Args:
        path: the folder.
        split: which part; by default the test split, or the only one.

    Raises:
        UsageError: there is no data set, no such split, a file of it is malformed, or none of
            its videos is there.
    """
    if not path.is_dir():
        raise UsageError(f"{path} is not a folder", "give the folder of a data set")
    dataset = _read(path, split)
    if not dataset.items:
        raise UsageError(
            f"{path} holds none of the {len(dataset.missing):,} items of {dataset.name} "
            f"{dataset.split}, such as {dataset.missing[0]}",
            "put their files there",
        )
    return dataset


def _read(path: Path, split: str | None) -> DataSet:
    if marker := find_file(path, (formats.MSRVTT_SENTENCES, *formats.MSRVTT_SPLITS.values())):
        chosen = _chosen(path, "1k-A" if split == "test" else split, formats.MSRVTT_SPLITS)
        return _from_names(path, "msrvtt", chosen, formats.read_msrvtt(marker.parent, chosen))
    if marker := find_file(path, formats.DIDEMO_SPLITS.values()):
        chosen = _chosen(path, split, formats.DIDEMO_SPLITS)
        captions = formats.read_didemo(marker.parent, chosen)
        found = _from_names(path, "didemo", chosen, captions, DIDEMO_END_S)
        return replace(found, frame_count=DIDEMO_FRAMES)
    if marker := _msvd_captions(path):
        chosen = _chosen(path, split, formats.MSVD_SPLITS)
        return _from_names(path, "msvd", chosen, formats.read_msvd(marker, chosen))
    name, own = _name_and_split(path)
    if (path / "captions.json").is_file():
        return _read_archive(path, name, _chosen(path, split, (own,)))
    if (path / "captions.tsv").is_file():
        return _read_clips(path, name, _chosen(path, split, (own,)))
    raise UsageError(
        f"{path} is no data set (looked for {LOOKED_FOR})",
        "pickles are never read: write captions.json, {name: [caption, ...]}"
        if any(path.glob("*.pkl")) or any(path.glob("*/*.pkl"))
        else "give the folder that holds one of these",
    )


def _msvd_captions(path: Path) -> Path | None:
    """Return MSVD's captions; in JSON, lists of names beside them tell it from an archive."""
    if found := find_file(path, (formats.MSVD_DESCRIPTIONS,)):
        return found
    listed = find_file(path, formats.MSVD_SPLITS.values())
    beside = listed and listed.with_name("captions.json")
    return beside if beside and beside.is_file() else None


def is_dataset(path: Path) -> bool:
    """Return whether a folder holds annotations that `read_dataset` looks for."""
    named = (formats.MSRVTT_SENTENCES, *formats.MSRVTT_SPLITS.values())
    own = ("captions.json", "captions.tsv")
    return bool(
        find_file(path, (*named, *formats.DIDEMO_SPLITS.values()))
        or _msvd_captions(path)
        or any((path / name).is_file() for name in own)
    )


def _chosen(path: Path, split: str | None, splits: Iterable[str]) -> str:
    """Return the split asked for, or the first; TRAIN is the first to train on, or the only one."""
    names = list(splits)
    if split == TRAIN:
        fitting = [name for name in names if name.startswith(TRAIN)]
        split = (fitting or [name for name in names if name == WHOLE] or [split])[0]
    if split is not None and split not in names:
        raise UsageError(f"{path} has no split {split!r}", f"it has {', '.join(names)}")
    return names[0] if split is None else split


def _name_and_split(path: Path) -> tuple[str, str]:
    """Return what a folder's name says: `msrvtt-train` is the train split of msrvtt."""
    whole = Path(os.path.normpath(path.absolute())).name
    name, _, split = whole.rpartition("-")
    return (name, split) if name and split in ("train", "test", "val") else (whole, WHOLE)


def _read_archive(path: Path, name: str, split: str) -> DataSet:
    archives = sorted(path.glob("*.tar"))
    if len(archives) != 1:
        raise UsageError(
            f"{path} has captions.json and {len(archives)} .tar files",
            "an archive of stills has one",
        )
    rows = formats.read_stills(path / "captions.json")
    items, missing = [], []
    with StillArchive(archives[0]) as archive:
        for item, (stills, captions) in sorted(rows.items()):
            there = tuple(still for still in stills if still in archive)
            if there:
                items.append(Item(item, captions, stills=there))
            else:
                missing.append(item)
    return DataSet(name, split, tuple(items), tuple(missing), archives[0])


def _read_clips(path: Path, name: str, split: str) -> DataSet:
    captions = formats.read_tsv(path / "captions.tsv")
    there = {file: path / file for file in captions if is_file(path / file)}
    return _of_videos(name, split, captions, there)


def _from_names(
    path: Path, name: str, split: str, captions: Captions, end_s: float | None = None
) -> DataSet:
    """Make a data set whose annotations name videos that lie anywhere below a folder."""
    files = VideoFiles(path)
    there = {video: file for video in captions if (file := files.find(video))}
    return _of_videos(name, split, captions, there, end_s)


def _of_videos(
    name: str,
    split: str,
    captions: Captions,
    there: Mapping[str, Path],
    end_s: float | None = None,
) -> DataSet:
    items = [Item(v, captions[v], video=there[v], end_s=end_s) for v in sorted(there)]
    missing = [video for video in sorted(captions) if video not in there]
    return DataSet(name, split, tuple(items), tuple(missing))


def _span(item: Item) -> Span:
    end_s = math.inf if item.end_s is None else item.end_s
    return Span(item.video or Path(item.name), item.start_s, end_s)
