"""`unify config`: what holds here, and where each value comes from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import typer

from unify.cli import jsonio, lasthits, render
from unify.cli.options import IndexOption, JsonOption

_SECRETS = ("UNIFY_TOKEN", "UNIFY_MILVUS_TOKEN")
_PLAIN = ("UNIFY_MILVUS_TLS", "NO_COLOR")


@dataclass(frozen=True, slots=True)
class Setting:
    """A value that holds here.

    Attributes:
        name: what it is.
        value: as it is used; None where there is none. Of a secret only `set`.
        source: `option`, `environment`, `file` or `default`.
        detail: which option, variable or file; of a default what it means.
    """

    name: str
    value: str | float | None
    source: str
    detail: str


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(config)


def config(context: typer.Context, index: IndexOption = None, json: JsonOption = False) -> None:
    """Show every value that holds here, and where it comes from.

    That is an option, the environment, a file, or a default. Of a secret only whether it is set.

    Examples:
        unify config
        unify config --index library --json
    """
    settings = [
        *_of_index(index, str(context.get_parameter_source("index"))),
        *_folders(index),
        *_threads(),
        *_environment(),
    ]
    for setting in settings:
        if json:
            jsonio.emit(asdict(setting))
        else:
            value = "none" if setting.value is None else render.printable(str(setting.value))
            render.say(f"{setting.name:<18} {value}  ({setting.source}: {setting.detail})")


def _of_index(index: Any, given_by: str) -> Iterator[Setting]:
    from unify.encoders.library import DEFAULT_FPS, DEFAULT_PACK
    from unify.engine.errors import UnifyError
    from unify.engine.location import FOLDER, VARIABLE, elsewhere, locate
    from unify.engine.manifest import NAME, read_manifest

    place = elsewhere(index)
    directory = None if place else locate(index)
    there = directory is not None and (directory / NAME).is_file()
    if "ENVIRONMENT" in given_by:
        source = "environment", VARIABLE
    elif index:
        source = "option", "--index"
    elif there:
        source = "file", f"the nearest {FOLDER} from here upwards"
    else:
        source = "default", f"no {FOLDER} from here upwards; unify index build makes it"
    yield Setting("index", str(place or directory), *source)
    if place:
        return  # its settings are on the server
    assert directory is not None
    manifest = directory / NAME
    try:
        settings = read_manifest(directory).settings if there else None
    except UnifyError as error:
        render.tell(f"unify: {error}")
        settings = None
    if settings is None:
        yield Setting("pack", DEFAULT_PACK, "default", "of a new index; --pack")
        yield Setting("fps", DEFAULT_FPS, "default", "of a new index; --fps")
    else:
        yield Setting("pack", settings.pack, "file", str(manifest))
        yield Setting("fingerprint", settings.fingerprint, "file", str(manifest))
        yield Setting("fps", settings.fps, "file", str(manifest))
        yield Setting("window_s", settings.window_s, "file", str(manifest))
        yield Setting("decoder", settings.decoder, "file", str(manifest))


def _folders(index: Any) -> Iterator[Setting]:
    from unify.encoders.hub import models_folder
    from unify.engine import costs
    from unify.engine.compiled import cache_folder
    from unify.engine.location import known_as
    from unify.indexer import thumbnails

    cache = cache_folder()
    yield _kept("compiled kernels", cache and cache / "numba", "XDG_CACHE_HOME", "*")
    yield _kept("planner costs", cache and cache / costs.NAME, "XDG_CACHE_HOME")
    yield _kept("thumbnails", thumbnails.cache_folder(), "XDG_CACHE_HOME", "*")
    yield _kept("models", _at_home(models_folder), "XDG_DATA_HOME", "*")
    last = _at_home(lambda: lasthits.path_of(known_as(index)))
    yield _kept("last hits", last, "XDG_STATE_HOME")
    yield _words()


def _words() -> Setting:
    """Return where the user's dictionary is."""
    from unify.cli.wordsfile import VARIABLE, words_path

    given = VARIABLE in os.environ
    if given and not os.environ[VARIABLE]:
        return Setting("words", None, "environment", f"{VARIABLE} is empty: no dictionary")
    return _kept("words", words_path(), VARIABLE if given else "XDG_CONFIG_HOME")


def _at_home(place: Callable[[], Path]) -> Path | None:
    try:
        return place()
    except RuntimeError:  # there is no home folder
        return None


def _kept(name: str, path: Path | None, variable: str, inside: str = "") -> Setting:
    """Return where something is kept, and whether any of it is there yet."""
    source, detail = (
        ("environment", variable) if os.environ.get(variable) else ("default", f"{variable} unset")
    )
    if path is None:
        return Setting(name, None, source, f"{detail}; the folder cannot be written")
    there = any(path.glob(inside)) if inside else path.is_file()
    return Setting(name, str(path), source, detail if there else f"{detail}; nothing there yet")


def _threads() -> Iterator[Setting]:
    from unify.engine.planner import CORES
    from unify.indexer.resources import share_out

    share = share_out(None, None, 0)
    yield Setting("search threads", CORES, "default", "processors; the planner takes one or all")
    yield Setting("decoding workers", share.workers, "default", "processors, up to 4; --workers")
    yield Setting("decoding threads", share.threads, "default", "of each worker")
    threads = os.environ.get("OMP_NUM_THREADS", "")
    if threads.isdecimal():
        yield Setting("encoding threads", int(threads), "environment", "OMP_NUM_THREADS")
    else:
        yield Setting("encoding threads", share.cores, "default", "processors")


def _environment() -> Iterator[Setting]:
    for name in (*_SECRETS, *_PLAIN):
        value = os.environ.get(name)
        if value is None:
            yield Setting(name, None, "default", "not set")
        else:
            yield Setting(name, "set" if name in _SECRETS else value, "environment", name)
