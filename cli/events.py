"""Hits of a search as events of a timeline: where their videos' clocks stand, and the reasons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unify.cli import files
from unify.cli.lasthits import LastSearch, reasons
from unify.indexer.jobs import JobProcess
from unify.indexer.seek import Clock
from unify.indexer.timecode import FrameRate
from unify.indexer.timelines import Event


def events_of(
    search: LastSearch, hits: Sequence[dict[str, Any]], process: JobProcess
) -> list[Event]:
    """Return an event for each of some hits, in their order.

    Args:
        search: what they answer.
        hits: of `search`; their files are there.
        process: reads the clocks.

    Raises:
        MediaError: a file is no video any more; its name is told.
    """
    clocks: dict[str, Clock] = {}
    for hit in hits:
        if hit["path"] not in clocks:
            with files.named(hit):
                clocks[hit["path"]] = process.clock(hit["path"])
    return [
        Event(
            hit["path"],
            hit["start_s"],
            hit["end_s"],
            clocks[hit["path"]],
            search.query,
            f"score {hit['score']:.2f}, {reasons(hit)}",
        )
        for hit in hits
    ]


def uneven(events: Sequence[Event], rate: FrameRate) -> int:
    """Return how many events have pictures at times that a rate has not: an EDL rounds them."""
    return sum((rate.exact / event.rate.exact).denominator != 1 for event in events)
