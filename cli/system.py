"""`unify doctor` and `unify --version`."""

from __future__ import annotations

import importlib.metadata
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from unify.cli import render
from unify.cli.options import IndexOption


def register(app: typer.Typer) -> None:
    """Add the commands and the option of the program itself."""
    app.command()(doctor)
    app.callback()(root)


def _version(wanted: bool) -> None:
    if wanted:
        from unify import __version__

        render.say(f"unify {__version__}")
        raise typer.Exit


def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options of the program itself."""


def doctor(index: IndexOption = None) -> None:
    """Check that everything unify needs works, one real check a line.

    Exit code 1 when a check fails.
    """
    checks: list[tuple[str, Callable[[], str]]] = [
        ("python", _python),
        ("unify", _unify),
        ("faiss", _faiss),
        ("decoder", _decoder),
        ("kernels", _kernels),
        ("pack mini", _pack),
        ("index", lambda: _index(index)),
    ]
    healthy = True
    for name, check in checks:
        try:
            render.say(f"ok    {name:<10} {check()}")
        except Exception as error:  # whatever a broken installation raises is the finding
            healthy = False
            render.say(f"FAIL  {name:<10} {' '.join(str(error).split())}")
    if not healthy:
        raise typer.Exit(1)


def _python() -> str:
    return f"{sys.version.split()[0]}, {os.cpu_count()} processors"


def _unify() -> str:
    """Two other distributions install a module named `unify`: see that this one is ours."""
    import unify

    for other in ("unify", "unifyai"):
        try:
            importlib.metadata.version(other)
        except importlib.metadata.PackageNotFoundError:
            continue
        raise RuntimeError(f"the package {other!r} owns the same name: pip uninstall {other}")
    return f"{unify.__version__} at {Path(str(unify.__file__)).parent}"


def _faiss() -> str:
    from unify.engine.latents import load_faiss

    faiss = load_faiss()
    gpus = faiss.get_num_gpus() if hasattr(faiss, "StandardGpuResources") else 0
    return f"{faiss.__version__}, {gpus} GPUs"


def _decoder() -> str:
    from unify.indexer.decode import codecs

    return codecs()


def _kernels() -> str:
    import numpy as np

    from unify.engine.postings import Lists, topk

    one = np.array([0, 1]), np.zeros(1, np.uint16), np.ones(1, np.uint8)
    found = topk(Lists(one, 1, 1, np.zeros(1, np.uint16), np.ones(1)), None, 1, fast=True)
    if found.rows.tolist() != [0] or abs(found.scores[0] - 1) > 0.02:
        raise RuntimeError(f"numba gives wrong sums: {found.scores}; reinstall numba")
    return "numba compiles and adds up"


def _pack() -> str:
    from unify.encoders.packs import open_pack

    pack = open_pack("mini")
    pack.verify()
    encoded = pack.encode_query("a dog")
    return f"{pack.fingerprint[:12]}, every checksum right, encodes {len(encoded.terms)} terms"


def _index(index: Path | None) -> str:
    from unify.encoders.library import open_index
    from unify.encoders.packs import open_pack
    from unify.engine.errors import IndexUnavailable
    from unify.engine.location import locate
    from unify.engine.manifest import read_manifest

    directory = locate(index)
    if not (directory / "manifest.json").is_file():
        return f"none yet at {directory}"
    try:
        searcher = open_index(index)
    except IndexUnavailable as error:
        raise RuntimeError(str(error)) from None
    statistics = searcher.backend.statistics()
    searcher.search("a dog", 1)
    found = f"{statistics.videos:,} videos, {statistics.moments:,} moments, searchable"
    remark = open_pack(read_manifest(directory).settings.pack).remark
    return f"{directory}: {found}" + (f"; {remark}" if remark else "")
