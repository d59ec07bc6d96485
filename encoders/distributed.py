"""Training on several processes, each with a shard of every batch, under torch's own launcher.

    torchrun --nproc-per-node 4 ...

Contrastive losses compare each item with all others of a batch, so the processes exchange what
they encoded. The rule that makes gradients right, whatever the loss:

    Every process computes the *same* loss, of the global batch. `Group.gather` passes gradient
    to the process's own rows alone, multiplied by the number of processes n. The mean over
    processes (of `Group.average_gradients`, or of DistributedDataParallel) divides by n again:

        mean_r( n * dL/drows_r * drows_r/dp ) = sum_r dL/drows_r * drows_r/dp = dL/dp

    A parameter that the loss uses directly (a temperature, the dictionary) has the whole
    gradient on every process, and the mean leaves it as it is.

So a run on n processes with batch b each is a run on one with batch n * b, but for dropout and
rounding; rates are not to be scaled. All processes must make the same first weights, so seed them
alike; for other dropout on each, seed by rank afterwards. It must not know models, data or losses.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor
from torch import distributed as dist

from unify.engine.errors import UsageError
from unify.engine.types import Int64

PATIENCE = timedelta(minutes=10)  # how long one process waits for the others in a step
PREPARING = timedelta(days=7)  # how long the others wait for what the main one prepares


@dataclass(frozen=True, slots=True)
class Group:
    """The processes that train one model together, seen from one of them.

    Attributes:
        rank: this process, from 0.
        size: number of processes; with 1, every method is a local no-op.
        device: where this process computes.
    """

    rank: int
    size: int
    device: torch.device

    @property
    def is_main(self) -> bool:
        """Whether this process writes files and logs for all."""
        return self.rank == 0

    def gather(self, rows: Tensor) -> Tensor:
        """Return the rows of all processes, rank by rank.

        Gradient reaches this process's rows alone, times `size` (see the module's rule).

        Args:
            rows: (B, ...) on `device`, of the same shape and type on every process.

        Returns:
            (size * B, ...).
        """
        if self.size == 1:
            return rows
        gathered: Tensor = _Gather.apply(rows, self.rank, self.size)  # type: ignore[no-untyped-call]
        return gathered

    def average_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Replace each gradient by its mean over all processes; call after `backward`.

        In one message, for models with several entry points, which DistributedDataParallel does
        not wrap. All processes must have gradients for the same parameters, as they do when they
        compute the same loss.
        """
        gradients = [p.grad for p in parameters if p.grad is not None]
        if self.size == 1 or not gradients:
            return
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        dist.all_reduce(flat)
        parts = torch.split(flat / self.size, [gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def barrier(self) -> None:
        """Wait until every process is here."""
        if self.size > 1:
            dist.barrier()

    @contextmanager
    def main_first(self) -> Iterator[None]:
        """Let the main process through a block first, and then all others at once.

        For what one process computes and leaves in files (seen by all) where the others find it.
        If it fails there, the others fail too. All processes must come here.
        """
        if self.size == 1:
            yield
            return
        waiting = dist.new_group(backend="gloo", timeout=PREPARING)  # with a patience of its own
        if not self.is_main:
            dist.barrier(waiting)
        yield
        if self.is_main:
            dist.barrier(waiting)


ALONE = Group(0, 1, torch.device("cpu"))


class _Gather(torch.autograd.Function):
    """All-gather whose gradient is that of the local rows, times the number of processes."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, rank: int, size: int) -> Tensor:
        ctx.start, ctx.length, ctx.size = rank * len(rows), len(rows), size
        parts = [torch.empty_like(rows, memory_format=torch.contiguous_format) for _ in range(size)]
        dist.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return gradients[0].narrow(0, ctx.start, ctx.length) * ctx.size, None, None


def shard(order: Int64, rank: int, size: int) -> Int64:
    """Return this process's part of an epoch's order: every `size`-th item from `rank` on.

    Parts are of one length: up to size - 1 items at the end are left out. Batches of b items of
    all parts are together the batch of size * b items that one process would have drawn.

    Args:
        order: (I,) items, the same on every process.
        rank: this process.
        size: number of processes.

    >>> import numpy as np
    >>> [shard(np.arange(7), rank, 2).tolist() for rank in (0, 1)]
    [[0, 2, 4], [1, 3, 5]]
    """
    return order[: len(order) // size * size][rank::size]


@contextmanager
def joined() -> Iterator[Group]:
    """Join the processes that `torchrun` started, and leave them at the end.

    Reads RANK, WORLD_SIZE and LOCAL_RANK from the environment (torchrun sets these and the place
    to meet). Without them, or with a WORLD_SIZE of 1, this process is alone. On CUDA each process
    takes the GPU of its LOCAL_RANK and they talk over NCCL, else over gloo.
    Let go of a DistributedDataParallel before leaving (it is in a cycle: `gc.collect()`): it keeps
    the connections' threads alive into the interpreter's end, where they now and then abort it.

    Raises:
        UsageError: the environment says only a part, or more processes than there are GPUs.
    """
    rank, size, local = (_number(name) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"))
    device = _device(local or 0)
    if size in (None, 1):
        yield Group(0, 1, device)
        return
    if rank is None or local is None or size is None:
        raise UsageError(
            "WORLD_SIZE is set without RANK or LOCAL_RANK", "start with torchrun, or unset it"
        )
    backend, bound = ("nccl", device) if device.type == "cuda" else ("gloo", None)
    dist.init_process_group(backend, rank=rank, world_size=size, timeout=PATIENCE, device_id=bound)
    try:
        yield Group(rank, size, device)
    finally:
        dist.destroy_process_group()


def _number(name: str) -> int | None:
    text = os.environ.get(name)
    if text is None:
        return None
    if not text.isdecimal():
        raise UsageError(f"{name} is '{text}'", "start with torchrun, or unset it")
    return int(text)


def _device(local: int) -> torch.device:
    if not torch.cuda.is_available():
        return torch.device("cpu")
    if local >= torch.cuda.device_count():
        raise UsageError(
            f"LOCAL_RANK {local} has no GPU: this machine has {torch.cuda.device_count()}",
            "start fewer processes with --nproc-per-node",
        )
    torch.cuda.set_device(local)
    return torch.device("cuda", local)
