"""`unify search`, `unify explain`."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unify.cli import finding, jsonio, lasthits, render
from unify.cli.choices import FormatName, FusionName, ModeName, SortName
from unify.cli.explain import explain
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
    from unify.engine.types import EncodedQuery

_FACETS = 12  # terms
_EVEN = "1,1"


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
    pool: Annotated[
        str,
        typer.Option(metavar="HOW", help="A video's score: max, or mean:M of its M best moments."),
    ] = "max",
    weights: Annotated[
        str, typer.Option(metavar="LATENT,LEXICON", help="Of the sides, for rrf and sum.")
    ] = _EVEN,
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
    no_respell: Annotated[
        bool, typer.Option("--no-respell", help="Put no slip of spelling right.")
    ] = False,
    drop: Annotated[
        list[str] | None,
        typer.Option(metavar="TERM", help="Leave out a term that was added. May be repeated."),
    ] = None,
    like: Annotated[
        str, typer.Option(metavar="VIDEO@SECONDS", help="More like this moment; WORDS beside it.")
    ] = "",
    image: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="More like this picture; WORDS beside it."),
    ] = None,
    clip: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="More like this video, as a whole; WORDS beside it."),
    ] = None,
    like_weight: Annotated[
        float,
        typer.Option(metavar="W", help="How much moment, picture or clip count beside WORDS."),
    ] = 1.0,
    per_video: Annotated[
        int | None,
        typer.Option(metavar="N", help="Up to N moments a video that do not overlap."),
    ] = None,
    sort: Annotated[
        SortName, typer.Option(help="time: the same hits by video and time in it.")
    ] = SortName.score,
    duplicates: Annotated[
        bool | None,
        typer.Option(
            "--duplicates/--no-duplicates",
            help="Show near-duplicates, or fold them into the best. Default: folded in text, "
            "shown in JSON, runs and --queries.",
        ),
    ] = None,
    facets: Annotated[
        bool, typer.Option("--facets", help="Which terms tell the hits from the library.")
    ] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Show how scores add up.")] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Show how the query was answered.")] = False,
    index: IndexOption = None,
) -> None:
    """Find moments from a sentence.

    In a query +word must show, -word must not, ~word is a wish, word^2 counts twice, (a OR b)
    needs one of them; path: len: after: before: filter videos. A word that subtitles say counts,
    too: +word is met when it shows or is said, -word when neither; --no-subtitles looks at the
    pictures alone.

    Examples:
        unify search a man cooking pasta
        unify search "dog -beach len:<60" -k 20
        unify search dog --per-video 3 --sort time
        unify search --like clips/a.mp4@12.5 at night
        unify search --image photo.jpg
        unify search --queries captions.txt --json -k 5
    """
    from unify.encoders.library import open_index
    from unify.engine.errors import QueryError

    pictures = bool(like) + (image is not None) + (clip is not None)
    by_sides = fusion in (FusionName.rrf, FusionName.sum)
    alone = per_video is not None or facets or duplicates is False
    _refuse(
        ((queries is None) != bool(words or pictures),
         "say what to look for", "give WORDS, or --queries FILE, not both"),
        (pictures > 1,
         "more than one picture to go by", "give one of --like, --image, --clip"),
        (queries is not None and alone,
         "--per-video, --facets and --no-duplicates are for one query", "leave --queries out"),
        (queries is not None and sort is SortName.time,
         "--sort time is for one query", "leave --queries out"),
        (pictures > 0 and no_expand,
         "a picture has no words to expand",
         "leave --no-expand out beside --like, --image and --clip"),
        (json and format is FormatName.trec,
         "--json and --format trec are two formats", "give one of them"),
        (sort is SortName.time and format is FormatName.trec,
         "a run is in the order of its ranks", "leave --sort time out"),
        (weights != _EVEN and not by_sides,
         "--weights are of --fusion rrf and sum", "give one of these, too"),
        (like_weight != 1.0 and not pictures,
         "--like-weight weighs a picture", "give --like, --image or --clip, too"),
    )  # fmt: skip
    options: dict[str, Any] = {
        "k": k, "offset": offset, "threshold": -math.inf if threshold is None else threshold,
        "mode": mode.value, "moments": moments, "fusion": fusion.value,
        "weights": _weights(weights), "exact": exact, "budget_ms": budget_ms,
        "subtitles": not no_subtitles, "expand": not no_expand,
        "respell": not no_respell, "drop": tuple(drop or ()), "pool": pool,
    }  # fmt: skip
    searcher = open_index(index)
    shape = FormatName.json if json else format
    show = partial(_show, searcher, shape=shape, explain=explain, plan=plan, like=pictures > 0)
    in_time = sort is SortName.time
    if queries is None:
        question = finding.Question(
            joined(words), like, like_weight, per_video, in_time, options,
            _encoded(searcher, image, clip),
            shape is FormatName.text if duplicates is None else not duplicates,
        )  # fmt: skip
        try:
            found = finding.ask(searcher, question)
        except QueryError as error:
            render.tell_place(question.text, error.position)
            raise
        asked = (joined(words), like, str(image or clip or ""))
        # First, so that `unify open` knows them also where a pipe ends before the last is printed.
        _remember(searcher, index, " ".join(part for part in asked if part), found)
        show(found, 0)
        if facets:
            _show_facets(searcher, question, shape)
    elif not _run_batch(searcher, queries, options, show, shape is FormatName.text):
        raise typer.Exit(2)


def _refuse(*rules: tuple[bool, str, str]) -> None:
    """Raise the first of some errors that is one: whether it is, what, and what to do."""
    from unify.engine.errors import UsageError

    for wrong, what, remedy in rules:
        if wrong:
            raise UsageError(what, remedy)


def _encoded(searcher: Searcher, image: Path | None, clip: Path | None) -> EncodedQuery | None:
    """Return the picture or clip to go by, if there is one."""
    from unify.encoders.library import encode_shown

    path = image or clip
    return None if path is None else encode_shown(searcher, path, still=path is image)


def _show(
    searcher: Searcher, found: Answer, query_id: int, *,
    shape: FormatName, explain: bool, plan: bool, like: bool,
) -> None:  # fmt: skip
    """Print the hits of one query."""
    if shape is not FormatName.trec:
        render.tell_replaced(found)
        render.tell_split(searcher.split(found))
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
    from unify.engine.location import known_as

    hits = [jsonio.hit_record(hit, 0) for hit in found]
    why_not = lasthits.remember(known_as(index), query, searcher.encoder.name, hits)
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
