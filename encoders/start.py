"""What a training run starts from: pretrained towers, behind one interface.

`mini.py` is the one whose towers share no space, `hf_start.py` the one of dual encoders; what
both take from the training set stands here. It must not know how anything is trained.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from unify.encoders import manifest
from unify.encoders.features import FrameStem
from unify.encoders.heads import HeadsFile, VideoHead
from unify.encoders.model import Lexical, Unify
from unify.encoders.recipe import ModelRecipe, Recipe
from unify.encoders.sentences import Sentences
from unify.encoders.trainset import TrainingSet
from unify.engine.errors import UsageError
from unify.engine.types import Float32
from unify.indexer.ports import FrameShape

SAMPLE = 2000  # pictures and captions whose statistics a model starts with


class Start(Protocol):
    """Pretrained towers, and how a model is made of them and a pack of the model."""

    @property
    def kind(self) -> manifest.Towers:
        """What a pack says its towers are."""
        ...

    @property
    def frame_shape(self) -> FrameShape:
        """The pictures that the picture tower takes."""
        ...

    @property
    def max_tokens(self) -> int:
        """Longer texts are cut there."""
        ...

    @property
    def training_tokens(self) -> int:
        """Longer captions are cut there in training."""
        ...

    @property
    def tokenizer(self) -> Tokenizer:
        """Of the text tower."""
        ...

    def stem(self) -> FrameStem:
        """Return what training leaves as it is of the picture tower."""
        ...

    @property
    def text_files(self) -> Sequence[Path]:
        """The files of the text tower, but for those that the stem's stamp names too."""
        ...

    def model(self, recipe: Recipe, data: TrainingSet, terms: Sequence[str]) -> Unify:
        """Return the untrained model over terms, with the statistics of the training set in it."""
        ...

    def features(self, folder: Path, heads: HeadsFile, data: TrainingSet) -> list[Float32]:
        """Return each data set's features by a pack's picture tower; its towers are written."""
        ...

    def sentences(self, folder: Path, heads: HeadsFile) -> Sentences:
        """Return the text side of a pack, of which towers and heads are written."""
        ...

    def video_head(self, heads: HeadsFile) -> VideoHead:
        """Return what makes moments of `features`."""
        ...

    def tensors(self, model: Unify) -> dict[str, np.ndarray]:
        """Return the trained parts of the towers, by their names in the heads file."""
        ...

    def write_towers(self, out: Path, model: Unify) -> None:
        """Write into a pack's `towers/` what its heads file does not hold."""
        ...

    def vector_files(self, folder: Path) -> Sequence[str]:
        """Return which files of a written pack change a vector, below its folder."""
        ...


def open_start(recipe: Recipe) -> Start:
    """Open what a recipe names.

    Args:
        recipe: its towers are a folder that `unify.encoders.export` wrote, or `hf:` and the
            folder of a `transformers` checkpoint.

    Raises:
        UsageError: there is no such thing, or the recipe has a setting that it does not take.
    """
    settings = recipe.model
    if recipe.towers.startswith("hf:"):
        if settings.frozen_layers != ModelRecipe().frozen_layers:
            raise UsageError(
                f"model.frozen_layers is {settings.frozen_layers}, and {recipe.towers} takes none",
                "leave it out: model.fine_tune says how many last blocks are trained",
            )
        from unify.encoders.hf_start import HfStart

        folder = Path(recipe.towers.removeprefix("hf:")).expanduser()
        return HfStart(folder, settings.fine_tune)
    if settings.fine_tune:
        raise UsageError(
            f"model.fine_tune is {settings.fine_tune}, and {recipe.towers} takes none",
            "leave it out: it is for hf: towers; here model.frozen_layers says what is trained",
        )
    from unify.encoders.mini import MiniStart

    return MiniStart(Path(recipe.towers), settings.train_video)


def first_lexical(data: TrainingSet, dictionary: Float32, offset: float) -> Lexical:
    """Return the start of the lexicon branch from how often captions name each term.

    With nothing else known, a term is as probable as it is frequent; own words weigh more the
    rarer they are.
    """
    frequency = data.frequencies()
    share = data.named_by_items().clip(1e-4, 0.5)
    bias = torch.from_numpy((np.log(share / (1 - share)) + offset).astype(np.float32))
    rarity = -np.log(frequency + 1e-5)
    rarity /= rarity[frequency > 0].mean()
    own = torch.from_numpy(np.log(np.expm1(rarity.clip(0.1, 3))).astype(np.float32))
    return Lexical(torch.from_numpy(dictionary), bias, bias, own)


@torch.no_grad()
def sample_features(tower: nn.Module, data: TrainingSet) -> Tensor:
    """Return (SAMPLE, C) latent features of evenly chosen training pictures."""
    tower.eval()
    return torch.cat([tower(frames)[0] for frames, _ in sampled_stacks(data)])


@torch.no_grad()
def sample_sentences(tower: nn.Module, data: TrainingSet) -> Tensor:
    """Return (SAMPLE, W) sentence vectors of evenly chosen training captions."""
    tower.eval()
    return torch.cat([tower(ids, mask).latent for ids, mask in sampled_tokens(data)])


def sampled_stacks(data: TrainingSet) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield `TrainingSet.stack` of evenly chosen items."""
    items = range(0, len(data), max(1, len(data) // SAMPLE))
    for start in range(0, len(items), 64):
        yield data.stack(items[start : start + 64])


def sampled_tokens(data: TrainingSet) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield `Captions.tokens` of evenly chosen captions."""
    rows = np.concatenate(list(data.texts))
    rows = rows[:: max(1, len(rows) // SAMPLE)].tolist()
    for start in range(0, len(rows), 64):
        yield data.captions.tokens(rows[start : start + 64])
