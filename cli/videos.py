"""`unify index list`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from unify.cli import jsonio, render
from unify.cli.options import IndexOption, JsonOption

if TYPE_CHECKING:
    from unify.indexer.inventory import Item


def list_videos(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH", help="Only these files, folders or globs. Default: everything."
        ),
    ] = None,
    index: IndexOption = None,
    json: JsonOption = False,
) -> None:
    """List the videos of an index: state, length, day, moments, path.

    A video is indexed, missing (indexed, but its file is gone), pending (a build did not get to
    it) or failed (it cannot be read; the reason follows). Copies stand below their video.

    Examples:
        unify index list
        unify index list ~/Videos/2024 "*.mov"
        unify index list --json
    """
    from dataclasses import asdict

    from unify.engine.location import locate
    from unify.indexer.inventory import inventory

    found = inventory(locate(index), paths or [])
    for item in found:
        if json:
            jsonio.emit(asdict(item))
        else:
            _say(item)
    render.tell(
        f"{render.counted(len(found), 'video')}, {render.clock(sum(i.duration_s for i in found))}, "
        f"{render.counted(sum(i.moments for i in found), 'moment')}"
    )


def _say(item: Item) -> None:
    note = f" ({item.note})" if item.note else ""
    day = time.strftime("%Y-%m-%d", time.localtime(item.recorded)) if item.recorded else ""
    render.say(
        f"{item.state:<8} {render.clock(item.duration_s):>8}  {day:10} "
        f"{render.counted(item.moments, 'moment'):>13}  {render.printable(item.video + note)}"
    )
    for copy in item.copies:
        render.say(f"{'copy':<45}{render.printable(copy)}")
