"""`unify index push` and `pull`: an index directory into a Milvus collection, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unify.cli import jsonio, render
from unify.cli.options import IndexOption, JsonOption

if TYPE_CHECKING:
    from unify.engine.milvus.place import MilvusPlace

Address = Annotated[
    str,
    typer.Argument(
        metavar="MILVUS", help="milvus://HOST:19530/NAME, or milvus:FILE.db/NAME for a file."
    ),
]


class LatentIndexName(StrEnum):
    """The values of `--latent-index`."""

    flat = "flat"
    hnsw = "hnsw"
    ivf_flat = "ivf_flat"
    gpu_cagra = "gpu_cagra"


def push(
    to: Address,
    index: IndexOption = None,
    latent_index: Annotated[
        LatentIndexName | None,
        typer.Option(
            "--latent-index",
            help="flat misses no moment. Default: flat; hnsw from 65,536 moments on.",
        ),
    ] = None,
    half: Annotated[
        bool | None,
        typer.Option("--half/--single", help="Latents of 16 or of 32 bits. Default: 32."),
    ] = None,
    anew: Annotated[
        bool,
        typer.Option("--anew", help="Fill a new collection, then let NAME mean it in one step."),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Make a Milvus collection hold what an index directory holds.

    Only what differs is sent, so a push that was stopped goes on where it was, and one after a
    build adds what is new. Then search it:  unify search --index milvus://HOST:19530/NAME a dog

    UNIFY_MILVUS_TOKEN and UNIFY_MILVUS_TLS give what the server asks for.
    Needs:  pip install 'unify-search[milvus]'

    Examples:
        unify index push milvus://localhost:19530/videos
        unify index push milvus:library.db/videos --index library
        unify search a dog --index milvus://localhost:19530/videos
    """
    from dataclasses import asdict

    from unify.encoders.library import open_index
    from unify.engine.local import open_snapshot
    from unify.engine.location import locate
    from unify.engine.milvus.collection import LatentIndex
    from unify.engine.milvus.link import Link
    from unify.engine.milvus.push import Wish
    from unify.engine.milvus.push import push as run

    place = _place(to)
    directory = locate(index)
    shows = open_index(directory).encoder.calibration.shows  # and see that the pack is its own
    wish = Wish(LatentIndex(latent_index) if latent_index else None, half, anew)
    link = Link(place, create=True)
    with _shown("pushed") as tell:
        done = run(open_snapshot(directory), link, shows, wish, tell)
    if json:
        jsonio.emit({"index": str(directory), "to": str(place), **asdict(done)})
    render.tell(
        f"{place} holds {render.counted(done.moments, 'moment')}: {done.sent:,} sent, "
        f"{done.deleted:,} deleted, {done.compared:,} read back and the same"
    )


def pull(
    of: Address,
    index: Annotated[
        Path, typer.Option("--index", metavar="DIR", help="A new directory, or a pull to go on.")
    ],
    json: JsonOption = False,
) -> None:
    """Make an index directory of a Milvus collection.

    A pull that was stopped goes on where it was. No video is needed for it.

    Examples:
        unify index pull milvus://localhost:19530/videos --index library
    """
    from dataclasses import asdict

    from unify.engine.location import locate
    from unify.engine.milvus.backend import open_collection
    from unify.engine.milvus.pull import pull as run

    place = _place(of)
    directory = locate(index)
    with _shown("pulled") as tell:
        done = run(open_collection(place), directory, tell)
    if json:
        jsonio.emit({"of": str(place), "index": str(directory), **asdict(done)})
    render.tell(
        f"{directory} holds {render.counted(done.moments, 'moment')} of "
        f"{render.counted(done.videos, 'video')}: "
        f"{done.fetched:,} fetched, {done.compared:,} compared and the same"
    )


def _place(text: str) -> MilvusPlace:
    from unify.engine.errors import UsageError
    from unify.engine.milvus.place import milvus_place

    place = milvus_place(text)
    if place is None:
        raise UsageError(f"{text!r} is no Milvus address", "write milvus://HOST:19530/NAME")
    return place


@contextmanager
def _shown(what: str) -> Iterator[Callable[[int, int], None]]:
    """Give what shows, on stderr, how many moments have been acknowledged."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task(what)
        yield lambda done, total: shown.update(task, completed=done, total=total)
