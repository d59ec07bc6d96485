"""Builds a folder of links in which the packages lie as they are imported, for type checkers.

The folders at the root are `unify.*` by a path shim that no type checker follows. Run
`python -m tests.linktree .links`, then `MYPYPATH=.links mypy -p unify`.
"""

from __future__ import annotations

import shutil
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def package_folders(root: Path = ROOT) -> dict[str, str]:
    """The map of pyproject.toml from package name to its folder below the root."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return dict(project["tool"]["setuptools"]["package-dir"])


def build(target: Path, root: Path = ROOT) -> Path:
    """Make `target/unify` afresh and return it; links follow new files by themselves.

    Args:
        target: folder to make the tree in; a tree that is there is replaced.
        root: the checkout.
    """
    tree = target / "unify"
    if tree.exists():
        shutil.rmtree(tree)
    tree.mkdir(parents=True)
    for source in (root / "unify").iterdir():
        if source.name != "__pycache__":
            (tree / source.name).symlink_to(source)
    for package, folder in package_folders(root).items():
        if package.count(".") == 1:  # deeper ones lie inside these
            (tree / package.partition(".")[2]).symlink_to(root / folder)
    return tree


if __name__ == "__main__":
    build(Path(sys.argv[1]))
