"""What is asked: the options that choose hits and their scores, of every command that searches.

They are defined once, in `Asked`, and a command takes them by `asking`: so `unify explain` and
`unify sheet` see the hits of `unify search`. It must not know how answers are printed.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from unify.cli import finding, render
from unify.cli.choices import FusionName, ModeName
from unify.cli.idle import refuse_idle
from unify.cli.options import IndexOption, NoSubtitlesOption, NoWordsOption, Words, joined

if TYPE_CHECKING:
    from unify.engine.answer import Answer
    from unify.engine.dictionary import Dictionary, Entry
    from unify.engine.search import Searcher
    from unify.engine.types import EncodedQuery

_EVEN = "1,1"
_WAYS = ("--like", "--image", "--clip")


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of one command line.

    Raises:
        UsageError: options that do not go together.
    """

    words: Words = None
    threshold: Annotated[
        float | None, typer.Option(metavar="SCORE", help="No hits below this score.")
    ] = None
    moments: Annotated[
        bool,
        typer.Option("--moments/--videos", help="Every moment, or each video's best one."),
    ] = False
    per_video: Annotated[
        int | None,
        typer.Option(metavar="N", help="Up to N moments a video that do not overlap."),
    ] = None
    duplicates: Annotated[
        bool | None,
        typer.Option(
            "--duplicates/--no-duplicates",
            help="Show near-duplicates, or fold them into the best. Default: folded for people, "
            "shown in JSON, runs and --queries of unify search.",
        ),
    ] = None
    mode: Annotated[ModeName, typer.Option(help="Which sides score.")] = ModeName.fused
    fusion: Annotated[FusionName, typer.Option(help="How both sides become one score.")] = (
        FusionName.affine
    )
    weights: Annotated[
        str, typer.Option(metavar="LATENT,LEXICON", help="Of the sides, for rrf and sum.")
    ] = _EVEN
    pool: Annotated[
        str,
        typer.Option(metavar="HOW", help="A video's score: max, or mean:M of its M best moments."),
    ] = "max"
    exact: Annotated[
        bool, typer.Option("--exact", help="Miss no moment, however large the index is.")
    ] = False
    budget_ms: Annotated[
        float | None,
        typer.Option("--budget-ms", metavar="MS", help="Stop looking further after MS."),
    ] = None
    no_subtitles: NoSubtitlesOption = False
    no_expand: Annotated[
        bool, typer.Option("--no-expand", help="Only your words, none that are added to them.")
    ] = False
    no_respell: Annotated[
        bool, typer.Option("--no-respell", help="Put no slip of spelling right.")
    ] = False
    drop: Annotated[
        list[str] | None,
        typer.Option(metavar="TERM", help="Leave out a term that was added. May be repeated."),
    ] = None
    define: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=WORDS", help="What a name in the query looks like. May be repeated."
        ),
    ] = None
    no_words: NoWordsOption = False
    like: Annotated[
        str, typer.Option(metavar="VIDEO@SECONDS", help="More like this moment; WORDS beside it.")
    ] = ""
    image: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="More like this picture; WORDS beside it."),
    ] = None
    clip: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="More like this video, as a whole; WORDS beside it."),
    ] = None
    like_weight: Annotated[
        float,
        typer.Option(metavar="W", help="How much moment, picture or clip count beside WORDS."),
    ] = 1.0
    index: IndexOption = None

    def __post_init__(self) -> None:
        pictures = bool(self.like) + (self.image is not None) + (self.clip is not None)
        refuse_idle(self._question(self._chosen(1, 0)), pictures, _WAYS, _named)

    @property
    def shown(self) -> bool:
        """Whether a moment, picture or clip is what to look for, with or without words."""
        return bool(self.like or self.image or self.clip)

    @property
    def title(self) -> str:
        """What was asked, for people: the words, and the picture to go by."""
        parts = (joined(self.words), self.like, str(self.image or self.clip or ""))
        return " ".join(part for part in parts if part)

    def options(self, k: int, offset: int = 0) -> dict[str, Any]:
        """Return fields of `Options`.

        Raises:
            UsageError: the dictionary, or what is defined, cannot be read.
        """
        return {**self._chosen(k, offset), "dictionary": self._dictionary()}

    def _chosen(self, k: int, offset: int) -> dict[str, Any]:
        """Return the options without the dictionary, which is a file to read."""
        return {
            "k": k, "offset": offset,
            "threshold": -math.inf if self.threshold is None else self.threshold,
            "mode": self.mode.value, "moments": self.moments, "fusion": self.fusion.value,
            "weights": _weights(self.weights), "pool": self.pool, "exact": self.exact,
            "budget_ms": self.budget_ms, "subtitles": not self.no_subtitles,
            "expand": not self.no_expand, "respell": not self.no_respell,
            "drop": tuple(self.drop or ()),
        }  # fmt: skip

    def question(
        self, searcher: Searcher, k: int, offset: int = 0, *, fold: bool = True,
        in_time: bool = False,
    ) -> finding.Question:  # fmt: skip
        """Return the one question that is asked.

        Args:
            searcher: its pack encodes a picture or clip.
            k: how many hits.
            offset: hits to leave out from the top.
            fold: whether near-duplicates are folded where no option says so.
            in_time: order by video and time.

        Raises:
            UsageError: the picture or clip cannot be read, or weights are none.
        """
        return replace(
            self._question(self.options(k, offset)),
            in_time=in_time,
            shown=self._encoded(searcher),
            distinct=fold if self.duplicates is None else not self.duplicates,
        )

    def _question(self, options: dict[str, Any]) -> finding.Question:
        return finding.Question(
            joined(self.words), self.like, self.like_weight, self.per_video, False, options
        )

    def _dictionary(self) -> Dictionary:
        """Return the user's dictionary, and what is defined for this one question."""
        from unify.cli.wordsfile import read_words
        from unify.engine.dictionary import NO_NAMES, Dictionary

        own = NO_NAMES if self.no_words else read_words()
        return own | Dictionary(self._defined())

    def _defined(self) -> tuple[Entry, ...]:
        from unify.engine.dictionary import Entry

        return tuple(map(Entry.read, self.define or ()))

    def unused(self, found: Answer, dictionary: Dictionary) -> list[str]:
        """Return the names of --define that neither the query nor --drop has."""
        used = [*found.defined, *map(dictionary.get, self.drop or ())]
        return [one.name for one in self._defined() if not one.itself and one not in used]

    def _encoded(self, searcher: Searcher) -> EncodedQuery | None:
        from unify.encoders.library import encode_shown

        path = self.image or self.clip
        return None if path is None else encode_shown(searcher, path, still=path is self.image)


def asking(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command take the options of `Asked`, behind its own, as its first argument.

    Typer reads the options of a command off its signature, so that is what is composed here.
    """
    hints = get_type_hints(Asked, include_extras=True)
    names = [field.name for field in fields(Asked)]
    _, *own = inspect.signature(command, eval_str=True).parameters.values()
    parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own] + [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default,
            annotation=hints[field.name],
        )
        for field in fields(Asked)
    ]  # fmt: skip

    @wraps(command)
    def composed(**given: Any) -> None:
        command(Asked(**{name: given.pop(name) for name in names}), **given)

    composed.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    composed.__annotations__ = {one.name: one.annotation for one in parameters}
    return composed


def answer(asked: Asked, searcher: Searcher, question: finding.Question) -> Answer:
    """Answer a question, and say which names were defined for nothing.

    On a terminal, point at what cannot be read in it.

    Raises:
        QueryError: its text cannot be read.
        UsageError: an option names what there is not.
    """
    from unify.engine.errors import QueryError

    try:
        found = finding.ask(searcher, question)
    except QueryError as error:
        render.tell_place(question.text, error.position)
        raise
    render.tell_unused(asked.unused(found, question.options["dictionary"]))
    return found


def _named(field: str) -> str:
    """Return the option that sets a field of `Question` or `Options`."""
    return {"expand": "--no-expand", "weight": "--like-weight"}.get(
        field, f"--{field.replace('_', '-')}"
    )


def _weights(text: str) -> tuple[float, float]:
    from unify.engine.errors import UsageError

    try:
        latent, lexicon = map(float, text.split(","))
    except ValueError:
        raise UsageError(f"cannot read the weights {text!r}", "write --weights 1,0.5") from None
    return latent, lexicon
