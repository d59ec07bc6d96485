"""What to do for one query: which sides run, by which structure, how deep, on how many threads.

Structures:

    scan        score every allowed row from stored values: few rows, or no side to fetch by
    threshold   fetch the best rows of each side to a depth, rescore the union exactly on both
                sides, and stop when no unseen row can reach the last result (`engine/execute.py`)
    ranks       fetch both sides to the depth of reciprocal rank fusion
    server      take the rows that the backend has fused by itself

Where a choice leaves the answer as it is (scan or threshold, threads), the machine's costs decide.
Where it may change the answer (an approximate latent structure, the depth before it), counts do,
so that answers repeat; a budget in milliseconds is the exception, and on request only.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from enum import StrEnum

from unify.engine.backend import Allowed, Backend
from unify.engine.costs import Costs
from unify.engine.fusion import RANK_DEPTH, Affine, ByServer, Fuse, Reciprocal
from unify.engine.types import EncodedQuery

CORES = os.cpu_count() or 1
FIRST_DEPTH = 100
PER_RESULT = 3  # rows fetched first for each result wanted
STEP = 300  # of depths above the first
GROWTH = 4
BUDGET = 32_768  # rows fetched per side at most
SCAN_ROWS = 1_024  # at most this many allowed rows are scored without counting costs
SCAN_SHARE = 0.05  # of all rows: of more, costs measured at a bad moment could mislead
LISTED = 0.03  # of the time of a flat scan that lists take
THREAD_GAIN = 4.0  # a thread must save this many times what it costs to start


class Structure(StrEnum):
    """How candidates are found."""

    SCAN = "scan"
    THRESHOLD = "threshold"
    RANKS = "ranks"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a search asks of a plan.

    Attributes:
        k: results, those before an offset included.
        per_video: one result a video.
        exact: do without structures that may miss rows.
        budget: rows fetched per side at most.
        budget_ms: milliseconds, or None.
        threshold: results below this score are of no use.
        pool: a video's score is the mean of so many of its moments' (`engine/pooling.py`).
    """

    k: int
    per_video: bool
    exact: bool = False
    budget: int = BUDGET
    budget_ms: float | None = None
    threshold: float = -math.inf
    pool: int = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """What the planner decided before running.

    Attributes:
        structure: how candidates are found.
        latent: whether the latent side fetches.
        lexicon: whether the lexicon side fetches.
        approximate: whether the latent side fetches by a structure that may miss rows.
        threads: that share the lexicon side's windows.
        latent_threads: that share the latent side's segments.
        moments: rows of the index.
        allowed: those that may be returned.
        postings: rows that hold a query term, summed over terms (an upper bound after filters).
        depth: first depth of a fetch.
        budget: greatest depth.
        budget_ms: milliseconds after which no further fetch begins, or None.
        k: results wanted; fewer when fewer exist.
        per_video: one result a video.
        threshold: least score of a result.
        estimates_ms: milliseconds that each stage of the first round is expected to take.
        pool: moments whose mean is a video's score.
    """

    structure: Structure
    latent: bool
    lexicon: bool
    approximate: bool
    threads: int
    latent_threads: int
    moments: int
    allowed: int
    postings: int
    depth: int
    budget: int
    budget_ms: float | None
    k: int
    per_video: bool
    threshold: float
    estimates_ms: dict[str, float]
    pool: int = 1

    @property
    def first_depth(self) -> int:
        """Rows that a side fetches first; ranks are certain with a few rows to spare."""
        return self.depth + self.depth // 4 * (self.structure is Structure.RANKS)


def make_plan(
    backend: Backend, query: EncodedQuery, fusion: Fuse, allowed: Allowed, wanted: Wanted
) -> Plan:
    """Choose sides, structures, depth and threads from statistics."""
    ranked, by_server = isinstance(fusion, Reciprocal), isinstance(fusion, ByServer)
    of_latent, of_lexicon = _slopes(fusion)
    latent = of_latent > 0 and query.latent is not None
    lexicon = of_lexicon > 0 and len(query.terms) > 0
    statistics = backend.statistics()
    costs = backend.costs()
    k = min(wanted.k, allowed.videos if wanted.per_video else allowed.moments)
    postings = int(backend.postings_count(query.terms).sum()) if len(query.terms) else 0
    dim = 0 if query.latent is None else len(query.latent)

    rows = statistics.moments
    flat = costs.latent_byte * 2 * dim * (rows if allowed.rows is None else allowed.moments)
    adding = costs.posting * postings + costs.row * rows
    threads = _threads(adding, costs, statistics.windows) if lexicon else 1
    scanning = costs.rescore * allowed.moments
    fetching = flat * latent + adding / threads * lexicon
    few = allowed.moments <= SCAN_ROWS or (
        allowed.moments <= SCAN_SHARE * rows and scanning < fetching
    )
    scan = not (latent or lexicon) or (few and not (ranked or by_server))
    approximate = latent and not scan and not wanted.exact and backend.approximates(allowed)
    depth = RANK_DEPTH if ranked else _first_depth(k, approximate)
    budget = max(wanted.budget, k)
    reading = LISTED * flat if approximate else flat
    latent_threads = _threads(reading, costs, statistics.segments) if latent else 1
    estimates = {"rescore": (scanning if scan else 2 * costs.rescore * depth) / 1e6}
    if not scan:
        estimates = {
            **({"latent": reading / latent_threads / 1e6} if latent else {}),
            **({"lexicon": adding / threads / 1e6} if lexicon else {}),
            **estimates,
        }
    structure = Structure.RANKS if ranked else Structure.THRESHOLD
    structure = Structure.SERVER if by_server else structure
    return Plan(
        Structure.SCAN if scan else structure, latent, lexicon, approximate, threads,
        latent_threads, rows, allowed.moments, postings, min(depth, budget), budget,
        wanted.budget_ms, k, wanted.per_video, wanted.threshold, estimates, wanted.pool,
    )  # fmt: skip


def _slopes(fusion: Fuse) -> tuple[float, float]:
    """Return how much each side counts; 0 where it does not."""
    match fusion:
        case Affine():
            return fusion.latent_scale, fusion.lexicon_scale
        case Reciprocal():
            return fusion.latent, fusion.lexicon
        case ByServer():
            return 1.0, 1.0


def _threads(nanoseconds: float, costs: Costs, parts: int) -> int:
    """Return how many threads pay: each must save some times what starting it costs."""
    most = min(CORES, parts)
    pays = int(nanoseconds / (THREAD_GAIN * costs.call))
    return max(1, min(most, pays))


def _first_depth(k: int, approximate: bool) -> int:
    """Return the first depth with room for k results.

    Without a certificate what was fetched decides, so depths come in steps: pages that share a
    step come from the same fetch and fit together.
    """
    depth = max(FIRST_DEPTH, PER_RESULT * k)
    return -(-depth // STEP) * STEP if approximate and depth > FIRST_DEPTH else depth
