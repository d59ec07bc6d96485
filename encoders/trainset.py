"""Items and their frozen features as arrays that training draws batches from.

It must not know networks or losses. Sizes: I items, V terms, B items of a batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unify.encoders.data import Item
from unify.encoders.features import Features
from unify.engine.lexicon import Lexicon
from unify.engine.types import Bool, Float32, Int64

KEPT_STILLS = 0.8
KEPT_WORDS = 0.85


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Items, with everything as rows of shared arrays.

    Attributes:
        frames: (F, C) float32 features of stills.
        texts: (T, W) float32 sentence vectors.
        stills: per item its rows of `frames`.
        captions: per item its rows of `texts`.
        words: per item and caption, the terms in it.
        targets: (I, V) float32 share of an item's captions that name a term.
    """

    frames: Float32
    texts: Float32
    stills: Sequence[Int64]
    captions: Sequence[Int64]
    words: Sequence[Sequence[list[int]]]
    targets: Float32

    def __len__(self) -> int:
        return len(self.stills)

    @property
    def present(self) -> Bool:
        """(V,) whether any caption names the term."""
        return np.asarray((self.targets > 0).any(axis=0))

    def frequencies(self) -> Float32:
        """(V,) share of captions that name the term."""
        sizes = np.array([len(rows) for rows in self.captions], np.float32)
        return np.asarray(sizes @ self.targets / sizes.sum(), np.float32)


@dataclass(frozen=True, slots=True)
class Batch:
    """One step's input; see `Heads.video` and `Heads.text` for the shapes."""

    items: Tensor
    frames: Tensor
    picks: Tensor
    texts: Tensor
    captions: Tensor
    words: Tensor
    targets: Tensor


def make_set(items: Sequence[Item], features: Features, lexicon: Lexicon) -> TrainingSet:
    """Collect the rows of some items."""
    words = [[sorted(set(lexicon.term_ids(c))) for c in item.captions] for item in items]
    targets = np.zeros((len(items), len(lexicon)), np.float32)
    for row, captions in enumerate(words):
        for terms in captions:
            targets[row, terms] += 1 / len(captions)
    return TrainingSet(
        features.frames.astype(np.float32),
        features.texts.astype(np.float32),
        [np.array([features.frame_of[name] for name in item.stills]) for item in items],
        [np.array([features.text_of[caption] for caption in item.captions]) for item in items],
        words,
        targets,
    )


def batches(data: TrainingSet, size: int, rng: np.random.Generator) -> Iterator[Batch]:
    """Yield one epoch: every item once, with one caption and most of its stills.

    Moments of one to nine frames are encoded later: leaving stills out is part of what makes the
    pooled vector indifferent to their number. Own words are left out so that the expansion
    learns to say them.
    """
    order = rng.permutation(len(data))
    for start in range(0, len(order) - size + 1, size):
        yield _batch(data, order[start : start + size], rng)


def _batch(data: TrainingSet, items: Int64, rng: np.random.Generator) -> Batch:
    rows: list[int] = []
    picks, captions = [], []
    words = torch.zeros(len(items), data.targets.shape[1])
    longest = max(len(data.stills[item]) for item in items.tolist())
    for place, item in enumerate(items.tolist()):
        stills = data.stills[item]
        kept = stills[rng.random(len(stills)) < KEPT_STILLS]
        chosen = kept if len(kept) else stills[:1]
        last = len(chosen) - 1
        picks.append([len(rows) + min(i, last) for i in range(longest)])
        rows += chosen.tolist()
        caption = int(rng.integers(len(data.captions[item])))
        captions.append(int(data.captions[item][caption]))
        own = np.array(data.words[item][caption], np.int64)
        words[place, own[rng.random(len(own)) < KEPT_WORDS]] = 1
    return Batch(
        items=torch.from_numpy(items),
        frames=torch.from_numpy(data.frames[rows]),
        picks=torch.tensor(picks),
        texts=torch.from_numpy(data.texts[captions]),
        captions=torch.tensor(captions),
        words=words,
        targets=torch.from_numpy(data.targets[items]),
    )
