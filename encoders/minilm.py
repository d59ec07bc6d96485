"""A BERT text tower in NumPy: sentences to token states and their mean.

One query is a few hundred million operations, less than the time it takes to import and compile
for any runtime measured (`benchmarks/runtimes.py`), and its float32 sums agree on every machine.
It must not know what the states are used for.

Architecture: Devlin et al. 2019, arXiv:1810.04805, section 3; post-norm, exact GELU.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from tokenizers import Tokenizer

from unify.engine.types import Float32, Int64

HEADS = 12
EPSILON = 1e-12


class TextTower:
    """A BERT encoder with its tokenizer.

    Args:
        weights: safetensors in float16 with the names that `unify.encoders.export` writes.
        tokenizer: a `tokenizers` JSON file.
        max_tokens: longer texts are cut there, both special tokens counted.
    """

    def __init__(self, weights: Path, tokenizer: Path, max_tokens: int) -> None:
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)
        file: Any = safe_open(str(weights), "np")
        # Word vectors are read as needed: a query needs a dozen of 30,522.
        self._words = file.get_slice("words")
        names = [name for name in file.keys() if name != "words"]  # noqa: SIM118 (not a mapping)
        self._w = {name: file.get_tensor(name).astype(np.float32) for name in names}
        self._layers = 1 + max(int(name.split(".")[0]) for name in self._w if name[0].isdigit())

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """Return each text's token ids, special tokens included."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]

    def states(self, ids: Int64, mask: Float32) -> Float32:
        """Return the last states of a padded batch.

        Args:
            ids: (B, L) token ids.
            mask: (B, L) 1 for tokens, 0 for padding.

        Returns:
            (B, L, 384) float32; rows of padding mean nothing.
        """
        w, length = self._w, ids.shape[1]
        distinct, places = np.unique(ids, return_inverse=True)
        words = np.concatenate([self._words[i : i + 1] for i in distinct.tolist()])
        x = words[places.reshape(ids.shape)].astype(np.float32) + w["positions"][:length]
        x = _norm(x, w["norm.weight"], w["norm.bias"])
        blocked = (mask[:, None, None, :] - 1) * np.float32(1e9)  # (B, 1, 1, L)
        for i in range(self._layers):
            x = _norm(x + self._attention(x, blocked, i), *self._pair(f"{i}.attention.norm"))
            hidden = _gelu(self._linear(x, f"{i}.up"))
            x = _norm(x + self._linear(hidden, f"{i}.down"), *self._pair(f"{i}.norm"))
        return x

    def encode(self, texts: Sequence[str], batch: int = 16) -> Float32:
        """Return the mean state of each text at unit length, (B, 384); equal lengths together."""
        tokens = self.tokens(texts)
        order = sorted(range(len(tokens)), key=lambda i: len(tokens[i]))
        out = np.zeros((len(tokens), self._w["norm.bias"].size), np.float32)
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            length = len(tokens[rows[-1]])
            ids = np.array([tokens[r] + [0] * (length - len(tokens[r])) for r in rows])
            counts = np.array([len(tokens[r]) for r in rows])
            mask = (np.arange(length) < counts[:, None]).astype(np.float32)
            total = (self.states(ids, mask) * mask[:, :, None]).sum(axis=1)
            out[rows] = total / np.linalg.norm(total, axis=1, keepdims=True)
        return out

    def _pair(self, name: str) -> tuple[Float32, Float32]:
        return self._w[f"{name}.weight"], self._w[f"{name}.bias"]

    def _linear(self, x: Float32, name: str) -> Float32:
        weight, bias = self._pair(name)  # (in, out), (out,)
        flat = x.reshape(-1, x.shape[-1]) @ weight
        return (flat + bias).reshape(*x.shape[:-1], -1)

    def _attention(self, x: Float32, blocked: Float32, layer: int) -> Float32:
        count, length, width = x.shape
        mixed = self._linear(x, f"{layer}.attention.in")  # (B, L, 3 * width)
        query, key, value = mixed.reshape(count, length, 3, HEADS, -1).transpose(2, 0, 3, 1, 4)
        scores = query @ key.swapaxes(2, 3) / np.float32(math.sqrt(width / HEADS)) + blocked
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        joined = (scores @ value).transpose(0, 2, 1, 3).reshape(count, length, width)
        return self._linear(joined, f"{layer}.attention.out")


def _norm(x: Float32, weight: Float32, bias: Float32) -> Float32:
    x = x - x.mean(axis=-1, keepdims=True)
    variance = (x * x).mean(axis=-1, keepdims=True)
    return np.asarray(x / np.sqrt(variance + np.float32(EPSILON)) * weight + bias, np.float32)


def _gelu(x: Float32) -> Float32:
    """GELU with erf by Abramowitz and Stegun 7.1.26 (absolute error below 1.5e-7)."""
    z = np.abs(x) * np.float32(math.sqrt(0.5))
    t = 1 / (1 + np.float32(0.3275911) * z)
    poly: Any = np.float32(1.061405429)
    for coefficient in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        poly = poly * t + np.float32(coefficient)
    erf = np.copysign(1 - poly * t * np.exp(-z * z), x)
    return np.asarray(np.float32(0.5) * x * (1 + erf), np.float32)
