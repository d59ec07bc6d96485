"""`pack.json`: what a pack is made of, and the fingerprint that follows from it.

The fingerprint is a hash over the settings and over the size and SHA-256 of every file that
changes a vector. Opening checks sizes alone (hashing 70 MB would cost a search its start);
`Manifest.verify` checks every byte. Settings that came later are hashed where they are not the
default: packs that do not name them keep their fingerprint. It must not know what is in the
files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from unify.engine.durable import replace_file, sha256_of
from unify.engine.errors import UsageError
from unify.indexer.ports import FrameShape

FILE_NAME = "pack.json"
FORMAT = 3  # 2: the text layers that were trained lie in the heads' file
# Files beside these say things to people and change no vector.
VECTOR_FILES = (
    "towers/vision.safetensors",
    "towers/text.safetensors",
    "towers/tokenizer.json",
    "lexicon.txt",
    "heads.safetensors",
)


class Towers(StrEnum):
    """What turns pictures and text into features."""

    MINI = "mini"  # EfficientNet-Lite and MiniLM, without torch
    TRANSFORMERS = "transformers"  # a dual encoder's checkpoint


class Heads(StrEnum):
    """What turns features into latents and lexicon weights."""

    TRAINED = "trained"
    ZERO_SHOT = "zero-shot"


_LATER = {"towers": Towers.MINI, "heads": Heads.TRAINED, "calibrated": True, "source": ""}
_REMEDY = {
    Towers.MINI: "install unify-search again, or build the pack again",
    Towers.TRANSFORMERS: "pull or build the pack again",
}


@dataclass(frozen=True, slots=True)
class PackFile:
    """One file of a pack.

    Attributes:
        path: below the pack's folder, with forward slashes.
        size_bytes: its size.
        sha256: its hash, in hexadecimal.
    """

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of `pack.json`.

    Attributes:
        name: the pack's name, for people.
        frame_shape: the pictures that the vision tower takes.
        max_tokens: longer texts are cut there.
        latent_dim: D.
        terms: V.
        precision: of all arithmetic.
        files: every file that changes a vector.
        towers: which kind it has.
        heads: which kind it has.
        calibrated: whether its statistics are those of pictures.
        source: where the weights came from, for people.
    """

    name: str
    frame_shape: FrameShape
    max_tokens: int
    latent_dim: int
    terms: int
    precision: str
    files: tuple[PackFile, ...]
    towers: Towers = Towers.MINI
    heads: Heads = Heads.TRAINED
    calibrated: bool = True
    source: str = ""

    @property
    def fingerprint(self) -> str:
        """SHA-256, in hexadecimal, of everything here but the name and the source."""
        content = {k: v for k, v in self._content().items() if k not in ("name", "source")}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def _content(self) -> dict[str, Any]:
        """Return the settings and files, without what came later and is the default."""
        content = asdict(self)
        for key, default in _LATER.items():
            if content[key] == default:
                del content[key]
        return content

    def write(self, folder: Path) -> None:
        """Write `pack.json` into a pack's folder, wholly or not at all."""
        content = {"format": FORMAT, **self._content(), "fingerprint": self.fingerprint}
        replace_file(folder / FILE_NAME, (json.dumps(content, indent=1) + "\n").encode())

    def check_sizes(self, folder: Path) -> None:
        """See that every file is there and as long as it should be.

        Raises:
            UsageError: one is not; it is named.
        """
        for file in self.files:
            path = folder / file.path
            size = path.stat().st_size if path.is_file() else None
            if size is None:
                raise UsageError(f"pack file {path} is missing", _REMEDY[self.towers])
            if size != file.size_bytes:
                raise UsageError(
                    f"pack file {path} has {size:,} bytes instead of {file.size_bytes:,}",
                    _REMEDY[self.towers],
                )

    def verify(self, folder: Path) -> None:
        """Check every byte of every file.

        Raises:
            UsageError: a file is missing or altered; it is named.
        """
        self.check_sizes(folder)
        for file in self.files:
            if sha256_of(folder / file.path) != file.sha256:
                raise UsageError(
                    f"pack file {folder / file.path} was altered", _REMEDY[self.towers]
                )


def describe_files(folder: Path, paths: Sequence[str] = VECTOR_FILES) -> tuple[PackFile, ...]:
    """Measure and hash the files of a pack."""
    return tuple(
        PackFile(path, (folder / path).stat().st_size, sha256_of(folder / path)) for path in paths
    )


def read_manifest(folder: Path) -> Manifest:
    """Read a pack's `pack.json`.

    Raises:
        UsageError: there is none, or it is not one that this version reads.
    """
    path = folder / FILE_NAME
    try:
        content = json.loads(path.read_text("utf-8"))
        version = content.pop("format")
        if version != FORMAT:
            raise UsageError(
                f"{path} has format {version}, this version reads {FORMAT}",
                "build or pull the pack again, or use the version of unify that wrote it",
            )
        written = content.pop("fingerprint")
        content["frame_shape"] = FrameShape(**content["frame_shape"])
        content["files"] = tuple(PackFile(**file) for file in content["files"])
        for key, kind in (("towers", Towers), ("heads", Heads)):
            if key in content:
                content[key] = kind(content[key])
        manifest = Manifest(**content)
    except FileNotFoundError:
        raise UsageError(f"{folder} holds no {FILE_NAME}", "give the folder of a pack") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} cannot be read ({error})", "build the pack again") from None
    if manifest.fingerprint != written:
        raise UsageError(f"{path} was altered after it was written", "build the pack again")
    return manifest
