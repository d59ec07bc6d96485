"""An index and its pack together: what the facade and the command line call.

Opening checks that the pack is the one the index was built by; building takes an existing
index's pack and settings unless others are asked for (which is then refused by name).
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from unify.encoders.packs import lasting_name, open_pack
from unify.engine.errors import IncompatibleIndex, NoIndex, UsageError
from unify.engine.location import elsewhere, locate
from unify.engine.manifest import IndexSettings, read_manifest
from unify.engine.opening import open_backend
from unify.engine.search import Searcher

if TYPE_CHECKING:
    from unify.encoders.hf_pack import HfPack
    from unify.encoders.packs import Pack
    from unify.engine.lexicon import Lexicon
    from unify.engine.types import EncodedQuery
    from unify.indexer.build import BuildReport, Progress
    from unify.indexer.discover import Choice
    from unify.indexer.fleet import Fleet
    from unify.indexer.ports import VideoEncoder
    from unify.indexer.watch import Event

DEFAULT_PACK = "mini"
DEFAULT_FPS = 1.0


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """How to build; None takes what the index has, or the default for a new one.

    Attributes:
        pack: a pack's name or folder.
        fps: frames sampled per second of video.
        decoder: `pyav` or `decord`.
        retry_failed: try videos again that failed before and have not changed.
        prune: tombstone vanished videos even where their folder looks unmounted.
        workers: decoding processes; None: what suits the machine (`indexer/resources.py`).
        max_memory_bytes: what all processes may take together, or None.
        exclude: patterns of files and folders to leave out, as in a .gitignore.
        unsettled: absolute paths to be left as they are.
        away: absolute paths of folders below which nothing is taken for deleted.
        ray: the address of a Ray cluster that decodes and encodes (`indexer/fleet.py`), or None;
            `workers` are then its actors.
    """

    pack: str | None = None
    fps: float | None = None
    decoder: str | None = None
    retry_failed: bool = False
    prune: bool = False
    workers: int | None = None
    max_memory_bytes: int | None = None
    exclude: tuple[str, ...] = ()
    unsettled: Collection[str] = frozenset()
    away: tuple[str, ...] = ()
    ray: str | None = None


def open_index(index: str | os.PathLike[str] | None = None) -> Searcher:
    """Open an index for searching.

    Args:
        index: its directory, or a folder that has one, or the address of a Milvus collection; by
            default `UNIFY_INDEX`, then the nearest `.unify` from the working directory upwards.

    Raises:
        IndexUnavailable: there is none, or its server does not answer.
        IncompatibleIndex: it was built by another version of its pack, or of unify.
        DamagedIndex: a file of it is damaged.
    """
    backend = open_backend(index)
    settings = backend.settings
    try:
        pack = open_pack(settings.pack)
    except UsageError as error:
        raise IncompatibleIndex(
            f"{backend.name} needs its pack: {error.message}", error.hint
        ) from None
    if pack.fingerprint != settings.fingerprint:
        raise IncompatibleIndex(
            f"{backend.name} was built by pack {settings.pack} "
            f"({settings.fingerprint[:12]}), but the pack is now {pack.fingerprint[:12]}",
            "build the index again into another --index",
        )
    return Searcher(backend, pack)


def encode_shown(searcher: Searcher, path: Path, still: bool) -> EncodedQuery:
    """Encode a picture or a clip with the pack of an open index, to search it by.

    Args:
        searcher: as `open_index` returns it.
        path: of the picture or clip.
        still: whether it must be a single picture.

    Raises:
        UsageError: it cannot be read, or it is not what was asked for.
    """
    from unify.indexer.shown import encode_shown as encode

    pack = cast("VideoEncoder", searcher.encoder)  # a pack encodes queries and videos
    return encode(path, still, pack, searcher.backend.settings)


def lexicon_at(index: str | os.PathLike[str] | None = None) -> tuple[str, Lexicon]:
    """Return the lexicon of an index's pack, or of the default pack, with the name of the pack.

    Args:
        index: as of `open_index`; where there is none, or it is not on this machine, the default
            pack is taken.

    Raises:
        UnifyError: the index or the pack cannot be read.
    """
    have = None if elsewhere(index) else _settings_of(locate(index))
    name = have.pack if have else DEFAULT_PACK
    return name, open_pack(name).lexicon


def build_index(
    paths: Sequence[str | os.PathLike[str]],
    index: str | os.PathLike[str] | None = None,
    options: BuildOptions | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> BuildReport:
    """Index videos, or bring an index up to date.

    Args:
        paths: files and folders.
        index: the index directory; see `open_index`.
        options: how to build.
        progress: called with what happens, as it happens.

    Raises:
        UsageError: a path does not exist or holds no video, or an option cannot be used.
        IncompatibleIndex: the index was built with other settings.
        IndexUnavailable: another process is writing it.
    """
    from unify.indexer.build import build
    from unify.indexer.discover import Choice
    from unify.indexer.live import Announcer

    options = options or BuildOptions()
    directory = locate(index)
    have = _settings_of(directory)
    spec = lasting_name(options.pack or (have.pack if have else DEFAULT_PACK))
    pack = open_pack(spec)
    fps = options.fps if options.fps is not None else (have.fps if have else DEFAULT_FPS)
    if not (math.isfinite(fps) and fps > 0):
        raise UsageError(f"fps is {fps:g}", "give a number above 0, as in: --fps 1")
    settings = IndexSettings(
        pack=spec,
        fingerprint=pack.fingerprint,
        latent_dim=pack.latent_dim,
        lexicon_size=len(pack.lexicon),
        fps=fps,
        window_s=have.window_s if have else 8.0,
        decoder=options.decoder or (have.decoder if have else "pyav"),
    )
    with Announcer(directory, progress) as tell:
        return build(
            [Path(path) for path in paths],
            directory,
            pack,
            settings,
            tell,
            retry_failed=options.retry_failed,
            prune=options.prune,
            workers=options.workers,
            max_memory_bytes=options.max_memory_bytes,
            choice=Choice(options.exclude, options.unsettled, options.away),
            fleet=_fleet(options, pack, settings),
        )


def _fleet(options: BuildOptions, pack: Pack | HfPack, settings: IndexSettings) -> Fleet | None:
    if options.ray is None:
        return None
    from unify.indexer.fleet import Fleet

    if options.max_memory_bytes is not None:
        raise UsageError(
            "--max-memory bounds this machine, not a Ray cluster",
            "leave it out; fewer --workers take less",
        )
    opened = partial(open_pack, settings.pack)
    return Fleet(options.ray, opened, settings, pack.uses_gpu, options.workers)


def watch_index(
    paths: Sequence[str | os.PathLike[str]],
    index: str | os.PathLike[str] | None = None,
    options: BuildOptions | None = None,
    progress: Callable[[Progress], None] | None = None,
    interval_s: float = 5.0,
) -> Iterator[Event]:
    """Keep an index up to date with files and folders until the caller ends it.

    Args:
        paths: files and folders.
        index: the index directory; see `open_index`.
        options: how to build.
        progress: called with what happens in a build, as it happens.
        interval_s: seconds between two looks at the paths.

    Yields:
        builds, and what hinders them; see `indexer/watch.py`.

    Raises:
        UsageError: a path does not exist at the start, or an option cannot be used.
        IncompatibleIndex: the index was built with other settings.
    """
    from unify.indexer.watch import watch

    options = options or BuildOptions()

    def build(here: Sequence[Path], choice: Choice) -> BuildReport:
        chosen = replace(
            options, exclude=choice.exclude, unsettled=choice.unsettled, away=choice.away
        )
        return build_index(here, index, chosen, progress)

    return watch([Path(path) for path in paths], build, interval_s, options.exclude)


def _settings_of(directory: Path) -> IndexSettings | None:
    try:
        return read_manifest(directory).settings
    except NoIndex:
        return None
