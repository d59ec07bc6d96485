"""`unify index watch`: a line for everything that happens to the index, until ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unify.cli import render
from unify.cli.options import ExcludeOption, IndexOption

if TYPE_CHECKING:
    from unify.indexer.progress import BuildReport, Progress
    from unify.indexer.watch import Event


def watch(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH", readable=False, help="Videos and folders.")
    ],
    index: IndexOption = None,
    interval: Annotated[
        float, typer.Option(metavar="S", min=0.1, help="Seconds between two looks.")
    ] = 5.0,
    pack: Annotated[
        str | None, typer.Option(metavar="NAME", help="Default: the index's own, or mini.")
    ] = None,
    exclude: ExcludeOption = None,
) -> None:
    """Keep an index up to date with folders, until ctrl-C.

    A file is indexed, and a deleted one taken off, once nothing has changed about it in two looks
    in a row. A PATH that is not there for a while, or suddenly holds no video, loses nothing.

    Examples:
        unify index watch ~/Videos --exclude /raw/
    """
    from unify.encoders.library import BuildOptions, watch_index

    options = BuildOptions(pack=pack, exclude=tuple(exclude or ()))
    render.tell(f"watching {', '.join(map(str, paths))} every {interval:g} s; ctrl-C ends it")
    copies: set[str] = set()
    for event in watch_index(paths, index, options, _tell_video, interval):
        for line in _lines(event, copies):
            render.tell(f"{time.strftime('%H:%M:%S')}  {line}")


def _tell_video(event: Progress) -> None:
    """Say what cannot be read, wholly or in part."""
    from unify.indexer import progress

    match event:
        case progress.VideoFailed(path, reason):
            render.tell(f"          failed {path}: {reason}")
        case progress.VideoFinished(path, _, damage) if damage:
            render.tell(f"          damaged {path}: {damage}")


def _lines(event: Event, copies: set[str]) -> Iterator[str]:
    """Yield what to say of an event; `copies` are those that were told, and is kept up to date."""
    from unify.indexer import watch as watching

    match event:
        case watching.Built(report):
            yield from _done(report)
            yield from (
                f"copy of an indexed video: {p}" for p in report.duplicates if p not in copies
            )
            copies.clear()
            copies.update(report.duplicates)
        case watching.Away(path, reason):
            yield f"{path} is left out until it is back ({reason}); nothing of it is dropped"
        case watching.Back(path):
            yield f"{path} is back"
        case watching.Postponed(reason):
            yield f"not now: {reason}"


def _done(report: BuildReport) -> Iterator[str]:
    """Yield what a build did, if anything."""
    counts = (
        (report.indexed, "indexed"),
        (report.renamed, "renamed"),
        (report.removed, "removed"),
    )
    done = ", ".join(f"{count:,} {what}" for count, what in counts if count)
    failed = f", {len(report.failed):,} cannot be read" if report.failed else ""
    if done:
        yield f"{done}; {render.counted(report.found, 'video')} found{failed}"
