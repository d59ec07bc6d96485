"""What a search engine is to the benchmarks, and our own sides as such engines.

It must not know how times are taken, what becomes of them, or which other engines there are
(`peers.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar, Protocol

import lucene
import numpy as np
from recall import Library, row_numbers

import unify
from unify.engine.fusion import Mode
from unify.engine.local import open_snapshot
from unify.engine.query import Filters
from unify.engine.search import Searcher
from unify.engine.types import Calibration, EncodedQuery, Float32, Int64, SparseRows

UNCOUNTED = ("encode", "explain")


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
    """Row numbers, best first; and the engine's own time where it runs in another process."""

    rows: Int64
    own_ms: float | None = None


class Engine(Protocol):
    """What is measured.

    Attributes:
        name: for the tables.
        side: what it ranks by.
        package: the distribution whose version is told.
        size_bytes: of its index, on disk or (scipy, FAISS) in memory; known once it is open.
    """

    name: str
    side: Mode
    package: str
    size_bytes: int

    def open(self, library: Library, collection: Callable[[], Collection], folder: Path) -> None:
        """Open the index in a folder of its own; build it when it is not there."""
        ...

    def prepare(self, query: EncodedQuery, name: str, k: int) -> Any:
        """Turn a query, and the name the pack knows it by, into what `search` takes."""
        ...

    def search(self, prepared: Any, k: int) -> Found:
        """Return the k best rows."""
        ...


def version(package: str) -> str:
    """Return the version of an installed distribution, or our own."""
    if package == "unify-search":
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


class _Ours:
    """What our three engines share."""

    package = "unify-search"
    prefixes: ClassVar[tuple[str, ...]]  # of the files of a segment that count

    def open(self, library: Library, _: Callable[[], Collection], __: Path) -> None:
        """Open the library's own index."""
        self.backend = open_snapshot(library.index)
        self.searcher = Searcher(self.backend, library.pack)
        self.rows = row_numbers(self.backend)
        self.allowed = self.backend.allowed(Filters(), [], 0.0)
        self.size_bytes = sum(
            file.size_bytes
            for segment in self.backend.manifest.segments
            for file in segment.files
            if file.name.startswith(self.prefixes)
        )


class UnifyLexicon(_Ours):
    """Our lexicon side alone, on one thread: rows and scores, as a sparse engine returns them."""

    name, side = "unify lexicon", Mode.LEXICON
    prefixes = ("postings", "forward", "scales")

    def prepare(self, query: EncodedQuery, _: str, __: int) -> EncodedQuery:
        """Take it as it is."""
        return query

    def search(self, query: EncodedQuery, k: int) -> Found:
        """Fetch one side."""
        terms, weights = query.terms, query.weights
        return Found(self.rows(self.backend.lexicon_topk(terms, weights, k, self.allowed, 1).ids))


class UnifyLatent(_Ours):
    """Our latent side alone, by the structure that may miss rows where the index has one."""

    name, side = "unify latent", Mode.LATENT
    prefixes: ClassVar[tuple[str, ...]] = ("latents", "ann")
    exact: ClassVar[bool] = False

    def prepare(self, query: EncodedQuery, _: str, __: int) -> Float32:
        """Take its latent."""
        assert query.latent is not None
        return query.latent

    def search(self, latent: Float32, k: int) -> Found:
        """Fetch one side."""
        return Found(
            self.rows(self.backend.latent_topk(latent[None], k, self.allowed, self.exact, 1)[0].ids)
        )


class UnifyLatentExact(UnifyLatent):
    """The same, exactly."""

    name, prefixes, exact = "unify latent, exact", ("latents",), True


class UnifyHybrid(_Ours):
    """The whole search but for the text encoder: parsed, planned, fused, certified, explained.

    The planner chooses structures and threads as it does for a user.
    """

    name, side = "unify hybrid", Mode.FUSED
    prefixes = ("",)
    exact: ClassVar[bool] = False

    def prepare(self, _: EncodedQuery, name: str, __: int) -> str:
        """Take its name, which the pack looks up."""
        return name

    def search(self, name: str, k: int) -> Found:
        """Search as a user does, a hit for every moment."""
        answer = self.searcher.search(name, k, moments=True, exact=self.exact)
        return Found(self.rows(answer.outcome.ids))


class UnifyHybridRows(UnifyHybrid):
    """The same search, timed until its rows and scores are known, as hybrid peers return them."""

    name = "unify hybrid, rows"

    def search(self, name: str, k: int) -> Found:
        """Leave out what looking up the query and explaining the hits took."""
        answer = self.searcher.search(name, k, moments=True)
        stages = (ms for stage, ms in answer.times_ms.items() if stage not in UNCOUNTED)
        return Found(self.rows(answer.outcome.ids), sum(stages))


class UnifyHybridExact(UnifyHybrid):
    """The same, without structures that may miss rows."""

    name, exact = "unify hybrid, exact", True


OURS = (UnifyLexicon, UnifyLatent, UnifyLatentExact, UnifyHybrid, UnifyHybridRows, UnifyHybridExact)


@dataclass(frozen=True, slots=True)
class Opened:
    """The engines that could be opened, and one line of why for each that could not."""

    engines: list[Engine] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def open_engines(
    kinds: Iterable[type[Engine]],
    library: Library,
    collection: Callable[[], Collection],
    folder: Path,
) -> Opened:
    """Open or build engines, one after the other; what cannot be had is told, not hidden."""
    opened = Opened()
    folder.mkdir(parents=True, exist_ok=True)
    for kind in kinds:
        engine = kind()
        try:
            engine.open(library, collection, folder)
            engine.search(engine.prepare(library.queries[0], "q0", 10), 10)
        except Exception as error:  # a peer fails in ways of its own
            lines = str(error).strip().splitlines() or [""]
            opened.failed[engine.name] = f"{type(error).__name__}: {lines[-1]}"
        else:
            opened.engines.append(engine)
    return opened
