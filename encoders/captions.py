"""Captions as token ids, each token with the term of the word it belongs to.

From this a training step takes a caption's own words, and can take words out of a caption so
that the rest has to bring them to mind. It must not know networks or losses.
Sizes: B captions, L tokens, V terms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Encoding, Tokenizer
from torch import Tensor

from unify.engine.lexicon import Lexicon
from unify.engine.types import Int64

NO_TERM = -1
CHUNK = 10_000


@dataclass(frozen=True, slots=True)
class Captions:
    """Tokens of many captions, one after the other.

    Attributes:
        ids: (T,) token ids.
        terms: (T,) the term of the word that a token belongs to, or NO_TERM.
        starts: (captions + 1,) where each caption begins.
        own: per caption, the terms that stand in it.
        mask_id: the token that stands for a word that was taken out; None when the tokenizer
            has no such token, and words are simply left out.
    """

    ids: Int64
    terms: Int64
    starts: Int64
    own: Sequence[Int64]
    mask_id: int | None

    def __len__(self) -> int:
        return len(self.own)

    def tokens(self, rows: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return padded (B, L) ids and (B, L) bool mask of captions."""
        return padded([self._row(self.ids, row) for row in rows])

    def without(
        self, rows: Sequence[int], share: float, rng: np.random.Generator
    ) -> tuple[Tensor, Tensor, list[Int64]]:
        """Return ids and mask of captions without some of their words, and the missing terms.

        Args:
            rows: captions.
            share: of each caption's own words that is taken out, whole words, at least one.
            rng: chooses them.
        """
        texts, missing = [], []
        for row in rows:
            ids, terms, own = self._row(self.ids, row), self._row(self.terms, row), self.own[row]
            count = max(1, round(share * len(own))) if len(own) else 0
            gone = rng.choice(own, count, replace=False) if count else own
            hidden = np.isin(terms, gone) & (terms != NO_TERM)
            if self.mask_id is None:
                texts.append(ids[~hidden])
            else:
                texts.append(np.where(hidden, self.mask_id, ids))
            missing.append(gone)
        return *padded(texts), missing

    def _row(self, values: Int64, row: int) -> Int64:
        return values[self.starts[row] : self.starts[row + 1]]


def padded(texts: Sequence[Int64]) -> tuple[Tensor, Tensor]:
    """Return (B, L) ids, zeros behind each text's end, and the (B, L) bool mask of its tokens."""
    length = max(len(text) for text in texts)
    ids = np.zeros((len(texts), length), np.int64)
    mask = np.zeros((len(texts), length), bool)
    for row, text in enumerate(texts):
        ids[row, : len(text)], mask[row, : len(text)] = text, True
    return torch.from_numpy(ids), torch.from_numpy(mask)


def read_captions(
    texts: Sequence[str], tokenizer: Tokenizer, lexicon: Lexicon, max_tokens: int
) -> Captions:
    """Tokenize captions.

    Args:
        texts: the captions.
        tokenizer: adds its special tokens itself.
        lexicon: the terms.
        max_tokens: longer captions are cut there.
    """
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    ids: list[int] = []
    terms: list[int] = []
    starts = [0]
    for first in range(0, len(texts), CHUNK):
        part = list(texts[first : first + CHUNK])
        for text, encoding in zip(part, tokenizer.encode_batch(part), strict=True):
            ids += encoding.ids
            terms += _terms_of(text, encoding, lexicon)
            starts.append(len(ids))
    own = [np.unique(np.array(lexicon.term_ids(text), np.int64)) for text in texts]
    return Captions(
        np.array(ids), np.array(terms), np.array(starts), own, tokenizer.token_to_id("[MASK]")
    )


def _terms_of(text: str, encoding: Encoding, lexicon: Lexicon) -> list[int]:
    """Return the term of each token's word; a word's pieces lie side by side."""
    spans: dict[int, tuple[int, int]] = {}
    for word, (start, end) in zip(encoding.word_ids, encoding.offsets, strict=True):
        if word is not None:
            first = spans.get(word, (start, end))[0]
            spans[word] = (first, end)
    found = {word: lexicon.lookup(text[a:b].strip()) for word, (a, b) in spans.items()}
    terms = [None if word is None else found[word] for word in encoding.word_ids]
    return [NO_TERM if term is None else term for term in terms]
