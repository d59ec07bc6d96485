"""Runs in TREC's format, which evaluation programs read: one hit a line, six columns.

    query_id Q0 document rank score tag

A document is a video's path and the moment's time as a media fragment, `clips/a.mp4#t=8.0,16.0`
(https://www.w3.org/TR/media-frags/), with spaces and other strange characters percent-encoded:
columns are separated by white space. Scores are written in full, for `trec_eval` orders by score
and ignores the rank (https://github.com/usnistgov/trec_eval).

It knows lines of text, not how a hit is found.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from unify.engine.errors import UsageError

if TYPE_CHECKING:
    from unify.engine.answer import Hit

COLUMNS = "query_id Q0 document rank score tag"
_SAFE = "/:,~()[]!$&'*+;=@"  # beside letters, digits and _.-~; never "#", which begins the time


@dataclass(frozen=True, slots=True)
class RunLine:
    """One line of a run.

    Attributes:
        query: the query's id.
        document: what was found.
        rank: from 1.
        score: larger is better.
        tag: the name of the run.
    """

    query: str
    document: str
    rank: int
    score: float
    tag: str


def document_of(video: str, start_s: float, end_s: float) -> str:
    """Return the name of a moment.

    >>> document_of("my clips/a.mp4", 8.0, 16.0)
    'my%20clips/a.mp4#t=8.0,16.0'
    """
    name = quote(video, _SAFE, errors="surrogateescape")  # names of files may be any bytes
    return f"{name}#t={start_s!r},{end_s!r}"


def trec_line(query_id: int | str, hit: Hit, tag: str) -> str:
    """Return a hit as one line of a run, without its end.

    Args:
        query_id: the query's id.
        hit: the hit.
        tag: the name of the run.

    Raises:
        UsageError: id or tag is empty or holds white space.
    """
    for what, text in (("query id", str(query_id)), ("tag", tag)):
        if len(text.split()) != 1 or text != text.strip():
            raise UsageError(f"the {what} {text!r} is no single word", "use one without spaces")
    document = document_of(hit.video, hit.start_s, hit.end_s)
    return f"{query_id} Q0 {document} {hit.rank} {hit.score!r} {tag}"


def read_run(path: Path) -> list[RunLine]:
    """Read a run, in the order of its lines; empty lines do not count.

    Raises:
        UsageError: the file cannot be read, or a line has not six columns, a whole rank and a
            score.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}", "check the path") from None
    return [
        _parse(line, f"{path}, line {number}")
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip()
    ]


def _parse(line: str, where: str) -> RunLine:
    try:
        query, _, document, rank, score, tag = line.split()
        return RunLine(query, document, int(rank), float(score), tag)
    except ValueError:
        raise UsageError(f"{where}: {line.strip()!r} is no line of a run", COLUMNS) from None
