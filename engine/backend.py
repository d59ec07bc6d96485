"""What the planner needs from whatever holds the rows. `engine/local.py` is the reference.

Everything above this interface (planner, fusion, explanation, command line) is the same for
every backend. Rows are named by moment id, int64. `tests/engine/test_conformance.py` holds what
each must do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from unify.engine.costs import Costs
from unify.engine.manifest import IndexSettings
from unify.engine.query import Filters
from unify.engine.types import EncodedQuery, Float32, Float64, Int64, UInt16


@dataclass(frozen=True, slots=True)
class Statistics:
    """How much a backend holds, tombstoned rows not counted.

    Attributes:
        moments: rows.
        videos: that they belong to.
        segments: parts.
        windows: parts that threads can share.
    """

    moments: int
    videos: int
    segments: int
    windows: int


@dataclass(frozen=True, slots=True)
class Condition:
    """A hard condition in term ids: any of `terms` shows or is said, or (negated) none."""

    terms: tuple[int, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class Allowed:
    """The rows that may be returned, after tombstones, filters and conditions.

    Attributes:
        moments: how many.
        videos: how many distinct videos they belong to; or more, where a backend cannot count
            them: the planner then looks for results that are not there before it says so.
        rows: the backend's own representation; None when every row is allowed.
    """

    moments: int
    videos: int
    rows: Any


@dataclass(frozen=True, slots=True)
class Fetched:
    """The best rows of one side.

    Attributes:
        ids: (k',) int64 moment ids, best first.
        scores: (k',) scores as the structure computed them: float32, or, where they are `exact`,
            the float64 that `latent_scores` gives.
        bound: no allowed row outside `ids` scores above this on this side, rounding included;
            minus infinity when there is no such row, infinity when nothing can be promised.
        exact: whether nobody need compute the scores again.
    """

    ids: Int64
    scores: Float32 | Float64
    bound: float
    exact: bool = False


@dataclass(frozen=True, slots=True)
class MomentFacts:
    """Where a moment lies; `copies` are the absolute paths of other files of the same content."""

    video_id: int
    video: str
    path: str
    start_s: float
    end_s: float
    copies: tuple[str, ...] = ()


class Backend(Protocol):
    """Holds moments and answers for each side separately."""

    @property
    def settings(self) -> IndexSettings:
        """What all rows have in common: the pack first of all."""
        ...

    @property
    def name(self) -> str:
        """What it is called in messages."""
        ...

    def costs(self) -> Costs:
        """Return what the steps of a plan cost here."""
        ...

    def statistics(self) -> Statistics:
        """Return how much there is."""
        ...

    def allowed(self, filters: Filters, conditions: list[Condition], shows: float) -> Allowed:
        """Return the rows that meet all filters and conditions.

        Args:
            filters: conditions on the video.
            conditions: conditions on terms.
            shows: least weight at which a moment shows a term.
        """
        ...

    def approximates(self, allowed: Allowed) -> bool:
        """Return whether `latent_topk` has a structure for these rows that may miss some."""
        ...

    def latent_topk(
        self, latents: Float32, k: int, allowed: Allowed, exact: bool, threads: int
    ) -> list[Fetched]:
        """Return for each query the k allowed rows with the largest inner product with its latent.

        Args:
            latents: (B, D) of unit length; several share scans.
            k: how many, at least 1.
            allowed: the rows that may be returned.
            exact: miss no row; otherwise the bound may be infinite.
            threads: to use, at most.

        Raises:
            UsageError: it cannot be exact.
        """
        ...

    def lexicon_topk(
        self, terms: UInt16, weights: Float32, k: int, allowed: Allowed, threads: int
    ) -> Fetched:
        """Return the k allowed rows with the largest sparse dot product, zeros included.

        Where all weights are above 0, only rows without a match score 0.
        """
        ...

    def fused_topk(self, query: EncodedQuery, k: int, allowed: Allowed) -> Fetched:
        """Return the k allowed rows that are best by the backend's own fusion of both sides.

        Raises:
            UsageError: it has none.
        """
        ...

    def every(self, allowed: Allowed) -> Int64:
        """Return the ids of all allowed rows, ascending."""
        ...

    def latent_scores(self, ids: Int64, latent: Float32) -> Float64:
        """Return (n,) exact latent scores from stored values."""
        ...

    def lexicon_scores(self, ids: Int64, terms: UInt16, weights: Float32) -> Float64:
        """Return (n,) exact lexicon scores from stored values."""
        ...

    def term_weights(self, ids: Int64, terms: UInt16) -> Float64:
        """Return (n, Q) exact weights of the given terms from stored values."""
        ...

    def latents(self, ids: Int64) -> Float32:
        """Return (n, D) stored latents."""
        ...

    def video_ids(self, ids: Int64) -> Int64:
        """Return (n,) video ids."""
        ...

    def postings_count(self, terms: UInt16) -> Int64:
        """Return (Q,) numbers of rows that hold each term, tombstoned rows included."""
        ...

    def facts(self, moment: int) -> MomentFacts:
        """Return where a moment lies."""
        ...

    def tracks(self, moment: int, terms: UInt16) -> tuple[Float64, Float64]:
        """Return (F,) times in seconds of a moment's frames and (F, Q) weights of terms in them."""
        ...

    def term_counts(self, shows: float) -> Int64:
        """Return (V,) numbers of live rows that show each word at `shows` or above."""
        ...

    def moments_of(self, video: str) -> Int64:
        """Return the ids of a video's moments, in time order.

        Args:
            video: its path as given to `build`, or absolute.

        Raises:
            UsageError: no such video is indexed.
        """
        ...
