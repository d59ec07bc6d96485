from __future__ import annotations

from itertools import pairwise

import pytest

from unify.encoders.schedule import (
    SparsityController,
    Stage,
    quadratic_ramp,
    stage_of,
    warmup_cosine,
)

STEPS = 100


def test_the_first_stage_takes_its_share():
    stages = [stage_of(step, STEPS, 0.2) for step in range(STEPS)]
    assert stages == [Stage.GROUND] * 20 + [Stage.JOINT] * 80
    assert stage_of(0, STEPS, 0.0) is Stage.JOINT
    assert stage_of(STEPS - 1, STEPS, 1.0) is Stage.GROUND


def test_the_ramp_rises_to_1_and_stays():
    values = [quadratic_ramp(step, 30) for step in range(STEPS)]
    assert values[0] == 0
    assert values[15] == 0.25
    assert all(a < b for a, b in pairwise(values[:31]))
    assert set(values[30:]) == {1.0}
    assert quadratic_ramp(0, 0) == 1


def test_the_rate_rises_then_falls_and_no_step_is_wasted():
    rates = [warmup_cosine(step, STEPS, 10) for step in range(STEPS)]
    assert min(rates) > 0
    assert rates[9] == rates[10] == max(rates) == 1
    assert all(a < b for a, b in pairwise(rates[:10]))
    assert all(a > b for a, b in pairwise(rates[10:]))
    assert rates[55] == pytest.approx(0.5)
    assert warmup_cosine(STEPS + 5, STEPS, 10) == 0
    assert warmup_cosine(0, STEPS, 0) == 1


def fed(controller: SparsityController, active: float, steps: int) -> float:
    """The strength after steps with one number of terms, and a penalty far below the cap."""
    for _ in range(steps):
        controller.weight(flops=0.01, contrastive=5.0)
        controller.observe(active)
    return controller.strength


def test_strength_follows_the_number_of_terms():
    controller = SparsityController(target=64)
    assert fed(controller, 100, 49) == 0.03, "not before 50 steps"
    assert fed(controller, 100, 1) == pytest.approx(0.033)
    assert fed(controller, 100, 50) == pytest.approx(0.0363)
    assert fed(controller, 20, 150) == pytest.approx(0.03 / 1.1)


def test_the_mean_over_the_steps_counts():
    controller = SparsityController(target=64, every=2)
    controller.observe(0)
    controller.observe(129)
    assert controller.strength > 0.03


def test_the_penalty_never_exceeds_its_share():
    controller = SparsityController(target=64, first=1.0)
    assert controller.weight(flops=2.0, contrastive=5.0) * 2.0 == pytest.approx(0.3 * 5.0)
    assert controller.weight(flops=1.0, contrastive=5.0) == 1.0
    assert controller.weight(flops=0.0, contrastive=5.0) == 1.0
    assert controller.weight(flops=1.0, contrastive=0.0) == 0.0


def test_strength_does_not_wind_up_without_an_effect():
    controller = SparsityController(target=64, every=1, first=1.0)
    for _ in range(200):
        controller.weight(flops=10.0, contrastive=1.0)
        controller.observe(500)
    assert controller.strength == 1.0, "capped: growing would change nothing"
    assert fed(controller, 10, 500) == pytest.approx(0.01), "and it can come back"


def test_a_restored_controller_goes_on_in_the_middle():
    undisturbed, first, second = (SparsityController(target=64) for _ in range(3))
    fed(undisturbed, 80, 120)
    fed(first, 80, 70)
    second.restore(first.state)
    fed(second, 80, 50)
    assert second.state == undisturbed.state


def toy_counts(first: float) -> tuple[list[float], float]:
    """Train 16 videos' weights over 200 terms: active terms of each step, and the last contrast."""
    torch = pytest.importorskip("torch")
    from unify.encoders.losses import contrastive, flops

    torch.manual_seed(0)
    pairs = torch.eye(16, dtype=torch.bool)
    logits = torch.rand(16, 200).requires_grad_()
    texts = torch.nn.functional.normalize(torch.rand(16, 200) ** 4, dim=1)
    optimizer = torch.optim.Adam([logits], lr=0.02)
    controller = SparsityController(target=40, every=5, first=first)
    counts = []
    for step in range(300):
        weights = torch.log1p(torch.relu(logits))
        unit = torch.nn.functional.normalize(weights, dim=1)
        contrast, penalty = contrastive(5 * texts @ unit.T, pairs), flops(weights)
        weight = controller.weight(penalty.item(), contrast.item())
        optimizer.zero_grad()
        (contrast + quadratic_ramp(step, 50) * weight * penalty).backward()
        optimizer.step()
        counts.append((weights > 0).sum(dim=1).float().mean().item())
        controller.observe(counts[-1])
    return counts, contrast.item()


def test_flops_and_controller_bring_the_number_of_terms_down():
    counts, contrast = toy_counts(first=0.1)
    free, _ = toy_counts(first=0.0)
    assert counts[0] == free[0] == 200
    assert counts[-1] < 40 < free[-1], "contrast alone stops short of the target"
    assert contrast < 0.5, "and still each video is found"
