"""Joins captioned clips, or stills that a moving camera looks at, into long videos.

Used by `benchmarks/concatenated.py`. What is joined is re-encoded as one video, so that cuts lie
wherever they fall between key frames and between the pictures that an index looks at. Every
random choice follows from a seed. It must not know encoders or indexes.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from unify.encoders.datasets import TRAIN, hold_out, read_dataset
from unify.encoders.datasets_frames import StillArchive
from unify.engine.types import UInt8
from unify.indexer.ports import FrameShape

RATE_HZ = 5
WIDTH, HEIGHT = 320, 240
PIECES = (4, 24)  # clips of one long video, least and most
PART_S = (2.0, 8.0)  # length of a part of a clip
STILL_S = (3.0, 9.0)  # length of a clip made of one still
CUT_STILL_S = (1.5, 4.5)  # length of each shot of a clip made of several
FADE_S = 1.0
SLOWER = 4

Pictures = Iterator[UInt8]  # each (HEIGHT, WIDTH, 3) RGB, `RATE_HZ` a second


class Condition(StrEnum):
    """How clips are joined."""

    WHOLE = "whole"  # whole clips, hard cuts
    PARTS = "parts"  # a random part of each clip, hard cuts
    FADES = "fades"  # whole clips, each fading into the next for a second
    SLOW = "slow"  # whole clips at a quarter of their speed: long shots


@dataclass(frozen=True, slots=True)
class Clip:
    """Something that captions describe from its first to its last picture.

    Attributes:
        captions: each a query.
        pictures: makes its pictures anew.
    """

    captions: tuple[str, ...]
    pictures: Callable[[], Pictures]


@dataclass(frozen=True, slots=True)
class Truth:
    """Where a clip lies in what was made."""

    file: str
    start_s: float
    end_s: float
    captions: tuple[str, ...]


def clips_in(folder: Path, captions: Path) -> list[Clip]:
    """Return the clips that a TSV with the columns `file` and `caption` lists."""
    with captions.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [
        Clip((row["caption"],), lambda path=folder / row["file"]: _of_video(path)) for row in rows
    ]


def stills_in(folder: Path, captions: int) -> list[Clip]:
    """Return a clip for every second held-out item of a data set of stills.

    In turn, a clip is one shot, of the item's middle still, or one shorter shot of each still.

    Args:
        folder: the data set.
        captions: how many captions of an item are queries, at most.
    """
    dataset = hold_out(read_dataset(folder, TRAIN))
    if dataset.archive is None:
        raise SystemExit(f"{folder} is no data set of stills")
    archive = StillArchive(dataset.archive)
    clips = []
    for number, item in enumerate(dataset.items[::2]):
        stills, length_s = item.stills, CUT_STILL_S
        if number % 2 == 0:
            stills, length_s = (stills[len(stills) // 2],), STILL_S
        views = partial(_of_stills, archive, stills, length_s, number)
        clips.append(Clip(item.captions[:captions], views))
    return clips


def make(clips: Sequence[Clip], folder: Path, condition: Condition, seed: int) -> list[Truth]:
    """Write the clips joined to long videos, in random order.

    Args:
        clips: what to join.
        folder: where to write; must exist.
        condition: how.
        seed: of the order, of the number of clips in a video, and of the parts.

    Returns:
        where each clip lies, in the order of the videos.
    """
    random = np.random.default_rng(seed)
    order = random.permutation(len(clips)).tolist()
    truths: list[Truth] = []
    while order:
        count = int(random.integers(PIECES[0], PIECES[1], endpoint=True))
        chosen, order = order[:count], order[count:]
        if len(order) < PIECES[0]:
            chosen, order = chosen + order, []
        name = f"long{len({truth.file for truth in truths}):03d}.mp4"
        truths += _write(folder / name, [clips[i] for i in chosen], chosen, condition, seed)
    return truths


def make_alone(clips: Sequence[Clip], folder: Path, condition: Condition, seed: int) -> list[Truth]:
    """Write the same clips, or the same parts of them, as a video each."""
    return [
        _write(folder / f"clip{i:03d}.mp4", [clip], [i], condition, seed)[0]
        for i, clip in enumerate(clips)
    ]


def _write(
    path: Path, clips: Sequence[Clip], numbers: Sequence[int], condition: Condition, seed: int
) -> list[Truth]:
    truths: list[Truth] = []
    fade = round(FADE_S * RATE_HZ) if condition is Condition.FADES else 0
    tail: list[UInt8] = []
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=RATE_HZ, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        written = 0
        for clip, number in zip(clips, numbers, strict=True):
            pictures = _piece(clip, condition, np.random.default_rng([seed, number]))
            blended = _blended(tail, pictures)
            body = [*blended, *pictures[len(blended) :]]
            keep = len(body) - min(fade, len(body) // 3) if clip is not clips[-1] else len(body)
            start = written + len(blended) / 2
            tail = body[keep:]
            for picture in body[:keep]:
                frame = VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = written, Fraction(1, RATE_HZ)
                out.mux(stream.encode(frame))
                written += 1
            end = written + len(tail) / 2
            truths.append(Truth(path.name, start / RATE_HZ, end / RATE_HZ, clip.captions))
        out.mux(stream.encode())
    return truths


def _blended(tail: Sequence[UInt8], head: Sequence[UInt8]) -> list[UInt8]:
    count = min(len(tail), len(head))
    mixed = []
    for i, (old, new) in enumerate(zip(tail[:count], head[:count], strict=True)):
        share = (i + 1) / (count + 1)
        mixed.append((old * (1 - share) + new * share).astype(np.uint8))
    return mixed


def _piece(clip: Clip, condition: Condition, random: np.random.Generator) -> list[UInt8]:
    pictures = list(clip.pictures())
    if condition is Condition.SLOW:
        return [picture for picture in pictures for _ in range(SLOWER)]
    if condition is Condition.PARTS:
        length = min(len(pictures), round(random.uniform(*PART_S) * RATE_HZ))
        first = int(random.integers(0, len(pictures) - length, endpoint=True))
        return pictures[first : first + length]
    return pictures


def _of_video(path: Path) -> Pictures:
    scaler = VideoReformatter()
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        step = Fraction(stream.average_rate or RATE_HZ) / RATE_HZ
        position = Fraction(0)
        for number, frame in enumerate(container.decode(stream)):
            while position <= number:
                scaled = scaler.reformat(frame, width=WIDTH, height=HEIGHT, format="rgb24")
                yield scaled.to_ndarray()
                position += step


def _of_stills(
    archive: StillArchive, stills: Sequence[str], length_s: tuple[float, float], seed: int
) -> Pictures:
    """Look at each still for some seconds with a camera that moves, zooms and shakes.

    The camera wanders between views that show 50 to 95 % of each side; every two seconds it has
    reached a new one.
    """
    random = np.random.default_rng(seed)
    scaler = VideoReformatter()
    for still in stills:
        picture = archive.picture(still, FrameShape(WIDTH, HEIGHT, "squash"))
        count = round(random.uniform(*length_s) * RATE_HZ)
        turns = count // (2 * RATE_HZ) + 2
        sizes = random.uniform(0.5, 0.95, turns)
        views = np.stack([sizes, *(random.uniform(0, 1 - sizes) for _ in range(2))], axis=1)
        for number in range(count):
            turn, part = divmod(number / (2 * RATE_HZ), 1.0)
            size, x, y = views[int(turn)] * (1 - part) + views[int(turn) + 1] * part
            x, y = np.clip(np.array([x, y]) + random.normal(0, 0.005, 2), 0, 1 - size)
            top, left = int(y * HEIGHT), int(x * WIDTH)
            view = picture[top : top + int(size * HEIGHT), left : left + int(size * WIDTH)]
            frame = VideoFrame.from_ndarray(np.ascontiguousarray(view), format="rgb24")
            yield scaler.reformat(frame, width=WIDTH, height=HEIGHT, format="rgb24").to_ndarray()
