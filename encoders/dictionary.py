"""A vector for each term, from the text tower: what ties the lexicon to meaning."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from unify.engine.types import Float16, Float32

PROMPTS = ("{}", "a photo of {}", "a video of {}", "a person and {}")


def term_vectors(terms: Sequence[str], encode: Callable[[list[str]], Float16]) -> Float32:
    """Return (V, W) unit vectors: the mean over prompts, without what all terms share.

    Normalise, centre, normalise: SpLiCE, arXiv:2402.10376.

    Args:
        terms: the words.
        encode: texts to (T, W) unit vectors.
    """
    texts = [prompt.format(term) for prompt in PROMPTS for term in terms]
    total = encode(texts).astype(np.float32).reshape(len(PROMPTS), len(terms), -1).sum(axis=0)
    total /= np.linalg.norm(total, axis=1, keepdims=True)
    total -= total.mean(axis=0)
    return np.asarray(total / np.linalg.norm(total, axis=1, keepdims=True), np.float32)
