"""Frozen features of the training items, computed once and kept on disk.

The towers are the pack's own files in the pack's own runtime, so that heads are trained on
exactly the vectors that they will see. It must not know what is learned from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unify.encoders.data import Item, Source, read_stills
from unify.encoders.minilm import TextTower
from unify.encoders.vision import VisionTower
from unify.engine.types import Float16, Float32, UInt8
from unify.indexer.decode import decode_image
from unify.indexer.ports import FrameShape

CHUNK = 64


@dataclass(frozen=True, slots=True)
class Features:
    """Everything the heads see of the items.

    Attributes:
        frames: (F, 1280) float16 features of all stills.
        frame_of: still's file name to row of `frames`.
        texts: (T, 384) float16 unit vectors of all distinct captions.
        text_of: caption to row of `texts`.
    """

    frames: Float16
    frame_of: dict[str, int]
    texts: Float16
    text_of: dict[str, int]


def load_features(
    items: Sequence[Item], data: Path, cache: Path, vision: VisionTower, text: TextTower,
    shape: FrameShape, stamp: str,
) -> Features:  # fmt: skip
    """Read the cache, computing first what is missing.

    Args:
        items: all items; their captions and stills are what is encoded.
        data: the folder of the archives.
        cache: a folder for the results; made if needed.
        vision: encodes stills.
        text: encodes captions.
        shape: size of the pictures the vision tower takes.
        stamp: names the towers, so that other towers do not find these results.
    """
    cache.mkdir(parents=True, exist_ok=True)
    names: list[str] = []
    rows: list[Float16] = []
    for source in Source:
        path = cache / f"{source}-{stamp}.npz"
        if not path.is_file():
            _encode_stills(data, source, path, vision, shape)
        with np.load(path) as kept:
            names += kept["names"].tolist()
            rows.append(kept["features"])
    captions = list(dict.fromkeys(caption for item in items for caption in item.captions))
    return Features(
        np.concatenate(rows),
        {name: row for row, name in enumerate(names)},
        encode_texts(captions, cache / f"captions-{stamp}.npz", text),
        {caption: row for row, caption in enumerate(captions)},
    )


def _encode_stills(
    data: Path, source: Source, path: Path, vision: VisionTower, shape: FrameShape
) -> None:
    names: list[str] = []
    rows: list[Float32] = []
    waiting: list[UInt8] = []
    for name, picture in read_stills(data, source):
        names.append(name)
        waiting.append(decode_image(picture, shape))
        if len(waiting) == CHUNK:
            rows.append(vision.encode(np.stack(waiting)))
            waiting.clear()
    if waiting:
        rows.append(vision.encode(np.stack(waiting)))
    _save(path, names=np.array(names), features=np.concatenate(rows).astype(np.float16))


def encode_texts(captions: list[str], path: Path, text: TextTower) -> Float16:
    """Return (T, 384) unit vectors of texts, from a cache file if it holds just these."""
    if path.is_file():
        with np.load(path) as kept:
            if kept["captions"].tolist() == captions:
                return np.asarray(kept["texts"], np.float16)
    texts = text.encode(captions, batch=64).astype(np.float16)
    _save(path, captions=np.array(captions), texts=texts)
    return texts


def _save(path: Path, **arrays: np.ndarray) -> None:
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, **arrays)  # type: ignore[arg-type]
    partial.replace(path)
