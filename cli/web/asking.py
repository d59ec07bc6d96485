"""From the parameters of a request to a question; a parameter that there is none of is refused."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Query, Request

from unify.cli.finding import Question
from unify.cli.idle import refuse_idle
from unify.cli.web.desk import AtDesk
from unify.cli.web.library import View
from unify.cli.web.pictures import Pictures
from unify.engine.atoms import MAX_CHARACTERS
from unify.engine.dictionary import NO_NAMES, Dictionary, Entry
from unify.engine.errors import UsageError
from unify.engine.fusion import Fusion, Mode


class Sort(StrEnum):
    """In which order hits come."""

    SCORE = "score"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Sought(Question):
    """One query of REST.

    Attributes:
        picture: the name of a picture or clip that was sent, or "".
    """

    picture: str = ""


def seen(question: Sought, pictures: Pictures, view: View) -> Question:
    """Return a question with its picture, as the pack of an index sees it.

    Raises:
        NoSuchPicture: it is not kept.
    """
    if not question.picture:
        return question
    return replace(question, shown=pictures.kept(question.picture, view).query)


async def only_known(request: Request) -> None:
    """Refuse a parameter that would be passed over, or of which only the last value would count.

    Raises:
        UsageError: there is no such parameter here, or it is given twice.
    """
    operations = request.app.openapi()["paths"][request.scope["route"].path]
    operation = operations["post" if request.method == "POST" else "get"]
    schemas = {
        parameter["name"]: str(parameter["schema"])
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "query"
    }
    given = [name for name, _ in request.query_params.multi_items()]
    for name in given:
        if name not in schemas:
            near = get_close_matches(name, schemas, 1)
            every = f"there are {', '.join(schemas)}" if schemas else "there are none here"
            raise UsageError(
                f"no parameter {name!r}", f"did you mean {near[0]}?" if near else every
            )
        if given.count(name) > 1 and "array" not in schemas[name]:
            raise UsageError(f"{name} is given more than once", "give it one value")


async def _question(
    desk: AtDesk,
    q: Annotated[
        str, Query(max_length=MAX_CHARACTERS, description="A sentence, or the query language.")
    ] = "",
    like: Annotated[
        str, Query(max_length=40, description="VIDEO_ID@SECONDS: more like that moment.")
    ] = "",
    picture: Annotated[
        str, Query(max_length=64, description="More like what was sent: its name, of `pictures`.")
    ] = "",
    like_weight: Annotated[
        float, Query(description="How much that moment or picture counts beside the words.")
    ] = 1.0,
    moments: Annotated[bool, Query(description="Every moment, not each video's best.")] = False,
    per_video: Annotated[
        int | None, Query(ge=1, le=200, description="Moments a video that do not overlap.")
    ] = None,
    duplicates: Annotated[
        bool, Query(description="Near-duplicates, too; else they are folded into the best.")
    ] = True,
    pool: Annotated[
        str, Query(max_length=20, description="A video's score: max, or mean:3 of its best three.")
    ] = "max",
    mode: Annotated[Mode, Query(description="Which sides score.")] = Mode.FUSED,
    fusion: Annotated[
        Fusion, Query(description="How both sides become one score.")
    ] = Fusion.AFFINE,
    weights: Annotated[
        list[float],
        Query(min_length=2, max_length=2, description="Of the sides, for rrf and sum: two values."),
    ] = [1.0, 1.0],  # noqa: B006 - FastAPI copies it
    threshold: Annotated[float | None, Query(description="No hits below this score.")] = None,
    exact: Annotated[
        bool, Query(description="Miss no moment, however large the index is.")
    ] = False,
    budget_ms: Annotated[
        float | None, Query(description="Stop looking further after so many milliseconds.")
    ] = None,
    subtitles: Annotated[bool, Query(description="What is said counts, too.")] = True,
    expand: Annotated[bool, Query(description="Words are added to those of the query.")] = True,
    respell: Annotated[bool, Query(description="Put slips of spelling right.")] = True,
    drop: Annotated[
        list[str] | None, Query(max_length=64, description="Terms not to look for in pictures.")
    ] = None,
    define: Annotated[
        list[str] | None,
        Query(max_length=32, description="NAME=WORDS: what a name in the query looks like."),
    ] = None,
    words: Annotated[
        bool, Query(description="Names of the server's own dictionary are read as such.")
    ] = True,
) -> Sought:
    """Return what is asked, but for which page of the answer, and in what order.

    Raises:
        UsageError: parameters that would do nothing beside one another, or a definition that cannot
            be read.
    """
    own = desk.words.dictionary() if words else NO_NAMES
    options = {
        "moments": moments, "pool": pool, "mode": mode, "fusion": fusion,
        "weights": (weights[0], weights[1]),
        "exact": exact, "budget_ms": budget_ms, "subtitles": subtitles, "expand": expand,
        "threshold": -math.inf if threshold is None else threshold,
        "respell": respell, "drop": tuple(drop or ()),
        "dictionary": own | Dictionary(tuple(map(Entry.read, define or ()))),
    }  # fmt: skip
    question = Sought(
        text=q, like=like, weight=like_weight, per_video=per_video, in_time=False,
        options=options, distinct=not duplicates, picture=picture,
    )  # fmt: skip
    refuse_idle(question, bool(like) + bool(picture), ("like", "picture"), _named)
    return question


def _named(field: str) -> str:
    """Return the parameter that sets a field of `Question` or `Options`."""
    return {"weight": "like_weight"}.get(field, field)


Asked = Annotated[Sought, Depends(_question)]


Offset = Annotated[int, Query(ge=0, le=9_999)]
Order = Annotated[Sort, Query(description="time: the same hits by video and time.")]


def paged(asked: Sought, k: int, offset: int, sort: Sort) -> Sought:
    """Return what is asked, for one page of the answer and in an order."""
    options = {**asked.options, "k": k, "offset": offset}
    return replace(asked, in_time=sort is Sort.TIME, options=options)
