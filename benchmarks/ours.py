"""Our own sides and the whole search, as engines.

They are timed as a peer of their kind is: rows and scores on one thread. `unify hybrid` and
`unify hybrid, exact` are what a user waits for instead: parsed, planned, fused, certified,
explained, on the threads that the planner chooses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, TypeAlias

from engines import OURS, Collection, Engine, Found
from library import Library, row_numbers

from unify.engine.execute import execute
from unify.engine.fusion import Affine, Mode, affine
from unify.engine.local import open_snapshot
from unify.engine.planner import Wanted, make_plan
from unify.engine.query import Filters
from unify.engine.search import Searcher
from unify.engine.types import EncodedQuery, Float32

Prepared: TypeAlias = tuple[EncodedQuery, Affine]


class _Ours(Engine):
    """What our engines share."""

    package = OURS
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
    """The lexicon side alone, ranked by the codes of its postings: what a search fetches by."""

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
    """The latent side alone, by the structure that may miss rows where the index has one."""

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


class UnifyHybridRows(_Ours):
    """Planned, fetched, rescored, fused and certified on one thread, until rows are known.

    The fusion of the query is prepared, as it is for peers.
    """

    name, side = "unify hybrid, rows", Mode.FUSED
    prefixes: ClassVar[tuple[str, ...]] = ("",)

    def prepare(self, query: EncodedQuery, _: str, __: int) -> Prepared:
        """Work out how both sides fuse."""
        return query, affine(query, self.searcher.encoder.calibration, self.side)

    def search(self, prepared: Prepared, k: int) -> Found:
        """Plan and execute."""
        query, fusion = prepared
        plan = make_plan(self.backend, query, fusion, self.allowed, Wanted(k, per_video=False))
        plan = replace(plan, threads=1, latent_threads=1)
        return Found(self.rows(execute(plan, self.backend, query, fusion, self.allowed).ids))


class UnifyLexiconExact(UnifyHybridRows):
    """The lexicon side alone, rescored from the stored rows until the answer is exact."""

    name, side = "unify lexicon, exact", Mode.LEXICON
    prefixes = UnifyLexicon.prefixes


class UnifyHybrid(_Ours):
    """The whole search but for the text encoder, as a user gets it, a hit for every moment."""

    name, side = "unify hybrid", Mode.FUSED
    prefixes = ("",)
    exact: ClassVar[bool] = False

    def prepare(self, _: EncodedQuery, name: str, __: int) -> str:
        """Take its name, which the pack looks up."""
        return name

    def search(self, name: str, k: int) -> Found:
        """Search."""
        answer = self.searcher.search(name, k, moments=True, exact=self.exact)
        return Found(self.rows(answer.outcome.ids))


class UnifyHybridExact(UnifyHybrid):
    """The same, without structures that may miss rows."""

    name, exact = "unify hybrid, exact", True


ENGINES: tuple[type[Engine], ...] = (
    UnifyLexicon, UnifyLexiconExact, UnifyLatent, UnifyLatentExact, UnifyHybridRows, UnifyHybrid,
    UnifyHybridExact,
)  # fmt: skip
FLAT = (UnifyLatentExact, UnifyHybridExact)  # what reads every latent
