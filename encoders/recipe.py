"""A training recipe: the TOML file of `unify train`, every setting with its default.

    towers = "towers"                  # beside the recipe, or anywhere
    lexicon = "lexicon.txt"
    data = ["msrvtt-train", "flickr8k-train"]
    out = "my-pack"
    [model]
    latent = 512
    [schedule]
    epochs = 20
    [loss]
    distillation = 1.0

Relative paths count from the recipe's folder. It must not know how anything is trained.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from pathlib import Path
from typing import Any, get_type_hints

from unify.encoders.losses import Teacher
from unify.encoders.towers import Sharing
from unify.engine.errors import UsageError


@dataclass(frozen=True, slots=True)
class ModelRecipe:
    """What is trained.

    Attributes:
        latent: D.
        hidden: width of the heads' residual networks.
        dropout: of their hidden units; half of it of their inputs.
        text_dropout: in the trained text layers.
        frozen_layers: text layers that stay as they were pre-trained.
        sharing: what the two branches share.
        train_video: whether the top of the picture tower is trained.
        train_text: whether the last text layers are trained.
    """

    latent: int = 512
    hidden: int = 512
    dropout: float = 0.3
    text_dropout: float = 0.1
    frozen_layers: int = 4
    sharing: Sharing = Sharing.STEM
    train_video: bool = True
    train_text: bool = True


@dataclass(frozen=True, slots=True)
class ScheduleRecipe:
    """In what order and how fast.

    Attributes:
        epochs: passes over the items, one caption each.
        batch: items of a step, over all processes.
        ground_share: share of the steps in which the text side stays as it is (stage 1).
        rate: highest learning rate of the heads' matrices (warm-up, then half a cosine).
        scalar_rate: of biases, scales and temperatures, relative to `rate`: they have far to go,
            and few steps.
        video_rate: of the picture tower's top.
        text_rate: of the trained text layers.
        dictionary_rate: of the words' vectors; 0 keeps them.
        weight_decay: of the heads' and the picture tower's matrices.
        text_weight_decay: of the text layers' matrices.
        warmup: share of the steps.
        averaging: how much of the mean of the weights a step keeps; the mean is the result.
        pictures: of an item in a step, at most.
        views: kept of each picture: 1 plain, 2 also mirrored, further ones cropped.
        evaluate_every: epochs between looks at the held-out items.
    """

    epochs: int = 20
    batch: int = 256
    ground_share: float = 0.15
    rate: float = 1e-3
    scalar_rate: float = 10.0
    video_rate: float = 2e-4
    text_rate: float = 1e-4
    dictionary_rate: float = 0.0
    weight_decay: float = 0.05
    text_weight_decay: float = 0.01
    warmup: float = 0.1
    averaging: float = 0.995
    pictures: int = 2
    views: int = 4
    evaluate_every: int = 4


@dataclass(frozen=True, slots=True)
class LossRecipe:
    """How much each loss weighs; 0 leaves it out.

    Attributes:
        latent: contrastive loss of the latent branch.
        lexicon: contrastive loss of the lexicon branch.
        grounding: cross-entropy of each term being shown, against the captions of the item.
        ground_offset: a term whose probability of being named is sigmoid(-offset) has weight 0.
        bag_of_words: of the video's weights against its captions' words.
        semi_parametric: of literal words against videos, in stage 1.
        semi_parametric_joint: the same in stage 2.
        masked: prediction of words missing in the text, in stage 2.
        distillation: between the branches, in stage 2.
        teacher: who teaches whom.
        flops: 1 switches the sparsity penalty on; its weight is controlled.
        text_terms: wanted active terms of a text.
        video_terms: wanted active terms of a moment.
        dictionary_pull: keeps a trained dictionary near its start.
    """

    latent: float = 1.0
    lexicon: float = 1.0
    grounding: float = 0.002
    ground_offset: float = 3.0
    bag_of_words: float = 0.0
    semi_parametric: float = 0.5
    semi_parametric_joint: float = 0.1
    masked: float = 0.1
    distillation: float = 1.0
    teacher: Teacher = Teacher.FUSED
    flops: float = 0.0
    text_terms: float = 48.0
    video_terms: float = 112.0
    dictionary_pull: float = 1e-3


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that a training run depends on.

    Attributes:
        towers: folder of pre-trained towers (`unify.encoders.export`), or `hf:FOLDER`.
        lexicon: the terms' file.
        data: folders of data sets.
        out: the pack's folder; the run's own files are kept in `training/` in it.
        cache: folder for what the frozen stems make of the pictures.
        name: of the pack.
        seed: of weights, order and dropout.
        model: what is trained.
        schedule: in what order and how fast.
        loss: how much each loss weighs.
    """

    towers: str
    lexicon: Path
    data: tuple[Path, ...]
    out: Path
    cache: Path
    name: str = "mine"
    seed: int = 0
    model: ModelRecipe = field(default_factory=ModelRecipe)
    schedule: ScheduleRecipe = field(default_factory=ScheduleRecipe)
    loss: LossRecipe = field(default_factory=LossRecipe)


SECTIONS = {"model": ModelRecipe, "schedule": ScheduleRecipe, "loss": LossRecipe}
PATHS = ("lexicon", "out", "cache")


def read_recipe(path: Path, changes: Mapping[str, Any] | None = None) -> Recipe:
    """Read a recipe.

    Args:
        path: the TOML file.
        changes: settings that count instead of the file's, by the names of `Recipe`; their
            paths count from the working directory.

    Raises:
        UsageError: it cannot be read, or a setting is unknown, missing or of the wrong kind.
    """
    try:
        with path.open("rb") as file:
            content = tomllib.load(file)
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist", "give a recipe, a TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, IsADirectoryError) as error:
        raise UsageError(f"{path} is not a recipe ({error})", "give a TOML file") from None
    base = path.resolve().parent
    for name in PATHS:
        if name in content:
            content[name] = base / str(content[name])
    if "data" in content:
        content["data"] = tuple(base / str(folder) for folder in content["data"])
    towers = str(content.get("towers", ""))
    if towers and not towers.startswith("hf:"):
        content["towers"] = str(base / towers)
    content |= {name: value for name, value in (changes or {}).items() if value is not None}
    missing = [n for n in ("towers", "lexicon", "data", "out", "cache") if not content.get(n)]
    if missing:
        raise UsageError(f"{path} does not say {missing[0]}", f"add {missing[0]} = ...")
    for name, section in SECTIONS.items():
        content[name] = _settings(path, section, content.get(name, {}), f"{name}.")
    recipe: Recipe = _settings(path, Recipe, content, "")
    return recipe


def _settings(path: Path, kind: type[Any], content: Mapping[str, Any], prefix: str) -> Any:
    """Make a dataclass of settings from a table."""
    hints = get_type_hints(kind)
    known = [f.name for f in fields(kind)]
    made = {}
    for name, value in content.items():
        if name not in known:
            raise UsageError(
                f"{path} has an unknown setting {prefix}{name}", f"use one of {', '.join(known)}"
            )
        made[name] = _setting(path, hints[name], value, f"{prefix}{name}")
    return kind(**made)


def _setting(path: Path, kind: Any, value: Any, name: str) -> Any:
    if isinstance(kind, type) and issubclass(kind, Enum) and isinstance(value, str):
        choices = {str(choice.value): choice for choice in kind}
        if value not in choices:
            raise UsageError(f"{path}: {name} is {value!r}", f"use one of {', '.join(choices)}")
        return choices[value]
    if kind is float and type(value) is int:
        return float(value)
    if kind in (int, float, bool, str) and type(value) is not kind:
        raise UsageError(f"{path}: {name} is {value!r}", f"give a value of type {kind.__name__}")
    return value


def changed(recipe: Recipe, settings: Mapping[str, Mapping[str, Any]]) -> Recipe:
    """Return a recipe with other settings, by section: what an ablation is.

    >>> recipe = Recipe("towers", Path("lexicon.txt"), (), Path("out"), Path("cache"))
    >>> changed(recipe, {"loss": {"distillation": 0.0}}).loss.distillation
    0.0
    """
    sections = {name: replace(getattr(recipe, name), **new) for name, new in settings.items()}
    return replace(recipe, **sections)
