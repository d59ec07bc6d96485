"""How training starts from a dual encoder of `transformers`, and what it writes of it.

Its towers share a space, so training starts from what they can do: the latent score is their
cosine, and the lexicon's logits are cosines with the words' own vectors, centred. The towers stay
as they are, but for the last blocks where they are fine-tuned (`hf_blocks.py`); what else is
trained stands above them, in `gated.py` and the heads. What is frozen is kept out of the model's
state, so that a checkpoint of a run holds what it trained and nothing else. It must not know
losses or data sets.
Sizes: B captions, L tokens, N frames, P patch states, W tower width, D joint width, V terms.
"""

from __future__ import annotations

import logging
import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, normalizers, pre_tokenizers
from torch import Tensor, nn

from unify.encoders import hub, manifest, zeroshot
from unify.encoders.gated import COUNTS, Branches, FrameBranches, TextBranches
from unify.encoders.heads import HeadsFile
from unify.encoders.hf import FAMILIES, FRAME_BATCH, Towers, read_config
from unify.encoders.hf_blocks import Backbone
from unify.encoders.hf_texts import KeptTexts, ToldSometimes
from unify.encoders.hf_trained import TOWERS, TowerSentences, TwinVideoHead, frame_branches
from unify.encoders.model import Projection, TextStates, Unify
from unify.encoders.recipe import LossRecipe, Recipe
from unify.encoders.start import (
    first_lexical,
    sample_features,
    sample_sentences,
    sampled_stacks,
    sampled_tokens,
)
from unify.encoders.trainset import TrainingSet
from unify.engine.errors import UsageError
from unify.engine.types import Float16, Float32, UInt8
from unify.indexer.ports import FrameShape

TRAINING_TOKENS = 32  # as CLIP4Clip cuts captions of short clips
LARGEST_SCALE = math.log(99)  # at 100 the model's clamp would keep the temperature where it is
MOST_ACTIVE = 0.5  # of the items, however small the lexicon


class HfText(nn.Module):
    """The text tower with what is trained above it.

    Args:
        backbone: the towers.
        above: of which only the branches are trained.
    """

    def __init__(self, backbone: Backbone, above: TextBranches) -> None:
        super().__init__()
        self.backbone = backbone
        self.blocks = backbone.blocks()[1]
        self.above = above

    def forward(self, ids: Tensor, mask: Tensor) -> TextStates:
        """(B, L) ids and bool mask to states."""
        found = self.backbone.states(ids, mask)
        states: TextStates = self.above(found.pooled, found.states, found.words)
        return states


class HfVideo(nn.Module):
    """The trained blocks of the picture tower with what is trained above it.

    Args:
        backbone: the towers.
        above: of which only the branches are trained.
    """

    def __init__(self, backbone: Backbone, above: FrameBranches) -> None:
        super().__init__()
        self.backbone = backbone
        self.blocks = backbone.blocks()[0]
        self.above = above

    def forward(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """(N, P, W) states below the blocks to (N, D) unit features of each branch."""
        latent, lexicon = self.above(self.backbone.frame_features(states))
        return latent, lexicon


@dataclass(frozen=True, slots=True)
class HfStem:
    """The picture tower below its trained blocks, or all of it; see `features.FrameStem`."""

    stamp: str
    backbone: Backbone

    @property
    def frame_shape(self) -> FrameShape:
        """The pictures it takes."""
        return self.backbone.towers.pixels.shape

    def encode(self, frames: UInt8) -> Float32:
        """Encode (F, height, width, 3) frames to (F, P, W) states, or (F, D) features."""
        if self.backbone.trained:
            return self.backbone.encode_below(frames)
        return self.backbone.towers.encode_frames(frames)


class HfStart:
    """What a training run starts from.

    Args:
        folder: a checkpoint, see `unify.encoders.hf`.
        fine_tune: how many of each tower's last blocks are to be trained.
    """

    kind = manifest.Towers.TRANSFORMERS
    text_files = ()  # a checkpoint is one with both towers

    def __init__(self, folder: Path, fine_tune: int) -> None:
        self._whole_context = FAMILIES[read_config(folder)["model_type"]].whole_context
        self._folder, self._towers = folder, Towers(folder)
        self.tokenizer, self._pad = read_tokenizer(folder, self._whole_context)
        self._backbone = Backbone(self._towers, self._whole_context, self._pad, fine_tune)
        self.frame_shape = self._towers.pixels.shape
        self.max_tokens = self._towers.context
        self.training_tokens = min(TRAINING_TOKENS, self._towers.context)

    def stem(self) -> HfStem:
        """Return what training leaves as it is of the picture tower."""
        below = f"-below{self._backbone.trained}" if self._backbone.trained else ""
        return HfStem(f"{self._stamp}{below}", self._backbone)

    @cached_property
    def _stamp(self) -> str:
        return hub.checkpoint_stamp(self._folder)[:8]

    def model(self, recipe: Recipe, data: TrainingSet, terms: Sequence[str]) -> Unify:
        """Return the untrained model over terms, with the statistics of the training set in it.

        The dictionary begins as that of the zero-shot pack; its words are kept in the cache.

        Raises:
            UsageError: the recipe wants latents of another width than the checkpoint's space.
        """
        settings, width = recipe.model, self._towers.dim
        if settings.latent != width:
            raise UsageError(
                f"{self._folder} makes latents of {width} numbers, not {settings.latent}",
                f"set model.latent = {width}",
            )
        encode = KeptTexts(recipe.cache / f"words-{self._stamp}", self._towers.encode_texts)
        told = ToldSometimes(logging.INFO)
        dictionary = zeroshot.uncentred_space(terms, encode, told).dictionary
        counts, dropout = COUNTS[settings.sharing], settings.dropout
        frames = FrameBranches(Branches(width, counts, dropout, attends=False))
        video = HfVideo(self._backbone, frames) if self._backbone.trained else frames
        above = TextBranches(Branches(width, counts, settings.text_dropout, attends=True))
        text = HfText(self._backbone, above)
        video.requires_grad_(settings.train_video)
        text.requires_grad_(settings.train_text)

        def projection(mean: Tensor) -> Projection:
            scale = torch.ones(width)
            return Projection(mean, scale, settings.hidden, width, dropout, identity=True)

        zeros = torch.zeros(width)
        model = Unify(
            video,
            text,
            projection(zeros),
            projection(sample_features(video, data).mean(dim=0)),
            projection(zeros),
            projection(sample_sentences(text, data).mean(dim=0)),
            first_lexical(data, dictionary, recipe.loss.ground_offset),
        )
        scale = self._towers.logit_scale.detach().reshape(()).cpu()
        model.latent_temperature.data = scale.clamp(max=LARGEST_SCALE)
        start_sparse(model, data, recipe.loss)
        return model

    def features(self, folder: Path, heads: HeadsFile, data: TrainingSet) -> list[Float32]:
        """Return each data set's (P, 2 D) features, as a pack's `encode_frames` gives them."""
        blocks, kept = frame_branches(heads), self._backbone.trained
        towers = self._written(folder)
        backbone = Backbone(towers, self._whole_context, self._pad, kept)

        def encode(part: Float16) -> Float32:
            values = torch.from_numpy(np.asarray(part, np.float32))
            if kept:
                with torch.inference_mode():
                    values = backbone.frame_features(values.to(towers.device)).cpu()
            return blocks.encode(values.numpy())

        return [
            np.concatenate([
                encode(values[i : i + FRAME_BATCH, 0]) for i in range(0, len(values), FRAME_BATCH)
            ])
            for values in data.pictures
        ]  # fmt: skip

    def _written(self, folder: Path) -> Towers:
        """Return the towers of a pack in the making."""
        return Towers(folder / TOWERS) if self._backbone.trained else self._towers

    def tensors(self, model: Unify) -> dict[str, np.ndarray]:
        """Return the gated blocks, by their names in the heads file."""
        video, text = model.video_tower, model.text_tower
        assert isinstance(video, FrameBranches | HfVideo) and isinstance(text, HfText)
        frames = video.above if isinstance(video, HfVideo) else video
        found = {f"vision.{name}": value for name, value in frames.branches.tensors().items()}
        blocks = text.above.branches.tensors()
        return found | {f"text.{name}": value for name, value in blocks.items()}

    def write_towers(self, out: Path, model: Unify) -> None:
        """Write the checkpoint, its tokenizer and its preprocessing into a pack's `towers/`."""
        text = model.text_tower
        assert isinstance(text, HfText)
        out.mkdir(parents=True, exist_ok=True)
        for name in hub.SETTINGS:
            if (self._folder / name).is_file():
                shutil.copyfile(self._folder / name, out / name)
        text.backbone.towers.model.save_pretrained(out)
        for path in out.iterdir():
            path.chmod(0o644)

    def vector_files(self, folder: Path) -> list[str]:
        """Return the files of a pack that change a vector."""
        names = hub.checkpoint_files(path.name for path in (folder / TOWERS).iterdir())
        return [*(f"{TOWERS}/{name}" for name in names), "lexicon.txt", "heads.safetensors"]

    def sentences(self, folder: Path, heads: HeadsFile) -> TowerSentences:
        """Return the text side of the pack in the making."""
        return TowerSentences(self._written(folder), heads)

    def video_head(self, heads: HeadsFile) -> TwinVideoHead:
        """Return what makes moments of `features`."""
        return TwinVideoHead(heads)


@torch.no_grad()
def start_sparse(model: Unify, data: TrainingSet, loss: LossRecipe) -> None:
    """Set both sides' biases so that as many terms are active as are wanted of a text or moment.

    Each term in the same share of the items: some are near everything, hubs of the space, and
    more than usual for a term is what tells. With a bias too low for any term to be active, no
    contrast would teach the lexicon anything.
    """
    model.eval()
    shown = [model.video(frames, picks)[1] for frames, picks in sampled_stacks(data)]
    said = [model.text(ids, mask)[1] for ids, mask in sampled_tokens(data)]
    for logits, bias, terms in (
        (torch.cat(shown), model.video_bias, loss.video_terms),
        (torch.cat(said), model.text_bias, loss.text_terms),
    ):
        share = min(MOST_ACTIVE, terms / logits.shape[1])
        least = np.quantile(logits.numpy(), 1 - share, axis=0)
        bias.sub_(torch.from_numpy(np.asarray(least, np.float32)))


def read_tokenizer(folder: Path, whole_context: bool) -> tuple[Tokenizer, int]:
    """Read a checkpoint's tokenizer as training uses it, and which token it pads with.

    Raises:
        UsageError: it is not one of the `tokenizers` library.
    """
    import transformers

    loaded = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    backend = getattr(loaded, "backend_tokenizer", None)
    if backend is None:
        raise UsageError(
            f"the tokenizer in {folder} cannot tell which word a token belongs to",
            "train from a checkpoint that has a tokenizer.json",
        )
    tokenizer = Tokenizer.from_str(backend.to_str())
    if whole_context:  # SigLIP: small letters; and words, where the tokenizer sees one long piece
        before = [part for part in (tokenizer.normalizer,) if part is not None]
        tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), *before])
        tokenizer.pre_tokenizer = pre_tokenizers.Split("\u2581", "merged_with_next")
    return tokenizer, int(loaded.pad_token_id)
