"""`unify explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from unify.cli import listing, render
from unify.cli.asking import Asked, answer, asking
from unify.cli.options import QueryCommand

if TYPE_CHECKING:
    from unify.engine.answer import Answer, Hit
    from unify.engine.search import Searcher


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(cls=QueryCommand)(explain)


@asking
def explain(
    asked: Asked,
    hit: Annotated[
        int, typer.Option("--hit", metavar="N", min=1, help="Which hit to explain: its rank.")
    ] = 1,
) -> None:
    """Show how a query is read and planned, and why a hit was found.

    It takes the options of unify search that change which hits there are and what they score, and
    numbers the hits as unify search does.

    Examples:
        unify explain a man cooking pasta
        unify explain a man cooking pasta --hit 2
        unify explain --like clips/a.mp4@12.5 at night --mode latent
    """
    from unify.encoders.library import open_index
    from unify.engine.errors import UsageError
    from unify.engine.options import MAX_K

    searcher = open_index(asked.index)
    question = asked.question(searcher, min(hit, MAX_K))
    found = answer(asked, searcher, question)
    if found.hits and hit > len(found):
        raise UsageError(f"there is no hit {hit}", f"use --hit 1 to {len(found)}")
    if found.plan.lexicon:
        render.print_searched(searcher.searched(found), "shown" if asked.shown else "added")
    render.tell_defined(found.defined)
    render.tell_replaced(found)
    render.tell_split(searcher.split(found))
    render.print_plan(found)
    if found.hits:
        _print_hit(searcher, found, found[hit - 1])
    else:
        listing.tell_nothing(searcher, question, found)


def _print_hit(searcher: Searcher, found: Answer, hit: Hit) -> None:
    """Print what the score of a hit is the sum of, and when it shows each term."""
    from unify.engine.answer import Source
    from unify.engine.explain import term_tracks

    render.say("")
    render.say(f"hit {hit.rank}     {render.printable(hit.video)}  {listing.times(hit)}")
    if not found.scored:
        render.say("not ranked: the query only says what must hold")
        return
    listing.print_sum(hit, listing.decimals(found))
    names = [match.term for match in hit.terms if match.source is Source.PICTURES]
    shows = searcher.encoder.calibration.shows
    render.say("")
    render.say("when each term shows:")
    render.print_tracks(
        term_tracks(searcher.backend, searcher.encoder.lexicon, hit.moment, names), shows, 60
    )
