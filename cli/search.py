"""`unify search`, `unify explain`."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unify.cli import finding, jsonio, lasthits, render
from unify.cli.options import (
    IndexOption,
    JsonOption,
    NoSubtitlesOption,
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


class SortName(StrEnum):
    """The values of `--sort`."""

    score = "score"
    time = "time"


class FusionName(StrEnum):
    """The values of `--fusion`."""

    affine = "affine"
    rrf = "rrf"
    sum = "sum"


_FACETS = 12  # terms


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(cls=QueryCommand)(search)
    app.command(cls=QueryCommand)(explain)


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
    no_subtitles: NoSubtitlesOption = False,
    no_expand: Annotated[
        bool, typer.Option("--no-expand", help="Only your words, none that are added to them.")
    ] = False,
    drop: Annotated[
        list[str] | None,
        typer.Option(metavar="TERM", help="Leave out a term that was added. May be repeated."),
    ] = None,
    like: Annotated[
        str, typer.Option(metavar="VIDEO@SECONDS", help="More like this moment; WORDS beside it.")
    ] = "",
    like_weight: Annotated[
        float, typer.Option(metavar="W", help="How much that moment counts beside WORDS.")
    ] = 1.0,
    per_video: Annotated[
        int | None,
        typer.Option(metavar="N", help="Up to N moments a video that do not overlap."),
    ] = None,
    sort: Annotated[
        SortName, typer.Option(help="time: the same hits by video and time in it.")
    ] = SortName.score,
    facets: Annotated[
        bool, typer.Option("--facets", help="Which terms tell the hits from the library.")
    ] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Show how scores add up.")] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Show how the query was answered.")] = False,
    index: IndexOption = None,
) -> None:
    """Find moments from a sentence.

    Examples:  unify search a man cooking pasta   ·   unify search "dog -beach len:<60"
    ·   unify search --like clips/a.mp4@12.5 at night   ·   unify search dog --per-video 3
    ·   unify search --queries captions.txt --json -k 5

    In a query +word must show, -word must not, ~word is a wish, word^2 counts twice, (a OR b)
    needs one of them; path: len: after: before: filter videos. A word that subtitles say counts,
    too: +word is met when it shows or is said, -word when neither; --no-subtitles looks at the
    pictures alone.
    """
    from unify.encoders.library import open_index
    from unify.engine.errors import QueryError, UsageError

    alone = bool(words or like)
    if (queries is None) != alone:
        raise UsageError("say what to look for", "give WORDS, or --queries FILE, not both")
    if queries is not None and (per_video is not None or facets):
        raise UsageError("--per-video and --facets are for one query", "leave --queries out")
    if like and no_expand:
        raise UsageError("a moment has no words to expand", "leave --no-expand out beside --like")
    options: dict[str, Any] = {
        "k": k, "offset": offset, "threshold": -math.inf if threshold is None else threshold,
        "mode": mode.value, "moments": moments, "fusion": fusion.value,
        "weights": _weights(weights), "exact": exact, "budget_ms": budget_ms,
        "subtitles": not no_subtitles, "expand": not no_expand, "drop": tuple(drop or ()),
    }  # fmt: skip
    searcher = open_index(index)
    shape = FormatName.json if json else format
    show = partial(_show, searcher, shape=shape, explain=explain, plan=plan, like=bool(like))
    in_time = sort is SortName.time
    if queries is None:
        question = finding.Question(joined(words), like, like_weight, per_video, in_time, options)
        try:
            found = finding.ask(searcher, question)
        except QueryError as error:
            render.tell_place(question.text, error.position)
            raise
        show(found, 0)
        if facets:
            _show_facets(searcher, question, shape)
        _remember(searcher, index, " ".join(part for part in (joined(words), like) if part), found)
    elif in_time:
        raise UsageError("--sort time is for one query", "leave --queries out")
    elif not _run_batch(searcher, queries, options, show, shape is FormatName.text):
        raise typer.Exit(2)


def _show(
    searcher: Searcher, found: Answer, query_id: int, *,
    shape: FormatName, explain: bool, plan: bool, like: bool,
) -> None:  # fmt: skip
    """Print the hits of one query."""
    if shape is not FormatName.trec:
        render.tell_replaced(found)
    if shape is FormatName.trec:
        from unify.cli.trec import trec_line

        for hit in found:
            render.say(trec_line(query_id, hit, "unify"))
    elif shape is FormatName.json:
        for hit in found:
            jsonio.emit(jsonio.hit_record(hit, query_id))
        if plan:
            jsonio.emit(jsonio.plan_record(found, query_id, searcher.searched(found)))
    else:
        if not like:
            render.tell_searched(searcher.searched(found))
        render.print_hits(found, explain, searcher.faint(found))
        if plan:
            render.print_plan(found)


def _show_facets(searcher: Searcher, question: finding.Question, shape: FormatName) -> None:
    """Print what the good hits have in common."""
    found, moments = finding.common(searcher, question, _FACETS)
    if shape is FormatName.text:
        render.print_facets(found, moments)
    elif shape is FormatName.json:
        jsonio.emit(jsonio.facets_record(found, moments))


def _remember(searcher: Searcher, index: Path | None, query: str, found: Answer) -> None:
    """Keep the hits for `unify open`, `cut` and `export`."""
    from unify.engine.location import locate

    hits = [jsonio.hit_record(hit, 0) for hit in found]
    why_not = lasthits.remember(locate(index), query, searcher.encoder.name, hits)
    if why_not:
        render.tell(f"unify open and unify cut will not know these hits: {why_not}")


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
    no_subtitles: NoSubtitlesOption = False,
    index: IndexOption = None,
) -> None:
    """Show how a query is understood and planned, and why a hit was found.

    Example:  unify explain a man cooking pasta --hit 2
    """
    from unify.encoders.library import open_index
    from unify.engine.answer import Source
    from unify.engine.errors import UsageError
    from unify.engine.explain import term_tracks
    from unify.engine.options import MAX_K

    searcher = open_index(index)
    found = searcher.search(joined(words), min(hit, MAX_K), subtitles=not no_subtitles)
    if found.hits and hit > len(found):
        raise UsageError(f"there is no hit {hit}", f"use --hit 1 to {len(found)}")
    render.print_searched(searcher.searched(found))
    render.tell_replaced(found)
    render.print_plan(found)
    if not found.hits:
        return
    chosen = found[hit - 1]
    render.say("")
    render.say(
        f"hit {hit}     {chosen.video}  {render.clock(chosen.start_s)}–{render.clock(chosen.end_s)}"
    )
    render.print_sum(chosen)
    names = [match.term for match in chosen.terms if match.source is Source.PICTURES]
    shows = searcher.encoder.calibration.shows
    render.say("")
    render.say("when each term shows:")
    render.print_tracks(
        term_tracks(searcher.backend, searcher.encoder.lexicon, chosen.moment, names), shows, 60
    )
