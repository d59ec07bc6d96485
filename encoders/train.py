"""The training run: from a recipe to a pack, in two stages, resumable at every epoch.

A run keeps `training/` in the pack's folder: `checkpoint-*.safetensors`, `metrics.jsonl` (the loss
terms of every step, held-out recall now and then) and `curves.png`. Started again with the same
recipe it goes on from the last checkpoint with the same curve. Held-out items are never trained
on. Under torchrun each process takes its share of every batch (`unify.encoders.distributed`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict
from enum import Enum

import numpy as np
import torch
from torch import Tensor

from unify.encoders import checkpoint, curves
from unify.encoders.corpus import Corpus, read_corpus
from unify.encoders.distributed import Group, joined, shard
from unify.encoders.finish import Report, finish_pack
from unify.encoders.model import Unify
from unify.encoders.objective import Objective, Progress
from unify.encoders.recipe import SECTIONS, Recipe, ScheduleRecipe
from unify.encoders.schedule import Stage, stage_of, warmup_cosine
from unify.encoders.start import open_start
from unify.encoders.trainset import Draw, batches, epoch_order, steps_of_epoch
from unify.encoders.validation import validate
from unify.engine.errors import UsageError
from unify.engine.lexicon import Lexicon

RUN_FOLDER = "training"

log = logging.getLogger(__name__)


def train_pack(recipe: Recipe) -> Report | None:
    """Run a recipe: train, calibrate, measure on the held-out items, write the pack.

    Returns:
        the figures; None on processes other than the main one.
    """
    with joined() as group:
        start, lexicon = open_start(recipe), Lexicon.read(recipe.lexicon)
        corpus = read_corpus(recipe, start, lexicon, group)
        torch.manual_seed(recipe.seed)
        model = start.model(recipe, corpus.data.part(corpus.train), lexicon.terms)
        torch.manual_seed(recipe.seed + group.rank)  # other dropout on each process
        kept = Trainer(recipe, model.to(group.device), corpus, group).run()
        if not group.is_main:
            return None
        return finish_pack(recipe, start, kept.cpu(), corpus.data, corpus.names, corpus.items)


class Trainer:
    """Trains a model on a corpus.

    Args:
        recipe: the settings.
        model: untrained; on the group's device.
        corpus: what to learn from.
        group: the processes that train together.
    """

    def __init__(self, recipe: Recipe, model: Unify, corpus: Corpus, group: Group) -> None:
        self._recipe, self._model, self._corpus, self._group = recipe, model, corpus, group
        if recipe.schedule.batch % group.size:
            raise UsageError(
                f"a batch of {recipe.schedule.batch} cannot be shared by {group.size} processes",
                "set schedule.batch to a multiple of them",
            )
        self._data = corpus.data.part(corpus.train)
        self._held = corpus.data.part(corpus.held)
        self._kept = deepcopy(model)
        self._optimizer = torch.optim.AdamW(
            parameter_groups(model, recipe.schedule), betas=(0.9, 0.98)
        )
        self._rates = [group["lr"] for group in self._optimizer.param_groups]
        present = torch.from_numpy((self._data.frequencies() > 0).astype(np.float32))
        self._objective = Objective(
            recipe.loss, present.to(group.device), model.dictionary.detach().clone(), group
        )
        self._folder = recipe.out / RUN_FOLDER
        self._metrics = self._folder / "metrics.jsonl"
        self._steps = recipe.schedule.epochs * steps_of_epoch(self._data, recipe.schedule.batch)
        self._grounding = [p for p in model.text_grounding() if p.requires_grad]

    def run(self) -> Unify:
        """Train to the end, from the last checkpoint if there is one.

        Returns:
            the model with the running mean of its weights.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        state = checkpoint.Run(
            run_config(self._recipe, self._corpus.contents), self._model, self._optimizer,
            self._kept, self._objective.controllers, self._group,
        )  # fmt: skip
        position = checkpoint.restore(self._folder, state) or checkpoint.Position(0, 0)
        if self._group.is_main:
            curves.cut_back(self._metrics, position.step)
        step = position.step
        for epoch in range(position.epoch, self._recipe.schedule.epochs):
            for losses in self._epoch(epoch, step):
                step += 1
                self._write(step, losses)
            self._after_epoch(epoch + 1, step)
            checkpoint.save(self._folder, state, checkpoint.Position(epoch + 1, step))
            if self._group.is_main:
                curves.plot(self._metrics, self._folder / "curves.png")
        return self._kept.eval()

    def _epoch(self, epoch: int, step: int) -> Iterator[dict[str, float]]:
        schedule, group, seed = self._recipe.schedule, self._group, self._recipe.seed
        draw = Draw(schedule.pictures, masked=self._recipe.loss.masked > 0)
        whole = epoch_order(self._data, schedule.batch, np.random.default_rng([seed, epoch]))
        order = shard(whole, group.rank, group.size)
        rng = np.random.default_rng([seed, epoch, group.rank])  # each process draws its own
        self._model.train()
        for batch in batches(self._data, order, schedule.batch // group.size, draw, rng):
            now = self._progress(step)
            self._freeze(now.stage)
            for rate, one in zip(self._rates, self._optimizer.param_groups, strict=True):
                warmup = round(schedule.warmup * self._steps)
                one["lr"] = rate * warmup_cosine(step, self._steps, max(1, warmup))
            losses = self._objective(self._model, batch.to(group.device), now)
            total: Tensor = torch.stack(list(losses.values())).sum()
            if not torch.isfinite(total):
                raise UsageError(
                    f"the loss of step {step + 1} is not a number", "train with a lower rate"
                )
            self._optimizer.zero_grad()
            total.backward()  # type: ignore[no-untyped-call]
            group.average_gradients(self._model.parameters())
            torch.nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
            self._optimizer.step()
            average(self._kept, self._model, min(schedule.averaging, (step + 1) / (step + 10)))
            step += 1
            yield {f"loss/{name}": float(value.detach()) for name, value in losses.items()}

    def _progress(self, step: int) -> Progress:
        share = self._recipe.schedule.ground_share
        first = round(share * self._steps)
        joint = max(0, step - first) / max(1, self._steps - first)
        return Progress(step, self._steps, stage_of(step, self._steps, share), joint)

    def _freeze(self, stage: Stage) -> None:
        for parameter in self._grounding:
            parameter.requires_grad_(stage is Stage.JOINT)
        self._model.text_tower.train(stage is Stage.JOINT)
        self._model.text_lexicon.train(stage is Stage.JOINT)

    def _write(self, step: int, losses: dict[str, float]) -> None:
        if self._group.is_main:
            rates = {"lr/heads": max(one["lr"] for one in self._optimizer.param_groups)}
            curves.append(self._metrics, step, losses | rates)

    def _after_epoch(self, epoch: int, step: int) -> None:
        schedule = self._recipe.schedule
        if not self._group.is_main:
            return
        log.info("epoch %d of %d", epoch, schedule.epochs)
        if epoch % schedule.evaluate_every and epoch < schedule.epochs:
            return
        found = validate(self._kept, self._held, self._corpus.sources, self._group.device)
        curves.append(self._metrics, step, found)
        log.info("  %s", ", ".join(f"{name} {value:.1f}" for name, value in found.items()))


def parameter_groups(model: Unify, schedule: ScheduleRecipe) -> list[dict[str, object]]:
    """Return AdamW's groups: towers, heads and the dictionary learn at rates of their own."""
    heads = [model.video_latent, model.video_lexicon, model.text_latent, model.text_lexicon]
    matrices = [p for head in heads for p in head.parameters() if p.ndim > 1]
    biases = [p for head in heads for p in head.parameters() if p.ndim == 1]
    named = dict(model.named_parameters(recurse=False))
    dictionary = named.pop("dictionary")
    dictionary.requires_grad_(schedule.dictionary_rate > 0)
    scalar_rate = schedule.scalar_rate * schedule.rate
    parts: Sequence[tuple[Sequence[Tensor], float, float]] = (
        (matrices, schedule.rate, schedule.weight_decay),
        ([*biases, *named.values()], scalar_rate, 0.0),
        ([dictionary], schedule.dictionary_rate, 0.0),
        *_tower(model.video_tower, schedule.video_rate, schedule.weight_decay),
        *_tower(model.text_tower, schedule.text_rate, schedule.text_weight_decay),
    )
    groups: list[dict[str, object]] = []
    for parameters, rate, decay in parts:
        trained = [p for p in parameters if p.requires_grad]
        if trained:
            groups.append({"params": trained, "lr": rate, "weight_decay": decay})
    return groups


def _tower(
    tower: torch.nn.Module, rate: float, decay: float
) -> Iterator[tuple[list[Tensor], float, float]]:
    yield [p for p in tower.parameters() if p.ndim > 1], rate, decay
    yield [p for p in tower.parameters() if p.ndim <= 1], rate, 0.0


@torch.no_grad()
def average(kept: Unify, model: Unify, decay: float) -> None:
    """Move a running mean of weights toward the current ones."""
    for mean, current in zip(kept.parameters(), model.parameters(), strict=True):
        if current.requires_grad:
            mean.lerp_(current, 1 - decay)


def run_config(recipe: Recipe, contents: Mapping[str, str]) -> dict[str, object]:
    """Return what a checkpoint must agree with, by names that a recipe has.

    All settings, flat, such as `loss.masked`; and in the place of folders and files, which may be
    moved, what is in them. The pack's name changes nothing.

    Args:
        recipe: the settings.
        contents: see `Corpus.contents`.
    """
    found: dict[str, object] = {"seed": recipe.seed}
    for section in SECTIONS:
        for name, value in asdict(getattr(recipe, section)).items():
            found[f"{section}.{name}"] = value.value if isinstance(value, Enum) else value
    return found | dict(contents)
