"""What the REST interface says but for a search (`answers.py`): typed models for OpenAPI.

Fields are only ever added within `/api/v1`. Names and meanings are those of `unify search --json`
where there is such a field; absolute paths are left out, since files are known by id here.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer


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
