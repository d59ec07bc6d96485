"""The one mutable root of an index: which files make up the current generation.

An index directory holds

    manifest.json                   this module: settings, roots, live files with size and SHA-256
    manifest-copy.json              the same again, should `manifest.json` be damaged
    segments/<id>/                  immutable rows (`engine/segment.py`)
    videos-<generation>.npy, .txt   the live videos and the copies of their files: a table, and
                                    their relative paths
    tombstones-<generation>.npy     ids of videos whose rows still lie in a segment but are gone
    catalog.sqlite, lock            the writer's alone; readers never open them

`manifest.json` is replaced atomically; everything that it names is immutable. Readers open it
and what it names, nothing else. An index that lies inside a root may be moved together with it:
such a root is stored relative to the index.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from unify.engine import durable
from unify.engine.errors import DamagedIndex, IncompatibleIndex, IndexUnavailable, NoIndex

FORMAT = 3
NAME = "manifest.json"
COPY = "manifest-copy.json"


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """What every row of an index has in common; a build with other settings is refused.

    Attributes:
        pack: the pack's name.
        fingerprint: the pack's fingerprint; vectors of another one are not comparable.
        latent_dim: D.
        lexicon_size: V.
        fps: frames sampled per second of video.
        window_s: length of a moment in seconds.
        decoder: name of the decoder, for the record.
    """

    pack: str
    fingerprint: str
    latent_dim: int
    lexicon_size: int
    fps: float
    window_s: float
    decoder: str

    @property
    def stored_terms(self) -> int:
        """How many terms rows are over: 2V, each word as shown and as said (`engine/said.py`)."""
        return 2 * self.lexicon_size


@dataclass(frozen=True, slots=True)
class Root:
    """A PATH given to `build`: as it was written, and absolute."""

    given: str
    path: str


def stored_path(path: str, directory: Path) -> str:
    """Return a root's path as files of an index keep it: relative where the index lies inside it.

    Args:
        path: the root, absolute.
        directory: the index.
    """
    home = os.path.normpath(directory.absolute())
    pairs = ((home, path), (os.path.realpath(home), os.path.realpath(path)))  # links lead out of it
    inside = all(inner.startswith(outer.rstrip(os.sep) + os.sep) for inner, outer in pairs)
    return os.path.relpath(path, home) if inside else path


def resolved_path(stored: str, directory: Path) -> str:
    """Return the absolute path of a root, wherever the index lies now."""
    return os.path.normpath(directory.absolute() / stored)


@dataclass(frozen=True, slots=True)
class Place:
    """A file: index into the manifest's roots, and path relative to the root."""

    root: int
    rel: str


@dataclass(frozen=True, slots=True)
class Video:
    """A live video.

    Attributes:
        id: unique in this index, never reused.
        root: index into the manifest's roots.
        rel: path relative to the root.
        duration_s: seconds.
        recorded: when it was recorded, seconds since 1970 UTC.
        copies: other files of the same content, in the order of roots and names.
    """

    id: int
    root: int
    rel: str
    duration_s: float
    recorded: float
    copies: tuple[Place, ...] = ()

    @property
    def places(self) -> tuple[Place, ...]:
        """Its own file, then the copies."""
        return (Place(self.root, self.rel), *self.copies)


@dataclass(frozen=True, slots=True)
class FileEntry:
    """An immutable file of the index, by name relative to its folder."""

    name: str
    size_bytes: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> FileEntry:
        """Describe a file that was just written."""
        return cls(path.name, path.stat().st_size, durable.sha256_of(path))


def segment_folder(directory: Path, segment_id: int) -> Path:
    """Return where a segment lies under an index directory."""
    return directory / "segments" / f"{segment_id:08d}"


@dataclass(frozen=True, slots=True)
class SegmentEntry:
    """A live segment and its files."""

    id: int
    moments: int
    frames: int
    postings: int
    files: tuple[FileEntry, ...]

    def folder(self, directory: Path) -> Path:
        """Return where the segment lies under an index directory."""
        return segment_folder(directory, self.id)

    @property
    def size_bytes(self) -> int:
        """Of all its files."""
        return sum(file.size_bytes for file in self.files)


@dataclass(frozen=True, slots=True)
class Manifest:
    """One generation of an index."""

    generation: int
    settings: IndexSettings
    roots: tuple[Root, ...] = ()
    segments: tuple[SegmentEntry, ...] = ()
    tables: tuple[FileEntry, ...] = ()
    videos: int = 0
    tombstones: int = 0

    def next(self, **changes: Any) -> Manifest:
        """Return the following generation with some fields replaced."""
        return replace(self, generation=self.generation + 1, **changes)

    @property
    def moments(self) -> int:
        """Rows in all live segments, tombstoned ones included."""
        return sum(segment.moments for segment in self.segments)


def _checksum(body: dict[str, Any]) -> str:
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Make `manifest` the current generation, atomically.

    The copy comes first: what it says is whole, too, should this stop between the two.
    """
    roots = tuple(Root(r.given, stored_path(r.path, directory)) for r in manifest.roots)
    body = asdict(replace(manifest, roots=roots))
    document = {"format": FORMAT, "sha256": _checksum(body), "manifest": body}
    data = json.dumps(document, indent=1).encode()
    for name in (COPY, NAME):
        durable.replace_file(directory / name, data)


def renew_copy(directory: Path) -> None:
    """Let the copy say what the manifest says, be it older, newer or absent."""
    data = (directory / NAME).read_bytes()
    copy = directory / COPY
    if not copy.is_file() or copy.read_bytes() != data:
        durable.replace_file(copy, data)


def restore_manifest(directory: Path) -> bool:
    """Put the copy in the place of a damaged or absent manifest; return whether it was whole.

    Raises:
        IndexUnavailable: the copy cannot be read now.
        IncompatibleIndex: another version of unify wrote it.
    """
    try:
        read_manifest(directory, COPY)
    except (DamagedIndex, NoIndex):
        return False
    durable.replace_file(directory / NAME, (directory / COPY).read_bytes())
    return True


def _files(rows: list[dict[str, Any]]) -> tuple[FileEntry, ...]:
    return tuple(FileEntry(**row) for row in rows)


def _root(given: str, path: str, directory: Path) -> Root:
    resolved = resolved_path(path, directory)
    moves = not Path(path).is_absolute()
    return Root(resolved if moves and Path(given).is_absolute() else given, resolved)


def _parse(body: dict[str, Any], directory: Path) -> Manifest:
    segments = tuple(
        SegmentEntry(**{**row, "files": _files(row["files"])}) for row in body["segments"]
    )
    return Manifest(
        generation=body["generation"],
        settings=IndexSettings(**body["settings"]),
        roots=tuple(_root(**row, directory=directory) for row in body["roots"]),
        segments=segments,
        tables=_files(body["tables"]),
        videos=body["videos"],
        tombstones=body["tombstones"],
    )


def read_manifest(directory: Path, name: str = NAME) -> Manifest:
    """Read the current generation.

    Args:
        directory: the index.
        name: which of the two files.

    Raises:
        NoIndex: there is none in `directory`.
        IndexUnavailable: it cannot be read.
        IncompatibleIndex: another version of unify wrote it.
        DamagedIndex: the manifest is not what was written.
    """
    path = directory / name
    try:
        text = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise NoIndex(f"no index in {directory}", "make one: unify index build VIDEOS") from None
    except OSError as error:
        raise IndexUnavailable(
            f"cannot read {path}: {error.strerror}", "check its permissions"
        ) from None
    try:
        document = json.loads(text)
        if document["format"] != FORMAT:
            raise IncompatibleIndex(
                f"{path} has index format {document['format']}, this version reads {FORMAT}",
                "build the index again into another --index",
            )
        if document["sha256"] != _checksum(document["manifest"]):
            raise ValueError("its checksum does not match")
        return _parse(document["manifest"], directory)
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedIndex(
            f"{path} is damaged ({error})", "restore it from its copy: unify index repair"
        ) from None
