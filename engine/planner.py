"""What to do for one query, and doing it until the answer is certain.

Two structures:

    scan        score every allowed row from stored values: few rows, or no side to fetch by
    threshold   fetch the best rows of each side to a depth, rescore the union exactly on both
                sides, and stop when no unseen row can reach the k-th result (the threshold
                algorithm of Fagin, Lotem and Naor, 2003); else fetch deeper, up to a budget

The certificate: an unseen row scores at most fuse(bound of the latent side, bound of the lexicon
side), because the fusion is affine with non-negative slopes. When the k-th result is strictly
above that, or every allowed row was seen, the answer is `exact`: identical to scoring every
allowed row, ties by moment id. When the budget ends first, it is `approximate`, and `gap` says
by how much an unseen row could still be ahead. Budgets are counts, so answers repeat.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from unify.engine.backend import Allowed, Backend
from unify.engine.fusion import Affine
from unify.engine.types import EncodedQuery, Float64, Int64

SCAN_ROWS = 1_024  # at most this many allowed rows: scoring all costs less than two fetches
FIRST_DEPTH = 100
PER_RESULT = 5  # rows fetched first for each result wanted
GROWTH = 4
BUDGET = 32_768  # rows fetched per side at most
BLOCK = 4096  # rows rescored at once: 16 MiB of float64 latents at D = 512
LAST_RESORT = 1 << 20  # rows that may all be scored when fewer than k videos were found


class Structure(StrEnum):
    """How candidates are found."""

    SCAN = "scan"
    THRESHOLD = "threshold"


@dataclass(frozen=True, slots=True)
class Plan:
    """What the planner decided before running.

    Attributes:
        structure: how candidates are found.
        latent: whether the latent side fetches.
        lexicon: whether the lexicon side fetches.
        allowed: rows that may be returned.
        postings: rows that hold a query term, summed over terms (an upper bound after filters).
        depth: first depth of a fetch.
        budget: greatest depth.
        k: results wanted; fewer when fewer exist.
        per_video: one result a video.
    """

    structure: Structure
    latent: bool
    lexicon: bool
    allowed: int
    postings: int
    depth: int
    budget: int
    k: int
    per_video: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What running a plan gave.

    Attributes:
        ids: (n,) moment ids of the results, best first, n <= k.
        scores: (n,) float64 fused scores.
        latent: (n,) float64 raw latent scores.
        lexicon: (n,) float64 raw lexicon scores.
        exact: whether the answer is certified identical to brute force.
        gap: 0 when exact, else how far an unseen row could be above the last result (infinite
            when fewer results than wanted were found).
        rounds: how often sides fetched.
        depth: last depth.
        candidates: rows rescored.
        times_ms: milliseconds by stage.
    """

    ids: Int64
    scores: Float64
    latent: Float64
    lexicon: Float64
    exact: bool
    gap: float
    rounds: int
    depth: int
    candidates: int
    times_ms: dict[str, float] = field(default_factory=dict)


def make_plan(
    backend: Backend,
    query: EncodedQuery,
    fusion: Affine,
    allowed: Allowed,
    k: int,
    per_video: bool,
    budget: int = BUDGET,
) -> Plan:
    """Choose sides, structure and depth from statistics."""
    latent = fusion.latent_scale > 0 and query.latent is not None
    lexicon = fusion.lexicon_scale > 0 and len(query.terms) > 0
    k = min(k, allowed.videos if per_video else allowed.moments)
    scan = allowed.moments <= SCAN_ROWS or not (latent or lexicon)
    return Plan(
        structure=Structure.SCAN if scan else Structure.THRESHOLD,
        latent=latent,
        lexicon=lexicon,
        allowed=allowed.moments,
        postings=int(backend.postings_count(query.terms).sum()),
        depth=min(max(FIRST_DEPTH, PER_RESULT * k), max(budget, k)),
        budget=max(budget, k),
        k=k,
        per_video=per_video,
    )


class _Stopwatch:
    """Adds up milliseconds by stage."""

    def __init__(self) -> None:
        self.times_ms: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.times_ms[stage] = self.times_ms.get(stage, 0.0) + 1000 * (now - self._last)
        self._last = now


class Candidates:
    """Rows rescored so far, kept in result order."""

    def __init__(self, backend: Backend, query: EncodedQuery, fusion: Affine) -> None:
        self._backend, self._query, self._fusion = backend, query, fusion
        self.ids = np.zeros(0, np.int64)
        self.latent = self.lexicon = self.scores = np.zeros(0)

    def add(self, ids: Int64) -> None:
        """Rescore ids not seen before, exactly and on both sides, and keep all in order."""
        new = np.setdiff1d(ids, self.ids)
        latent, lexicon = np.zeros(len(new)), np.zeros(len(new))
        for start in range(0, len(new), BLOCK):
            part = slice(start, start + BLOCK)
            latent[part], lexicon[part] = self._rescore(new[part])
        ids = np.concatenate([self.ids, new])
        latent = np.concatenate([self.latent, latent])
        lexicon = np.concatenate([self.lexicon, lexicon])
        scores = self._fusion(latent, lexicon)
        order = np.lexsort((ids, -scores))
        self.ids, self.scores = ids[order], scores[order]
        self.latent, self.lexicon = latent[order], lexicon[order]

    def _rescore(self, ids: Int64) -> tuple[Float64, Float64]:
        query = self._query
        latent = lexicon = np.zeros(len(ids))
        if query.latent is not None:
            latent = self._backend.latent_scores(ids, query.latent)
        if len(query.terms):
            weights = self._backend.term_weights(ids, query.terms)  # (n, Q)
            lexicon = (weights * query.weights.astype(np.float64)).sum(axis=1)
        return latent, lexicon

    def results(self, k: int, per_video: bool) -> Int64:
        """Return positions of the k best, one a video where asked."""
        if not per_video:
            return np.arange(min(k, len(self.ids)))
        videos = self._backend.video_ids(self.ids)
        _, first = np.unique(videos, return_index=True)  # positions of each video's best moment
        return np.sort(first)[:k]


def execute(
    plan: Plan, backend: Backend, query: EncodedQuery, fusion: Affine, allowed: Allowed
) -> Outcome:
    """Run a plan."""
    watch = _Stopwatch()
    found = Candidates(backend, query, fusion)
    exact, gap, rounds, depth = True, 0.0, 0, 0
    if plan.structure is Structure.SCAN or plan.k == 0:
        found.add(backend.every(allowed) if plan.k else found.ids)
        results = found.results(plan.k, plan.per_video)
        watch.lap("rescore")
    else:
        depth = plan.depth
        while True:
            rounds += 1
            bound = _fetch(plan, backend, query, fusion, allowed, depth, found, watch)
            results = found.results(plan.k, plan.per_video)
            last = found.scores[results[-1]] if len(results) == plan.k else -np.inf
            exact = bool(last > bound) or len(found.ids) >= plan.allowed
            watch.lap("rescore")
            if exact:
                break
            if depth < plan.budget:
                depth = min(depth * GROWTH, plan.budget)
            elif len(results) < plan.k and plan.allowed <= LAST_RESORT:
                # A few long videos fill the budget and hide the others: score every row.
                found.add(backend.every(allowed))
                results, exact = found.results(plan.k, plan.per_video), True
                watch.lap("rescore")
                break
            else:
                gap = float(bound - last)
                break
    return Outcome(
        found.ids[results], found.scores[results], found.latent[results], found.lexicon[results],
        exact, gap, rounds, depth, len(found.ids), watch.times_ms,
    )  # fmt: skip


def _fetch(
    plan: Plan,
    backend: Backend,
    query: EncodedQuery,
    fusion: Affine,
    allowed: Allowed,
    depth: int,
    found: Candidates,
    watch: _Stopwatch,
) -> float:
    """Fetch both sides to a depth, rescore the union, and return the bound of unseen rows."""
    ids, bounds = [], np.zeros(2)
    if plan.latent and query.latent is not None:
        side = backend.latent_topk(query.latent, depth, allowed)
        ids.append(side.ids)
        bounds[0] = side.bound
        watch.lap("latent")
    if plan.lexicon:
        side = backend.lexicon_topk(query.terms, query.weights, depth, allowed)
        # Beside a latent side, rows without a matching term are left to it: their score of 0
        # still bounds what is unseen. (With a negative weight, 0 may be a rounded sum.)
        leave = plan.latent and bool((query.weights >= 0).all())
        matched = side.ids[side.scores != 0] if leave else side.ids
        bounds[1] = side.bound if len(matched) == len(side.ids) else max(side.bound, 0.0)
        ids.append(matched)
        watch.lap("lexicon")
    found.add(np.concatenate(ids))
    if np.isneginf(bounds).any():  # one side has enumerated every allowed row
        return -np.inf
    return float(fusion(bounds[:1], bounds[1:])[0])
