"""Hits of a question as a timeline, and chapters of a video, as texts to be saved.

They are those of `unify export` and `unify chapters`. Where others than this machine are served, no
absolute path is told: a timeline then names videos as they were given to `unify index build`, which
an editing program finds from its own folder, or asks for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from unify.cli import finding, jsonio
from unify.cli.chaptering import Chapters, chapters_of
from unify.cli.events import events_of, uneven
from unify.cli.lasthits import LastSearch
from unify.cli.web.asking import Sought, seen
from unify.cli.web.finding import located
from unify.cli.web.library import View
from unify.cli.web.models import Chapter, ChapterList, readable
from unify.cli.web.pictures import Pictures
from unify.engine.dictionary import Dictionary
from unify.indexer import timelines
from unify.indexer.chapters import ChapterFormat, written
from unify.indexer.jobs import JobProcess
from unify.indexer.timecode import FrameRate

KINDS = {  # type and suffix
    ChapterFormat.LIST: ("text/plain", "txt"),
    ChapterFormat.WEBVTT: ("text/vtt", "vtt"),
    ChapterFormat.FFMETADATA: ("text/plain", "ffmeta"),
}


class TimelineFormat(StrEnum):
    """How a timeline is written."""

    EDL = "edl"
    FCPXML = "fcpxml"


@dataclass(frozen=True, slots=True)
class Timeline:
    """A timeline as it is written.

    Attributes:
        text: of the file.
        name: of the file.
        facts: how many `events` there are, at what `rate`, and how many have another (`rounded`).
    """

    text: bytes
    name: str
    facts: dict[str, Any]


def found(view: View, sought: Sought, pictures: Pictures) -> LastSearch:
    """Ask a question, and return its hits as `unify search` would remember them.

    Raises:
        NoSuchPicture: what it goes by is not kept.
        QueryError: it cannot be read.
        UsageError: an option, or `like`, names what there is not.
    """
    hits = finding.ask(view.searcher, located(view, seen(sought, pictures, view)))
    records = tuple(jsonio.hit_record(hit, 0) for hit in hits)
    return LastSearch(_title(view, sought), view.searcher.encoder.name, records)


def timeline(
    view: View, search: LastSearch, ranks: str, form: TimelineFormat, rate: FrameRate | None,
    paths: bool, process: JobProcess,
) -> Timeline:  # fmt: skip
    """Return some hits of a search as a timeline.

    Args:
        view: where they were found.
        search: what was found.
        ranks: `all`, or ranks and ranges of ranks, with commas between.
        form: the format.
        rate: pictures a second, or None for what most of the videos have.
        paths: whether the absolute paths of files are told.
        process: reads the videos' clocks.

    Raises:
        UsageError: there are no such hits.
        NoSuchVideo: the file of one is gone.
        MediaError: the file of one is no video any more.
    """
    hits = [_at_hand(view, hit) for hit in search.numbered([ranks])]
    events = events_of(search, hits, process)
    if not paths:
        events = [
            replace(event, path=hit["video"]) for event, hit in zip(events, hits, strict=True)
        ]
    chosen = rate or timelines.timeline_rate(events)
    if form is TimelineFormat.EDL:
        text = timelines.edl(search.query, events, chosen).encode()
    else:
        text = timelines.fcpxml(search.query, events, chosen)
    rounded = uneven(events, chosen) if form is TimelineFormat.EDL else 0
    facts = {"events": len(events), "rate": chosen.name, "rounded": rounded}
    return Timeline(text, f"{_file_name(search.query)}.{form}", facts)


def _at_hand(view: View, hit: dict[str, Any]) -> dict[str, Any]:
    """Return a hit with the path at which its video, or a copy of it, is there."""
    owner = int(view.backend.facts(hit["moment"]).video_id)
    return {**hit, "path": str(view.file(owner))}


def _title(view: View, sought: Sought) -> str:
    """Return what was asked, for people: the words, and the picture to go by."""
    video, at, seconds = sought.like.rpartition("@")
    like = f"{view.shown(view.video(int(video)))}{at}{seconds}" if video else ""
    return " ".join(filter(None, (sought.text, like, "a picture" if sought.picture else "")))


def _file_name(title: str) -> str:
    """Return a title as it may stand in the name of a file.

    >>> _file_name("a man: 1/2?"), _file_name("++")
    ('a-man-1-2', 'hits')
    """
    return re.sub(r"\W+", "-", title)[:60].strip("-") or "hits"


def chapters(
    view: View, video_id: int, queries: Sequence[str], shortest_s: float, names: Dictionary
) -> Chapters:
    """Return chapters of a video; see `chapters_of`.

    Raises:
        NoSuchVideo: there is no such video.
        UsageError: it has no moments.
        QueryError: a query cannot be read.
    """
    return chapters_of(view.searcher, view.path(video_id), queries, shortest_s, names)


def as_text(made: Chapters, form: ChapterFormat) -> bytes:
    """Return chapters as a text of a format."""
    return written(made.found, made.titles, form).encode("utf-8", "replace")


def as_model(video_id: int, made: Chapters) -> ChapterList:
    """Return chapters as a model."""
    return ChapterList(
        video_id=video_id,
        chapters=[
            Chapter(start_s=one.start_s, end_s=one.end_s, title=readable(title))
            for one, title in zip(made.found, made.titles, strict=True)
        ],
    )
