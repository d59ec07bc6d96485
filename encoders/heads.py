"""The trained heads in NumPy: tower states to latents and lexicon weights.

The same arithmetic as `model.py`, which trains them, from one file, `heads.safetensors`, of
which each side reads its own part. It must not know towers or files of video.
Sizes: F frames, C frame features, L tokens, W text width, D latent width, V terms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from unify.encoders.minilm import gelu, layer_norm
from unify.engine.types import (
    Calibration,
    EncodedQuery,
    Float32,
    Int64,
    MomentCodes,
    SparseRows,
)

MOMENT_TERMS = 128  # weights kept of a moment
FRAME_TERMS = 16  # of a frame, for the track of when a term shows
QUERY_TERMS = 64
FRAME_CHUNK = 256  # frames whose (V,) weights are held at once
MOMENT_CHUNK = 256  # moments whose (C,) features are
SORT_CHUNK = 32  # frames whose weights are sorted together
BLOCKED = -1e4  # a logit that never wins a maximum; finite, so that 0 times it is 0


class HeadsFile:
    """Reads tensors of `heads.safetensors` as float32."""

    def __init__(self, path: Path) -> None:
        file: Any = safe_open(str(path), "np")
        self._file = file
        self._names = tuple(file.keys())

    def tensor(self, name: str) -> Float32:
        """Return one tensor."""
        return np.asarray(self._file.get_tensor(name), np.float32)

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def below(self, prefix: str) -> dict[str, Float32]:
        """Return the tensors under a prefix, by the rest of their names."""
        names = [name for name in self._names if name.startswith(prefix)]
        return {name.removeprefix(prefix): self.tensor(name) for name in names}

    def number(self, name: str) -> float:
        """Return a tensor of one number."""
        return float(self.tensor(name)[0])

    def calibration(self) -> Calibration:
        """Return the statistics for fusion and thresholds."""
        return Calibration(
            latent_mean=self.tensor("calibration.latent_mean"),
            latent_cov=self.tensor("calibration.latent_cov"),
            term_mean=self.tensor("calibration.term_mean"),
            term_var=self.tensor("calibration.term_var"),
            sd_latent_floor=self.number("calibration.sd_latent_floor"),
            sd_lexicon_floor=self.number("calibration.sd_lexicon_floor"),
            lexicon_weight=self.number("calibration.lexicon_weight"),
            shows=self.number("calibration.shows"),
            weak=self.number("calibration.weak"),
        )


def save_heads(
    path: Path, tensors: Mapping[str, np.ndarray], calibration: Calibration | None = None
) -> None:
    """Write `heads.safetensors`: matrices as float16, vectors and statistics as float32."""
    out = {
        name: np.ascontiguousarray(
            np.atleast_1d(tensor), np.float16 if tensor.ndim > 1 else np.float32
        )
        for name, tensor in tensors.items()
    }
    for name, value in asdict(calibration).items() if calibration else ():
        out[f"calibration.{name}"] = np.atleast_1d(np.asarray(value, np.float32))
    save_file(out, path)
    path.chmod(0o644)  # safetensors makes files that their owner alone can read


class Projection:
    """Standardise, then a linear map plus a one-layer ReLU network beside it."""

    def __init__(self, file: HeadsFile, name: str) -> None:
        self._mean = file.tensor(f"{name}.mean")
        self._scale = file.tensor(f"{name}.scale")
        self._direct = file.tensor(f"{name}.direct.weight").T
        self._bias = file.tensor(f"{name}.direct.bias")
        self._up = file.tensor(f"{name}.up.weight").T
        self._up_bias = file.tensor(f"{name}.up.bias")
        self._down = file.tensor(f"{name}.down.weight").T

    def __call__(self, x: Float32) -> Float32:
        """(rows, inputs) to (rows, outputs)."""
        x = (x - self._mean) * self._scale
        hidden = np.maximum(x @ self._up + self._up_bias, 0)
        return np.asarray(x @ self._direct + self._bias + hidden @ self._down, np.float32)


class Transform:
    """Dense, GELU, LayerNorm: a masked language model's states before its word vectors."""

    def __init__(self, file: HeadsFile, name: str) -> None:
        self._dense = file.tensor(f"{name}.dense.weight").T
        self._bias = file.tensor(f"{name}.dense.bias")
        self._norm = file.tensor(f"{name}.norm.weight"), file.tensor(f"{name}.norm.bias")

    def __call__(self, x: Float32) -> Float32:
        """(rows, W) to (rows, W)."""
        return layer_norm(gelu(x @ self._dense + self._bias), *self._norm)


class TextHead:
    """States of a sentence to a query.

    Attributes:
        cosine: whether logits are cosines with the dictionary, of unit states; else they are a
            masked language model's, of the tokens' states as they are.
    """

    def __init__(self, file: HeadsFile) -> None:
        self._latent = Projection(file, "text_latent")
        self.cosine = "text_lexicon.dense.weight" not in file
        self._lexicon = (Projection if self.cosine else Transform)(file, "text_lexicon")
        self._dictionary = file.tensor("dictionary")
        self._scale = file.number("text_scale")
        self._bias = file.tensor("text_bias")
        self._own = file.tensor("own")

    def encode(self, latent: Float32, voters: Float32, own: list[int]) -> EncodedQuery:
        """Encode one query: its own words always, then what they bring to mind.

        Args:
            latent: (W,) unit vector of the sentence, of the latent branch.
            voters: (L + 1, W) unit vectors of the sentence and of its tokens, of the lexicon
                branch, or (L, W) the tokens' states where logits are no cosines; each term gets
                its largest logit over them.
            own: terms that stand in the text.
        """
        states = self._lexicon(voters)
        states = unit(states) if self.cosine else states
        logits = (self._dictionary @ states.T).max(axis=1, initial=BLOCKED)  # (V,)
        weights = activate(self._scale * logits + self._bias)
        weights[own] += self._own[own]
        first = np.zeros(len(weights), bool)
        first[own] = True
        order = np.lexsort((np.arange(len(weights)), -weights, ~first))[:QUERY_TERMS]
        terms = np.sort(order[weights[order] > 0])
        found = unit(self._latent(latent[None]))[0]
        return EncodedQuery(found, terms.astype(np.uint16), weights[terms])


class VideoHead:
    """Frame features to moments."""

    def __init__(self, file: HeadsFile) -> None:
        self._latent = Projection(file, "video_latent")
        speaks = "video_lexicon.transform.dense.weight" in file
        self._lexicon = Projection(file, f"video_lexicon{'.projection' if speaks else ''}")
        self._words = Transform(file, "video_lexicon.transform") if speaks else unit
        self._dictionary = file.tensor("dictionary").T
        self._scale = file.number("video_scale")
        self._bias = file.tensor("video_bias")

    def encode(self, features: Float32, spans: Int64) -> MomentCodes:
        """Encode moments of one video; see `VideoEncoder.encode_moments`."""
        parts = [spans[i : i + MOMENT_CHUNK] for i in range(0, len(spans), MOMENT_CHUNK)]
        latents = np.concatenate([self._latents(features, part) for part in parts])
        moments, tracks = pooled_rows(features, spans, self._weights)
        return MomentCodes(latents, moments, tracks)

    def _latents(self, features: Float32, spans: Int64) -> Float32:
        means = np.stack([features[first:last].mean(axis=0) for first, last in spans.tolist()])
        return unit(self._latent(means))

    def _weights(self, features: Float32) -> Float32:
        """Frames (F, C) to weights (F, V)."""
        states = self._words(self._lexicon(features))
        logits = states @ self._dictionary
        logits *= self._scale
        logits += self._bias
        return activate(logits)


def pooled_rows(
    features: Float32, spans: Int64, weigh: Callable[[Float32], Float32]
) -> tuple[SparseRows, SparseRows]:
    """Return rows of moments, each term at its largest in any frame, and of frames, at unit length.

    Frames go by once; of a moment that has begun, the largest weights so far are kept.

    Args:
        features: (F, C).
        spans: (M, 2) first and one-past-last frame of each moment.
        weigh: some frames (rows, C) to weights (rows, V) of its own.
    """
    begun: dict[int, Float32] = {}
    moments: dict[int, SparseRows] = {}
    tracks: list[SparseRows] = []
    for start in range(0, len(features), FRAME_CHUNK):
        weights = weigh(features[start : start + FRAME_CHUNK])
        stop = start + len(weights)
        here = np.flatnonzero((spans[:, 0] < stop) & (spans[:, 1] > start))
        for i, (first, last) in zip(here.tolist(), spans[here].tolist(), strict=True):
            best = weights[max(0, first - start) : last - start].max(axis=0)
            if first < start:
                best = np.maximum(best, begun.pop(i))
            if last <= stop:
                moments[i] = SparseRows.from_dense(best[None], MOMENT_TERMS)
            else:
                begun[i] = best
        # On the scale of a moment of this one frame, so that `shows` means the same.
        weights /= lengths(_largest(weights, MOMENT_TERMS))[:, None]
        tracks.append(_largest(weights, FRAME_TERMS))
    rows = SparseRows.concatenate(moments[i] for i in range(len(spans)))
    return normalised(rows), SparseRows.concatenate(tracks)


def activate(logits: Float32) -> Float32:
    """Turn logits into weights: log(1 + ReLU), SPLADE, arXiv:2107.05720, equation 1."""
    weights = np.maximum(logits, 0)
    return np.log1p(weights, out=weights)


def _largest(weights: Float32, top: int) -> SparseRows:
    """Do `SparseRows.from_dense`, some rows at a time: sorting takes 12 bytes for each of 4."""
    parts = [weights[i : i + SORT_CHUNK] for i in range(0, len(weights), SORT_CHUNK)]
    return SparseRows.concatenate(SparseRows.from_dense(part, top) for part in parts)


def normalised(rows: SparseRows) -> SparseRows:
    """Scale sparse rows to unit length, as training compares them; empty rows stay empty."""
    scale = np.repeat(lengths(rows), np.diff(rows.indptr))
    return SparseRows(rows.indptr, rows.terms, np.asarray(rows.weights / scale, np.float32))


def lengths(rows: SparseRows) -> Float32:
    """Return (rows,) Euclidean lengths, at least 1e-6."""
    row_of = np.repeat(np.arange(len(rows)), np.diff(rows.indptr))
    squares = np.bincount(row_of, rows.weights.astype(np.float64) ** 2, minlength=len(rows))
    return np.asarray(np.maximum(np.sqrt(squares), 1e-6), np.float32)


def unit(rows: Float32) -> Float32:
    """Scale rows to unit length."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-12), np.float32)
