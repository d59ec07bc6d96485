"""`unify sheet`: the answer to a query as one picture."""

from __future__ import annotations

import io
import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unify.cli import files, jsonio, lasthits, listing, render
from unify.cli.asking import Asked, answer, asking
from unify.cli.options import JsonOption, QueryCommand

if TYPE_CHECKING:
    from unify.engine.answer import Hit
    from unify.engine.search import Searcher
    from unify.indexer.sheet import Tile
    from unify.indexer.thumbnails import Thumbnails


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(cls=QueryCommand)(sheet)


@asking
def sheet(
    asked: Asked,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="A .jpg or .png. Default: the query's words."),
    ] = None,
    k: Annotated[int, typer.Option("-k", metavar="N", help="How many moments.")] = 12,
    columns: Annotated[
        int, typer.Option(metavar="N", min=1, max=12, help="Pictures side by side.")
    ] = 4,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
    json: JsonOption = False,
) -> None:
    """Make a contact sheet: a picture of each hit, with reasons.

    It takes the options of unify search that change which hits there are and what they score.
    Each picture is the one in which the moment shows most of what was asked for. The ranks on
    the sheet are those of `unify open`, `cut` and `export` afterwards.

    Examples:
        unify sheet a man cooking pasta -k 20 --out pasta.jpg
    """
    from unify.encoders.library import open_index
    from unify.engine.errors import UsageError
    from unify.indexer.sheet import draw_sheet, require_pillow

    require_pillow()
    path = out or Path(f"{_slug(asked.title)}.jpg")
    if path.suffix.lower() not in (".jpg", ".jpeg", ".png"):
        raise UsageError(f"cannot write a sheet to {path}", "name a .jpg or .png")
    files.require_place(path, force)
    searcher = open_index(asked.index)
    question = asked.question(searcher, k)
    found = answer(asked, searcher, question)
    render.tell_defined(found.defined)
    records = [jsonio.hit_record(hit, 0) for hit in found]
    lasthits.keep(asked.index, asked.title, searcher.encoder.name, records)
    if not found.hits:
        listing.tell_nothing(searcher, question, found)
        return
    tiles = _tiles(searcher, found.hits)
    videos = len({hit.path for hit in found})
    subtitle = f"{render.counted(len(tiles), 'moment')} of {render.counted(videos, 'video')}"
    image = draw_sheet(render.printable(asked.title), subtitle, tiles, columns)
    data = io.BytesIO()
    if path.suffix.lower() == ".png":
        image.save(data, "PNG", optimize=True)
    else:
        image.save(data, "JPEG", quality=90, subsampling=0)
    files.write(path, data.getvalue())
    if json:
        jsonio.emit(
            {"sheet": str(path), "query": asked.title, "width": image.width,
             "height": image.height, "hits": records}
        )  # fmt: skip
    else:
        render.say(str(path))
    if any(tile.picture is None for tile in tiles):
        raise typer.Exit(5)


def _slug(query: str) -> str:
    """Return a query as a file name.

    >>> _slug('A man, cooking "pasta" -dog'), _slug("日本"), _slug("+++")
    ('a-man-cooking-pasta-dog', '日本', 'sheet')
    """
    plain = unicodedata.normalize("NFC", query.lower())
    return re.sub(r"[\W_]+", "-", plain).strip("-")[:60] or "sheet"


def _tiles(searcher: Searcher, hits: tuple[Hit, ...]) -> list[Tile]:
    from unify.indexer.thumbnails import Thumbnails, cache_folder

    best, places = max(hit.score for hit in hits), listing.decimals(hits)
    with Thumbnails(cache_folder()) as thumbnails:
        return [_tile(searcher, hit, best, places, thumbnails) for hit in hits]


def _tile(searcher: Searcher, hit: Hit, best: float, places: int, thumbnails: Thumbnails) -> Tile:
    from unify.engine.errors import MediaError
    from unify.indexer.sheet import WIDTH, Tile

    reasons = " · ".join(f"{match.term} {match.part:.{places - 1}f}" for match in hit.terms[:4])
    picture = None
    try:
        picture = thumbnails.thumbnail(hit.path, _peak_s(searcher, hit), WIDTH)
    except MediaError as error:
        render.tell(f"no picture of {hit.video}: {error}")
    short = hit.end_s - hit.start_s < 2
    return Tile(
        picture,
        hit.rank,
        render.printable(Path(hit.video).name),
        f"{render.clock(hit.start_s, short)} - {render.clock(hit.end_s, short)}",
        f"{hit.score:.{places}f}",
        hit.score / best if best > 0 else 0.0,
        reasons,
        hit.weak,
    )


def _peak_s(searcher: Searcher, hit: Hit) -> float:
    """Return when the moment shows most of what the query's terms name, or its middle."""
    import numpy as np

    from unify.engine.tracks import peak_s

    known = {searcher.encoder.lexicon.lookup(match.term): match.query for match in hit.terms}
    pairs = sorted((term, weight) for term, weight in known.items() if term is not None)
    terms = np.array([term for term, _ in pairs], np.uint16)
    weights = np.array([weight for _, weight in pairs], np.float32)
    peak = peak_s(searcher.backend, hit.moment, terms, weights) if len(terms) else None
    return (hit.start_s + hit.end_s) / 2 if peak is None else peak
