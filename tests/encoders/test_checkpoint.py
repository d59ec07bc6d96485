from __future__ import annotations

import json
import logging
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from unify.encoders import checkpoint, curves  # noqa: E402
from unify.encoders.checkpoint import Position, Run, restore, save  # noqa: E402
from unify.encoders.distributed import ALONE  # noqa: E402
from unify.encoders.schedule import (  # noqa: E402
    SparsityController,
    Stage,
    stage_of,
    warmup_cosine,
)
from unify.engine import durable  # noqa: E402
from unify.engine.errors import UsageError  # noqa: E402

CONFIG = {"batch": 8, "rate": 0.01, "betas": (0.9, 0.98), "data": "ab12"}
EPOCHS, STEPS = 6, 4  # and steps of an epoch


class Toy(nn.Module):
    """Two sides with dropout, a buffer that moves, and a tied tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.text = nn.Linear(5, 7)
        self.video = nn.Sequential(nn.Linear(5, 7), nn.BatchNorm1d(7), nn.Dropout(0.3))
        self.scale = nn.Parameter(torch.tensor(1.0))
        self.tied = self.text.weight

    def forward(self, x):
        return (self.scale * self.text(x) - self.video(x)).square().mean()


def new_run(seed: int = 0, **config: object) -> Run:
    torch.manual_seed(seed)
    model = Toy()
    groups = [
        {"params": list(model.text.parameters()), "lr": 0.001},
        {"params": [*model.video.parameters(), model.scale], "lr": 0.01, "weight_decay": 0.0},
    ]
    return Run(
        config=CONFIG | config,
        model=model,
        optimizer=torch.optim.AdamW(groups, betas=(0.9, 0.98)),
        average=deepcopy(model),
        controllers={"video": SparsityController(target=3, every=3)},
    )


class Killed(Exception):
    pass


def one_step(run: Run, step: int) -> dict[str, float]:
    frozen = stage_of(step, EPOCHS * STEPS, 0.25) is Stage.GROUND
    for parameter in run.model.text.parameters():
        parameter.requires_grad_(not frozen)
    for group, top in zip(run.optimizer.param_groups, (0.001, 0.01), strict=True):
        group["lr"] = top * warmup_cosine(step, EPOCHS * STEPS, 3)
    loss = run.model(torch.randn(8, 5))
    run.optimizer.zero_grad()
    loss.backward()
    run.optimizer.step()
    with torch.no_grad():
        for mean, current in zip(run.average.parameters(), run.model.parameters(), strict=True):
            mean.lerp_(current, 0.1)
    run.controllers["video"].observe(4)
    strength = run.controllers["video"].strength
    return {"loss/all": loss.item(), "lr/text": run.optimizer.param_groups[0]["lr"], "s": strength}


def train(folder: Path, run: Run, killed_at: int = -1) -> None:
    """A training loop as a real one: resume, cut the curve back, a checkpoint an epoch."""
    start = restore(folder, run) or Position(0, 0)
    curves.cut_back(folder / "metrics.jsonl", start.step)
    step = start.step
    for epoch in range(start.epoch, EPOCHS):
        for _ in range(STEPS):
            if step == killed_at:
                raise Killed
            values = one_step(run, step)
            step += 1
            curves.append(folder / "metrics.jsonl", step, values)
        save(folder, run, Position(epoch + 1, step))


def saved_twice(folder: Path) -> Run:
    """A run with checkpoints at steps 1 and 2."""
    run = new_run()
    for step in (1, 2):
        one_step(run, 20)
        save(folder, run, Position(0, step))
    return run


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("killed_at", [12, 14, 3])  # after 3 epochs; in the next; before any
def test_a_killed_and_resumed_run_is_the_undisturbed_one_bit_for_bit(tmp_path, killed_at):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    undisturbed = new_run()
    train(whole, undisturbed)
    with pytest.raises(Killed):
        train(broken, new_run(), killed_at)
    # Other first weights and generators, unless there is nothing to resume.
    resumed = new_run(seed=9 if killed_at > STEPS else 0)
    train(broken, resumed)
    curve = (whole / "metrics.jsonl").read_bytes()
    assert len(curve.splitlines()) == EPOCHS * STEPS
    assert (broken / "metrics.jsonl").read_bytes() == curve
    for side in ("model", "average"):
        expected = getattr(undisturbed, side).state_dict()
        found = getattr(resumed, side).state_dict()
        assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert files(whole) == files(broken)


def test_everything_comes_back(tmp_path):
    run = saved_twice(tmp_path)
    drawn = torch.rand(3)
    other = new_run(seed=5)
    assert restore(tmp_path, other) == Position(0, 2)
    assert torch.equal(torch.rand(3), drawn)
    then, now = run.optimizer.state_dict(), other.optimizer.state_dict()
    assert [g["lr"] for g in now["param_groups"]] == [g["lr"] for g in then["param_groups"]]
    assert now["state"].keys() == then["state"].keys()
    for number, values in then["state"].items():
        assert all(torch.equal(now["state"][number][name], t) for name, t in values.items())
    assert other.controllers["video"].state == run.controllers["video"].state
    assert torch.equal(other.model.video[1].running_mean, run.model.video[1].running_mean)


def test_nothing_to_resume(tmp_path):
    assert restore(tmp_path, new_run()) is None


def test_the_last_two_are_kept(tmp_path):
    run = new_run()
    for step in (1, 2, 3, 10):
        save(tmp_path, run, Position(0, step))
    names = [f"checkpoint-{step:09d}.safetensors" for step in (3, 10)]
    assert files(tmp_path) == names


def test_another_config_is_refused_in_one_line(tmp_path):
    saved_twice(tmp_path)
    other = new_run(batch=16, share="stem")
    before = deepcopy(other.model.state_dict())
    with pytest.raises(UsageError) as caught:
        restore(tmp_path, other)
    line = str(caught.value)
    assert "batch was 8 and is 16, share was None and is stem" in line
    assert "betas" not in line
    assert "\n" not in line
    assert all(torch.equal(before[n], t) for n, t in other.model.state_dict().items())


def test_another_format_is_refused(tmp_path, monkeypatch):
    saved_twice(tmp_path)
    monkeypatch.setattr(checkpoint, "FORMAT", 99)
    with pytest.raises(UsageError, match=r"has format 2, not 99; go on with the same, or train"):
        restore(tmp_path, new_run())


def test_another_model_is_refused_in_one_line(tmp_path):
    saved_twice(tmp_path)
    other = new_run()
    other.model.text = nn.Linear(5, 8)
    with pytest.raises(UsageError, match="is of another model") as caught:
        restore(tmp_path, other)
    assert "\n" not in str(caught.value)


def test_without_an_average(tmp_path):
    run = replace(new_run(), average=None)
    save(tmp_path, run, Position(1, 4))
    assert restore(tmp_path, run) == Position(1, 4)


def test_a_damaged_checkpoint_is_told_and_the_one_before_is_used(tmp_path, caplog):
    saved_twice(tmp_path)
    newest = sorted(tmp_path.glob("*.safetensors"))[-1]
    whole = newest.read_bytes()
    run = new_run()
    cut = [whole[:length] for length in (0, 5, 100, len(whole) // 2, len(whole) - 1)]
    flipped = [
        whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(0, len(whole), 211)
    ]
    for damaged in [*cut, *flipped, whole + b"x"]:
        newest.write_bytes(damaged)
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            assert restore(tmp_path, run) == Position(0, 1)
        assert newest.name in caplog.text
    newest.write_bytes(whole)
    assert restore(tmp_path, run) == Position(0, 2)


def test_all_damaged_is_an_error_and_not_a_fresh_start(tmp_path):
    saved_twice(tmp_path)
    for path in tmp_path.glob("*.safetensors"):
        path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(UsageError, match=r"every checkpoint in .* is damaged"):
        restore(tmp_path, new_run())


def test_one_of_several_processes_tells_of_damage(tmp_path, caplog):
    saved_twice(tmp_path)
    for path in tmp_path.glob("*.safetensors"):
        path.write_bytes(b"")
    for rank, told in ((1, 0), (0, 2)):
        caplog.clear()
        with pytest.raises(UsageError):
            restore(tmp_path, replace(new_run(), group=replace(ALONE, rank=rank)))
        assert len(caplog.records) == told


def test_after_damage_the_run_goes_on_from_the_whole_one(tmp_path):
    run = saved_twice(tmp_path)
    damaged = sorted(tmp_path.glob("*.safetensors"))[-1]
    damaged.write_bytes(b"")
    assert restore(tmp_path, run) == Position(0, 1)
    # A later step was damaged; the next checkpoint may come before it, and must count.
    damaged.rename(tmp_path / "checkpoint-000000009.safetensors")
    save(tmp_path, run, Position(0, 2))
    assert restore(tmp_path, run) == Position(0, 2)
    assert files(tmp_path) == [f"checkpoint-{step:09d}.safetensors" for step in (1, 2)]


def test_a_crash_while_writing_leaves_the_one_before(tmp_path, monkeypatch):
    run = saved_twice(tmp_path)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(durable.os, "replace", crash)
        save(tmp_path, run, Position(0, 3))
    assert any(name.endswith(".tmp") for name in files(tmp_path))
    assert restore(tmp_path, run) == Position(0, 2)
    save(tmp_path, run, Position(0, 4))
    assert files(tmp_path) == [f"checkpoint-{step:09d}.safetensors" for step in (2, 4)]


def test_a_checkpoint_is_safetensors_and_json(tmp_path):
    saved_twice(tmp_path)
    from safetensors import safe_open

    with safe_open(sorted(tmp_path.iterdir())[-1], framework="np") as file:
        record = json.loads(file.metadata()["run"])
        names = set(file.keys())
    assert record["position"] == {"epoch": 0, "step": 2}
    assert record["config"]["betas"] == [0.9, 0.98]
    assert {"model.scale", "average.scale", "optimizer.0.exp_avg", "random.torch"} <= names
