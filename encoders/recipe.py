"""A training recipe: the TOML file of `unify train`, every setting with its default.

    towers = "towers"                  # beside the recipe, or anywhere; or hf:FOLDER
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

import math
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from unify.encoders.losses import Teacher
from unify.encoders.towers import Sharing
from unify.engine.errors import UsageError

T = TypeVar("T")


class Range(Enum):
    """The numbers that a setting may have, each at least the first and below the second.

    The last of the three says it to people.
    """

    PLAIN = (-sys.float_info.max, math.inf, "a finite number")
    POSITIVE = (math.ulp(0.0), math.inf, "a number above 0")
    AMOUNT = (0, math.inf, "0 or more")
    SHARE = (0, math.nextafter(1, 2), "a number from 0 to 1")
    PART = (0, 1, "0 or more, below 1")
    COUNT = (1, math.inf, "1 or more")
    PAIR = (2, math.inf, "2 or more")
    SEED = (0, 2**63, "0 or more, below 2^63")

    def __contains__(self, value: float) -> bool:
        least, end, _ = self.value
        return bool(least <= value < end)  # never so for NaN


def within(allowed: Range, default: T) -> T:
    """Return a dataclass field for a number of a range."""
    return field(default=default, metadata={"allowed": allowed})


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
        fine_tune: last transformer blocks of both towers of an `hf:` checkpoint that are trained.
    """

    latent: int = within(Range.COUNT, 512)
    hidden: int = within(Range.COUNT, 512)
    dropout: float = within(Range.PART, 0.3)
    text_dropout: float = within(Range.PART, 0.1)
    frozen_layers: int = within(Range.AMOUNT, 4)
    sharing: Sharing = Sharing.STEM
    train_video: bool = True
    train_text: bool = True
    fine_tune: int = within(Range.AMOUNT, 0)


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
        frames: pictures kept of an item, at most, evenly spread over it: `pictures` are drawn from
            them, and all of them are what is measured. 12 are CLIP4Clip's number for short
            clips; DiDeMo's 30 seconds are evaluated with 32 (`unify.encoders.datasets`).
        evaluate_every: epochs between looks at the held-out items.
    """

    epochs: int = within(Range.COUNT, 20)
    batch: int = within(Range.PAIR, 256)
    ground_share: float = within(Range.SHARE, 0.15)
    rate: float = within(Range.AMOUNT, 1e-3)
    scalar_rate: float = within(Range.AMOUNT, 10.0)
    video_rate: float = within(Range.AMOUNT, 2e-4)
    text_rate: float = within(Range.AMOUNT, 1e-4)
    dictionary_rate: float = within(Range.AMOUNT, 0.0)
    weight_decay: float = within(Range.AMOUNT, 0.05)
    text_weight_decay: float = within(Range.AMOUNT, 0.01)
    warmup: float = within(Range.SHARE, 0.1)
    averaging: float = within(Range.PART, 0.995)
    pictures: int = within(Range.COUNT, 2)
    views: int = within(Range.COUNT, 4)
    frames: int = within(Range.COUNT, 12)
    evaluate_every: int = within(Range.COUNT, 4)


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

    latent: float = within(Range.AMOUNT, 1.0)
    lexicon: float = within(Range.AMOUNT, 1.0)
    grounding: float = within(Range.AMOUNT, 0.002)
    ground_offset: float = within(Range.PLAIN, 5.0)
    bag_of_words: float = within(Range.AMOUNT, 0.0)
    semi_parametric: float = within(Range.AMOUNT, 0.5)
    semi_parametric_joint: float = within(Range.AMOUNT, 0.3)
    masked: float = within(Range.AMOUNT, 0.1)
    distillation: float = within(Range.AMOUNT, 0.3)
    teacher: Teacher = Teacher.FUSED
    flops: float = within(Range.AMOUNT, 0.0)
    text_terms: float = within(Range.POSITIVE, 48.0)
    video_terms: float = within(Range.POSITIVE, 112.0)
    dictionary_pull: float = within(Range.AMOUNT, 1e-3)


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
    seed: int = within(Range.SEED, 0)
    model: ModelRecipe = field(default_factory=ModelRecipe)
    schedule: ScheduleRecipe = field(default_factory=ScheduleRecipe)
    loss: LossRecipe = field(default_factory=LossRecipe)


SECTIONS = {"model": ModelRecipe, "schedule": ScheduleRecipe, "loss": LossRecipe}
PATHS = ("lexicon", "out", "cache")
NEEDED = ("towers", *PATHS, "data")


def read_recipe(path: Path, changes: Mapping[str, Any] | None = None) -> Recipe:
    """Read a recipe.

    Args:
        path: the TOML file.
        changes: settings that count instead of the file's, by the names of `Recipe`; their
            paths count from the working directory.

    Raises:
        UsageError: it cannot be read, or a setting is unknown, missing, of the wrong kind or
            out of its range; it is named.
    """
    content = _with_paths(path, _read(path))
    content |= {name: value for name, value in (changes or {}).items() if value is not None}
    missing = [name for name in NEEDED if not content.get(name)]
    if missing:
        raise UsageError(f"{path} does not say {missing[0]}", f"add {missing[0]} = ...")
    for name, section in SECTIONS.items():
        table = content.get(name, {})
        if not isinstance(table, dict):
            raise _refused(path, name, table, f"write its settings below [{name}]")
        content[name] = _settings(path, section, table, f"{name}.")
    recipe: Recipe = _settings(path, Recipe, content, "")
    return recipe


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist", "give a recipe, a TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, IsADirectoryError) as error:
        raise UsageError(f"{path} is not a recipe ({error})", "give a TOML file") from None
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror})", "give a file that you may read"
        ) from None


def _with_paths(path: Path, content: dict[str, Any]) -> dict[str, Any]:
    """Return the content with its paths as paths that count from the recipe's folder."""
    base, found = path.resolve().parent, dict(content)
    for name in ("towers", *PATHS):
        value = content.get(name, "")
        if not isinstance(value, str):
            raise _refused(path, name, value, "give a path in quotes")
        if value and name == "towers":
            prefix = "hf:" if value.startswith("hf:") else ""
            found[name] = f"{prefix}{base / Path(value.removeprefix(prefix)).expanduser()}"
        elif value:
            found[name] = base / value
    folders = content.get("data", [])
    if not isinstance(folders, list) or not all(isinstance(folder, str) for folder in folders):
        raise _refused(path, "data", folders, "give a list of folders in quotes")
    return found | {"data": tuple(base / folder for folder in folders)}


def _settings(path: Path, kind: type[Any], content: Mapping[str, Any], prefix: str) -> Any:
    """Make a dataclass of settings from a table."""
    hints = get_type_hints(kind)
    known = {f.name: f.metadata.get("allowed") for f in fields(kind)}
    made = {}
    for name, value in content.items():
        if name not in known:
            raise UsageError(
                f"{path} has an unknown setting {prefix}{name}", f"use one of {', '.join(known)}"
            )
        made[name] = _setting(path, hints[name], value, f"{prefix}{name}")
        allowed = known[name]
        if allowed and made[name] not in allowed:
            raise _refused(path, f"{prefix}{name}", value, f"give {allowed.value[-1]}")
    return kind(**made)


def _setting(path: Path, kind: Any, value: Any, name: str) -> Any:
    if isinstance(kind, type) and issubclass(kind, Enum):
        choices = {str(choice.value): choice for choice in kind}
        if not isinstance(value, str) or value not in choices:
            raise _refused(path, name, value, f"use one of {', '.join(choices)}")
        return choices[value]
    if kind is float and type(value) is int:
        return float(value)
    if kind in (int, float, bool, str) and type(value) is not kind:
        raise _refused(path, name, value, f"give a value of type {kind.__name__}")
    return value


def _refused(path: Path, name: str, value: object, hint: str) -> UsageError:
    return UsageError(f"{path}: {name} is {value!r}", hint)


def changed(recipe: Recipe, settings: Mapping[str, Mapping[str, Any]]) -> Recipe:
    """Return a recipe with other settings, by section: what an ablation is.

    >>> recipe = Recipe("towers", Path("lexicon.txt"), (), Path("out"), Path("cache"))
    >>> changed(recipe, {"loss": {"distillation": 0.0}}).loss.distillation
    0.0
    """
    sections = {name: replace(getattr(recipe, name), **new) for name, new in settings.items()}
    return replace(recipe, **sections)
