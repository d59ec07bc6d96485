"""Saves a training run so that it can go on as if it had not been interrupted, bit for bit.

A checkpoint is one safetensors file, `checkpoint-<step>.safetensors`: the tensors of model, weight
average, optimizer and torch's random generators, and in the header's metadata a JSON record of the
rest with a SHA-256 over all of it. It appears whole or not at all (`engine.durable`); the one
before is kept until the next, so that a damaged file costs some steps and not the run. No pickle,
nothing in it can run. It must not know what the model is, what is trained, or when to save.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from unify.encoders.distributed import ALONE, Group
from unify.engine.durable import replace_file
from unify.engine.errors import UsageError

FORMAT = 2
PATTERN = "checkpoint-{step:09d}.safetensors"

log = logging.getLogger(__name__)


class Controller(Protocol):
    """Anything with a few numbers of state, as `schedule.SparsityController`."""

    @property
    def state(self) -> dict[str, float]:
        """All that `restore` needs."""

    def restore(self, state: Mapping[str, float]) -> None:
        """Continue from what `state` returned."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a run is: finished epochs and finished steps (of the whole run)."""

    epoch: int
    step: int


@dataclass(frozen=True, slots=True)
class Run:
    """The live objects of a training run; `restore` changes them in place.

    Attributes:
        config: settings and whatever else must be the same to go on (the data's hash), as JSON
            values by names that tell people what differs.
        model: its parameters and persistent buffers are kept.
        optimizer: AdamW, or another whose state is tensors; its groups keep their rates. Groups
            must be made alike in every run: those of frozen parameters too.
        average: a copy of the model that holds the running mean of its weights.
        controllers: further state by name.
        group: the processes that train; only the main one writes and logs. The state of torch's
            own generators is kept, that of every process.
    """

    config: Mapping[str, object]
    model: nn.Module
    optimizer: torch.optim.Optimizer
    average: nn.Module | None = None
    controllers: Mapping[str, Controller] = field(default_factory=dict)
    group: Group = ALONE


def save(folder: Path, run: Run, position: Position) -> None:
    """Write a checkpoint; all processes of the run call it at the same step.

    Args:
        folder: of the run, seen by all processes; it must exist.
        run: what to keep.
        position: a boundary between steps.
    """
    tensors = _random_state(run)  # gathered, so before the others leave
    if run.group.is_main:
        tensors |= _model_state(run)
        options, states = _optimizer_state(run.optimizer)
        record = {
            "format": FORMAT,
            "position": asdict(position),
            "config": dict(run.config),
            "optimizer": options,
            "controllers": {name: c.state for name, c in run.controllers.items()},
        }
        text = json.dumps(record)
        tensors |= states
        metadata = {"run": text, "sha256": _digest(text, tensors)}
        path = folder / PATTERN.format(step=position.step)
        replace_file(path, to_bytes(tensors, metadata))
        _prune(folder, path)
    run.group.barrier()


def restore(folder: Path, run: Run) -> Position | None:
    """Bring a run to its newest whole checkpoint.

    A damaged checkpoint is told as a warning of this module's log, and the one before is used.

    Args:
        folder: of the run.
        run: made as at the start of training, with the same config.

    Returns:
        where to go on, or None when there is no checkpoint: start from the beginning.

    Raises:
        UsageError: it is of another config, model or number of processes, or all are damaged.
    """
    paths = _checkpoints(folder)
    for path in reversed(paths):
        try:
            record, tensors = _read(path)
        except (SafetensorError, OSError, KeyError, ValueError) as error:
            if run.group.is_main:
                log.warning("checkpoint %s is damaged (%s); trying the one before it", path, error)
            continue
        _check_fit(path, record, tensors, run)
        _apply(path, record, tensors, run)
        return Position(**record["position"])
    if paths:
        raise UsageError(
            f"every checkpoint in {folder} is damaged", "delete them to train from the beginning"
        )
    return None


def _checkpoints(folder: Path) -> list[Path]:
    """Whole files by ascending step; a `.tmp` that a crash left behind is none."""
    return sorted(folder.glob("checkpoint-*.safetensors"))


def _prune(folder: Path, newest: Path) -> None:
    """Keep the checkpoint just written and the one before it.

    Those of later steps belong to a past that damage undid.
    """
    earlier = [path for path in _checkpoints(folder) if path < newest]
    kept = {newest, *earlier[-1:]}
    for path in folder.glob("checkpoint-*.safetensors*"):
        if path not in kept:
            path.unlink()


def _model_state(run: Run) -> dict[str, Tensor]:
    parts = {"model": run.model, "average": run.average}
    return {
        # Cloned: safetensors refuses tied tensors, which share their memory.
        f"{part}.{name}": tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for part, module in parts.items()
        if module is not None
        for name, tensor in module.state_dict().items()
    }


def _optimizer_state(optimizer: torch.optim.Optimizer) -> tuple[list[Any], dict[str, Tensor]]:
    """Return the options of each group, and `optimizer.<parameter>.<name>` tensors."""
    state = optimizer.state_dict()
    tensors = {
        f"optimizer.{number}.{name}": value.detach().cpu().contiguous()
        for number, values in state["state"].items()
        for name, value in values.items()
    }
    return state["param_groups"], tensors


def _generators(run: Run) -> dict[str, Tensor]:
    """This process's generators, each as (bytes,) uint8."""
    found = {"random.torch": torch.get_rng_state()}
    if run.group.device.type == "cuda":
        found["random.cuda"] = torch.cuda.get_rng_state(run.group.device)
    return found


def _random_state(run: Run) -> dict[str, Tensor]:
    """All processes' generators, each as (processes, bytes) uint8."""
    return {
        name: run.group.gather(state[None].to(run.group.device)).cpu()
        for name, state in _generators(run).items()
    }


def _digest(record: str, tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256(record.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read and verify one file.

    Raises:
        SafetensorError, OSError, KeyError, ValueError: it is damaged.
    """
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if _digest(metadata["run"], tensors) != metadata["sha256"]:
        raise ValueError("its checksum does not match")
    record: dict[str, Any] = json.loads(metadata["run"])
    return record, tensors


def _check_fit(
    path: Path, record: Mapping[str, Any], tensors: Mapping[str, Tensor], run: Run
) -> None:
    """Refuse a checkpoint that another program, config or number of processes wrote."""
    start_anew = "go on with the same, or train in another folder"
    if record["format"] != FORMAT:
        raise UsageError(f"{path} has format {record['format']}, not {FORMAT}", start_anew)
    then, now = record["config"], json.loads(json.dumps(dict(run.config)))
    if then != now:
        changed = [
            f"{name} was {then.get(name)} and is {now.get(name)}"
            for name in sorted({*then, *now})
            if then.get(name) != now.get(name) or (name in then) != (name in now)
        ]
        raise UsageError(f"{path} is of another config: {', '.join(changed)}", start_anew)
    processes = len(tensors["random.torch"])
    if processes != run.group.size:
        raise UsageError(
            f"{path} is of a run on {processes} processes, not {run.group.size}", start_anew
        )


def _apply(path: Path, record: Mapping[str, Any], tensors: Mapping[str, Tensor], run: Run) -> None:
    """Put everything back into the live objects."""
    try:
        run.model.load_state_dict(_below("model.", tensors))
        if run.average is not None:
            run.average.load_state_dict(_below("average.", tensors))
        run.optimizer.load_state_dict(_optimizer_dict(record, tensors))
        for name, controller in run.controllers.items():
            controller.restore(record["controllers"][name])
    except (RuntimeError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(
            f"{path} is of another model ({reason})", "train in another folder"
        ) from None
    for name in _generators(run):
        state = tensors[name][run.group.rank].clone()  # torch reads from the storage's beginning
        if name == "random.torch":
            torch.set_rng_state(state)
        else:
            torch.cuda.set_rng_state(state, run.group.device)


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def _optimizer_dict(record: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """The state dict that `_optimizer_state` took apart."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in _below("optimizer.", tensors).items():
        number, name = key.split(".", 1)
        state.setdefault(int(number), {})[name] = value.clone()  # the optimizer keeps it as it is
    return {"state": state, "param_groups": record["optimizer"]}
