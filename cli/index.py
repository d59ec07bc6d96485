"""`unify index status`, `verify`, `compact`, `reroot`; others have their own modules."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unify.cli import jsonio, render
from unify.cli.build import build
from unify.cli.move import pull, push
from unify.cli.options import IndexOption, JsonOption
from unify.cli.remove import remove
from unify.cli.repair import repair
from unify.cli.videos import list_videos
from unify.cli.watch import watch

if TYPE_CHECKING:
    from unify.indexer.status import RootStatus


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(build)
    app.command()(watch)
    app.command()(status)
    app.command("list")(list_videos)
    app.command()(verify)
    app.command()(repair)
    app.command()(compact)
    app.command()(remove)
    app.command()(reroot)
    app.command()(push)
    app.command()(pull)


def status(index: IndexOption = None, json: JsonOption = False) -> None:
    """Show what an index holds, what failed and what is pending.

    Examples:
        unify index status
        unify index status --index library --json
    """
    from dataclasses import asdict

    from unify.engine.compact import advisable
    from unify.engine.location import locate
    from unify.indexer.status import status as read_status

    found = read_status(locate(index))
    if json:
        jsonio.emit(asdict(found))
        return
    settings = found.settings
    render.say(f"index     {locate(index)}")
    render.say(
        f"videos    {found.videos:,} ({render.clock(found.video_s)} of video, "
        f"{render.counted(found.moments, 'moment')})"
    )
    render.say(f"subtitles {render.counted(found.subtitled, 'video')}")
    render.say(f"size      {found.size_bytes / 1e6:,.1f} MB, generation {found.generation}")
    render.say(
        f"pack      {settings.pack} ({settings.fingerprint[:12]}), {settings.fps:g} frames a second"
    )
    render.say(f"pending   {found.pending:,}")
    for what, lines in (
        ("roots", [_root_line(root) for root in found.roots]),
        ("copies", [f"{path} = {video}" for path, video in found.copies]),
        ("failed", [f"{path} ({why})" for path, why in found.failed]),
        ("damaged", [f"{path} ({why})" for path, why in found.damaged]),
        ("missing", found.missing),
    ):
        render.say(f"{what:<9} {len(lines):,}")
        for line in lines:
            render.say(f"          {render.printable(line)}")
    if advisable(locate(index)):
        render.tell("many small segments or removed videos: unify index compact makes it faster")


def _root_line(root: RootStatus) -> str:
    counts = [f"videos {root.videos:,}", f"{render.clock(root.video_s)} of video"]
    for what in ("copies", "failed", "pending", "missing"):
        count = getattr(root, what)
        counts += [f"{what} {count:,}"] if count else []
    return f"{root.given}: {', '.join(counts)}{'' if root.there else '; it is not there now'}"


def verify(index: IndexOption = None, json: JsonOption = False) -> None:
    """Check every byte of an index, and that its parts agree. Exit code 4 when they do not.

    Examples:
        unify index verify --index library
    """
    from unify.engine.errors import DamagedIndex
    from unify.engine.location import locate
    from unify.engine.verify import verify as find_problems
    from unify.indexer.agreement import disagreements

    directory = locate(index)
    problems = find_problems(directory)
    problems += disagreements(directory) if not problems else []
    if json:
        jsonio.emit({"index": str(directory), "problems": problems})
    else:
        for problem in problems:
            render.say(problem)
    if problems:
        raise DamagedIndex(
            f"{directory} has {render.counted(len(problems), 'problem')}",
            "unify index repair loses only what is damaged",
        )
    render.tell(f"{directory} is whole")


def compact(
    full: Annotated[
        bool,
        typer.Option(
            "--full",
            help="Rewrite everything, and number all videos anew by their content: the same videos "
            "come to the same bytes, whatever was added and removed before.",
        ),
    ] = False,
    index: IndexOption = None,
    json: JsonOption = False,
) -> None:
    """Merge small segments; give back the room of removed videos.

    Searches go on meanwhile; stopped at any instant, the index stays as it was.

    Examples:
        unify index compact
        unify index compact --full
    """
    from dataclasses import asdict

    from unify.engine.location import locate
    from unify.indexer.compaction import compact as run

    directory = locate(index)
    with _rows_shown() as tell:
        done = run(directory, full, tell)
    if json:
        jsonio.emit({"index": str(directory), **asdict(done)})
    if done.segments_before == done.segments_after and not done.rewritten:
        render.tell("nothing to compact")
        return
    render.tell(
        f"before: {render.counted(done.rows_before, 'moment')}, "
        f"segments: {done.segments_before:,}, {done.bytes_before / 1e6:,.1f} MB; "
        f"after: {render.counted(done.rows_after, 'moment')}, "
        f"segments: {done.segments_after:,}, {done.bytes_after / 1e6:,.1f} MB"
    )


def reroot(
    old: Annotated[str, typer.Argument(metavar="OLD", help="Where the videos were.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", readable=False, help="Where they are.")],
    index: IndexOption = None,
    json: JsonOption = False,
) -> None:
    """Point an index to a moved library; nothing is encoded again.

    OLD is a PATH of an earlier build, or a folder above some. An index that lies inside its
    library (as ~/Videos/.unify) may be moved together with it without this.

    Examples:
        unify index reroot /mnt/old/films /mnt/new/films
    """
    from dataclasses import asdict

    from unify.engine.location import locate
    from unify.indexer.reroot import reroot as run

    directory = locate(index)
    done = run(old, new, directory)
    if json:
        jsonio.emit({"index": str(directory), **asdict(done)})
    for before, after in done.roots:
        render.tell(f"{before} is now {after}")
    for path in done.missing:
        render.tell(f"missing: {path}")
    render.tell(f"videos moved: {done.videos:,}; not found there: {len(done.missing):,}")


@contextmanager
def _rows_shown() -> Iterator[Callable[[int, int], None] | None]:
    """Give a bar that counts rows on stderr, where that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("compacting")
        yield lambda done, total: shown.update(task, completed=done, total=total)
