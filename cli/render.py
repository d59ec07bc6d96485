"""Text for people: bars, times, words, plans. The only module that styles output."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from unify.engine.answer import Answer
    from unify.engine.dictionary import Entry
    from unify.engine.explain import TermTrack
    from unify.engine.facets import Facet
    from unify.engine.wording import SearchedTerm

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_SPARKS = " ▁▂▃▄▅▆▇█"
_BAR = 12
_ADDED = 5


def say(text: str) -> None:
    """Print to stdout."""
    typer.echo(text)


def tell(text: str) -> None:
    """Print one line to stderr, for people."""
    typer.echo(printable(text), err=True)


def printable(name: str) -> str:
    r"""Escape what would break a line or command a terminal, as a file name may.

    >>> printable("two" + chr(10) + "lines")
    'two\\nlines'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def counted(count: int, one: str) -> str:
    """Return a number of things.

    >>> counted(1, "cut"), counted(1200, "cut")
    ('1 cut', '1,200 cuts')
    """
    return f"{count:,} {one}" + ("" if count == 1 else "s")


def styled(text: str, **style: bool | str) -> str:
    """Return text in a style, on a terminal that shows one."""
    plain = os.environ.get("NO_COLOR") or not sys.stdout.isatty()
    return text if plain else typer.style(text, **style)  # type: ignore[arg-type]


def clock(seconds: float, tenths: bool = False) -> str:
    """Return a time as people read it.

    >>> clock(75.04), clock(3725), clock(75.04, tenths=True)
    ('1:15', '1:02:05', '1:15.0')
    """
    whole = int(seconds)
    text = f"{whole // 60 % 60}:{whole % 60:02d}"
    if whole >= 3600:
        text = f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
    return text + f".{int(seconds * 10) % 10}" if tenths else text


def bar(share: float) -> str:
    """Return a bar of up to 12 characters, in steps of an eighth.

    >>> bar(0.5), bar(2.0) == bar(1.0)
    ('██████      ', True)
    """
    eighths = round(max(0.0, min(1.0, share)) * _BAR * 8)
    text = "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")
    return text.ljust(_BAR)


def span(start_s: float, end_s: float) -> str:
    """Return a stretch of time, or one time where it begins as it ends.

    >>> span(75.0, 80.0), span(75.0, 75.0)
    ('1:15–1:20', '1:15')
    """
    return clock(start_s) if start_s == end_s else f"{clock(start_s)}–{clock(end_s)}"


def sparkline(weights: Sequence[float], top: float) -> str:
    """Return one character a frame, its height the weight beside `top`.

    >>> sparkline([0.0, 0.5, 1.0], 1.0)
    ' ▄█'
    """
    return "".join(_SPARKS[round(8 * min(1.0, w / top))] if top > 0 else " " for w in weights)


def tell_place(query: str, position: int | None) -> None:
    """Point at a character of a query; only on a terminal, so that logs keep to one line."""
    if position is not None and sys.stderr.isatty():
        before = printable(query[:position])
        tell(before + printable(query[position:]))
        tell(" " * len(before) + "^")


def tell_defined(defined: Iterable[Entry]) -> None:
    """Say which names were read as what the user's dictionary says."""
    for entry in defined:
        words = (" or " if entry.either else ", ").join(entry.words)
        tell(f"{entry.name}: {words} (your dictionary)")


def tell_unused(names: Sequence[str]) -> None:
    """Say which names of --define change nothing."""
    for name in names:
        tell(f"--define {name}: the query does not have this name, so nothing changes")


def tell_not_dropped(words: Sequence[str]) -> None:
    """Say which words of --drop change nothing."""
    for word in words:
        tell(f"--drop {printable(word)}: the query is not looked for by it, so nothing changes")


def tell_replaced(answer: Answer) -> None:
    """Say which words are not in the lexicon, and what is searched for in their place."""
    for each in answer.replaced:
        near = ", ".join(f"{term} {weight:.2f}" for term, weight in each.terms)
        if each.spelled:
            instead = f"searched as {each.spelled}"
        elif near:
            instead = f"searched as {near}, a guess"
        else:
            instead = "only pictures as a whole are compared with it"
        tell(f"{each.word} is not in the lexicon: {instead}")


def tell_split(phrases: Iterable[str]) -> None:
    """Say which phrases are no terms."""
    for phrase in phrases:
        tell(f'"{phrase}" is no term of the lexicon: read word by word')


def tell_searched(searched: Sequence[SearchedTerm]) -> None:
    """Say which terms were searched for: those of the query, and the heaviest that were added."""
    named = [term for term in searched if term.origin != "added"]
    added = [term for term in searched if term.origin == "added"]
    if not searched:
        return
    parts = [f"{term.term} {term.weight:.1f}" for term in named]
    parts += [f"{term.term} {term.weight:.1f} (added)" for term in added[:_ADDED]]
    more = len(added) - _ADDED
    tell("searched for: " + ", ".join(parts + ([f"{more} more (added)"] if more > 0 else [])))


def print_searched(searched: Sequence[SearchedTerm], others: str) -> None:
    """Print every term that was searched for, those of the query apart from others.

    Args:
        searched: the terms.
        others: what to call those that are not of the query.
    """
    for title, origin in (("terms", "own"), ("near", "near"), (others, "added")):
        some = [f"{t.term} {t.weight:.2f}" for t in searched if t.origin == origin]
        if some:
            say(f"{title:<10}" + " · ".join(some))


def print_facets(found: Sequence[Facet], moments: int) -> None:
    """Print which terms tell some hits from the library, with how many of them show each."""
    terms = " · ".join(f"{facet.term} {facet.count:,}" for facet in found)
    say(f"facets of {counted(moments, 'hit')}: {terms or 'none'}")


def print_plan(answer: Answer) -> None:
    """Print what was decided and what happened, as a database does."""
    plan, outcome, parsed = answer.plan, answer.outcome, answer.parsed
    say(f"reads     {parsed.text!r}")
    for hard in parsed.hard:
        say(f"must {'not' if hard.negated else '   '}  show {' or '.join(hard.phrases)}")
    for phrase, factor in parsed.boosts:
        say(f"counts    {phrase} × {factor:g}")
    if parsed.filters:
        say(f"filters   let {counted(plan.allowed, 'moment')} pass")
    sides = [name for name in ("latent", "lexicon") if getattr(plan, name)]
    by = " and ".join(sides) or "neither side"
    say(f"plan      {plan.structure} over {counted(plan.allowed, 'moment')}, scored by {by}")
    verdict = "exact" if outcome.exact else f"approximate, {gap(outcome.gap)}"
    depth = f"{counted(outcome.rounds, 'round')} to depth {outcome.depth:,}, "
    rescored = f"{counted(outcome.candidates, 'moment')} rescored: {verdict}"
    say(f"ran       {depth if outcome.rounds else ''}{rescored}")
    say(
        f"          {'stage':<10}{'expected':>14}{'actual':>14}{'expected ms':>14}{'actual ms':>12}"
    )
    for stage, ms in answer.times_ms.items():
        expected, actual = _rows_of(stage, answer)
        guess = f"{plan.estimates_ms[stage]:.2f}" if stage in plan.estimates_ms else ""
        say(f"          {stage:<10}{expected:>14}{actual:>14}{guess:>14}{ms:>12.2f}".rstrip())


def gap(ahead: float) -> str:
    """Say how far an unseen moment could be ahead."""
    if math.isinf(ahead):
        return "moments may be missing"
    return f"an unseen moment could score up to {ahead:.3f} more"


def _rows_of(stage: str, answer: Answer) -> tuple[str, str]:
    """Return how many rows or postings a stage was to touch, and how many rows it gave."""
    plan, outcome = answer.plan, answer.outcome
    if stage == "lexicon":
        shared = f" / {plan.threads}" if plan.threads > 1 else ""
        return f"{plan.postings:,}{shared}", f"{outcome.fetched['lexicon']:,}"
    if stage == "latent":
        kind = "~" if plan.approximate else ""
        return f"{kind}{plan.allowed:,}", f"{outcome.fetched['latent']:,}"
    if stage == "rescore":
        expected = 2 * plan.first_depth if outcome.rounds else plan.allowed
        return f"{expected:,}", f"{outcome.candidates:,}"
    return "", ""


def print_tracks(tracks: Iterable[TermTrack], shows: float, width: int) -> None:
    """Print when each term shows: a sparkline over the frames, and the time ranges."""
    for track in tracks:
        top = max([*track.weights.tolist(), shows])
        ranges = ", ".join(span(a, b) for a, b in track.ranges(shows))
        line = sparkline(_squeeze(track.weights.tolist(), width), top)
        say(f"  {track.term:<16} {line}  {ranges}")


def _squeeze(weights: list[float], width: int) -> list[float]:
    """Return at most `width` values, each the greatest of its stretch."""
    step = -(-len(weights) // width) if weights else 1
    return [max(weights[i : i + step]) for i in range(0, len(weights), step)]
