"""Structures for latents: recall, and what was kept of another pack."""

from __future__ import annotations

import numpy as np
import pytest
from latent_sets import Latents, real, synthetic
from latents import STRUCTURES, exact, lines, recall

from unify.engine.errors import UsageError


def few(count: int) -> Latents:
    drawn = np.random.default_rng(0).standard_normal((count, 32)).astype(np.float32)
    vectors = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return Latents("few", vectors.astype(np.float16), vectors[:5])


def test_exact_puts_a_vector_before_all_others():
    assert exact(few(300))[:, 0].tolist() == [0, 1, 2, 3, 4]


def test_recall_is_the_share_found():
    right = np.array([[1, 2, 3, 4]])
    assert recall([np.array([4, 1, 9, 8])], right, 4) == 0.5
    assert recall([np.array([4, 1, 9, 8])], right, 2) == 0.5


def test_every_structure_is_measured():
    made = list(lines(few(2000), STRUCTURES))
    flat = [cell.strip() for cell in made[0].split("|")]
    assert flat[1:3] == ["few", "Flat fp16"]
    assert flat[-3:-1] == ["1.000", "1.000"]
    assert {line.split("|")[2].strip() for line in made} == set(STRUCTURES)


def test_synthetic_latents_are_those_of_the_library():
    made = synthetic(100, 5)
    assert made.vectors.shape == (100, 512)
    assert made.queries.shape == (5, 512)


def test_what_was_kept_of_another_pack_is_refused(tmp_path):
    keep = tmp_path / "kept.npz"
    np.savez(keep, latents=np.zeros((2, 4)), queries=np.zeros((1, 4)), pack=np.array("other"))
    with pytest.raises(UsageError, match="another pack"):
        real([], "mini", keep)
    with pytest.raises(UsageError, match="--real"):
        real([], "mini", None)
