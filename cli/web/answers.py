"""What a search says, as typed models; `models.py` has the others, and the rules of all."""

from __future__ import annotations

from pydantic import Field

from unify.cli.web.models import DefinedName, Model, Named
from unify.engine.absence import Faint
from unify.engine.answer import TermMatch
from unify.engine.facets import Facet
from unify.engine.planner import Structure
from unify.engine.wording import Origin


class Parts(Model):
    """What the sides give to a score; they add up to it."""

    latent: float
    lexicon: float
    base: float
    pool: float = Field(0.0, description="What the mean of a video's moments takes off its best.")


class FoundMoment(Model):
    """A moment that answers a query."""

    rank: int
    video_id: int = Field(description="Stays the same, but for `unify index compact --full`.")
    video: Named = Field(description="Its path as given to `unify index build`.")
    moment: int = Field(description="Its id in this generation of the index.")
    start_s: float
    end_s: float
    peak_s: float = Field(description="Where the query's words show most: take its picture here.")
    score: float
    latent: float
    lexicon: float
    parts: Parts
    terms: list[TermMatch] = Field(description="Every matching term, the largest part first.")
    weak: bool = Field(description="Below the pack's cut-off.")
    exact: bool
    duplicates: int = Field(description="Near-duplicates that are folded into it.")


class QueryTerm(Model):
    """A term that a query was turned into."""

    term: str
    weight: float
    origin: Origin = Field(
        description="own: a word of the query; near: instead of one; added: by the pack."
    )
    own: bool = Field(description="A word of the query itself, not of its expansion.")
    moments: int = Field(description="Moments of the whole library that show it.")


class Condition(Model):
    """A hard condition: any of the words shows, or (negated) none of them."""

    words: list[str]
    negated: bool


class ReplacedWord(Model):
    """A word of the query that the lexicon lacks."""

    word: str
    spelled: str = Field(description="The word that it is read as (see `respell`), or empty.")
    terms: list[str] = Field(description="What stands for it among the query's terms: a guess.")


class Understood(Model):
    """How a query was read."""

    text: str
    conditions: list[Condition]
    filtered: bool = Field(description="Whether path:, len:, after: or before: holds.")
    terms: list[QueryTerm] = Field(description="Largest weight first.")
    replaced: list[ReplacedWord]
    dropped: list[str] = Field(description="Terms left out on request.")
    defined: list[DefinedName] = Field(description="Names that were read as their definitions.")


class Plan(Model):
    """How a query was answered: the fields of the `plan` of `unify search --json --plan`."""

    structure: Structure = Field(
        description="scan: every allowed moment was scored; threshold: each side gave its best, "
        "until no other moment could be better; ranks: so for ranks; server: a server chose."
    )
    latent: bool = Field(description="Whether the pictures as a whole score.")
    lexicon: bool = Field(description="Whether words score.")
    moments: int = Field(description="Moments of the whole library.")
    allowed: int = Field(description="Those that meet the conditions and filters.")
    approximate: bool = Field(description="Whether the latent side looked at its likeliest parts.")
    postings: int = Field(description="Entries of the query's words, over all moments.")
    threads: int
    estimates_ms: dict[str, float] = Field(description="What stages were expected to take.")
    rounds: int = Field(description="How often the sides fetched; 0: every moment was scored.")
    depth: int = Field(description="How many moments each side was asked for last.")
    fetched: dict[str, int] = Field(description="How many each side gave last.")
    candidates: int = Field(description="Moments that were scored exactly, on both sides.")


class Unmet(Model):
    """A condition or filter of a query that leaves nothing, and how many moments meet it alone."""

    condition: str = Field(description="As it may be written, such as +snow or path:holiday.")
    moments: int
    position: int | None = Field(description="Offset in the query; null for a filter.")


class Nearest(Model):
    """What a query finds without some of its conditions."""

    lacks: list[str] = Field(description="The conditions, as of `unmet`.")
    moments: int = Field(description="That meet all the others.")
    best: FoundMoment | None = Field(description="Null where none matches, or `like` is given.")


class Silence(Model):
    """Why there is no hit."""

    unmet: list[Unmet] = Field(description="What no moment meets at once; empty: that is not why.")
    nearest: list[Nearest] = Field(description="Without as few of them as can be.")
    best_score: float | None = Field(description="What the best has, where none has `threshold`.")


class SearchAnswer(Model):
    """The hits of a query, and how they were found."""

    query: Understood
    hits: list[FoundMoment]
    exact: bool = Field(description="Certified identical to looking at every moment.")
    weak: bool = Field(description="There are hits, and all are weak: no good match.")
    allowed: int = Field(description="Moments that meet the conditions and filters.")
    missing: list[str] = Field(description="Words of the query that no moment shows.")
    faint: list[Faint] = Field(
        description="The same: the greatest weight in any moment, and that from which one shows it."
    )
    silence: Silence | None = Field(description="Why there is no hit; null where there is one.")
    subtitled: bool = Field(description="Whether the library holds words that are said.")
    generation: int
    times_ms: dict[str, float] = Field(description="Milliseconds by stage, in order; `total`.")
    gap: float | None = Field(
        description="How far above the last hit an unseen moment could be; 0: exact; null: unknown."
    )
    plan: Plan


class Facets(Model):
    """What the hits of a query show more than the rest of the library."""

    facets: list[Facet] = Field(description="The most telling first.")
    moments: int = Field(description="Moments that they count: the best hits that are not weak.")
