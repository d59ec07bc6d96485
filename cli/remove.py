"""`unify index remove`."""

from __future__ import annotations

from typing import Annotated

import typer

from unify.cli import jsonio, render
from unify.cli.options import IndexOption, JsonOption


def remove(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH", help="Videos and folders; they may be gone.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be taken off, and change nothing.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Also where nothing would stay in the index.")
    ] = False,
    index: IndexOption = None,
    json: JsonOption = False,
) -> None:
    """Take videos off the index; the files themselves are not touched.

    They are forgotten: a later build of their folder indexes them again, unless a .unifyignore
    file there, or --exclude, leaves them out. A video with a copy elsewhere is found there.

    Examples:
        unify index remove ~/Videos/private holiday/blurred.mp4
        unify index remove --dry-run ~/Videos/private
    """
    from dataclasses import asdict

    from unify.engine.location import locate
    from unify.indexer.remove import remove as run

    directory = locate(index)
    done = run(paths, directory, everything=everything, dry_run=dry_run)
    if json:
        jsonio.emit({"index": str(directory), **asdict(done), "dry_run": dry_run})
    for path in done.removed:
        render.tell(f"removed   {path}")
    for path, other in done.kept:
        render.tell(f"removed   {path}, still found as {other}")
    for path in done.forgotten:
        render.tell(f"forgotten {path}")
    if dry_run:
        render.tell(
            f"nothing was changed; without --dry-run, removed: {len(done.removed):,}, "
            f"still found at a copy: {len(done.kept):,}, forgotten: {len(done.forgotten):,}"
        )
    elif done.removed:
        render.tell("unify index compact gives back their room")
