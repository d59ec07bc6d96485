"""Text for people: hits with their reasons, plans, tables. The only module that styles output."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from unify.engine.answer import Answer, Hit, TermMatch
    from unify.engine.explain import TermTrack
    from unify.engine.facets import Facet
    from unify.engine.wording import Faint, SearchedTerm

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_SPARKS = " ▁▂▃▄▅▆▇█"
_BAR = 12
_REASONS = 5
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


def _styled(text: str, **style: bool | str) -> str:
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


def sparkline(weights: Sequence[float], top: float) -> str:
    """Return one character a frame, its height the weight beside `top`.

    >>> sparkline([0.0, 0.5, 1.0], 1.0)
    ' ▄█'
    """
    return "".join(_SPARKS[round(8 * min(1.0, w / top))] if top > 0 else " " for w in weights)


def reasons(hit: Hit) -> str:
    """Return the parts of a hit's score, largest first: terms, then the latent side."""
    parts = [(_named(match), match.part) for match in hit.terms if match.part]
    shown = [f"{term} {part:.1f}" for term, part in parts[:_REASONS]]
    rest = sum(part for _, part in parts[_REASONS:])
    if rest:
        shown.append(f"{len(parts) - _REASONS} more {rest:.1f}")
    if hit.latent_part or not shown:
        shown.append(f"latent {hit.latent_part:.1f}")
    if hit.pool_part:
        shown.append(f"pool {hit.pool_part:.1f}")
    return " · ".join(shown)


def _named(match: TermMatch) -> str:
    """Name a term; of one that is said, say so and when."""
    if not match.said_s:
        return match.term
    first = _span(*match.said_s[0])
    more = f" and {len(match.said_s) - 1:,} more" if len(match.said_s) > 1 else ""
    return f"said: {match.term} ({first}{more})"


def _span(start_s: float, end_s: float) -> str:
    return clock(start_s) if start_s == end_s else f"{clock(start_s)}–{clock(end_s)}"


def tell_place(query: str, position: int | None) -> None:
    """Point at a character of a query; only on a terminal, so that logs keep to one line."""
    if position is not None and sys.stderr.isatty():
        before = printable(query[:position])
        tell(before + printable(query[position:]))
        tell(" " * len(before) + "^")


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


def print_searched(searched: Sequence[SearchedTerm]) -> None:
    """Print every term that was searched for, those of the query apart from those added."""
    for title, origins in (("terms", ("own",)), ("near", ("near",)), ("added", ("added",))):
        some = [f"{t.term} {t.weight:.2f}" for t in searched if t.origin in origins]
        if some:
            say(f"{title:<10}" + " · ".join(some))


def print_facets(found: Sequence[Facet], moments: int) -> None:
    """Print which terms tell some hits from the library, with how many of them show each."""
    terms = " · ".join(f"{facet.term} {facet.count:,}" for facet in found)
    say(f"facets of {moments:,} hits: {terms or 'none'}")


def print_hits(answer: Answer, full: bool, faint: Sequence[Faint] = ()) -> None:
    """Print the hits of one query, with every term and constant when `full`.

    Args:
        answer: the hits.
        full: print every part of every score.
        faint: words that nothing shows.
    """
    if not answer.hits:
        tell(_nothing(answer, faint))
        return
    best = max(hit.score for hit in answer)
    for hit in answer:
        _print_hit(hit, best, full, answer.scored)
    if not answer.scored:
        tell("not ranked: these are what filters and operators leave; add words for an order")
    elif all(hit.weak for hit in answer):
        tell(f"no good match: every hit is weak{_names(faint)}")
    elif faint:
        tell(_names(faint).removeprefix("; "))
    if not answer.exact:
        tell(f"approximate: {_gap(answer.outcome.gap)}; --exact looks at all")


def _print_hit(hit: Hit, best: float, full: bool, scored: bool) -> None:
    """Print one hit; without a score and its reasons where filters alone have chosen it."""
    short = hit.end_s - hit.start_s < 2
    span = f"{clock(hit.start_s, short)}–{clock(hit.end_s, short)}"
    say(f"{hit.rank:>3}  {_styled(printable(hit.video), bold=True)}  {span}")
    if scored:
        share = hit.score / best if best > 0 else 0.0
        weak = _styled("  weak", fg="yellow") if hit.weak else ""
        say(f"     {_styled(bar(share), fg='green')} {hit.score:6.2f}{weak}")
        say(_styled(f"     why: {reasons(hit)}", dim=not full))
    if hit.copies:
        say(_styled(f"     also: {_also(hit.copies)}", dim=True))
    if hit.duplicates:
        s = "s" if hit.duplicates > 1 else ""
        say(_styled(f"     +{hit.duplicates:,} near-duplicate{s}", dim=True))
    if full and scored:
        print_sum(hit)


def _also(copies: Sequence[str]) -> str:
    """Name the first of a video's other paths, as seen from here, and count the rest."""
    here = os.getcwd()  # noqa: PTH109 - a prefix
    first = copies[0].removeprefix(here.rstrip(os.sep) + os.sep)
    more = f" and {len(copies) - 1:,} more" if len(copies) > 1 else ""
    return printable(first) + more


def _nothing(answer: Answer, faint: Sequence[Faint]) -> str:
    if answer.plan.allowed == 0:
        return "nothing found: no moment meets the filters and operators"
    if answer.plan.threshold > -math.inf:
        return "nothing found: no moment reaches the threshold"
    return f"nothing found{_names(faint)}"


def _names(faint: Iterable[Faint]) -> str:
    words = ", ".join(f"'{each.word}' (best {each.best:.2f} of {each.shows:.2f})" for each in faint)
    return f"; no moment clearly shows {words}: absent, or not recognised" if words else ""


def print_sum(hit: Hit) -> None:
    """Print how a score adds up."""
    for match in hit.terms:
        say(
            f"       {match.part:+8.3f}  {_named(match)}"
            f"  ({match.query:.3f} in the query × {match.moment:.3f} in the moment)"
        )
    say(f"       {hit.latent_part:+8.3f}  latent  (inner product {hit.latent:.3f})")
    say(f"       {hit.base:+8.3f}  base  (the means of this query)")
    if hit.pool_part:
        say(f"       {hit.pool_part:+8.3f}  pool  (the mean of its best moments, beside this one)")
    say(f"       {hit.score:8.3f}  score")


def print_plan(answer: Answer) -> None:
    """Print what was decided and what happened, as a database does."""
    plan, outcome, parsed = answer.plan, answer.outcome, answer.parsed
    say(f"reads     {parsed.text!r}")
    for hard in parsed.hard:
        say(f"must {'not' if hard.negated else '   '}  show {' or '.join(hard.phrases)}")
    for phrase, factor in parsed.boosts:
        say(f"counts    {phrase} × {factor:g}")
    if parsed.filters:
        say(f"filters   {plan.allowed:,} moments pass")
    sides = [name for name in ("latent", "lexicon") if getattr(plan, name)]
    by = " and ".join(sides) or "neither side"
    say(f"plan      {plan.structure} over {plan.allowed:,} moments, scored by {by}")
    verdict = "exact" if outcome.exact else f"approximate, {_gap(outcome.gap)}"
    fetched = f"{outcome.rounds} rounds to depth {outcome.depth:,}, " if outcome.rounds else ""
    say(f"ran       {fetched}{outcome.candidates:,} moments rescored: {verdict}")
    say(
        f"          {'stage':<10}{'expected':>14}{'actual':>14}{'expected ms':>14}{'actual ms':>12}"
    )
    for stage, ms in answer.times_ms.items():
        expected, actual = _rows_of(stage, answer)
        guess = f"{plan.estimates_ms[stage]:.2f}" if stage in plan.estimates_ms else ""
        say(f"          {stage:<10}{expected:>14}{actual:>14}{guess:>14}{ms:>12.2f}".rstrip())


def _gap(gap: float) -> str:
    """Say how far an unseen moment could be ahead."""
    if math.isinf(gap):
        return "moments may be missing"
    return f"an unseen moment could score up to {gap:.3f} more"


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
        ranges = ", ".join(_span(a, b) for a, b in track.ranges(shows))
        line = sparkline(_squeeze(track.weights.tolist(), width), top)
        say(f"  {track.term:<16} {line}  {ranges}")


def _squeeze(weights: list[float], width: int) -> list[float]:
    """Return at most `width` values, each the greatest of its stretch."""
    step = -(-len(weights) // width) if weights else 1
    return [max(weights[i : i + step]) for i in range(0, len(weights), step)]
