"""Sentences to queries: the text tower's stem, the branches' own layers, and the text head.

Everything is NumPy; packs whose towers need torch have another `Sentences`. It must not know the
lexicon's words: which terms stand in a text is told.
Sizes: L tokens, W text width.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from unify.encoders.heads import HeadsFile, TextHead, unit
from unify.encoders.minilm import Layers, TextTower
from unify.engine.types import EncodedQuery, Float32

BATCH = 64


class Sentences(Protocol):
    """The text side of a pack."""

    def knows(self, word: str) -> bool:
        """Return whether a word is one token."""
        ...

    def encode(self, texts: Sequence[str], own: Sequence[list[int]]) -> list[EncodedQuery]:
        """Encode texts; `own` are the terms that stand in each."""
        ...


class SentenceEncoder:
    """The text side of a pack whose text tower is NumPy's.

    Args:
        weights: the text tower, see `unify.encoders.minilm`.
        tokenizer: its tokenizer.
        heads: has the branches' layers under `text.` and the head.
        max_tokens: longer texts are cut there.
    """

    def __init__(self, weights: Path, tokenizer: Path, heads: HeadsFile, max_tokens: int) -> None:
        own = heads.below("text.")
        count = {
            part: len({name.split(".")[1] for name in own if name.startswith(part)})
            for part in ("shared", "latent", "lexicon")
        }
        self._branches = {
            part: Layers(own, [f"{part}.{i}." for i in range(layers)])
            for part, layers in count.items()
        }
        frozen = int(heads.number("text_frozen_layers"))
        self._tower = TextTower(weights, tokenizer, max_tokens, frozen)
        self._head = TextHead(heads)

    def knows(self, word: str) -> bool:
        """Return whether a word is one token."""
        return self._tower.knows(word)

    def encode(self, texts: Sequence[str], own: Sequence[list[int]]) -> list[EncodedQuery]:
        """Encode texts; `own` are the terms that stand in each."""
        found: dict[int, EncodedQuery] = {}
        for rows, stem, mask in self._tower.batches(texts, BATCH):
            shared = self._branches["shared"](stem, mask)
            latent = means(self._branches["latent"](shared, mask), mask)  # (B, W)
            tokens = self._branches["lexicon"](shared, mask)  # (B, L, W)
            whole = means(tokens, mask)
            for place, row in enumerate(rows):
                last = int(mask[place].sum()) - 1  # the closing special token
                voters = tokens[place, 1:last]
                if self._head.cosine:
                    voters = np.concatenate([whole[place : place + 1], unit(voters)])
                found[row] = self._head.encode(latent[place], voters, own[row])
        return [found[row] for row in range(len(texts))]


def means(states: Float32, mask: Float32) -> Float32:
    """Return the unit mean over tokens: (B, L, W) states and (B, L) mask to (B, W)."""
    return unit((states * mask[:, :, None]).sum(axis=1))
