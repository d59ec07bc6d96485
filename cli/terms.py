"""`unify terms`: what the library shows, without asking for anything; or one video over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from unify.cli import jsonio, render
from unify.cli.options import IndexOption, JsonOption

if TYPE_CHECKING:
    from unify.engine.search import Searcher

_WIDTH = 60  # characters of a sparkline


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(terms)


def terms(
    video: Annotated[str | None, typer.Argument(metavar="[VIDEO]", help="A video's path.")] = None,
    top: Annotated[int, typer.Option("--top", metavar="N", min=1, help="How many terms.")] = 20,
    index: IndexOption = None,
    json: JsonOption = False,
) -> None:
    """Show what the library shows most often, or one video over time.

    For a video each term has a sparkline over its length, and the times at which it shows.

    Examples:
        unify terms --top 50
        unify terms holiday/beach.mp4
    """
    from unify.encoders.library import open_index

    searcher = open_index(index)
    if video is None:
        _library(searcher, top, json)
    else:
        _video(searcher, video, top, json)


def _library(searcher: Searcher, top: int, json: bool) -> None:
    from unify.engine.explain import library_terms

    shows = searcher.encoder.calibration.shows
    found = library_terms(searcher.backend, searcher.encoder.lexicon, shows, top)
    moments = searcher.backend.statistics().moments
    for term, count in found:
        if json:
            jsonio.emit({"term": term, "moments": count})
        else:
            render.say(f"{count:>8,}  {render.bar(count / moments)}  {term}")
    if not json:
        render.tell(f"moments, of {moments:,}, that show each term")


def _video(searcher: Searcher, video: str, top: int, json: bool) -> None:
    from unify.engine.explain import video_terms

    shows = searcher.encoder.calibration.shows
    tracks = video_terms(searcher.backend, searcher.encoder.lexicon, video, top)
    if not json:
        if tracks:
            first, last = (render.clock(float(tracks[0].times_s[at])) for at in (0, -1))
            width = min(_WIDTH, len(tracks[0].times_s))
            gap = " " * max(1, width - len(first) - len(last))
            render.say(f"  {'':<16} {first}{gap}{last}")
        render.print_tracks(tracks, shows, _WIDTH)
        return
    for track in tracks:
        ranges = [list(span) for span in track.ranges(shows)]
        jsonio.emit({"term": track.term, "weight": float(track.weights.max()), "shows": ranges})
