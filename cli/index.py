"""`unify index build`, `status`, `verify`, `compact`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unify.cli import jsonio, render
from unify.cli.options import IndexOption, JsonOption

if TYPE_CHECKING:
    from unify.indexer.progress import BuildReport, Progress


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(build)
    app.command()(status)
    app.command()(verify)
    app.command()(compact)


def build(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH", readable=False, help="Videos and folders.")
    ],
    index: IndexOption = None,
    pack: Annotated[
        str | None, typer.Option(metavar="NAME", help="Default: the index's own, or mini.")
    ] = None,
    fps: Annotated[
        float | None, typer.Option(metavar="F", help="Frames sampled a second. Default: 1.")
    ] = None,
    decoder: Annotated[
        str | None, typer.Option(metavar="NAME", help="pyav (default) or decord.")
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try failed videos again.")
    ] = False,
    prune: Annotated[
        bool,
        typer.Option("--prune", help="Remove vanished videos even where a folder looks empty."),
    ] = False,
    workers: Annotated[int, typer.Option(metavar="N", min=1, help="Decoding processes.")] = 1,
) -> None:
    """Index videos, or bring an index up to date.

    Unchanged videos are skipped; a build that was stopped goes on where it was. Exit code 5 says
    that some videos cannot be read; the others are indexed all the same.

    Example:  unify index build ~/Videos /mnt/archive/2019
    """
    from unify.encoders.library import BuildOptions, build_index

    options = BuildOptions(pack, fps, decoder, retry_failed, prune, workers)
    with _Reporter() as tell:
        report = build_index(paths, index, options, tell)
    _summarise(report)
    if report.failed:
        raise typer.Exit(5)


class _Reporter:
    """Shows progress on stderr: a bar on a terminal, plain lines in a pipe."""

    def __init__(self) -> None:
        self._bar = None
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn("indexing"),
                BarColumn(),
                TextColumn("{task.percentage:3.0f}%  {task.fields[speed]}  ETA"),
                TimeRemainingColumn(),
                TextColumn("{task.fields[video]}", markup=False),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task("", total=1.0, speed="", video="")
        self._started = time.monotonic()

    def __enter__(self) -> Callable[[Progress], None]:
        if self._bar:
            self._bar.start()
        return self._tell

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def _tell(self, event: Progress) -> None:
        from unify.indexer import progress

        match event:
            case progress.VideoFailed(path, reason):
                self._line(f"failed   {path}: {reason}")
            case progress.VideoFinished(path, moments, damage):
                note = f" (damaged: {damage})" if damage else ""
                if damage or not self._bar:
                    unit = "moment" if moments == 1 else "moments"
                    self._line(f"indexed  {path}: {moments} {unit}{note}")
            case progress.VideoStarted(path, _) if self._bar:
                self._bar.update(self._task, video=render.printable(path))
            case progress.Advanced(share, video_s) if self._bar:
                speed = video_s / max(time.monotonic() - self._started, 1e-9)
                self._bar.update(self._task, completed=share, speed=f"{speed:.0f}x real time")

    def _line(self, text: str) -> None:
        if self._bar:
            line = render.printable(text)
            self._bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            render.tell(text)


def _summarise(report: BuildReport) -> None:
    render.tell(
        f"{report.found:,} videos found: {report.indexed:,} indexed, "
        f"{report.skipped:,} unchanged, {len(report.failed):,} failed"
    )
    if report.indexed:
        render.tell(
            f"{report.moments:,} moments from {render.clock(report.video_s)} of video in "
            f"{report.wall_s:.1f} s ({report.video_s / report.wall_s:.0f} x real time)"
        )
    if report.renamed or report.removed:
        render.tell(f"{report.renamed:,} renamed, {report.removed:,} removed")
    for what, lines in (
        ("copy of an indexed video", report.duplicates),
        ("missing, still searchable", report.missing),
        ("cannot be looked at", [f"{path} ({why})" for path, why in report.unreadable]),
        ("failed", [f"{path} ({why})" for path, why in report.failed]),
    ):
        for line in lines:
            render.tell(f"{what}: {line}")
    if report.failed:
        render.tell("failed videos are tried again when they change, or with --retry-failed")


def status(index: IndexOption = None, json: JsonOption = False) -> None:
    """Show what an index holds, what failed and why, and what is pending."""
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
        f"{found.moments:,} moments)"
    )
    render.say(f"size      {found.size_bytes / 1e6:,.1f} MB, generation {found.generation}")
    render.say(
        f"pack      {settings.pack} ({settings.fingerprint[:12]}), {settings.fps:g} frames a second"
    )
    render.say(f"pending   {found.pending:,}, copies {found.duplicates:,}")
    for what, lines in (
        ("failed", [f"{path} ({why})" for path, why in found.failed]),
        ("damaged", [f"{path} ({why})" for path, why in found.damaged]),
        ("missing", found.missing),
    ):
        render.say(f"{what:<9} {len(lines):,}")
        for line in lines:
            render.say(f"          {render.printable(line)}")
    if advisable(locate(index)):
        render.tell("many small segments or removed videos: unify index compact makes it faster")


def verify(index: IndexOption = None, json: JsonOption = False) -> None:
    """Check every byte of an index, and that its parts agree. Exit code 4 when they do not."""
    from unify.engine.errors import DamagedIndex
    from unify.engine.location import locate
    from unify.engine.verify import verify as find_problems

    directory = locate(index)
    problems = find_problems(directory)
    if json:
        jsonio.emit({"index": str(directory), "problems": problems})
    else:
        for problem in problems:
            render.say(problem)
    if problems:
        raise DamagedIndex(
            f"{directory} has {len(problems)} problems", "delete it and build it again"
        )
    render.tell(f"{directory} is whole")


def compact(index: IndexOption = None, json: JsonOption = False) -> None:
    """Merge small segments into large ones and give back the room of removed videos.

    Searches go on meanwhile; stopped at any instant, the index stays as it was.
    """
    from dataclasses import asdict

    from unify.engine.compact import compact as run
    from unify.engine.location import locate

    directory = locate(index)
    with _rows_shown() as tell:
        done = run(directory, tell)
    if json:
        jsonio.emit({"index": str(directory), **asdict(done)})
    if done.segments_before == done.segments_after and done.bytes_before == done.bytes_after:
        render.tell("nothing to compact")
        return
    render.tell(
        f"{done.rows_before:,} moments in {done.segments_before:,} segments before, "
        f"{done.rows_after:,} in {done.segments_after:,} after; "
        f"{done.bytes_before / 1e6:,.1f} MB before, {done.bytes_after / 1e6:,.1f} MB after"
    )


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
