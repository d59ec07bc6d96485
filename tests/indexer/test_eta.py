from __future__ import annotations

import random

import numpy as np
import pytest

from unify.indexer.eta import Remaining

MB = 1 << 20


def run(sizes: list[int], costs: list[float], tick_s: float = 0.5) -> list[tuple[float, float]]:
    """Play a build; return (true seconds left, estimated seconds left) at every tick."""
    remaining = Remaining(sizes)
    total, now, seen = sum(costs), 0.0, []
    for size, cost in zip(sizes, costs, strict=True):
        spent = 0.0
        while spent < cost:
            step = min(tick_s, cost - spent)
            spent, now = spent + step, now + step
            left = remaining.estimate_s(spent / cost, size, spent, step)
            seen.append((total - now, left))
        remaining.finished(size, cost)
    return seen


def mixed(seed: int, noise: float) -> tuple[list[int], list[float]]:
    """Many small clips and a few long videos, in any order; 0.3 s each and 0.15 s a MB."""
    rng = random.Random(seed)
    sizes = [rng.randint(50_000, 500_000) for _ in range(400)]
    sizes += [rng.randint(50, 400) * MB for _ in range(20)]
    rng.shuffle(sizes)
    costs = [(0.3 + 0.15 * size / MB) * rng.lognormvariate(0, noise) for size in sizes]
    return sizes, costs


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_it_is_near_and_steady_for_mixed_files(seed, noise):
    seen = np.array(run(*mixed(seed, noise)))
    true, told = seen[len(seen) // 5 :].T
    assert (np.abs(told - true) < 0.25 * true + 5).mean() > 0.95
    rises = np.diff(told)
    assert rises.max() < 0.02 * told[0] + 2, "it jumps"
    assert (rises <= 0).mean() > (0.9 if noise == 0 else 0.7), "it does not fall"


def test_small_files_first_do_not_mislead_about_their_number():
    sizes = [100_000] * 300 + [200 * MB] * 10
    costs = [0.3 + 0.15 * size / MB for size in sizes]
    seen = run(sizes, costs)
    for true, told in seen[len(seen) // 2 :]:
        assert told == pytest.approx(true, rel=0.1, abs=5)


def test_one_long_video_falls_from_the_start():
    seen = run([1600 * MB], [240.0])
    for true, told in seen[10:]:
        assert told == pytest.approx(true, rel=0.05, abs=1)
    assert max(np.diff([told for _, told in seen[5:]])) <= 0


def test_nothing_left_takes_no_time():
    remaining = Remaining([5])
    remaining.finished(5, 1.0)
    assert remaining.estimate_s(0.0, 0, 0.0, 0.0) == 0.0
    assert Remaining([]).estimate_s(0.0, 0, 0.0, 1.0) == 0.0


def test_empty_files_cost_something_too():
    seen = run([0] * 50, [0.2] * 50, tick_s=0.1)
    assert seen[-1][1] < 1
    assert all(np.isfinite(told) for _, told in seen)
