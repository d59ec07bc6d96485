"""What the REST interface says, as typed models: they make the OpenAPI description.

Fields are only ever added within `/api/v1`. Names and meanings are those of `unify search --json`
where there is such a field; absolute paths are left out, since files are known by id here.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from unify.engine.absence import Faint
from unify.engine.answer import TermMatch
from unify.engine.facets import Facet
from unify.engine.planner import Structure
from unify.engine.wording import Origin


def readable(name: str) -> str:
    r"""Return a name as UTF-8 can write it: file systems take any bytes.

    >>> ascii(readable("caf\udce9.mp4"))
    "'caf\\ufffd.mp4'"
    """
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


Named = Annotated[str, PlainSerializer(readable)]  # holds the name of a file


class Model(BaseModel):
    """Base: what is read from our own records is not checked twice."""

    model_config = ConfigDict(frozen=True)


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


class DefinedName(Model):
    """A name of the user's dictionary, and what it stands for."""

    name: str
    definition: str = Field(description="As it is written.")
    terms: list[str] = Field(description="As they may be written in a query.")
    either: bool = Field(description="Whether any of the terms is enough.")


class Words(Model):
    """The dictionary of whoever runs the server."""

    words: list[DefinedName]
    problem: Named = Field(description="Why its file cannot be read, so that it is left out.")


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
    best: FoundMoment | None = Field(description="Null where `like` is given.")


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


class LibraryTerm(Model):
    """A term and how many moments of the library show it."""

    term: str
    moments: int


class LibraryTerms(Model):
    """What the library shows most."""

    terms: list[LibraryTerm]
    moments: int


class Track(Model):
    """When a term shows in a video."""

    term: str
    weights: list[float] = Field(description="Along the video; each the greatest of its stretch.")
    shows: list[tuple[float, float]] = Field(description="Seconds, first to last picture.")


class VideoTracks(Model):
    """When some terms show in a video."""

    video_id: int
    duration_s: float
    shows_at: float = Field(description="The weight from which a term is taken to show.")
    tracks: list[Track]


class VideoFacts(Model):
    """A video of the index."""

    video_id: int
    video: Named
    name: Named = Field(description="Its file name.")
    duration_s: float
    recorded: float = Field(description="Seconds since 1970 UTC.")
    mime: str = Field(description="The type of its file, by name.")
    copies: int = Field(description="Other files of the same content.")


class VideoList(Model):
    """Videos, those indexed last first."""

    total: int
    videos: list[VideoFacts]


class MomentFacts(Model):
    """A moment of the index."""

    moment: int
    video_id: int
    video: Named
    start_s: float
    end_s: float
    terms: list[str] = Field(description="What it shows, strongest first.")


class MomentList(Model):
    """The moments of one video, in time order."""

    video_id: int
    moments: list[MomentFacts]


class Trouble(Model):
    """A video that cannot be read, wholly or in part."""

    video: Named
    reason: Named


class Building(Model):
    """A build that runs now."""

    started: float = Field(description="Seconds since 1970 UTC.")
    videos: int
    done: int
    failed: int
    share: float = Field(ge=0, le=1)
    video_s: float
    left_s: float | None = Field(description="Seconds that the rest will take, if known.")
    current: Named


class Status(Model):
    """How the index stands."""

    version: str
    pack: str
    generation: int
    videos: int
    moments: int
    video_s: float | None = Field(description="Null while the journal cannot be read.")
    size_bytes: int | None
    pending: int | None = Field(description="Videos that a build did not get to.")
    failed: list[Trouble]
    damaged: list[Trouble]
    missing: list[Named]
    building: Building | None
    problem: Named = Field(description="What cannot be read of the index, or empty.")
    words_problem: Named = Field(description="Why the dictionary cannot be read, or empty.")


Kind: TypeAlias = Literal["picture", "clip"]


class SentPicture(Model):
    """A picture or clip that was sent to search by it."""

    picture: str = Field(description="Its name: the same file has the same one.")
    kind: Kind


class Chapter(Model):
    """A stretch of a video."""

    start_s: float
    end_s: float
    title: str


class ChapterList(Model):
    """The chapters of a video, in order."""

    video_id: int
    chapters: list[Chapter]


class Error(Model):
    """What went wrong, and what to do."""

    message: Named
    hint: Named = ""
    position: int | None = Field(default=None, description="Offset in the query that it concerns.")
