"""`unify chapters`: a chapter list of one video."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unify.cli import files, jsonio, render
from unify.cli.options import IndexOption, JsonOption, refuse

if TYPE_CHECKING:
    from unify.engine.search import Searcher
    from unify.engine.types import Float64, Int64
    from unify.indexer.chapters import Chapter

_NOTHING = "other"


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
    index: IndexOption = None,
    json: JsonOption = False,
) -> None:
    """Make chapters of a video: by queries, or else where what it shows changes.

    With queries every moment goes to the one that it answers best, where it answers any well.
    Without, chapters are named by the terms that tell them from other videos.

    Examples:
        unify chapters talk.mp4
        unify chapters trip.mp4 -q "a beach" -q "a mountain"
        unify chapters film.mp4 --format ffmetadata --out film.ffmeta
    """
    import numpy as np

    from unify.encoders.library import open_index
    from unify.indexer import chapters as making

    refuse((json and out is not None, "--json prints to stdout", "leave --out out"))
    if out is not None:
        files.require_place(out, force)
    searcher = open_index(index)
    ids = searcher.backend.moments_of(video)
    facts = [searcher.backend.facts(int(moment)) for moment in ids]
    starts = np.array([fact.start_s for fact in facts])
    ends = np.array([fact.end_s for fact in facts])
    bounds = making.edges(starts, ends, float(ends.max()))
    if queries:
        labels = _labels(searcher, ids, queries)
        found = making.by_label(labels.tolist(), bounds, shortest)
        titles = [_named(queries, labels[chapter.first : chapter.last]) for chapter in found]
    else:
        found = making.by_change(searcher.backend.latents(ids), bounds, shortest)
        titles = _titles(searcher, ids, found)
    if json:
        for chapter, title in zip(found, titles, strict=True):
            times = {"start_s": chapter.start_s, "end_s": chapter.end_s}
            jsonio.emit({"video": video, **times, "title": title})
        return
    text = making.written(found, titles, making.ChapterFormat(format.value))
    files.write(out or Path("-"), text.encode("utf-8", "replace"))
    if format is FormatName.list and (len(found) < 3 or shortest < making.SHORTEST_S):
        render.tell("video sites show chapters from three on, each of 10 s or more")


def _labels(searcher: Searcher, ids: Int64, queries: list[str]) -> Int64:
    """Return (M,) which query each moment answers best, or -1 where it answers none well."""
    import numpy as np

    scores = np.stack([_scores(searcher, ids, query) for query in queries])  # (Q, M)
    best = scores.argmax(axis=0)
    return np.where(scores.max(axis=0) >= searcher.encoder.calibration.weak, best, -1)


def _scores(searcher: Searcher, ids: Int64, query: str) -> Float64:
    import numpy as np

    from unify.engine.fusion import affine
    from unify.engine.query import parse

    encoded = searcher.encode(parse(query))
    fused = affine(encoded, searcher.encoder.calibration)
    latent = np.zeros(len(ids))
    if encoded.latent is not None:
        latent = searcher.backend.latent_scores(ids, encoded.latent)
    lexicon = searcher.backend.lexicon_scores(ids, encoded.terms, encoded.weights)
    return fused(latent, lexicon)


def _named(queries: list[str], labels: Int64) -> str:
    """Return the query that most moments of a chapter answer."""
    import numpy as np

    values, counts = np.unique(labels, return_counts=True)
    label = int(values[counts.argmax()])
    return _NOTHING if label < 0 else queries[label]


def _titles(searcher: Searcher, ids: Int64, found: list[Chapter]) -> list[str]:
    """Return the terms that stand out in each chapter, against what the pack expects of any."""
    import numpy as np

    calibration = searcher.encoder.calibration
    words = searcher.encoder.lexicon.terms
    every = np.arange(len(words), dtype=np.uint16)
    titles = []
    for chapter in found:
        weights = searcher.backend.term_weights(ids[chapter.first : chapter.last], every)
        above = weights.mean(axis=0) - calibration.term_mean
        top = np.argsort(-above, kind="stable")[:3]
        names = [words[int(term)] for term in top if above[term] > 0]
        titles.append(", ".join(names) or _NOTHING)
    return titles
