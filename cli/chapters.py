"""`unify chapters`: a chapter list of one video."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from unify.cli import files, jsonio, render
from unify.cli.options import IndexOption, JsonOption, NoWordsOption, refuse


class FormatName(StrEnum):
    """The values of `--format`."""

    list = "list"
    webvtt = "webvtt"
    ffmetadata = "ffmetadata"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(chapters)


def chapters(
    video: Annotated[str, typer.Argument(metavar="VIDEO", help="A video's path.")],
    queries: Annotated[
        list[str] | None,
        typer.Option("--query", "-q", metavar="TEXT", help="A chapter's subject; repeat it."),
    ] = None,
    format: Annotated[
        FormatName,
        typer.Option("--format", help="list is for a description, ffmetadata for FFmpeg."),
    ] = FormatName.list,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Default: stdout.")
    ] = None,
    shortest: Annotated[
        float, typer.Option(metavar="S", min=0.0, help="Least seconds of a chapter.")
    ] = 10.0,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
    no_words: NoWordsOption = False,
    index: IndexOption = None,
    json: JsonOption = False,
) -> None:
    """Make chapters of a video: by queries, or where it changes.

    With queries every moment goes to the one that it answers best, where it answers any well.
    Without, chapters are named by the terms that tell them from other videos.

    Examples:
        unify chapters talk.mp4
        unify chapters trip.mp4 -q "a beach" -q "a mountain"
        unify chapters film.mp4 --format ffmetadata --out film.ffmeta
    """
    from unify.cli.chaptering import chapters_of
    from unify.cli.wordsfile import read_words
    from unify.encoders.library import open_index
    from unify.engine.dictionary import NO_NAMES
    from unify.indexer import chapters as making

    refuse(
        (json and out is not None, "--json prints to stdout", "leave --out out"),
        (no_words and not queries, "--no-words is for --query", "give --query, too"),
    )
    if out is not None:
        files.require_place(out, force)
    names = read_words() if queries and not no_words else NO_NAMES
    found, titles, defined = chapters_of(open_index(index), video, queries or (), shortest, names)
    render.tell_defined(defined)
    if json:
        for chapter, title in zip(found, titles, strict=True):
            times = {"start_s": chapter.start_s, "end_s": chapter.end_s}
            jsonio.emit({"video": video, **times, "title": title})
        return
    text = making.written(found, titles, making.ChapterFormat(format.value))
    files.write(out or Path("-"), text.encode("utf-8", "replace"))
    if format is FormatName.list and (len(found) < 3 or shortest < making.SHORTEST_S):
        render.tell("video sites show chapters from three on, each of 10 s or more")
