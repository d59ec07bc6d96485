"""`unify search`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unify.cli import finding, jsonio, lasthits, listing, render
from unify.cli.asking import Asked, answer, asking
from unify.cli.choices import FormatName, SortName
from unify.cli.options import JsonOption, QueryCommand, complain, refuse

if TYPE_CHECKING:
    from unify.engine.answer import Answer
    from unify.engine.search import Searcher

_FACETS = 12  # terms


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(cls=QueryCommand)(search)


@asking
def search(
    asked: Asked,
    queries: Annotated[
        Path | None, typer.Option("--queries", metavar="FILE", help="One query a line.")
    ] = None,
    k: Annotated[int, typer.Option("-k", metavar="N", help="How many hits.")] = 10,
    offset: Annotated[
        int, typer.Option(metavar="N", help="Leave out the first N hits: the next page.")
    ] = 0,
    sort: Annotated[
        SortName, typer.Option(help="time: the same hits by video and time in it.")
    ] = SortName.score,
    json: JsonOption = False,
    format: Annotated[
        FormatName, typer.Option("--format", help="json is --json; trec is a run for evaluation.")
    ] = FormatName.text,
    facets: Annotated[
        bool, typer.Option("--facets", help="Which terms tell the hits from the library.")
    ] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Show how scores add up.")] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Show how the query was answered.")] = False,
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

    in_time = sort is SortName.time
    shape = FormatName.json if json else format
    alone = asked.per_video is not None or facets or asked.duplicates is False or in_time
    refuse(
        (queries is None and not (asked.words or asked.shown),
         "say what to look for", "give WORDS, --like, --image, --clip, or --queries FILE"),
        (queries is not None and bool(asked.words or asked.shown),
         "--queries has the words to look for", "leave WORDS, --like, --image and --clip out"),
        (queries is not None and alone,
         "--per-video, --sort time, --facets and --no-duplicates are for one query",
         "leave --queries out"),
        (json and format is FormatName.trec,
         "--json and --format trec are two formats", "give one of them"),
        (shape is FormatName.trec and (in_time or facets or explain or plan),
         "a run holds ranks and scores alone",
         "leave --sort time, --facets, --explain and --plan out"),
        (shape is FormatName.json and explain,
         "JSON has every part of every score as it is", "leave --explain out"),
    )  # fmt: skip
    searcher = open_index(asked.index)
    for_people = shape is FormatName.text
    show = partial(
        _show, searcher,
        shape=shape, explain=explain, plan=plan, like=asked.shown,
    )  # fmt: skip
    if queries is None:
        question = asked.question(searcher, k, offset, fold=for_people, in_time=in_time)
        found = answer(asked, searcher, question)
        # First, so that `unify open` knows them also where a pipe ends before the last is printed.
        hits = [jsonio.hit_record(hit, 0) for hit in found]
        lasthits.keep(asked.index, asked.title, searcher.encoder.name, hits)
        show(question, found, 0)
        if facets:
            _show_facets(searcher, question, shape)
    elif not _run_batch(searcher, queries, asked.options(k, offset), show, for_people):
        raise typer.Exit(2)


def _show(
    searcher: Searcher, question: finding.Question, found: Answer, query_id: int, *,
    shape: FormatName, explain: bool, plan: bool, like: bool,
) -> None:  # fmt: skip
    """Print the hits of one query."""
    render.tell_defined(found.defined)
    # Nothing is said of a moment or picture: its terms are many, and of no use.
    render.tell_not_dropped(() if like else found.not_dropped)
    if shape is FormatName.trec:
        from unify.cli.trec import trec_line

        for hit in found:
            render.say(trec_line(query_id, hit, "unify"))
        return
    render.tell_replaced(found)
    render.tell_split(searcher.split(found))
    if shape is FormatName.json:
        for hit in found:
            jsonio.emit(jsonio.hit_record(hit, query_id))
        if not found.hits:
            listing.tell_nothing(searcher, question, found)
        if plan:
            jsonio.emit(jsonio.plan_record(found, query_id, searcher.searched(found)))
        return
    if found.plan.lexicon and not like:
        render.tell_searched(searcher.searched(found))
    if found.hits:
        listing.print_hits(searcher, found, explain)
    else:
        listing.tell_nothing(searcher, question, found)
    if plan:
        render.print_plan(found)


def _show_facets(searcher: Searcher, question: finding.Question, shape: FormatName) -> None:
    """Print what the good hits have in common."""
    found, moments = finding.common(searcher, question, _FACETS)
    if shape is FormatName.json:
        jsonio.emit(jsonio.facets_record(found, moments))
    else:
        render.print_facets(found, moments)


def _run_batch(
    searcher: Searcher, path: Path, options: dict[str, Any],
    show: Callable[[finding.Question, Answer, int], None], titles: bool,
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
            question = finding.Question(lines[number], "", 1.0, None, False, options)
            show(question, finding.matching(found, options), number)
    return good


def _lines(path: Path) -> Iterator[str]:
    from unify.engine.errors import UsageError

    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        text = data.decode("utf-8-sig")  # some editors write a mark before the first line
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", "check --queries") from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path}, line {line} is no UTF-8", "save the file as UTF-8") from None
    lines = text.split("\n")
    yield from (line.removesuffix("\r") for line in (lines if lines[-1] else lines[:-1]))
