"""`unify export`: hits of the last search as a timeline for an editing program."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unify.cli import files, jsonio, lasthits, render
from unify.cli.options import IndexOption, JsonOption


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(export)


def export(
    ranks: Annotated[
        list[str] | None,
        typer.Argument(metavar="N", help="Ranks: 3, 1-5, or all. Default: all."),
    ] = None,
    edl: Annotated[
        Path | None, typer.Option("--edl", metavar="FILE", help="Write a CMX 3600 EDL.")
    ] = None,
    fcpxml: Annotated[
        Path | None, typer.Option("--fcpxml", metavar="FILE", help="Write Final Cut Pro XML.")
    ] = None,
    rate: Annotated[
        str | None,
        typer.Option(
            metavar="RATE",
            help="Frames a second of the timeline: 25, 23.976, 29.97 (drop-frame), 29.97ndf. "
            "Default: what most of the videos have.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
    index: IndexOption = None,
    json: JsonOption = False,
) -> None:
    """Write hits of the last search as a timeline for editing.

    One cut comes after the other, reasons become markers, and source timecode is kept where the
    files have it. An EDL has one frame rate for all; where videos of other rates are among the
    hits, FCPXML is better. A FILE of - is stdout.

    Examples:
        unify search a red car
        unify export 1-5 --edl cars.edl --fcpxml cars.fcpxml
        unify export all --edl -
    """
    from unify.cli.events import events_of, uneven
    from unify.engine.errors import UsageError
    from unify.engine.location import known_as
    from unify.indexer import timelines
    from unify.indexer.jobs import JobProcess
    from unify.indexer.timecode import rate_named

    if edl is None and fcpxml is None:
        raise UsageError("say what to write", "give --edl FILE, --fcpxml FILE, or both")
    wanted = rate_named(rate) if rate else None
    for path in (edl, fcpxml):
        if path is not None:
            files.require_place(path, force)
    last = lasthits.recall(known_as(index))
    hits = [files.at_hand(hit) for hit in last.numbered(ranks or ["all"])]
    with JobProcess() as process:
        events = events_of(last, hits, process)
    chosen = wanted or timelines.timeline_rate(events)
    if edl is not None:
        files.write(edl, timelines.edl(last.query, events, chosen).encode())
        if others := uneven(events, chosen):
            render.tell(
                f"hits with a frame rate that does not fit into the EDL's {chosen.name}: {others} "
                f"of {len(events)}; their times are rounded to it; --fcpxml keeps each"
            )
    if fcpxml is not None:
        files.write(fcpxml, timelines.fcpxml(last.query, events, chosen))
    written = {"edl": edl, "fcpxml": fcpxml}
    names = {kind: str(path) for kind, path in written.items() if path is not None}
    if json:
        jsonio.emit({"events": len(events), "rate": chosen.name, **names})
    cuts = render.counted(len(events), "cut")
    render.tell(f"{cuts} at {chosen.name} frames a second: {', '.join(names.values())}")
