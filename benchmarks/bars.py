"""The bars of the design, as ratios inside one run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runs import KS, Row, Run

LARGE = 10_000_000
ENOUGH = 0.99  # recall that a peer must reach to be compared with
AS_GOOD = 0.001  # of recall: a difference that is none
LEXICON, HYBRID = "unify lexicon", "unify hybrid, rows"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: `value` must not be above `limit`.

    Attributes:
        name: what is compared.
        value: None where it is not known.
        limit: None where the design sets none: the value is told all the same.
        missing: why the value is not known.
    """

    name: str
    value: float | None
    limit: float | None
    missing: str = "no peer"

    @property
    def verdict(self) -> str:
        """Pass, miss, why it is not known, or that there is no bar."""
        if self.value is None:
            return self.missing
        if self.limit is None:
            return "no bar"
        return "pass" if self.value <= self.limit else "MISS"


def bars(run: Run) -> list[Bar]:
    """Return all bars of a run: rows against rows, one thread against one."""
    found = []
    for peer, limit in (("lucene impact", 1 / 5), ("lucene, search alone", None)):
        found += [_ratio(run, LEXICON, peer, k, limit) for k in KS]
    found += _seismic(run)
    found += [_sides(run, k) for k in KS]
    for peer, limit in (
        ("qdrant-edge hybrid", 1 / 2),
        ("qdrant-edge hybrid, rescored", 1 / 2),
        ("milvus-lite hybrid", 1 / 20),
    ):
        found.append(_ratio(run, HYBRID, peer, KS[0], limit))
        found.append(_recall(run, peer))
    if run.moments >= LARGE:
        found += _large(run)
    return found


def _ratio(run: Run, ours: str, theirs: str, k: int, limit: float | None) -> Bar:
    one, other = run.row(ours, k), run.row(theirs, k)
    value = one.p50 / other.p50 if one and other else None
    return Bar(f"{ours} / {theirs}, p50, k={k}", value, limit)


def _recall(run: Run, peer: str) -> Bar:
    ours, theirs = run.row(HYBRID, KS[0]), run.row(peer, KS[0])
    value = theirs.recall - ours.recall if ours and theirs else None
    return Bar(f"recall@{KS[0]} of {peer} above ours", value, AS_GOOD)


def _seismic(run: Run) -> list[Bar]:
    """Compare with the fastest Seismic that finds enough."""
    ours = run.row(LEXICON, 100)
    all_of = [row for row in run.rows if row.engine.startswith("seismic") and row.k == 100]
    good: Sequence[Row] = [row for row in all_of if row.recall >= ENOUGH]
    speed = ours.p50 / min(row.p50 for row in good) if ours and good else None
    size = ours.size_bytes / all_of[0].size_bytes if ours and all_of else None
    missing = f"none finds {ENOUGH}" if all_of else "no peer"
    return [
        Bar(f"{LEXICON} / seismic at recall >= {ENOUGH}, p50, k=100", speed, 1.0, missing),
        Bar(f"{LEXICON} / seismic, bytes", size, 1 / 5),
    ]


def _sides(run: Run, k: int) -> Bar:
    """Compare the hybrid search with its two sides alone."""
    hybrid, lexicon = run.row(HYBRID, k), run.row(LEXICON, k)
    sides = [run.row(side, k) for side in ("unify latent", "unify latent, exact")]
    latent = [row.p50 for row in sides if row]
    value = None
    if hybrid and lexicon and latent:
        value = hybrid.p50 / (1.2 * (min(latent) + lexicon.p50) + 0.3)
    return Bar(f"{HYBRID} / (1.2 x both sides alone + 0.3 ms), k={k}", value, 1.0)


def _large(run: Run) -> list[Bar]:
    hybrid = run.row("unify hybrid", KS[0])
    return [
        Bar("unify hybrid p50, ms", hybrid.p50 if hybrid else None, 30.0),
        Bar("share of the fused top 10 not found", 1 - hybrid.recall if hybrid else None, 0.02),
        Bar("opening, s", run.open_s, 1.0),
    ]
