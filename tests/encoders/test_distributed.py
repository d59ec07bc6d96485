"""Two processes under torch's launcher against one with the joint batch.

The launcher starts this file itself, which then runs `work`.
"""

from __future__ import annotations

import gc
import sys
import time
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import load_file, save_file  # noqa: E402
from torch import nn  # noqa: E402

from tests.encoders.processes import on_two_processes  # noqa: E402
from unify.encoders.checkpoint import Position, Run, restore, save  # noqa: E402
from unify.encoders.distributed import ALONE, Group, joined, shard  # noqa: E402
from unify.encoders.losses import (  # noqa: E402
    contrastive,
    dictionary_pull,
    distillation,
    duplicates,
    flops,
)
from unify.engine.errors import UsageError  # noqa: E402

ITEMS, WIDTH, TERMS = 12, 6, 20


class Toy(nn.Module):
    """Both sides and both branches; a dictionary and a temperature that losses use directly."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.text, self.video = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.dictionary = nn.Parameter(torch.randn(TERMS, WIDTH))
        self.temperature = nn.Parameter(torch.tensor(1.0))

    def forward(self, texts, videos):
        return [
            (side(x), torch.log1p(torch.relu(side(x) @ self.dictionary.T)))
            for side, x in ((self.text, texts), (self.video, videos))
        ]


def items() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {
        "texts": torch.randn(ITEMS, WIDTH, generator=generator),
        "videos": torch.randn(ITEMS, WIDTH, generator=generator),
        "names": torch.arange(ITEMS) // 2 * 3,  # pairs of captions of one video
        "captions": torch.arange(ITEMS) % 7,
    }


def global_loss(group: Group, encode: nn.Module, model: Toy, batch: dict[str, torch.Tensor]):
    """Every kind of part: gathered rows, and parameters that are used directly."""
    (text, words), (video, weights) = encode(batch["texts"], batch["videos"])
    positives = duplicates(group.gather(batch["names"]), group.gather(batch["captions"]))
    scale = model.temperature.exp()
    latent = scale * group.gather(text) @ group.gather(video).T
    lexicon = scale * group.gather(words) @ group.gather(weights).T
    return (
        contrastive(latent, positives)
        + contrastive(lexicon, positives)
        + distillation(latent, lexicon)
        + flops(group.gather(words))
        + 0.1 * dictionary_pull(model.dictionary, torch.zeros(TERMS, WIDTH))
    )


def shard_of(group: Group) -> dict[str, torch.Tensor]:
    mine = torch.from_numpy(shard(np.arange(ITEMS), group.rank, group.size))
    return {name: tensor[mine] for name, tensor in items().items()}


def work(folder: Path) -> None:
    """What each process does: save the loss, and the gradients as both ways of averaging find."""
    with joined() as group:
        found = backward(group, wrap=False) | backward(group, wrap=True)
        gc.collect()  # the wrapper is in a cycle, and holds the connections that now close
        found["bools"] = group.gather(torch.tensor([group.rank == 1, True]))
        found["halves"] = group.gather(torch.full((1,), group.rank + 0.5, dtype=torch.bfloat16))
        found |= go_on_after_a_checkpoint(folder, group)
        found["waited"] = wait_for_the_main_one(folder, group)
        save_file(found, folder / f"rank-{group.rank}.safetensors")


def backward(group: Group, *, wrap: bool) -> dict[str, torch.Tensor]:
    """The loss and the gradients of this process, by our averaging or by torch's wrapper."""
    model = Toy()
    encode = nn.parallel.DistributedDataParallel(model) if wrap else model
    loss = global_loss(group, encode, model, shard_of(group))
    loss.backward()
    if not wrap:
        group.average_gradients(model.parameters())
    way = "wrapped" if wrap else "own"
    found = {f"{way}.{name}": p.grad for name, p in model.named_parameters()}
    return {name: tensor.clone() for name, tensor in found.items()} | {f"{way}.loss": loss.detach()}


def go_on_after_a_checkpoint(folder: Path, group: Group) -> dict[str, torch.Tensor]:
    """Numbers that this process's own generators give after saving, and after restoring."""
    run = new_run(group)
    torch.manual_seed(group.rank)
    save(folder, run, Position(1, 7))
    after = torch.rand(4)
    assert restore(folder, run) == Position(1, 7)
    return {"drawn": after, "drawn_again": torch.rand(4)}


def wait_for_the_main_one(folder: Path, group: Group) -> torch.Tensor:
    """Whether this process finds what the main one takes its time to write."""
    with group.main_first():
        found = (folder / "prepared").exists()
        if group.is_main:
            time.sleep(0.5)
            (folder / "prepared").touch()
    return torch.tensor(found)


def new_run(group: Group) -> Run:
    model = Toy()
    return Run(
        config={},
        model=model,
        optimizer=torch.optim.AdamW(model.parameters()),
        group=group,
    )


@pytest.fixture(scope="module")
def two(tmp_path_factory) -> Path:
    """The folder in which two processes left what they found."""
    folder = tmp_path_factory.mktemp("two")
    on_two_processes(__file__, folder)
    return folder


@pytest.mark.parametrize("rank", [0, 1])
@pytest.mark.parametrize("way", ["own", "wrapped"])
def test_loss_and_gradients_are_those_of_one_process_with_the_joint_batch(two, way, rank):
    model = Toy()
    loss = global_loss(ALONE, model, model, items())
    loss.backward()
    found = load_file(two / f"rank-{rank}.safetensors")
    assert found[f"{way}.loss"].item() == pytest.approx(loss.item(), abs=1e-5)
    for name, parameter in model.named_parameters():
        assert parameter.grad.abs().max() > 1e-3, "or there is nothing to compare"
        assert (found[f"{way}.{name}"] - parameter.grad).abs().max() < 1e-5, name


def test_rows_come_rank_by_rank_whatever_their_type(two):
    for rank in (0, 1):
        found = load_file(two / f"rank-{rank}.safetensors")
        assert found["bools"].tolist() == [False, True, True, True]
        assert found["halves"].tolist() == [0.5, 1.5]


def test_each_process_goes_on_with_its_own_generators(two):
    first, second = (load_file(two / f"rank-{rank}.safetensors") for rank in (0, 1))
    for found in (first, second):
        assert torch.equal(found["drawn"], found["drawn_again"])
    assert not (first["drawn"] == second["drawn"]).any()


def test_the_others_wait_for_what_the_main_one_prepares(two):
    found = [bool(load_file(two / f"rank-{rank}.safetensors")["waited"]) for rank in (0, 1)]
    assert found == [False, True]


def test_another_number_of_processes_cannot_go_on(two):
    with pytest.raises(UsageError, match="on 2 processes, not 1"):
        restore(two, new_run(ALONE))


def test_shards_make_the_batches_of_one_process():
    order = np.random.default_rng(0).permutation(50)
    shards = [shard(order, rank, 3) for rank in range(3)]
    assert [len(part) for part in shards] == [16, 16, 16]
    for start in range(0, 16, 4):
        joint = np.concatenate([part[start : start + 4] for part in shards])
        assert sorted(joint) == sorted(order[3 * start : 3 * start + 12])


def test_alone_nothing_is_exchanged():
    rows = torch.ones(2, 3, requires_grad=True)
    assert ALONE.gather(rows) is rows
    ALONE.average_gradients([nn.Parameter(rows)])
    ALONE.barrier()
    with ALONE.main_first():
        pass
    assert ALONE.is_main


def test_without_a_launcher_a_process_is_alone(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    with joined() as group:
        assert (group.rank, group.size) == (0, 1)


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"WORLD_SIZE": "2"}, "without RANK or LOCAL_RANK"),
        ({"WORLD_SIZE": "two", "RANK": "0", "LOCAL_RANK": "0"}, "WORLD_SIZE is 'two'"),
    ],
)
def test_half_an_environment_is_told(monkeypatch, environment, told):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=told), joined():
        pass


if __name__ == "__main__":
    work(Path(sys.argv[1]))
