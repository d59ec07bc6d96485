"""`unify index build`: what it takes, how it shows that it gets on, and what it says at the end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unify.cli import render
from unify.cli.options import ExcludeOption, IndexOption

if TYPE_CHECKING:
    from unify.indexer.progress import BuildReport, Progress

_LINE_EVERY_S = 30.0  # in a pipe
_LISTED = 20  # files of a kind, of those that `unify index status` lists too


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
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Decoding processes. Default: one a CPU, up to 4."),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Use a Ray cluster: local, auto or HOST:PORT."),
    ] = None,
    max_memory: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="What all processes may take together: 800M, 2G."),
    ] = None,
    exclude: ExcludeOption = None,
) -> None:
    """Index videos, or bring an index up to date.

    Unchanged videos are skipped; a build that was stopped goes on where it was. Exit code 5 says
    that some videos cannot be read; the others are indexed all the same. Ctrl-C stops it; what is
    finished is kept. For a lower priority:  nice unify index build ...

    Examples:
        unify index build ~/Videos /mnt/archive/2019
        unify index build ~/Videos --exclude '*.mov' --workers 2 --max-memory 1G
        nice unify index build ~/Videos --retry-failed
    """
    from unify.encoders.library import BuildOptions, build_index
    from unify.indexer.resources import parse_size

    options = BuildOptions(
        pack, fps, decoder, retry_failed, prune, workers,
        parse_size(max_memory) if max_memory is not None else None, tuple(exclude or ()), ray=ray,
    )  # fmt: skip
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
            from rich.progress import BarColumn, Progress, TextColumn

            self._bar = Progress(
                TextColumn("indexing"),
                BarColumn(),
                TextColumn("{task.percentage:3.0f}%  {task.fields[speed]}"),
                TextColumn("{task.fields[video]}", markup=False),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task("", total=1.0, speed="", video="")
        self._started_s = self._told_s = time.monotonic()

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
                    self._line(f"indexed  {path}: {render.counted(moments, 'moment')}{note}")
            case progress.VideoStarted(path, _) if self._bar:
                self._bar.update(self._task, video=render.printable(path))
            case progress.Advanced(share, video_s, left_s):
                self._advance(share, video_s, left_s)

    def _advance(self, share: float, video_s: float, left_s: float) -> None:
        now_s = time.monotonic()
        speed = f"{video_s / max(now_s - self._started_s, 1e-9):.0f} x real time"
        left = f"{speed}, {render.clock(left_s)} left"
        if self._bar:
            self._bar.update(self._task, completed=share, speed=left)
        elif now_s - self._told_s > _LINE_EVERY_S and share < 1:
            self._told_s = now_s
            self._line(f"{share:.0%} done, {left}")

    def _line(self, text: str) -> None:
        if self._bar:
            line = render.printable(text)
            self._bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            render.tell(text)


def _summarise(report: BuildReport) -> None:
    render.tell(
        f"{render.counted(report.found, 'video')} found: {report.indexed:,} indexed, "
        f"{report.skipped:,} unchanged, {len(report.failed):,} failed"
    )
    if report.indexed:
        render.tell(
            f"{render.counted(report.moments, 'moment')} from {render.clock(report.video_s)} "
            f"of video in {report.wall_s:.1f} s ({report.video_s / report.wall_s:.0f} x real time)"
        )
    if report.ignored:
        render.tell(f"{report.ignored:,} left out by .unifyignore or --exclude")
    if report.renamed or report.removed:
        render.tell(f"{report.renamed:,} renamed, {report.removed:,} removed")
    for what, lines, in_status in (
        ("copy of an indexed video", report.duplicates, True),
        ("missing, still searchable", report.missing, True),
        ("left out, still searchable (unify index remove takes it off)", report.kept, False),
        ("cannot be looked at", [f"{path} ({why})" for path, why in report.unreadable], False),
        ("failed", [f"{path} ({why})" for path, why in report.failed], True),
    ):
        listed = lines[:_LISTED] if in_status else lines
        for line in listed:
            render.tell(f"{what}: {line}")
        if len(lines) > len(listed):
            render.tell(f"{what}: {len(lines) - len(listed):,} more; all: unify index status")
    if report.failed:
        render.tell("failed videos are tried again when they change, or with --retry-failed")
