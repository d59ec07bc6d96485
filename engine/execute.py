"""Running a plan until its answer is certain.

The certificate (the threshold algorithm of Fagin, Lotem and Naor, 2003): an unseen row scores at
most fuse(bound of the latent side, bound of the lexicon side), because the fusion is affine with
non-negative slopes. When the last result is strictly above that, or every allowed row was seen,
the answer is `exact`: identical to scoring every allowed row, ties by moment id. A threshold
counts as a last result: rows below it are not wanted. When the budget ends first, the answer is
`approximate`, and `gap` says by how much an unseen row could still be ahead.

Reciprocal ranks need the first rows of each side in their exact order; each side's own bound says
when these are certain.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from unify.engine.backend import Allowed, Backend, Fetched
from unify.engine.candidates import UNKNOWN, Candidates
from unify.engine.fusion import RANK_DEPTH, Affine, ByServer, Fuse, Reciprocal
from unify.engine.planner import GROWTH, Plan, Structure
from unify.engine.pooling import Siblings, pool_scores
from unify.engine.types import EncodedQuery, Float64, Int64

LAST_RESORT = 1 << 20  # rows that may all be scored when fewer than k videos were found


@dataclass(frozen=True, slots=True)
class Outcome:
    """What running a plan gave.

    Attributes:
        ids: (n,) moment ids of the results, best first, n <= k.
        scores: (n,) float64 fused scores; of pooled videos, the pooled ones.
        latent: (n,) float64 raw latent scores.
        lexicon: (n,) float64 raw lexicon scores.
        parts: (n, 2) float64 what the latent and the lexicon side give to the score.
        exact: whether the answer is certified identical to brute force.
        gap: 0 when exact, else how far an unseen row could be above the last result (infinite
            when nothing bounds it, or fewer results than wanted were found).
        rounds: how often sides fetched.
        depth: last depth.
        fetched: rows that each side fetched last, by side.
        candidates: rows rescored.
        times_ms: milliseconds by stage.
    """

    ids: Int64
    scores: Float64
    latent: Float64
    lexicon: Float64
    parts: Float64
    exact: bool
    gap: float
    rounds: int
    depth: int
    fetched: dict[str, int]
    candidates: int
    times_ms: dict[str, float] = field(default_factory=dict)


class _Stopwatch:
    """Adds up milliseconds by stage."""

    def __init__(self) -> None:
        self.times_ms: dict[str, float] = {}
        self.started = self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.times_ms[stage] = self.times_ms.get(stage, 0.0) + 1000 * (now - self._last)
        self._last = now

    def spent_ms(self) -> float:
        return 1000 * (time.perf_counter() - self.started)


def execute(
    plan: Plan, backend: Backend, query: EncodedQuery, fusion: Fuse, allowed: Allowed,
    latent: Fetched | None = None,
) -> Outcome:  # fmt: skip
    """Run a plan.

    Args:
        plan: made for the same query, fusion and rows.
        backend: holds the rows.
        query: as it was encoded.
        fusion: makes one score of two.
        allowed: the rows that may be returned.
        latent: what the latent side fetches first, where a batch of queries has fetched it.
    """
    run = _Run(plan, backend, query, allowed, latent)
    if isinstance(fusion, Reciprocal):
        return run.ranks(fusion)
    if isinstance(fusion, ByServer):
        return run.server()
    if plan.structure is Structure.SCAN or plan.k == 0:
        return run.scan(fusion)
    return run.threshold(fusion)


class _Run:
    """One execution."""

    def __init__(
        self, plan: Plan, backend: Backend, query: EncodedQuery, allowed: Allowed,
        latent: Fetched | None,
    ) -> None:  # fmt: skip
        self._plan, self._backend, self._query = plan, backend, query
        self._allowed, self._first = allowed, latent
        self._watch = _Stopwatch()
        self._found = Candidates(backend, query)
        self._siblings = Siblings(backend, allowed)
        self._fetched: dict[str, int] = {}
        self._rounds = 0

    def scan(self, fusion: Affine) -> Outcome:
        """Score every allowed row."""
        if self._plan.k:
            self._found.add(self._backend.every(self._allowed))
        return self._affine(fusion, *self._ordered(fusion), True, 0.0, 0)

    def threshold(self, fusion: Affine) -> Outcome:
        """Fetch deeper until no unseen row can reach the last result."""
        plan, depth = self._plan, self._plan.depth
        while True:
            self._rounds += 1
            bound = self._round(fusion, depth)
            scores, results = self._ordered(fusion)
            full = len(results) == plan.k
            last = float(scores[results[-1]]) if full else plan.threshold
            self._watch.lap("rescore")
            if last > bound or len(self._found.ids) >= plan.allowed:
                return self._affine(fusion, scores, results, True, 0.0, depth)
            if plan.approximate and full:
                return self._affine(fusion, scores, results, False, bound - last, depth)
            if depth < plan.budget and self._in_time():
                depth = min(depth * GROWTH, plan.budget)
                continue
            few = plan.allowed <= LAST_RESORT and self._in_time()
            if not full and few and math.isinf(plan.threshold):
                # A few long videos fill the budget and hide the others: score every row.
                self._found.add(self._backend.every(self._allowed))
                return self._affine(fusion, *self._ordered(fusion), True, 0.0, depth)
            return self._affine(fusion, scores, results, False, bound - last, depth)

    def ranks(self, fusion: Reciprocal) -> Outcome:
        """Fuse by ranks among the first rows of each side."""
        plan, found = self._plan, self._found
        lists, exact = {}, True
        if plan.latent:
            lists["latent"], certain = self._ranked(self._latent, lambda: found.latent, False)
            exact &= certain
        if plan.lexicon:
            lists["lexicon"], certain = self._ranked(self._lexicon, lambda: found.lexicon, True)
            exact &= certain
        parts = np.zeros((len(found.ids), 2))
        for column, (side, weight) in enumerate(
            (("latent", fusion.latent), ("lexicon", fusion.lexicon))
        ):
            ids = lists.get(side, np.zeros(0, np.int64))
            ranks = np.zeros(len(found.ids), np.int64)
            ranks[found.at(ids)] = np.arange(1, len(ids) + 1)
            parts[:, column] = fusion.parts(weight, ranks)
        scores = np.where(parts.any(axis=1), parts.sum(axis=1), -np.inf)
        results = found.results(scores, plan)
        results = results[np.isfinite(scores[results])]
        self._watch.lap("rescore")
        return self._outcome(
            results, scores, parts[results], exact, 0.0 if exact else math.inf, plan.depth
        )

    def server(self) -> Outcome:
        """Take what the backend has fused as it is: nothing bounds what it left out."""
        plan, found = self._plan, self._found
        if plan.structure is Structure.SCAN or not plan.k:
            return self.scan(Affine(0.0, 0.0, 0.0))  # filters alone
        side = self._backend.fused_topk(self._query, plan.depth, self._allowed)
        found.add(side.ids)
        scores = np.full(len(found.ids), -np.inf)
        scores[found.at(side.ids)] = side.scores
        self._watch.lap("server")
        results = found.results(scores, plan)
        parts = np.zeros((len(results), 2))
        return self._outcome(results, scores, parts, False, math.inf, plan.depth)

    def _ranked(
        self, fetch: Callable[[int], Fetched], scores_of: Callable[[], Float64], matches: bool
    ) -> tuple[Int64, bool]:
        """Return a side's first ids in exact order, and whether that is certain.

        Args:
            fetch: the side to a depth.
            scores_of: exact scores of all candidates on this side.
            matches: only rows that score above 0 have a rank.
        """
        depth = self._plan.first_depth
        while True:
            self._rounds += 1
            side = fetch(depth)
            self._found.add(side.ids)
            scores = scores_of()[self._found.at(side.ids)]
            order = np.lexsort((side.ids, -scores))
            bound, least = side.bound, -math.inf
            if matches:
                order, least = order[scores[order] > 0], 0.0
                if (self._query.weights >= 0).all() and not side.scores.all():
                    bound = min(bound, 0.0)  # no row that is left holds a term
            order = order[:RANK_DEPTH]
            full = len(order) == RANK_DEPTH
            certain = bound <= least or (full and float(scores[order[-1]]) > bound)
            if certain or self._plan.approximate or depth >= self._plan.budget:
                return side.ids[order], certain
            if not self._in_time():
                return side.ids[order], False
            depth = min(depth * GROWTH, self._plan.budget)

    def _in_time(self) -> bool:
        """Whether a further round, which costs what the first did or more, fits the budget."""
        limit, spent = self._plan.budget_ms, self._watch.spent_ms()
        return limit is None or spent * (1 + 1 / max(1, self._rounds)) < limit

    def _latent(self, depth: int) -> Fetched:
        if self._first is not None:
            side, self._first = self._first, None
        else:
            assert self._query.latent is not None
            plan, latents = self._plan, self._query.latent[None]
            side = self._backend.latent_topk(
                latents, depth, self._allowed, not plan.approximate, plan.latent_threads
            )[0]
        self._fetched["latent"] = len(side.ids)
        self._watch.lap("latent")
        return side

    def _lexicon(self, depth: int) -> Fetched:
        query = self._query
        side = self._backend.lexicon_topk(
            query.terms, query.weights, depth, self._allowed, self._plan.threads
        )
        self._fetched["lexicon"] = len(side.ids)
        self._watch.lap("lexicon")
        return side

    def _round(self, fusion: Affine, depth: int) -> float:
        """Fetch both sides to a depth, rescore the union, and return the bound of unseen rows."""
        ids, bounds, known = [], np.zeros(2), UNKNOWN
        if self._plan.latent:
            side = self._latent(depth)
            ids.append(side.ids)
            bounds[0] = side.bound
            if side.exact:
                known = np.asarray(side.scores, np.float64)
        if self._plan.lexicon:
            side = self._lexicon(depth)
            # Beside a latent side, rows without a matching term are left to it: their score of 0
            # still bounds what is unseen. (With a negative weight, 0 may be a rounded sum.)
            leave = self._plan.latent and bool((self._query.weights >= 0).all())
            matched = side.ids[side.scores != 0] if leave else side.ids
            whole = len(matched) == len(side.ids)
            bounds[1] = side.bound if whole else max(side.bound, 0.0)
            ids.append(matched)
        self._found.add(np.concatenate(ids), known)
        if self._plan.pool > 1:
            self._found.add(self._siblings.of(self._found.ids))
        if np.isneginf(bounds).any():  # one side has enumerated every allowed row
            return -math.inf
        return float(fusion(bounds[:1], bounds[1:])[0])

    def _ordered(self, fusion: Affine) -> tuple[Float64, Int64]:
        """Return the scores of all candidates, pooled ones where asked, and where results are."""
        scores = fusion(self._found.latent, self._found.lexicon)
        if self._plan.pool > 1:
            videos = self._backend.video_ids(self._found.ids)
            scores = pool_scores(scores, videos, self._plan.pool)
        return scores, self._found.results(scores, self._plan)

    def _affine(
        self, fusion: Affine, scores: Float64, results: Int64, exact: bool, gap: float, depth: int
    ) -> Outcome:
        slopes = np.array([fusion.latent_scale, fusion.lexicon_scale])
        sides = np.stack([self._found.latent[results], self._found.lexicon[results]], axis=1)
        parts = sides * slopes
        self._watch.lap("rescore")
        return self._outcome(results, scores, parts, exact, gap, depth)

    def _outcome(
        self, results: Int64, scores: Float64, parts: Float64, exact: bool, gap: float, depth: int
    ) -> Outcome:
        found = self._found
        return Outcome(
            found.ids[results], scores[results], found.latent[results], found.lexicon[results],
            parts, exact, gap, self._rounds, depth, self._fetched, len(found.ids),
            self._watch.times_ms,
        )  # fmt: skip
