"""What a zero-shot pack is calibrated on: pictures of a folder, with captions if it has some.

Videos are decoded as for an index and cut into the same moments; a picture is a moment of one
frame; an item of a data set is one moment, as in an evaluation. Of a data set the training part
is taken, without what is held out. It must not know what is computed from the pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unify.encoders.datasets import TRAIN, DataSet, Item, held_out, is_dataset, read_dataset
from unify.engine.errors import MediaError, UsageError
from unify.engine.types import Float32, Int64, UInt8
from unify.indexer.decoding import Batch, DecodeProcess, Finished, Started
from unify.indexer.discover import discover
from unify.indexer.moments import cut_windows
from unify.indexer.ports import FrameShape
from unify.indexer.scaling import decode_image
from unify.indexer.worker import Decoder, Request

MOMENTS = 2000  # are enough: more move no mean
LEAST_MOMENTS = 10
FPS, WINDOW_S = 1.0, 8.0  # as an index is built by default
PICTURES = frozenset([".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"])

Encode = Callable[[UInt8], Float32]


@dataclass(frozen=True, slots=True)
class CalibrationSet:
    """Features of frames, and the moments that they make.

    Attributes:
        features: (F, D) of all frames.
        spans: (M, 2) first and one-past-last frame of each moment.
        captions: per moment its captions; empty where the folder has none.
        failed: (file or item, reason) of what cannot be decoded.
    """

    features: Float32
    spans: Int64
    captions: tuple[tuple[str, ...], ...]
    failed: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Shot:
    """Some frames of one source, and moments within them."""

    features: Float32
    spans: Int64
    captions: tuple[str, ...] = ()


def look_at(
    folder: Path,
    shape: FrameShape,
    encode: Encode,
    told: Callable[[int, int], None] = lambda done, total: None,
) -> CalibrationSet:
    """Decode and encode what a pack is calibrated on.

    Args:
        folder: videos and pictures anywhere below it, or a data set.
        shape: the frames to make.
        encode: frames to features.
        told: how many moments of how many, at most, are there.

    Raises:
        UsageError: too little in it can be decoded, or it is a data set without a training part.
    """
    failed: list[tuple[str, str]] = []
    if is_dataset(folder):
        shots = _of_dataset(_training_part(folder), shape, encode, failed)
    else:
        shots = _of_files(folder, shape, encode, failed)
    features: list[Float32] = []
    spans: list[Int64] = []
    captions: list[tuple[str, ...]] = []
    frames = moments = 0
    for shot in shots:
        features.append(shot.features)
        spans.append(shot.spans + frames)
        captions += [shot.captions] * len(shot.spans) if shot.captions else []
        frames, moments = frames + len(shot.features), moments + len(shot.spans)
        told(min(moments, MOMENTS), MOMENTS)
        if moments >= MOMENTS:
            break
    if moments < LEAST_MOMENTS:
        lost = f"; {len(failed)} cannot be decoded, such as {failed[0][0]}" if failed else ""
        raise UsageError(
            f"{folder} makes {moments} moments, too few to calibrate on{lost}",
            f"give a folder with at least {LEAST_MOMENTS}, better hundreds, of all kinds",
        )
    return CalibrationSet(
        np.concatenate(features), np.concatenate(spans), tuple(captions), tuple(failed)
    )


def _training_part(folder: Path) -> DataSet:
    """Never another: a pack would be measured on what it was calibrated on."""
    dataset = read_dataset(folder, TRAIN)
    return dataset.select(lambda name: not held_out(dataset.name, name))


def _of_dataset(
    dataset: DataSet, shape: FrameShape, encode: Encode, failed: list[tuple[str, str]]
) -> Iterator[_Shot]:
    def fail(item: Item, error: MediaError) -> None:
        failed.append((item.name, str(error)))

    items = dataset.items[:: 1 + len(dataset.items) // MOMENTS]
    for item, frames in dataset.frames(items, shape, dataset.frame_count, fail):
        yield _Shot(encode(frames), np.array([[0, len(frames)]]), item.captions)


def _of_files(
    folder: Path, shape: FrameShape, encode: Encode, failed: list[tuple[str, str]]
) -> Iterator[_Shot]:
    found = discover([folder])
    failed += found.unreadable
    paths = [candidate.path for candidate in found.candidates]
    paths += [str(path) for path in sorted(folder.rglob("*")) if _is_picture(path, folder)]
    process = DecodeProcess()
    try:
        for i in np.random.default_rng(0).permutation(len(paths)).tolist():
            path = Path(paths[i])
            try:
                if path.suffix.lower() in PICTURES:
                    picture = decode_image(path.read_bytes(), shape)
                    yield _Shot(encode(picture[None]), np.array([[0, 1]]))
                else:
                    yield _of_video(path, shape, encode, process)
            except (MediaError, OSError) as error:
                failed.append((str(path), str(error)))
    finally:
        process.close()


def _is_picture(path: Path, folder: Path) -> bool:
    """Tell pictures; hidden ones are left out, as hidden videos are."""
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.suffix.lower() in PICTURES and not hidden


def _of_video(path: Path, shape: FrameShape, encode: Encode, process: DecodeProcess) -> _Shot:
    times: list[np.ndarray] = []
    features: list[Float32] = []
    duration_s = 0.0
    for event in process.decode(Request(str(path), FPS, shape, Decoder.PYAV)):
        match event:
            case Started():
                duration_s = event.duration_s
            case Batch():
                times.append(event.times_s)
                features.append(encode(event.frames))
            case Finished():
                pass
    windows = cut_windows(np.concatenate(times), duration_s, WINDOW_S)
    return _Shot(np.concatenate(features), np.stack([windows.first, windows.last], axis=1))


def first_captions(captions: Sequence[Sequence[str]]) -> list[str]:
    """Return one caption of each moment, in turn its first, second, ...: all kinds have a say.

    >>> first_captions([["a", "b"], ["c", "d"], ["e"]])
    ['a', 'd', 'e']
    """
    return [some[i % len(some)] for i, some in enumerate(captions)]
