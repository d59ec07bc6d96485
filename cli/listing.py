"""Hits in text for people: where each lies, its score, and why it was found."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from unify.cli.render import bar, clock, counted, gap, printable, say, span, styled, tell

if TYPE_CHECKING:
    from unify.cli.finding import Question
    from unify.engine.absence import Faint, Met
    from unify.engine.answer import Answer, Hit, TermMatch
    from unify.engine.search import Searcher

_REASONS = 5


def decimals(hits: Iterable[Hit]) -> int:
    """Return how many decimals the scores of hits take: ranks differ by little where they are low.

    A score that is fused by ranks is below 0.04, and an inner product below 1: these have four
    digits, others two decimals.
    """
    best = max((abs(hit.score) for hit in hits), default=0.0)
    return 3 - math.floor(math.log10(best)) if 1e-6 < best < 1 else 2


def print_hits(searcher: Searcher, answer: Answer, full: bool) -> None:
    """Print the hits of one query, of which there is one at least.

    Args:
        searcher: what was asked.
        answer: the hits.
        full: print every part of every score: every term and constant.
    """
    from unify.engine.absence import faint

    best, places = max(hit.score for hit in answer), decimals(answer)
    for hit in answer:
        _print_place(hit)
        if answer.scored:
            _print_score(hit, best, places, full)
        _print_alike(hit)
        if full and answer.scored:
            print_sum(hit, places)
    if not answer.scored:
        tell("not ranked: these are what filters and operators leave; add words for an order")
    elif all(hit.weak for hit in answer) and min(hit.rank for hit in answer) == 1:
        tell(f"no good match: every hit is weak{_names(faint(searcher, answer))}")
    elif absent := _names(faint(searcher, answer)):
        tell(absent.removeprefix("; "))
    if not answer.exact:
        tell(f"approximate: {gap(answer.outcome.gap)}; --exact looks at all")


def _print_place(hit: Hit) -> None:
    say(f"{hit.rank:>3}  {styled(printable(hit.video), bold=True)}  {times(hit)}")


def times(hit: Hit) -> str:
    """Return where a hit lies in its video, to a tenth of a second where it is short."""
    short = hit.end_s - hit.start_s < 2
    return f"{clock(hit.start_s, short)}–{clock(hit.end_s, short)}"


def _print_score(hit: Hit, best: float, places: int, full: bool) -> None:
    share = hit.score / best if best > 0 else 0.0
    weak = styled("  weak", fg="yellow") if hit.weak else ""
    say(f"     {styled(bar(share), fg='green')} {hit.score:6.{places}f}{weak}")
    say(styled(f"     why: {reasons(hit, places - 1)}", dim=not full))


def _print_alike(hit: Hit) -> None:
    """Print what else is the same, or nearly."""
    if hit.copies:
        say(styled(f"     also: {_also(hit.copies)}", dim=True))
    if hit.duplicates:
        s = "s" if hit.duplicates > 1 else ""
        say(styled(f"     +{hit.duplicates:,} near-duplicate{s}", dim=True))


def _also(copies: Sequence[str]) -> str:
    """Name the first of a video's other paths, as seen from here, and count the rest."""
    here = os.getcwd()  # noqa: PTH109 - a prefix
    first = copies[0].removeprefix(here.rstrip(os.sep) + os.sep)
    more = f" and {len(copies) - 1:,} more" if len(copies) > 1 else ""
    return printable(first) + more


def tell_nothing(searcher: Searcher, question: Question, answer: Answer) -> None:
    """Say why an answer has no hit, and what there would be without some condition.

    Args:
        searcher: what was asked.
        question: what it was asked.
        answer: without a hit.
    """
    from unify.cli.finding import silence

    offset, why = question.options["offset"], silence(searcher, question, answer)
    if answer.plan.allowed == 0:
        tell(f"nothing found: {_unmet(why.unmet)}")
        for near, best in why.nearest:
            place = f", the best {best.video} {times(best)}" if best and answer.scored else ""
            tell(f"without {', '.join(near.lacks)}: {counted(near.moments, 'moment')}{place}")
    elif offset:
        tell(f"nothing found from hit {offset + 1:,} on")
    elif question.options["threshold"] > -math.inf:
        score = "" if why.best_score is None else f"; the best scores {why.best_score:.3g}"
        tell(f"nothing found: no moment reaches the threshold{score}")
    else:
        from unify.engine.absence import faint

        tell(f"nothing found: no moment scores above 0{_names(faint(searcher, answer))}")


def _unmet(unmet: Sequence[Met]) -> str:
    """Say which conditions leave no moment over; of several, how many meet each alone."""
    if len(unmet) > 1:
        each = (f"{one.condition} ({counted(one.moments, 'moment')})" for one in unmet)
        return f"no moment meets at once {', '.join(each)}"
    return f"no moment meets {unmet[0].condition}" if unmet else "the index is empty"


def _names(faint: Iterable[Faint]) -> str:
    words = ", ".join(f"'{each.word}' (best {each.best:.2f} of {each.shows:.2f})" for each in faint)
    return f"; no moment clearly shows {words}: absent, or not recognised" if words else ""


def reasons(hit: Hit, places: int) -> str:
    """Return the parts that a hit's score is the sum of.

    They are terms, the largest first; the latent side; what pooling changed; and the base, which
    is what the query gives to a moment that is as near to it as any.

    Args:
        hit: what was found.
        places: decimals of each.
    """
    parts = [(_named(match), match.part) for match in hit.terms if match.part]
    shown = parts[:_REASONS]
    if len(parts) > _REASONS:
        rest = sum(part for _, part in parts[_REASONS:])
        shown.append((f"{len(parts) - _REASONS} more", rest))
    shown += [("latent", hit.latent_part)] if hit.latent_part else []
    shown += [("pool", hit.pool_part)] if hit.pool_part else []
    shown += [("base", hit.base)] if hit.base or not shown else []
    return " · ".join(f"{name} {part:z.{places}f}" for name, part in shown)


def _named(match: TermMatch) -> str:
    """Name a term; of one that is said, say so and when."""
    if not match.said_s:
        return match.term
    more = f" and {len(match.said_s) - 1:,} more" if len(match.said_s) > 1 else ""
    return f"said: {match.term} ({span(*match.said_s[0])}{more})"


def print_sum(hit: Hit, places: int) -> None:
    """Print how a score adds up.

    Args:
        hit: what was found.
        places: decimals of its score; the parts have one more.
    """
    number = f"+8.{places + 1}f"
    for match in (match for match in hit.terms if match.part):
        say(
            f"       {match.part:{number}}  {_named(match)}"
            f"  ({match.query:.3f} in the query × {match.moment:.3f} in the moment)"
        )
    if hit.latent_part:
        say(f"       {hit.latent_part:{number}}  latent  (inner product {hit.latent:.3f})")
    if hit.pool_part:
        say(f"       {hit.pool_part:{number}}  pool  (the mean of its best moments, beside this)")
    if hit.base:
        say(f"       {hit.base:{number}}  base  (the means of this query)")
    say(f"       {hit.score:{number[1:]}}  score")
