from __future__ import annotations

import numpy as np
from latents import STRUCTURES, Latents, exact, lines, recall


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
