"""Where the files of a data set lie, when its annotations say no more than their names.

It must not know annotations or pictures.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from unify.indexer.discover import EXTENSIONS


def find_file(folder: Path, names: Iterable[str]) -> Path | None:
    """Return the first of some files that lies in a folder, or in a folder of it."""
    for name in names:
        for place in (folder / name, *sorted(folder.glob(f"*/{name}"))):
            if place.is_file():
                return place
    return None


def is_file(path: Path) -> bool:
    """Return whether a file is there; what cannot be a path, as a long sentence, is none."""
    try:
        return path.is_file()
    except OSError:
        return False


class VideoFiles:
    """Videos anywhere below a folder by name; hidden files are left out, links are followed.

    Where several files would do, the first in the order of paths counts.

    Args:
        folder: where to look.
    """

    def __init__(self, folder: Path) -> None:
        self._named: dict[str, Path] = {}
        self._stems: dict[str, Path] = {}
        entered: set[tuple[int, int]] = set()
        for place, folders, names in os.walk(folder, followlinks=True):
            facts = Path(place).stat()
            if (facts.st_dev, facts.st_ino) in entered:
                folders.clear()
                continue
            entered.add((facts.st_dev, facts.st_ino))
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for path in (Path(place, name) for name in sorted(names) if not name.startswith(".")):
                video = path.suffix.lower() in EXTENSIONS or not path.suffix
                if video and is_file(path):
                    self._named.setdefault(path.name, path)
                    self._stems.setdefault(path.stem, path)

    def find(self, name: str) -> Path | None:
        """Return the file of a name, either of which may have any extension or none.

        `x.mov` is found as `x.mov`, `x.mov.mp4`, `x` and `x.mp4`, in this order.
        """
        bare = Path(name).stem if Path(name).suffix.lower() in EXTENSIONS else name
        return (
            self._named.get(name)
            or self._stems.get(name)
            or self._named.get(bare)
            or self._stems.get(bare)
        )
