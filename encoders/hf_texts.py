"""Features of very many texts, computed in parts that outlive the process.

A lexicon makes some 37,000 prompts. SigLIP sees its whole context of each, padding included, as
it was trained: 64 tokens where CLIP sees 8. A text tower of its base size encodes some 2 of them a
second on one core of an AMD EPYC, whatever the batch, so that takes hours. Every part is kept on
disk when it is done, and a start after a kill goes on there. It must not know what the texts are,
nor what becomes of their features.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from unify.engine.durable import write_file
from unify.engine.types import Float32

TELL_EVERY_S = 10.0

log = logging.getLogger(__name__)


class KeptTexts:
    """Encodes texts, keeping what each call returned.

    Args:
        folder: for this encoder alone; made when first needed.
        encode: (T,) texts to (T, D) features.
    """

    def __init__(self, folder: Path, encode: Callable[[Sequence[str]], Float32]) -> None:
        self._folder, self._encode = folder, encode

    def __call__(self, texts: Sequence[str]) -> Float32:
        """Encode texts, or read what was kept of the very same call."""
        key = hashlib.sha256(json.dumps(list(texts)).encode()).hexdigest()[:16]
        path = self._folder / f"{key}.npy"
        try:
            kept: Float32 = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError):  # not there, or cut short
            return self._kept(path, self._encode(texts))
        return kept

    def _kept(self, path: Path, features: Float32) -> Float32:
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.tmp")  # processes may encode the same
        write_file(partial, lambda file: np.save(file, features, allow_pickle=False))
        partial.replace(path)
        return features

    def drop(self) -> None:
        """Delete what is kept."""
        shutil.rmtree(self._folder, ignore_errors=True)


class ToldSometimes:
    """Logs how far something is, every so often.

    Args:
        level: of `logging`.
    """

    def __init__(self, level: int) -> None:
        self._level = level
        self._said_s = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        """Say it, unless it was said a moment ago."""
        now_s = time.monotonic()
        if now_s - self._said_s > TELL_EVERY_S:
            self._said_s = now_s
            log.log(self._level, "words of the lexicon: %s of %s texts", f"{done:,}", f"{total:,}")
