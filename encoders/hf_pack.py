"""Packs of `transformers` checkpoints with the zero-shot lexicon.

A pack's folder holds `pack.json`, `lexicon.txt`, `heads.safetensors` and `checkpoint/`, the
checkpoint itself or a link to where it lies. torch is loaded when something is encoded. How such
a folder is made is told in `hf_prepare.py`; this module must not know it, nor how features are
made, nor what the heads make of them.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from unify.encoders import hub, zeroshot
from unify.encoders.heads import HeadsFile
from unify.encoders.hf import Towers
from unify.encoders.hf_prepare import HEADS, PREFIX, prepare_local
from unify.encoders.hub import CHECKPOINT
from unify.encoders.manifest import FILE_NAME, read_manifest
from unify.encoders.packs import PackFacts
from unify.encoders.speech import spoken_terms, unknown_words
from unify.encoders.word_forms import STOP_WORDS
from unify.encoders.zeroshot import Space, TextHead, VideoHead
from unify.engine.errors import UsageError
from unify.engine.lexicon import Lexicon, words_of
from unify.engine.types import Calibration, EncodedQuery, Float32, Int64, MomentCodes, UInt8
from unify.indexer.ports import FrameShape

UNKNOWN_WORDS = 16  # of one query that are looked up by their meaning

log = logging.getLogger(__name__)


class HfPack:
    """Encodes videos and queries (`VideoEncoder` and `QueryEncoder`).

    Args:
        folder: the pack's folder.

    Attributes:
        folder: the same.
        manifest: what it is made of.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = read_manifest(folder)
        self.manifest.check_sizes(folder)

    @property
    def name(self) -> str:
        """What opens it: `hf:` and the model's name or folder."""
        return self.manifest.name

    @property
    def fingerprint(self) -> str:
        """A hash over every file that changes a vector."""
        return self.manifest.fingerprint

    @property
    def latent_dim(self) -> int:
        """D."""
        return self.manifest.latent_dim

    @property
    def frame_shape(self) -> FrameShape:
        """The pictures that `encode_frames` takes."""
        return self.manifest.frame_shape

    @property
    def uses_gpu(self) -> bool:
        """Whether it computes on a GPU where there is one."""
        return True

    @property
    def remark(self) -> str:
        """What its user should know before trusting it, or ""."""
        if self.manifest.calibrated:
            return ""
        return (
            f"pack {self.name} is not calibrated, so its pictures are not centred and it finds "
            f"less; run: unify models calibrate {self.name} FOLDER"
        )

    @cached_property
    def lexicon(self) -> Lexicon:
        """The V terms."""
        return Lexicon.read(self.folder / "lexicon.txt")

    def terms_of(self, text: str) -> list[int]:
        """Return the terms that a spoken text names; see `VideoEncoder.terms_of`."""
        return spoken_terms(self.lexicon, text)

    def unknown_words(self, text: str) -> list[str]:
        """Return the words of a text that the lexicon lacks; see `QueryEncoder.unknown_words`."""
        return unknown_words(self.lexicon, text)

    def knows(self, word: str) -> bool:
        """Return whether the text tower reads a word as one; see `QueryEncoder.knows`."""
        return self.towers.knows(word)

    @cached_property
    def calibration(self) -> Calibration:
        """Statistics for fusion and thresholds."""
        return self._heads.calibration()

    @cached_property
    def towers(self) -> Towers:
        """The checkpoint, in torch."""
        return Towers(self.folder / CHECKPOINT)

    @cached_property
    def space(self) -> Space:
        """What the heads are made of."""
        return zeroshot.read_space(self._heads, self.folder / HEADS)

    def encode_query(self, text: str) -> EncodedQuery:
        """Encode one plain sentence, without operators; deterministic.

        The latent and the expansion see as much as the checkpoint's context holds; words are
        found in the whole text.
        """
        return self.encode_queries([text])[0]

    def encode_queries(self, texts: Sequence[str]) -> list[EncodedQuery]:
        """Encode sentences, each as `encode_query` does, faster together."""
        return self.encode_with(self._text_head, texts)

    def encode_with(self, head: TextHead, texts: Sequence[str]) -> list[EncodedQuery]:
        """Encode sentences by another head than the pack's own, as calibrating does."""
        unknown = [self._unknown(text) for text in texts]
        words = list(dict.fromkeys(word for some in unknown for word in some))
        features = self.towers.encode_texts([*texts, *words])
        of_word = dict(zip(words, features[len(texts) :], strict=True))
        return [
            head.encode(
                features[i],
                sorted(set(self.lexicon.term_ids(text))),
                np.stack([of_word[word] for word in unknown[i]]) if unknown[i] else None,
            )
            for i, text in enumerate(texts)
        ]

    def encode_frames(self, frames: UInt8) -> Float32:
        """Encode (F, height, width, 3) RGB frames to (F, D) features, any F >= 1."""
        return self.towers.encode_frames(frames)

    def encode_moments(self, features: Float32, spans: Int64) -> MomentCodes:
        """Encode moments of one video; see `VideoEncoder.encode_moments`."""
        return self._video_head.encode(features, spans)

    def verify(self) -> None:
        """Check every byte of every file.

        Raises:
            UsageError: a file is missing or altered; it is named.
        """
        self.manifest.verify(self.folder)

    def facts(self) -> PackFacts:
        """Return what people want to know; card and licence are those of the checkpoint."""
        checkpoint = self.folder / CHECKPOINT
        card, licence = (
            "".join(
                path.read_text("utf-8", "replace")
                for path in sorted(checkpoint.glob(name))
                if path.is_file()
            )
            for name in hub.FOR_PEOPLE
        )
        size_bytes = sum(file.size_bytes for file in self.manifest.files)
        return PackFacts(self.manifest, self.folder, size_bytes, licence, card)

    def _unknown(self, text: str) -> list[str]:
        words = dict.fromkeys(words_of(text))
        lacking = (w for w in words if w not in STOP_WORDS and self.lexicon.lookup(w) is None)
        return list(lacking)[:UNKNOWN_WORDS]

    @cached_property
    def _heads(self) -> HeadsFile:
        return HeadsFile(self.folder / HEADS)

    @cached_property
    def _text_head(self) -> TextHead:
        return TextHead(self.space)

    @cached_property
    def _video_head(self) -> VideoHead:
        if self.remark:  # said once by a process that indexes or evaluates
            log.warning("%s", self.remark)
        return VideoHead(self.space)


def open_hf(spec: str) -> HfPack:
    """Open a checkpoint as a pack.

    Args:
        spec: `hf:` and the name of a pulled model, or a folder; a folder is prepared first if
            that has not been done.

    Raises:
        UsageError: it has not been pulled, is of no known kind, or a file of it is missing.
        MissingPackage: torch or transformers is not installed.
    """
    place = spec.removeprefix(PREFIX)
    path = Path(place).expanduser()
    if (path / "config.json").is_file():
        return HfPack(prepare_local(path.resolve()))
    if path.is_dir() or place.startswith(("/", "./", "../", "~")):
        raise UsageError(f"{path} holds no config.json", "give the folder of a checkpoint")
    folder = hub.pulled_folder(place)
    if not (folder / FILE_NAME).is_file():
        raise UsageError(
            f"pack {PREFIX}{place} has not been pulled", f"run: unify models pull {place}"
        )
    return HfPack(folder)
