"""How training starts from the `mini` towers, which share no space, and what it writes of them.

The lexicon's dictionary comes from centred word vectors of the text tower and the text head starts
as the identity, so that texts speak the lexicon at once; the video side starts at random, and the
first stage grounds it: the paper's own case. Where the text tower is a masked language model's and
the lexicon its pieces, its own head takes their place (`mlm.py`), as in the paper. It must not
know losses or data sets.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as nnf

from unify.encoders import mlm
from unify.encoders.dictionary import term_vectors
from unify.encoders.heads import HeadsFile, VideoHead
from unify.encoders.manifest import VECTOR_FILES, Towers
from unify.encoders.minilm import TextTower
from unify.encoders.mlm import (
    LanguageHead,
    MlmText,
    Transform,
    TransformedProjection,
    read_head,
)
from unify.encoders.model import Projection, TextStates, Unify
from unify.encoders.recipe import ModelRecipe, Recipe
from unify.encoders.sentences import SentenceEncoder
from unify.encoders.start import first_lexical, sample_features, sample_sentences
from unify.encoders.towers import BertText, CnnTop, Sharing, inner_tokens, unit_mean
from unify.encoders.trainset import TrainingSet
from unify.encoders.vision import STEM_BLOCKS, VisionTower
from unify.engine.durable import sha256_of
from unify.engine.errors import UsageError
from unify.engine.types import Float32, UInt8
from unify.indexer.ports import FrameShape

FRAME_SHAPE = FrameShape(width=260, height=260, fit="squash")
MAX_TOKENS = 128
TRAINING_TOKENS = 24  # captions are cut there: one in fifty is longer
TEXT_GAIN = 8.0  # brings the numbers of a unit sentence vector near those of a frame feature
SD_FLOOR = 0.05  # of a frame feature
FILES = ("vision.safetensors", "text.safetensors", "tokenizer.json")

log = logging.getLogger(__name__)


class MiniVideo(nn.Module):
    """The picture tower above its stem, for both branches.

    Args:
        top: None where the whole tower is the stem, which then gives the features.
    """

    def __init__(self, top: CnnTop | None) -> None:
        super().__init__()
        self.top = top

    def forward(self, stem: Tensor) -> tuple[Tensor, Tensor]:
        """(N, ...) of the stem to (N, C) features of the latent and the lexicon branch."""
        features = self.top(stem) if self.top else stem
        return features, features


class MiniText(nn.Module):
    """The text tower, its states pooled as the branches take them."""

    def __init__(self, bert: BertText) -> None:
        super().__init__()
        self.bert = bert

    def forward(self, ids: Tensor, mask: Tensor) -> TextStates:
        """(B, L) ids and bool mask to states; the first and last token are special."""
        latent, lexicon = self.bert(ids, mask)
        whole = unit_mean(lexicon, mask)[:, None]
        voters = torch.cat([whole, nnf.normalize(lexicon.float(), dim=-1)], dim=1)
        votes = torch.cat([torch.ones_like(mask[:, :1]), inner_tokens(mask)], dim=1)
        return TextStates(unit_mean(latent, mask), voters, votes)


@dataclass(frozen=True, slots=True)
class MiniStem:
    """The frozen part of the picture tower, or all of it; see `features.FrameStem`."""

    stamp: str
    tower: VisionTower
    frame_shape: FrameShape = FRAME_SHAPE

    def encode(self, frames: UInt8) -> Float32:
        """Encode (F, height, width, 3) frames to (F, channels, height', width') or (F, C)."""
        return self.tower.encode(frames)


class MiniStart:
    """What a training run starts from.

    Args:
        folder: of towers, as `unify.encoders.export` writes it.
        train_video: whether the top of the picture tower is to be trained.
    """

    kind = Towers.MINI

    def __init__(self, folder: Path, train_video: bool) -> None:
        for name in FILES:
            if not (folder / name).is_file():
                raise UsageError(
                    f"{folder} holds no {name}", "write towers with python -m unify.encoders.export"
                )
        self._folder, self._train_video = folder, train_video
        self._vision = load_file(folder / "vision.safetensors")
        if "last.weight" not in self._vision:
            raise UsageError(
                f"{folder} holds the stem of a picture tower alone, as a pack does",
                "write whole towers with python -m unify.encoders.export",
            )
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.frame_shape = FRAME_SHAPE
        self.max_tokens = MAX_TOKENS
        self.training_tokens = TRAINING_TOKENS
        self._text = (folder / "text.safetensors", folder / "tokenizer.json")
        head = folder / mlm.FILE
        self.text_files = (*self._text, *([head] if head.is_file() else []))

    def stem(self) -> MiniStem:
        """Return what training leaves as it is of the picture tower."""
        shape = FRAME_SHAPE
        tower = VisionTower(self._vision, shape.height, shape.width, self._train_video)
        part = "stem" if self._train_video else "whole"
        stamp = f"{sha256_of(self._folder / 'vision.safetensors')[:8]}-{part}"
        return MiniStem(stamp, tower)

    def model(self, recipe: Recipe, data: TrainingSet, terms: Sequence[str]) -> Unify:
        """Return the untrained model over terms, with the statistics of the training set in it.

        Raises:
            UsageError: the branches are to share nothing, pictures included; or no text layer
                would be left to train.
        """
        settings = recipe.model
        if self._train_video and settings.sharing is Sharing.NONE:
            raise UsageError(
                "branches that share nothing would need two picture towers",
                "set model.train_video = false beside sharing = none",
            )
        bert = self._bert(settings)
        head = self._language_head(recipe.lexicon, terms)
        dictionary = head.words if head else self._dictionary(terms)
        video = MiniVideo(CnnTop(self._vision) if self._train_video else None)
        text = MlmText(bert) if head else MiniText(bert)
        text.bert.shared.requires_grad_(settings.train_text)
        text.bert.latent.requires_grad_(settings.train_text)
        text.bert.lexicon.requires_grad_(settings.train_text)
        frames, sentences = sample_features(video, data), sample_sentences(text, data)
        mean, scale = frames.mean(dim=0), 1 / (frames.std(dim=0) + SD_FLOOR)
        text_mean = sentences.mean(dim=0)
        gain = torch.full_like(text_mean, TEXT_GAIN)
        hidden, dropout, width = settings.hidden, settings.dropout, dictionary.shape[1]
        video_latent = Projection(mean, scale, hidden, settings.latent, dropout)
        video_lexicon = Projection(mean, scale, hidden, width, dropout)
        text_latent = Projection(text_mean, gain, hidden, settings.latent, dropout)
        text_lexicon = Projection(text_mean, gain, hidden, width, dropout, identity=True)
        lexical = first_lexical(data, dictionary, recipe.loss.ground_offset)
        video_words: nn.Module = video_lexicon
        text_words: nn.Module = text_lexicon
        if head:
            video_words = TransformedProjection(video_lexicon, Transform(head.transform))
            text_words = Transform(head.transform)
            lexical = head.lexical(lexical, len(bert.words))
        return Unify(
            video, text, video_latent, video_words, text_latent, text_words, lexical
        )  # fmt: skip

    def _bert(self, settings: ModelRecipe) -> BertText:
        tensors = load_file(self._folder / "text.safetensors")
        layers = len({name.split(".")[0] for name in tensors if name[0].isdigit()})
        if settings.frozen_layers >= layers:
            raise UsageError(
                f"the text tower in {self._folder} has {layers} layers, so {settings.frozen_layers}"
                " cannot stay frozen: the branches need the last",
                f"set model.frozen_layers to {layers - 1} or less",
            )
        return BertText(tensors, settings.frozen_layers, settings.sharing, settings.text_dropout)

    def _language_head(self, lexicon: Path, terms: Sequence[str]) -> LanguageHead | None:
        head = read_head(self._folder, self.tokenizer, terms)
        if head is None and (self._folder / mlm.FILE).is_file():
            log.warning(
                "%s is not of the pieces of %s, whose language model's head is left out",
                lexicon, self._folder,
            )  # fmt: skip
        return head

    def _dictionary(self, terms: Sequence[str]) -> Float32:
        """Return (V, W) unit vectors of the terms."""
        tower = TextTower(*self._text, MAX_TOKENS)
        return term_vectors(terms, lambda texts: tower.encode(texts, batch=64).astype(np.float16))

    def write_towers(self, out: Path, model: Unify) -> None:
        """Copy what training left as it was into a pack's `towers/`."""
        out.mkdir(parents=True, exist_ok=True)
        for path in self._text:
            shutil.copyfile(path, out / path.name)
        stem = [name for name in self._vision if not is_top(name)]
        save_file({name: self._vision[name] for name in stem}, out / "vision.safetensors")
        for path in out.iterdir():
            path.chmod(0o644)

    def vector_files(self, folder: Path) -> Sequence[str]:
        """Return the files of a pack that change a vector."""
        return VECTOR_FILES

    def sentences(self, folder: Path, heads: HeadsFile) -> SentenceEncoder:
        """Return the text side of the pack in the making."""
        towers = folder / "towers"
        return SentenceEncoder(
            towers / "text.safetensors", towers / "tokenizer.json", heads, MAX_TOKENS
        )

    def video_head(self, heads: HeadsFile) -> VideoHead:
        """Return what makes moments of `features`."""
        return VideoHead(heads)

    def tensors(self, model: Unify) -> dict[str, np.ndarray]:
        """Return the trained towers by the names of a heads file."""
        video, text = model.video_tower, model.text_tower
        assert isinstance(video, MiniVideo) and isinstance(text, MiniText | MlmText)
        top = video.top or CnnTop(self._vision)
        found = {f"vision.{name}": value for name, value in top.tensors().items()}
        found |= {f"text.{name}": value for name, value in text.bert.tensors().items()}
        return found | {"text_frozen_layers": np.array(len(text.bert.stem), np.float32)}

    @torch.no_grad()
    def features(self, folder: Path, heads: HeadsFile, data: TrainingSet) -> list[Float32]:
        """Return each data set's (P, C) features by the picture tower of a heads file."""
        if not self._train_video:
            return [np.asarray(values[:, 0], np.float32) for values in data.pictures]
        top = CnnTop(heads.below("vision."))
        found = []
        for values in data.pictures:
            parts = [
                top(torch.from_numpy(np.array(values[i : i + 64, 0], np.float32))).numpy()
                for i in range(0, len(values), 64)
            ]
            found.append(np.concatenate(parts))
        return found


def is_top(name: str) -> bool:
    """Return whether a tensor of the picture tower belongs to its trained top."""
    part = name.split(".")[0]
    return part == "last" or (part.isdigit() and int(part) >= STEM_BLOCKS)
