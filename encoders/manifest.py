"""`pack.json`: what a pack is made of, and the fingerprint that follows from it.

The fingerprint is a hash over the settings and over the size and SHA-256 of every file that
changes a vector. Opening checks sizes alone (hashing 70 MB would cost a search its start);
`Manifest.verify` checks every byte. It must not know what is in the files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from unify.engine.durable import sha256_of
from unify.engine.errors import UsageError
from unify.indexer.ports import FrameShape

FILE_NAME = "pack.json"
FORMAT = 1
# Files beside these say things to people and change no vector.
VECTOR_FILES = (
    "towers/vision.xml",
    "towers/vision.bin",
    "towers/text.safetensors",
    "towers/tokenizer.json",
    "lexicon.txt",
    "heads.safetensors",
)


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
    """

    name: str
    frame_shape: FrameShape
    max_tokens: int
    latent_dim: int
    terms: int
    precision: str
    files: tuple[PackFile, ...]

    @property
    def fingerprint(self) -> str:
        """SHA-256, in hexadecimal, of everything here but the name."""
        content = {key: value for key, value in asdict(self).items() if key != "name"}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def write(self, folder: Path) -> None:
        """Write `pack.json` into a pack's folder."""
        content = {"format": FORMAT, **asdict(self), "fingerprint": self.fingerprint}
        (folder / FILE_NAME).write_text(json.dumps(content, indent=1) + "\n", "utf-8")

    def check_sizes(self, folder: Path) -> None:
        """See that every file is there and as long as it should be.

        Raises:
            UsageError: one is not; it is named.
        """
        for file in self.files:
            path = folder / file.path
            size = path.stat().st_size if path.is_file() else None
            if size is None:
                raise UsageError(f"pack file {path} is missing", "install unify-search again")
            if size != file.size_bytes:
                raise UsageError(
                    f"pack file {path} has {size:,} bytes instead of {file.size_bytes:,}",
                    "install unify-search again, or build the pack again",
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
                    f"pack file {folder / file.path} was altered",
                    "install unify-search again, or build the pack again",
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
                "use the version of unify that wrote the pack",
            )
        written = content.pop("fingerprint")
        content["frame_shape"] = FrameShape(**content["frame_shape"])
        content["files"] = tuple(PackFile(**file) for file in content["files"])
        manifest = Manifest(**content)
    except FileNotFoundError:
        raise UsageError(f"{folder} holds no {FILE_NAME}", "give the folder of a pack") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} cannot be read ({error})", "build the pack again") from None
    if manifest.fingerprint != written:
        raise UsageError(f"{path} was altered after it was written", "build the pack again")
    return manifest
