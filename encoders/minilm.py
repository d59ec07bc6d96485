"""A BERT text tower in NumPy: sentences to token states and their mean.

One query is a few hundred million operations, less than the time it takes to import and compile
for any runtime measured (`benchmarks/runtimes.py`), and its float32 sums agree on every machine.
It must not know what the states are used for.

Architecture: Devlin et al. 2019, arXiv:1810.04805, section 3; post-norm, exact GELU.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from tokenizers import Tokenizer

from unify.engine.types import Float32, Int64

Tensors = Mapping[str, Any]

HEADS = 12
EPSILON = 1e-12


class LazyTensors(Mapping[str, Any]):
    """The tensors of an open safetensors file, each read when it is asked for."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._names = list(file.keys())

    def __getitem__(self, name: str) -> Any:
        return self._file.get_tensor(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class Layers:
    """BERT layers of named tensors, each layer under a prefix of its own.

    Args:
        tensors: float16 or float32, by the names that `unify.encoders.export` writes.
        prefixes: one per layer, in order: `0.`, `text.latent.0.`, ...
    """

    def __init__(self, tensors: Tensors, prefixes: Sequence[str]) -> None:
        self._prefixes = prefixes
        self._w = {
            name: np.asarray(tensors[name], np.float32)
            for name in tensors
            if name.startswith(tuple(prefixes))
        }

    def __call__(self, x: Float32, mask: Float32) -> Float32:
        """Run all layers: (B, L, W) states and (B, L) mask, 1 for tokens, to (B, L, W) states."""
        blocked = (mask[:, None, None, :] - 1) * np.float32(1e9)  # (B, 1, 1, L)
        for layer in self._prefixes:
            mixed = self._attention(x, blocked, layer)
            x = layer_norm(x + mixed, *self._pair(f"{layer}attention.norm"))
            hidden = gelu(self._linear(x, f"{layer}up"))
            x = layer_norm(x + self._linear(hidden, f"{layer}down"), *self._pair(f"{layer}norm"))
        return x

    def _pair(self, name: str) -> tuple[Float32, Float32]:
        return self._w[f"{name}.weight"], self._w[f"{name}.bias"]

    def _linear(self, x: Float32, name: str) -> Float32:
        weight, bias = self._pair(name)  # (in, out), (out,)
        flat = x.reshape(-1, x.shape[-1]) @ weight
        return (flat + bias).reshape(*x.shape[:-1], -1)

    def _attention(self, x: Float32, blocked: Float32, layer: str) -> Float32:
        count, length, width = x.shape
        mixed = self._linear(x, f"{layer}attention.in")  # (B, L, 3 * width)
        query, key, value = mixed.reshape(count, length, 3, HEADS, -1).transpose(2, 0, 3, 1, 4)
        scores = query @ key.swapaxes(2, 3) / np.float32(math.sqrt(width / HEADS)) + blocked
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        joined = (scores @ value).transpose(0, 2, 1, 3).reshape(count, length, width)
        return self._linear(joined, f"{layer}attention.out")


class TextTower:
    """A BERT encoder with its tokenizer.

    Args:
        weights: safetensors in float16 with the names that `unify.encoders.export` writes.
        tokenizer: a `tokenizers` JSON file.
        max_tokens: longer texts are cut there, both special tokens counted.
        depth: how many of its layers to run; all by default.
    """

    def __init__(
        self, weights: Path, tokenizer: Path, max_tokens: int, depth: int | None = None
    ) -> None:
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)
        file: Any = safe_open(str(weights), "np")
        # Word vectors are read as needed: a query needs a dozen of 30,522.
        self._words = file.get_slice("words")
        tensors = LazyTensors(file)
        self._positions = np.asarray(tensors["positions"], np.float32)
        self._norm = [np.asarray(tensors[f"norm.{p}"], np.float32) for p in ("weight", "bias")]
        self.depth = 1 + max(int(n.split(".")[0]) for n in tensors if n[0].isdigit())
        self._layers = Layers(
            tensors, [f"{i}." for i in range(self.depth if depth is None else depth)]
        )

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """Return each text's token ids, special tokens included."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]

    def knows(self, word: str) -> bool:
        """Return whether a word is one token."""
        return len(self._tokenizer.encode(word, add_special_tokens=False).ids) == 1

    def states(self, ids: Int64, mask: Float32) -> Float32:
        """Return the last states of a padded batch.

        Args:
            ids: (B, L) token ids.
            mask: (B, L) 1 for tokens, 0 for padding.

        Returns:
            (B, L, W) float32; rows of padding mean nothing.
        """
        distinct, places = np.unique(ids, return_inverse=True)
        words = np.concatenate([self._words[i : i + 1] for i in distinct.tolist()])
        x = words[places.reshape(ids.shape)].astype(np.float32) + self._positions[: ids.shape[1]]
        return self._layers(layer_norm(x, *self._norm), mask)

    def batches(
        self, texts: Sequence[str], size: int
    ) -> Iterator[tuple[list[int], Float32, Float32]]:
        """Yield (rows of `texts`, (B, L, W) states, (B, L) mask), texts of like length together."""
        tokens = self.tokens(texts)
        order = sorted(range(len(tokens)), key=lambda i: len(tokens[i]))
        for start in range(0, len(order), size):
            rows = order[start : start + size]
            length = len(tokens[rows[-1]])
            ids = np.array([tokens[r] + [0] * (length - len(tokens[r])) for r in rows])
            counts = np.array([len(tokens[r]) for r in rows])
            mask = (np.arange(length) < counts[:, None]).astype(np.float32)
            yield rows, self.states(ids, mask), mask

    def encode(self, texts: Sequence[str], batch: int = 16) -> Float32:
        """Return the mean state of each text at unit length, (B, W)."""
        out = np.zeros((len(texts), self._positions.shape[1]), np.float32)
        for rows, states, mask in self.batches(texts, batch):
            total = (states * mask[:, :, None]).sum(axis=1)
            out[rows] = total / np.linalg.norm(total, axis=1, keepdims=True)
        return out


def layer_norm(x: Float32, weight: Float32, bias: Float32) -> Float32:
    """Standardise each row, then scale and shift it: (..., W) to (..., W)."""
    x = x - x.mean(axis=-1, keepdims=True)
    variance = (x * x).mean(axis=-1, keepdims=True)
    return np.asarray(x / np.sqrt(variance + np.float32(EPSILON)) * weight + bias, np.float32)


def gelu(x: Float32) -> Float32:
    """GELU with erf by Abramowitz and Stegun 7.1.26 (absolute error below 1.5e-7)."""
    z = np.abs(x) * np.float32(math.sqrt(0.5))
    t = 1 / (1 + np.float32(0.3275911) * z)
    poly: Any = np.float32(1.061405429)
    for coefficient in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        poly = poly * t + np.float32(coefficient)
    erf = np.copysign(1 - poly * t * np.exp(-z * z), x)
    return np.asarray(np.float32(0.5) * x * (1 + erf), np.float32)
