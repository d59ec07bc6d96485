"""`unify search`, `unify explain`, `unify terms`."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unify.cli import jsonio, render
from unify.cli.options import (
    IndexOption,
    JsonOption,
    QueryCommand,
    Words,
    complain,
    joined,
)

if TYPE_CHECKING:
    from unify.engine.answer import Answer
    from unify.engine.search import Searcher


class ModeName(StrEnum):
    """The values of `--mode`."""

    fused = "fused"
    latent = "latent"
    lexicon = "lexicon"


class FormatName(StrEnum):
    """The values of `--format`."""

    text = "text"
    json = "json"
    trec = "trec"


class FusionName(StrEnum):
    """The values of `--fusion`."""

    affine = "affine"
    rrf = "rrf"
    sum = "sum"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(cls=QueryCommand)(search)
    app.command(cls=QueryCommand)(explain)
    app.command()(terms)


def search(
    words: Words = None,
    queries: Annotated[
        Path | None, typer.Option("--queries", metavar="FILE", help="One query a line.")
    ] = None,
    k: Annotated[int, typer.Option("-k", metavar="N", help="How many hits.")] = 10,
    offset: Annotated[
        int, typer.Option(metavar="N", help="Leave out the first N hits: the next page.")
    ] = 0,
    threshold: Annotated[
        float | None, typer.Option(metavar="SCORE", help="No hits below this score.")
    ] = None,
    json: JsonOption = False,
    format: Annotated[
        FormatName, typer.Option("--format", help="json is --json; trec is a run for evaluation.")
    ] = FormatName.text,
    moments: Annotated[
        bool,
        typer.Option("--moments/--videos", help="Every moment, or each video's best one."),
    ] = False,
    mode: Annotated[ModeName, typer.Option(help="Which sides score.")] = ModeName.fused,
    fusion: Annotated[
        FusionName, typer.Option(help="How both sides become one score.")
    ] = FusionName.affine,
    weights: Annotated[
        str, typer.Option(metavar="LATENT,LEXICON", help="Of the sides, for rrf and sum.")
    ] = "1,1",
    exact: Annotated[
        bool, typer.Option("--exact", help="Miss no moment, however large the index is.")
    ] = False,
    budget_ms: Annotated[
        float | None,
        typer.Option("--budget-ms", metavar="MS", help="Stop looking further after MS."),
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show how scores add up.")] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Show how the query was answered.")] = False,
    index: IndexOption = None,
) -> None:
    """Find moments from a sentence.

    Examples:  unify search a man cooking pasta   ·   unify search "dog -beach len:<60"
    ·   unify search --queries captions.txt --json -k 5

    In a query +word must show, -word must not, word^2 counts twice, (a OR b) needs one of them;
    path: len: after: before: filter videos.
    """
    from unify.encoders.library import open_index
    from unify.engine.errors import UsageError

    if (queries is None) == (not words):
        raise UsageError("say what to look for", "give WORDS, or --queries FILE, not both")
    options: dict[str, Any] = {
        "k": k, "offset": offset, "threshold": -math.inf if threshold is None else threshold,
        "mode": mode.value, "moments": moments, "fusion": fusion.value,
        "weights": _weights(weights), "exact": exact, "budget_ms": budget_ms,
    }  # fmt: skip
    searcher = open_index(index)
    shape = FormatName.json if json else format
    show = partial(_show, shape=shape, explain=explain, plan=plan)
    if queries is None:
        show(searcher.search(joined(words), **options), 0)
    elif not _run_batch(searcher, queries, options, show, shape is FormatName.text):
        raise typer.Exit(2)


def _show(found: Answer, query_id: int, *, shape: FormatName, explain: bool, plan: bool) -> None:
    """Print the hits of one query."""
    if shape is FormatName.trec:
        from unify.cli.trec import trec_line

        for hit in found:
            render.say(trec_line(query_id, hit, "unify"))
    elif shape is FormatName.json:
        for hit in found:
            jsonio.emit(jsonio.hit_record(hit, query_id))
        if plan:
            jsonio.emit(jsonio.plan_record(found, query_id))
    else:
        render.print_hits(found, explain)
        if plan:
            render.print_plan(found)


def _run_batch(
    searcher: Searcher, path: Path, options: dict[str, Any],
    show: Callable[[Answer, int], None], titles: bool,
) -> bool:  # fmt: skip
    """Answer every line of a file; report bad ones and go on. Return whether all were good."""
    from unify.engine.errors import QueryError

    good = True
    lines = list(_lines(path))
    for number, found in enumerate(searcher.search_many(lines, **options)):
        if titles:
            render.say(f"{number}: {lines[number]}")
        if isinstance(found, QueryError):
            complain(f"{path}, line {number + 1}: {found}")
            good = False
        else:
            show(found, number)
    return good


def _weights(text: str) -> tuple[float, float]:
    from unify.engine.errors import UsageError

    try:
        latent, lexicon = map(float, text.split(","))
    except ValueError:
        raise UsageError(f"cannot read the weights {text!r}", "write --weights 1,0.5") from None
    return latent, lexicon


def _lines(path: Path) -> Iterator[str]:
    from unify.engine.errors import UsageError

    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text("utf-8", "replace")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", "check --queries") from None
    lines = text.split("\n")
    yield from (line.removesuffix("\r") for line in (lines if lines[-1] else lines[:-1]))


def explain(
    words: Words = None,
    hit: Annotated[
        int, typer.Option("--hit", metavar="N", min=1, help="Which hit to explain.")
    ] = 1,
    index: IndexOption = None,
) -> None:
    """Show how a query is understood and planned, and why a hit was found.

    Example:  unify explain a man cooking pasta --hit 2
    """
    from unify.encoders.library import open_index
    from unify.engine.errors import UsageError
    from unify.engine.explain import term_tracks
    from unify.engine.options import MAX_K

    searcher = open_index(index)
    found = searcher.search(joined(words), min(hit, MAX_K))
    if found.hits and hit > len(found):
        raise UsageError(f"there is no hit {hit}", f"use --hit 1 to {len(found)}")
    _print_query(searcher, found)
    render.print_plan(found)
    if not found.hits:
        return
    chosen = found[hit - 1]
    render.say("")
    render.say(
        f"hit {hit}     {chosen.video}  {render.clock(chosen.start_s)}–{render.clock(chosen.end_s)}"
    )
    render.print_sum(chosen)
    names = [match.term for match in chosen.terms]
    shows = searcher.encoder.calibration.shows
    render.say("")
    render.say("when each term shows:")
    render.print_tracks(
        term_tracks(searcher.backend, searcher.encoder.lexicon, chosen.moment, names), shows, 60
    )


def _print_query(searcher: Searcher, found: Answer) -> None:
    encoded = searcher.encode(found.parsed)
    pairs = sorted(zip(encoded.weights.tolist(), encoded.terms.tolist(), strict=True), reverse=True)
    words = searcher.encoder.lexicon.terms
    render.say("terms     " + " · ".join(f"{words[term]} {weight:.2f}" for weight, term in pairs))


def terms(
    video: Annotated[str | None, typer.Argument(metavar="[VIDEO]", help="A video's path.")] = None,
    top: Annotated[int, typer.Option("--top", metavar="N", min=1, help="How many terms.")] = 20,
    index: IndexOption = None,
    json: JsonOption = False,
) -> None:
    """Show what the library shows: its most frequent terms, or those of one video over time."""
    from unify.encoders.library import open_index
    from unify.engine.explain import library_terms, video_terms

    searcher = open_index(index)
    lexicon, shows = searcher.encoder.lexicon, searcher.encoder.calibration.shows
    if video is None:
        for term, count in library_terms(searcher.backend, lexicon, shows, top):
            if json:
                jsonio.emit({"term": term, "moments": count})
            else:
                render.say(f"{count:>8,}  {term}")
        return
    tracks = video_terms(searcher.backend, lexicon, video, top)
    if json:
        for track in tracks:
            ranges = [list(span) for span in track.ranges(shows)]
            jsonio.emit({"term": track.term, "weight": float(track.weights.max()), "shows": ranges})
        return
    render.print_tracks(tracks, shows, 60)
