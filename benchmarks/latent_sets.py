"""Latents to find, and queries for them: synthetic, of real pictures, or drawn after these.

It must not know what they are stored in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from workload import SHAPES, Workload

from unify.encoders.datasets import read_dataset
from unify.encoders.packs import open_pack
from unify.engine.errors import UsageError

SEED = 2024
BLOCK = 16_384


@dataclass(frozen=True, slots=True)
class Latents:
    """Vectors to find, (M, D) float16, and (Q, D) float32 queries."""

    name: str
    vectors: np.ndarray
    queries: np.ndarray


def synthetic(count: int, queries: int) -> Latents:
    """Take moments and queries of the synthetic library."""
    workload = Workload(SHAPES["topics"], SEED)
    vectors = [block.latents.astype(np.float16) for block in workload.blocks(count)]
    asked = [q.latent for q in workload.queries(queries) if q.latent is not None]
    return Latents(f"synthetic {count:,}", np.concatenate(vectors), np.stack(asked))


def real(folders: Sequence[Path], pack_name: str, keep: Path | None) -> Latents:
    """Encode every picture of data sets by itself, and one caption of each item.

    Args:
        folders: of the data sets.
        pack_name: that encodes.
        keep: where to write the result, or to read it where it is there.

    Raises:
        UsageError: what was kept is of another pack, or there is nothing to encode.
    """
    pack = open_pack(pack_name)
    if keep and keep.exists():
        with np.load(keep, allow_pickle=False) as found:
            if "pack" not in found or str(found["pack"]) != pack.fingerprint:
                raise UsageError(f"{keep} is of another pack than {pack_name}", "remove it")
            return _named(found["latents"], found["queries"])
    vectors, texts = [], []
    for folder in folders:
        data = read_dataset(folder)
        for item, frames in data.frames(data.items, pack.frame_shape, data.frame_count):
            each = np.arange(len(frames))
            spans = np.stack([each, each + 1], axis=1)
            vectors.append(pack.encode_moments(pack.encode_frames(frames), spans).latents)
            texts.append(item.captions[0])
    if not vectors:
        raise UsageError("no picture to encode", "name data sets with --real FOLDER")
    encoded = [query.latent for query in pack.encode_queries(texts)]
    latents, queries = np.concatenate(vectors), np.stack([q for q in encoded if q is not None])
    if keep:
        np.savez(keep, latents=latents, queries=queries, pack=np.array(pack.fingerprint))
    return _named(latents, queries)


def _named(latents: np.ndarray, queries: np.ndarray) -> Latents:
    vectors = latents.astype(np.float16)
    return Latents(f"real {len(vectors):,}", vectors, queries.astype(np.float32))


def normal(found: Latents, count: int) -> Latents:
    """Draw vectors with the mean and the covariance of others; the queries stay."""
    vectors = found.vectors.astype(np.float32)
    mean, covariance = vectors.mean(axis=0), np.cov(vectors.T)
    energy, axes = np.linalg.eigh(covariance)
    spread = ((axes * np.sqrt(np.maximum(energy, 0))).T).astype(np.float32)
    rng = np.random.default_rng(SEED)
    parts = []
    for at in range(0, count, BLOCK):
        noise = rng.standard_normal((min(BLOCK, count - at), len(mean)), np.float32)
        drawn = noise @ spread + mean
        drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
        parts.append(drawn.astype(np.float16))
    return Latents(f"normal {count:,}", np.concatenate(parts), found.queries)
