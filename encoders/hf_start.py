"""How training starts from a dual encoder of `transformers`, and what it writes of it.

Its towers share a space, so training starts from what they can do: the latent score is their
cosine, and the lexicon's logits are cosines with the words' own vectors, centred. The towers stay
as they are; what is trained stands above them, in `gated.py` and the heads. They are kept out of
the model's state, so that a checkpoint of a run holds what it trained and nothing else. It must
not know losses or data sets.
Sizes: B captions, L tokens, D joint width, V terms.
"""

from __future__ import annotations

import hashlib
import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, normalizers, pre_tokenizers
from torch import Tensor, nn

from unify.encoders import hub, manifest, zeroshot
from unify.encoders.gated import COUNTS, Branches, FrameBranches, TextBranches
from unify.encoders.heads import HeadsFile
from unify.encoders.hf import FAMILIES, TokenStates, Towers, read_config
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
from unify.engine.types import Float32, UInt8
from unify.indexer.ports import FrameShape

TRAINING_TOKENS = 32  # as CLIP4Clip cuts captions of short clips
LARGEST_SCALE = math.log(99)  # at 100 the model's clamp would keep the temperature where it is
MOST_ACTIVE = 0.5  # of the items, however small the lexicon


class Backbone:
    """The frozen towers: computed with, but neither trained, copied nor kept with a model.

    Args:
        towers: the checkpoint.
        whole_context: whether texts are padded to the whole context.
        pad: the padding token.
    """

    def __init__(self, towers: Towers, whole_context: bool, pad: int) -> None:
        towers.model.requires_grad_(False)
        self.towers, self._whole_context, self._pad = towers, whole_context, pad

    def __deepcopy__(self, memo: dict[int, object]) -> Backbone:
        return self

    @torch.no_grad()
    def states(self, ids: Tensor, mask: Tensor) -> TokenStates:
        """Encode (B, L) ids with their bool mask, in float32, on the device of the ids."""
        towers, length = self.towers, ids.shape[1]
        towers.model.to(ids.device)
        towers.device = str(ids.device)
        ids = ids.masked_fill(~mask, self._pad)
        if self._whole_context:
            more = max(0, towers.context - length)
            tokens = {"input_ids": nn.functional.pad(ids, (0, more), value=self._pad)}
        else:
            tokens = {"input_ids": ids, "attention_mask": mask.long()}
        with torch.autocast(ids.device.type, enabled=False):
            found = towers.token_states(tokens)
        return TokenStates(found.states[:, :length], found.words[:, :length] & mask, found.pooled)


class HfText(nn.Module):
    """The frozen text tower with what is trained above it.

    Args:
        backbone: the towers.
        above: of which only the branches are trained.
    """

    def __init__(self, backbone: Backbone, above: TextBranches) -> None:
        super().__init__()
        self._backbone = backbone
        self.above = above

    def forward(self, ids: Tensor, mask: Tensor) -> TextStates:
        """(B, L) ids and bool mask to states."""
        found = self._backbone.states(ids, mask)
        states: TextStates = self.above(found.pooled, found.states, found.words)
        return states


@dataclass(frozen=True, slots=True)
class HfStem:
    """The whole picture tower; see `features.FrameStem`."""

    stamp: str
    towers: Towers

    @property
    def frame_shape(self) -> FrameShape:
        """The pictures it takes."""
        return self.towers.pixels.shape

    def encode(self, frames: UInt8) -> Float32:
        """Encode (F, height, width, 3) frames to (F, D)."""
        return self.towers.encode_frames(frames)


class HfStart:
    """What a training run starts from.

    Args:
        folder: a checkpoint, see `unify.encoders.hf`.
    """

    kind = manifest.Towers.TRANSFORMERS

    def __init__(self, folder: Path) -> None:
        whole = FAMILIES[read_config(folder)["model_type"]].whole_context
        self._folder, self._towers = folder, Towers(folder)
        self.tokenizer, pad = read_tokenizer(folder, whole)
        self._backbone = Backbone(self._towers, whole, pad)
        self.frame_shape = self._towers.pixels.shape
        self.max_tokens = self._towers.context
        self.training_tokens = min(TRAINING_TOKENS, self._towers.context)

    def stem(self) -> HfStem:
        """Return what training leaves as it is of the picture tower: all of it."""
        names = hub.checkpoint_files(path.name for path in self._folder.iterdir())
        files = manifest.describe_files(self._folder, names)
        digest = hashlib.sha256("".join(file.sha256 for file in files).encode())
        return HfStem(digest.hexdigest()[:8], self._towers)

    def dictionary(self, terms: Sequence[str]) -> Float32:
        """Return (V, D) unit vectors of the terms: those of the zero-shot pack."""
        return zeroshot.uncentred_space(terms, self._towers.encode_texts).dictionary

    def model(self, recipe: Recipe, data: TrainingSet, dictionary: Float32) -> Unify:
        """Return the untrained model, with the statistics of the training set in it.

        Raises:
            UsageError: the recipe wants latents of another width than the checkpoint's space.
        """
        settings, width = recipe.model, self._towers.dim
        if settings.latent != width:
            raise UsageError(
                f"{self._folder} makes latents of {width} numbers, not {settings.latent}",
                f"set model.latent = {width}",
            )
        counts, dropout = COUNTS[settings.sharing], settings.dropout
        video = FrameBranches(Branches(width, counts, dropout, attends=False))
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

    def features(self, heads: HeadsFile, data: TrainingSet) -> list[Float32]:
        """Return each data set's (P, 2 D) features, as a pack's `encode_frames` gives them."""
        blocks = frame_branches(heads)
        return [blocks.encode(np.asarray(values[:, 0], np.float32)) for values in data.pictures]

    def tensors(self, model: Unify) -> dict[str, np.ndarray]:
        """Return the gated blocks, by their names in the heads file."""
        video, text = model.video_tower, model.text_tower
        assert isinstance(video, FrameBranches) and isinstance(text, HfText)
        found = {f"vision.{name}": value for name, value in video.branches.tensors().items()}
        blocks = text.above.branches.tensors()
        return found | {f"text.{name}": value for name, value in blocks.items()}

    def write_towers(self, out: Path) -> None:
        """Write the checkpoint, its tokenizer and its preprocessing into a pack's `towers/`."""
        out.mkdir(parents=True, exist_ok=True)
        for name in hub.SETTINGS:
            if (self._folder / name).is_file():
                shutil.copyfile(self._folder / name, out / name)
        self._towers.model.save_pretrained(out)
        for path in out.iterdir():
            path.chmod(0o644)

    def vector_files(self, folder: Path) -> list[str]:
        """Return the files of a pack that change a vector."""
        names = hub.checkpoint_files(path.name for path in (folder / TOWERS).iterdir())
        return [*(f"{TOWERS}/{name}" for name in names), "lexicon.txt", "heads.safetensors"]

    def sentences(self, folder: Path, heads: HeadsFile) -> TowerSentences:
        """Return the text side of the pack in the making."""
        return TowerSentences(self._towers, heads)

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
