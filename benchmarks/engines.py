"""What a search engine is to the benchmarks, and how engines are opened.

It must not know how times are taken, what becomes of them, or which engines there are (`ours.py`,
`peers.py`).
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

import lucene
import numpy as np
from library import Library

import unify
from unify.engine.fusion import Mode
from unify.engine.types import Calibration, EncodedQuery, Float32, Int64, SparseRows

OURS = "unify-search"


@dataclass(frozen=True, slots=True)
class Collection:
    """All moments in memory: latents (M, D), their rows, V, and how to fuse."""

    latents: Float32
    rows: SparseRows
    terms: int
    calibration: Calibration

    @classmethod
    def of(cls, library: Library) -> Collection:
        """Make the moments of a library again."""
        blocks = list(library.workload.blocks(library.moments))
        return cls(
            np.concatenate([block.latents for block in blocks]),
            SparseRows.concatenate(block.rows for block in blocks),
            library.terms,
            library.pack.calibration,
        )


@dataclass(frozen=True, slots=True)
class Found:
    """Row numbers, best first; and the engine's own time where more than it was called."""

    rows: Int64
    own_ms: float | None = None


class Engine(Protocol):
    """What is measured; subclasses say so, and inherit what they need not change.

    Attributes:
        name: for the tables.
        side: what it ranks by.
        package: the distribution whose version is told.
        size_bytes: of its index, on disk or (scipy, FAISS) in memory; known once it is open.
        apart: whether it goes on working in this process after an answer, which others would feel.
    """

    name: str
    side: Mode
    package: str
    size_bytes: int = 0
    apart: bool = False

    def open(self, library: Library, collection: Callable[[], Collection], folder: Path) -> None:
        """Open the index in a folder that engines share; build it when it is not there."""
        ...

    def prepare(self, query: EncodedQuery, name: str, k: int) -> Any:
        """Turn a query, and the name the pack knows it by, into what `search` takes."""
        ...

    def search(self, prepared: Any, k: int) -> Found:
        """Return the k best rows."""
        ...

    def close(self) -> None:
        """End what it started, even where `open` failed; most start nothing."""
        return


def version(package: str) -> str:
    """Return the version of an installed distribution, or our own."""
    if package == OURS:
        return unify.__version__
    if package == "anserini":  # in an environment of its own
        return lucene.version()
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def disk_bytes(paths: Iterable[Path]) -> int:
    """Return the bytes that files take on disk: databases set more aside than they use."""
    return sum(path.stat().st_blocks * 512 for path in paths if path.is_file())


def built(folder: Path, engine: str, package: str, make: Callable[[Path], None]) -> Path:
    """Return the folder of an engine's index, of the installed version; make it if need be.

    It gets its name when it is whole: what was cut short is never measured.
    """
    path = folder / f"{engine}-{version(package)}"
    if not path.exists():
        part = path.with_name(path.name + ".tmp")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        make(part)
        part.rename(path)
    return path


@dataclass(frozen=True, slots=True)
class Opened:
    """The engines that could be opened, and one line of why for each that could not."""

    engines: list[Engine] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def reason(error: Exception) -> str:
    """Return an error of a peer as one line."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[-1]}"


@contextmanager
def _told_on_stderr() -> Iterator[None]:
    """Send to stderr what compiled code writes to stdout, where only tables belong."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def open_engines(
    kinds: Iterable[type[Engine]],
    library: Library,
    collection: Callable[[], Collection],
    folder: Path,
) -> Opened:
    """Open or build engines, one after the other.

    A peer that cannot be had is told, not hidden; what our own engines raise ends the run.
    """
    opened = Opened()
    folder.mkdir(parents=True, exist_ok=True)
    for kind in kinds:
        engine = kind()
        try:
            with _told_on_stderr():
                engine.open(library, collection, folder)
                engine.search(engine.prepare(library.queries[0], "q0", 10), 10)
        except Exception as error:  # a peer fails in ways of its own
            with suppress(Exception):
                engine.close()
            if engine.package == OURS:
                raise
            opened.failed[engine.name] = reason(error)
        else:
            opened.engines.append(engine)
    return opened
