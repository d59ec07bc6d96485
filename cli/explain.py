"""`unify explain`."""

from __future__ import annotations

from typing import Annotated

import typer

from unify.cli import finding, render
from unify.cli.options import IndexOption, NoSubtitlesOption, Words, joined


def explain(
    words: Words = None,
    hit: Annotated[
        int, typer.Option("--hit", metavar="N", min=1, help="Which hit to explain.")
    ] = 1,
    no_subtitles: NoSubtitlesOption = False,
    index: IndexOption = None,
) -> None:
    """Show how a query is understood and planned, and why a hit was found.

    Examples:
        unify explain a man cooking pasta
        unify explain a man cooking pasta --hit 2
    """
    from unify.encoders.library import open_index
    from unify.engine.answer import Source
    from unify.engine.errors import UsageError
    from unify.engine.explain import term_tracks
    from unify.engine.options import MAX_K

    searcher = open_index(index)
    options = {"k": min(hit, MAX_K), "subtitles": not no_subtitles}
    # Numbered as `unify search` numbers them, near-duplicates folded.
    question = finding.Question(joined(words), "", 1.0, None, False, options, distinct=True)
    found = finding.ask(searcher, question)
    if found.hits and hit > len(found):
        raise UsageError(f"there is no hit {hit}", f"use --hit 1 to {len(found)}")
    render.print_searched(searcher.searched(found))
    render.tell_replaced(found)
    render.tell_split(searcher.split(found))
    render.print_plan(found)
    if not found.hits:
        return
    chosen = found[hit - 1]
    render.say("")
    render.say(
        f"hit {hit}     {chosen.video}  {render.clock(chosen.start_s)}–{render.clock(chosen.end_s)}"
    )
    if not found.scored:
        render.say("not ranked: the query only says what must hold")
        return
    render.print_sum(chosen)
    names = [match.term for match in chosen.terms if match.source is Source.PICTURES]
    shows = searcher.encoder.calibration.shows
    render.say("")
    render.say("when each term shows:")
    render.print_tracks(
        term_tracks(searcher.backend, searcher.encoder.lexicon, chosen.moment, names), shows, 60
    )
