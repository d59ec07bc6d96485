"""Items, their pictures' features and their captions, as training draws batches from them.

It must not know networks or losses. Sizes: I items, V terms, B items of a batch, N pictures of a
batch, T pictures of an item, L tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unify.encoders.captions import Captions
from unify.engine.errors import UsageError
from unify.engine.types import Float16, Float32, Int64

# Share of items shown with several pictures, the others with one. Moments of one to nine frames
# are encoded later: varying their number is part of what makes the pooled vector indifferent to it.
SEVERAL = 0.5
# Share of a caption's own words that count as own: from the others the expansion learns to say
# them.
KEPT_WORDS = 0.85
MASKED_CAPTIONS = 0.25  # share that is also read with words missing
MASKED_WORDS = 0.3  # share of such a caption's words that are missing


@dataclass(frozen=True, slots=True)
class Draw:
    """What a recipe says of how a batch is drawn from its items.

    Attributes:
        pictures: at most, of an item with several.
        masked: whether some captions are also read with words missing.
    """

    pictures: int = 1
    masked: bool = True


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Items of all data sets together.

    Attributes:
        pictures: the data sets' (P, K, ...) features.
        places: per item, its data set and its rows of that set's features.
        captions: the tokens of all captions.
        texts: per item, its captions.
        terms: V.
    """

    pictures: Sequence[Float16]
    places: Sequence[tuple[int, Int64]]
    captions: Captions
    texts: Sequence[Int64]
    terms: int

    def __len__(self) -> int:
        return len(self.places)

    def part(self, items: Sequence[int]) -> TrainingSet:
        """Return some of the items, over the same features and captions."""
        return TrainingSet(
            self.pictures,
            [self.places[i] for i in items],
            self.captions,
            [self.texts[i] for i in items],
            self.terms,
        )

    def named(self, item: int) -> Float32:
        """Return (V,) the share of an item's captions that name each term."""
        shares = np.zeros(self.terms, np.float32)
        for text in self.texts[item].tolist():
            shares[self.captions.own[text]] += 1 / len(self.texts[item])
        return shares

    def named_by_items(self) -> Float32:
        """Return (V,) the mean over items of the share of their captions that name a term."""
        total = np.zeros(self.terms, np.float32)
        for texts in self.texts:
            for text in texts.tolist():
                total[self.captions.own[text]] += 1 / len(texts)
        return np.asarray(total / len(self), np.float32)

    def frequencies(self) -> Float32:
        """Return (V,) the share of captions that name a term."""
        total = np.zeros(self.terms, np.float32)
        for texts in self.texts:
            for text in texts.tolist():
                total[self.captions.own[text]] += 1
        return np.asarray(total / sum(len(texts) for texts in self.texts), np.float32)

    def stack(self, items: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return all pictures of items as a search sees them: (N, ...), and picks (B, T)."""
        return self._gather([(self.places[i][0], self.places[i][1], None) for i in items])

    def _gather(self, chosen: Sequence[tuple[int, Int64, Int64 | None]]) -> tuple[Tensor, Tensor]:
        """Return features of (data set, rows, views) and which belong to which item."""
        picks = torch.full((len(chosen), max(len(rows) for _, rows, _ in chosen)), -1)
        values: list[Float16] = []
        done = 0
        for place, (source, rows, views) in enumerate(chosen):
            picks[place, : len(rows)] = torch.arange(done, done + len(rows))
            done += len(rows)
            values.append(self.pictures[source][rows, 0 if views is None else views])
        return torch.from_numpy(np.concatenate(values)).float(), picks


@dataclass(frozen=True, slots=True)
class Batch:
    """One step's input; `Unify.video` and `Unify.text` tell the shapes.

    Attributes:
        items: (B,) which items.
        frames: (N, ...) float32 features.
        picks: (B, T) rows of `frames`, -1 for none.
        texts: (B,) which captions.
        ids: (B, L).
        mask: (B, L) bool.
        words: (B, V) 1 where a term stands in the caption and counts as own.
        targets: (B, V) share of the item's captions that name a term.
        masked_ids: (M, L) the first M captions with words missing.
        masked_mask: (M, L) bool.
        removed: (M, V) 1 for the missing words.
    """

    items: Tensor
    frames: Tensor
    picks: Tensor
    texts: Tensor
    ids: Tensor
    mask: Tensor
    words: Tensor
    targets: Tensor
    masked_ids: Tensor
    masked_mask: Tensor
    removed: Tensor

    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device."""
        return Batch(*(getattr(self, name).to(device) for name in self.__slots__))


def epoch_order(data: TrainingSet, size: int, rng: np.random.Generator) -> Int64:
    """Return an epoch's items such that every batch of `size` comes from one data set.

    Pictures and captions of another data set are wrong answers that give themselves away; those
    of the same set teach more. What does not fill a batch waits for another epoch.
    """
    sources = np.array([source for source, _ in data.places])
    parts: list[Int64] = []
    for source in np.unique(sources):
        items = rng.permutation(np.flatnonzero(sources == source))
        parts += [items[i : i + size] for i in range(0, len(items) - size + 1, size)]
    return np.concatenate([parts[i] for i in rng.permutation(len(parts))])


def steps_of_epoch(data: TrainingSet, size: int) -> int:
    """Return how many batches `epoch_order` fills.

    Raises:
        UsageError: no data set fills one.
    """
    counts = np.bincount([source for source, _ in data.places])
    if not (steps := int((counts // size).sum())):
        raise UsageError(
            f"{len(data):,} items to train on do not fill a batch of {size:,}",
            "set schedule.batch to less",
        )
    return steps


def batches(
    data: TrainingSet, order: Int64, size: int, draw: Draw, rng: np.random.Generator
) -> Iterator[Batch]:
    """Yield batches of `size` items in an order; what is left over at the end is not seen."""
    for start in range(0, len(order) - size + 1, size):
        yield _batch(data, order[start : start + size], draw, rng)


def _batch(data: TrainingSet, items: Int64, draw: Draw, rng: np.random.Generator) -> Batch:
    chosen = []
    for item in items.tolist():
        source, rows = data.places[item]
        count = draw.pictures if rng.random() < SEVERAL else 1
        rows = rng.permutation(rows)[:count]
        chosen.append((source, rows, rng.integers(data.pictures[source].shape[1], size=len(rows))))
    frames, picks = data._gather(chosen)
    texts = [int(rng.choice(data.texts[item])) for item in items.tolist()]
    ids, mask = data.captions.tokens(texts)
    words = torch.zeros(len(items), data.terms)
    for row, text in enumerate(texts):
        own = data.captions.own[text]
        words[row, own[rng.random(len(own)) < KEPT_WORDS]] = 1
    hidden = texts[: round(MASKED_CAPTIONS * len(texts))] if draw.masked else []
    masked_ids, masked_mask, missing = data.captions.without(hidden or texts[:1], MASKED_WORDS, rng)
    removed = torch.zeros(len(missing), data.terms)
    for row, gone in enumerate(missing):
        removed[row, gone] = 1
    return Batch(
        items=torch.from_numpy(items),
        frames=frames,
        picks=picks,
        texts=torch.tensor(texts),
        ids=ids,
        mask=mask,
        words=words,
        targets=torch.from_numpy(np.stack([data.named(item) for item in items.tolist()])),
        masked_ids=masked_ids,
        masked_mask=masked_mask,
        removed=removed,
    )
