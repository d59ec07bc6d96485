"""Packs: a name to everything needed to encode videos and queries.

A pack is a folder (`pack.json`, `towers/`, `lexicon.txt`, `heads.safetensors`, and for people
`MODEL_CARD.md` and `LICENSE-WEIGHTS`); the packs that ship stand in `packs/` beside this file.
Opening reads `pack.json` alone; the text side and the vision side are loaded when first used, so
that a search never pays for the picture tower. torch is not needed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from unify.encoders.heads import HeadsFile, VideoHead
from unify.encoders.manifest import FILE_NAME, Heads, Manifest, Towers, read_manifest
from unify.encoders.sentences import SentenceEncoder, Sentences
from unify.encoders.speech import spoken_terms, unknown_words
from unify.engine.errors import UsageError
from unify.engine.lexicon import Lexicon
from unify.engine.types import Calibration, EncodedQuery, Float32, Int64, MomentCodes, UInt8
from unify.indexer.ports import FrameShape

if TYPE_CHECKING:
    from unify.encoders.hf_pack import HfPack
    from unify.encoders.vision import VisionTower

SHIPPED = Path(__file__).resolve().parent / "packs"


@dataclass(frozen=True, slots=True)
class PackFacts:
    """What people want to know of a pack.

    Attributes:
        manifest: what it is made of, with checksums.
        folder: where it is.
        size_bytes: of all files that change a vector.
        licence: text of LICENSE-WEIGHTS, or "".
        card: text of MODEL_CARD.md, or "".
    """

    manifest: Manifest
    folder: Path
    size_bytes: int
    licence: str
    card: str


class Pack:
    """Encodes videos and queries (`VideoEncoder` and `QueryEncoder`).

    Args:
        folder: the pack's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._manifest = read_manifest(folder)
        self._manifest.check_sizes(folder)

    @property
    def name(self) -> str:
        """The pack's name, for people."""
        return self._manifest.name

    @property
    def fingerprint(self) -> str:
        """A hash over every file that changes a vector."""
        return self._manifest.fingerprint

    @property
    def latent_dim(self) -> int:
        """D."""
        return self._manifest.latent_dim

    @property
    def frame_shape(self) -> FrameShape:
        """The pictures that `encode_frames` takes."""
        return self._manifest.frame_shape

    @property
    def uses_gpu(self) -> bool:
        """Whether it computes on a GPU where there is one."""
        return False

    @property
    def remark(self) -> str:
        """What its user should know before trusting it: nothing, it was calibrated in training."""
        return ""

    @cached_property
    def lexicon(self) -> Lexicon:
        """The V terms."""
        return Lexicon.read(self._folder / "lexicon.txt")

    def terms_of(self, text: str) -> list[int]:
        """Return the terms that a spoken text names; see `VideoEncoder.terms_of`."""
        return spoken_terms(self.lexicon, text)

    def unknown_words(self, text: str) -> list[str]:
        """Return the words of a text that the lexicon lacks; see `QueryEncoder.unknown_words`."""
        return unknown_words(self.lexicon, text)

    def knows(self, word: str) -> bool:
        """Return whether the text tower reads a word as one; see `QueryEncoder.knows`."""
        return self._sentences.knows(word)

    @cached_property
    def calibration(self) -> Calibration:
        """Statistics for fusion and thresholds."""
        return self._heads.calibration()

    def encode_query(self, text: str) -> EncodedQuery:
        """Encode one plain sentence, without operators; deterministic.

        The latent and the expansion see the first `max_tokens` tokens; own words are found in
        the whole text.
        """
        return self.encode_queries([text])[0]

    def encode_queries(self, texts: Sequence[str]) -> list[EncodedQuery]:
        """Encode sentences, each as `encode_query` does, faster together."""
        own = [sorted(set(self.lexicon.term_ids(text))) for text in texts]
        return self._sentences.encode(texts, own)

    def encode_frames(self, frames: UInt8) -> Float32:
        """Encode (F, height, width, 3) RGB frames to (F, C) features, any F >= 1."""
        return self._vision_tower.encode(frames)

    def encode_moments(self, features: Float32, spans: Int64) -> MomentCodes:
        """Encode moments of one video; see `VideoEncoder.encode_moments`."""
        return self._video_head.encode(features, spans)

    def verify(self) -> None:
        """Check every byte of every file.

        Raises:
            UsageError: a file is missing or altered; it is named.
        """
        self._manifest.verify(self._folder)

    def facts(self) -> PackFacts:
        """Return what people want to know."""
        texts = [self._folder / name for name in ("LICENSE-WEIGHTS", "MODEL_CARD.md")]
        licence, card = (p.read_text("utf-8") if p.is_file() else "" for p in texts)
        size_bytes = sum(file.size_bytes for file in self._manifest.files)
        return PackFacts(self._manifest, self._folder, size_bytes, licence, card)

    @cached_property
    def _heads(self) -> HeadsFile:
        return HeadsFile(self._folder / "heads.safetensors")

    @cached_property
    def _video_head(self) -> VideoHead:
        return VideoHead(self._heads)

    @cached_property
    def _sentences(self) -> Sentences:
        towers = self._folder / "towers"
        return SentenceEncoder(
            towers / "text.safetensors",
            towers / "tokenizer.json",
            self._heads,
            self._manifest.max_tokens,
        )

    @cached_property
    def _vision_tower(self) -> VisionTower:
        from unify.encoders.vision import VisionTower

        shape = self._manifest.frame_shape
        stem = HeadsFile(self._folder / "towers" / "vision.safetensors").below("")
        return VisionTower(stem | self._heads.below("vision."), shape.height, shape.width)


def list_packs() -> list[str]:
    """Return the names of the packs that ship with this version, then of those pulled."""
    from unify.encoders.hub import pulled_ids

    return [*_shipped(), *(f"hf:{model_id}" for model_id in pulled_ids())]


def open_pack(name: str) -> Pack | HfPack:
    """Open a pack by its name, or by its folder.

    Args:
        name: of a pack that ships, `hf:OWNER/NAME` of one that was pulled, `hf:FOLDER` of a
            checkpoint, or the folder of a pack.

    Raises:
        UsageError: there is no such pack, or a file of it is missing or cut short.
    """
    if name.startswith("hf:"):
        from unify.encoders.hf_pack import open_hf

        return open_hf(name)
    if name in _shipped():
        return Pack(SHIPPED / name)
    if (Path(name) / FILE_NAME).is_file():
        return _open_folder(Path(name).resolve())
    raise UsageError(
        f"there is no pack {name!r}",
        f"use one of {', '.join(list_packs())}, hf:FOLDER of a transformers checkpoint, "
        f"or a folder that holds {FILE_NAME}",
    )


def lasting_name(name: str) -> str:
    """Return a name that opens the same pack from any working directory.

    An index keeps it. A name that opens nothing is returned as it is.
    """
    if name in _shipped():
        return name
    prefix, marker = ("hf:", "config.json") if name.startswith("hf:") else ("", FILE_NAME)
    folder = Path(name.removeprefix(prefix)).expanduser()
    return f"{prefix}{folder.resolve()}" if (folder / marker).is_file() else name


def _shipped() -> list[str]:
    return sorted(path.parent.name for path in SHIPPED.glob(f"*/{FILE_NAME}"))


def _open_folder(folder: Path) -> Pack | HfPack:
    manifest = read_manifest(folder)
    if manifest.towers is Towers.MINI:
        return Pack(folder)
    if manifest.heads is Heads.TRAINED:
        from unify.encoders.hf_trained import TrainedHfPack

        return TrainedHfPack(folder)
    from unify.encoders.hf_pack import HfPack

    return HfPack(folder)
