"""What a training run learns from: the data sets of its recipe, with their pictures' features.

Everything that a run depends on and that does not stand in its recipe is named here by its
content, so that a checkpoint can tell whether it is still the same. It must not know how anything
is trained.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unify.encoders.captions import read_captions
from unify.encoders.datasets import TRAIN, DataSet, Item, held_out, read_dataset
from unify.encoders.distributed import ALONE, Group
from unify.encoders.features import FrameFeatures, frame_features
from unify.encoders.recipe import Recipe
from unify.encoders.start import Start
from unify.encoders.trainset import TrainingSet
from unify.engine.durable import sha256_of
from unify.engine.errors import UsageError
from unify.engine.lexicon import Lexicon
from unify.engine.types import Int64

DIGITS = 12  # of a hash: as many as people can compare

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Corpus:
    """All data sets of a recipe, read.

    Attributes:
        data: every item, trained on or held out.
        names: per item, its data set and its name.
        items: the items, in the same order.
        train: rows of the items to train on.
        held: rows of the held-out ones.
        sources: the data sets' names, by their number in `data.places`.
        contents: what the run depends on beside its settings, each by a hash of its content.
    """

    data: TrainingSet
    names: tuple[tuple[str, str], ...]
    items: tuple[Item, ...]
    train: list[int]
    held: list[int]
    sources: tuple[str, ...]
    contents: dict[str, str]


def read_corpus(recipe: Recipe, start: Start, lexicon: Lexicon, group: Group = ALONE) -> Corpus:
    """Read data sets, their pictures' features and their captions.

    What is missing or cannot be decoded is told in the log and left out. Of several processes
    the main one computes the features and logs; the others find them in the cache.

    Raises:
        UsageError: a data set is not there, cannot be decoded, or is too small to hold out any.
    """
    sets = [read_dataset(folder, TRAIN) for folder in recipe.data]
    stem, schedule = start.stem(), recipe.schedule
    with group.main_first():
        found = [
            frame_features(data, stem, recipe.cache, schedule.views, schedule.frames)
            for data in sets
        ]
    places: list[tuple[int, Int64]] = []
    names: list[tuple[str, str]] = []
    items: list[Item] = []
    for source, (data, features) in enumerate(zip(sets, found, strict=True)):
        if group.is_main:
            _report(data, features.failed)
        for item in data.items:
            if item.name in features.rows:
                places.append((source, features.rows[item.name]))
                names.append((data.name, item.name))
                items.append(item)
    held = _held_out(names)
    texts: dict[str, int] = {}
    rows = [
        np.array([texts.setdefault(caption, len(texts)) for caption in item.captions])
        for item in items
    ]
    captions = read_captions(list(texts), start.tokenizer, lexicon, start.training_tokens)
    return Corpus(
        TrainingSet([f.values for f in found], places, captions, rows, len(lexicon)),
        tuple(names),
        tuple(items),
        np.flatnonzero(~held).tolist(),
        np.flatnonzero(held).tolist(),
        tuple(data.name for data in sets),
        _contents(recipe, start, stem.stamp, found, items),
    )


def _held_out(names: Sequence[tuple[str, str]]) -> np.ndarray:
    held = np.array([held_out(*name) for name in names])
    for name in {of for of, _ in names}:
        kept = [hold for (of, _), hold in zip(names, held, strict=True) if of == name]
        if all(kept) or not any(kept):
            raise UsageError(
                f"{name} has {len(kept)} items, too few to train on some and hold out others",
                "give a larger data set",
            )
    return held


def _report(data: DataSet, failed: dict[str, str]) -> None:
    if data.missing:
        log.warning("%s: %d annotated items are not there", data.name, len(data.missing))
    for name, reason in failed.items():
        log.warning("%s: %s cannot be decoded (%s)", data.name, name, reason)


def _contents(
    recipe: Recipe, start: Start, stamp: str, found: Sequence[FrameFeatures], items: Sequence[Item]
) -> dict[str, str]:
    """Name by content what a recipe names by folder or file."""
    towers = stamp
    if start.text_files:
        towers += f"-{_digest(''.join(sha256_of(path) for path in start.text_files))}"
    return {
        "towers": towers,
        "lexicon": sha256_of(recipe.lexicon)[:DIGITS],
        "pictures": ", ".join(features.key for features in found),
        "captions": _digest(json.dumps([item.captions for item in items])),
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]
