"""What to say of a path that no indexed video has: the videos that may be meant."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from pathlib import PurePath

from unify.engine.errors import UsageError

_NAMED = 3


def not_indexed(video: str, paths: Iterable[str]) -> UsageError:
    """Return the error for a path that no video has, with the paths that come nearest.

    They are those of the same file name; else those of the same folder that are spelled alike, as
    to compare a path with each of a large library takes seconds.

    Args:
        video: what was asked for.
        paths: of the indexed videos, as given to `build`.

    >>> str(not_indexed("clips/dog.mp4", ["clips/dogs.mp4", "clips/cat.mp4", "b/dig.mp4"]))
    'clips/dog.mp4 is not indexed; did you mean clips/dogs.mp4?'
    """
    asked = PurePath(os.path.normpath(video))
    known = {path: PurePath(path) for path in paths}
    near = [path for path, its in known.items() if its.name == asked.name][:_NAMED]
    if not near:
        beside = {its.stem: path for path, its in known.items() if its.parent == asked.parent}
        near = [beside[s] for s in difflib.get_close_matches(asked.stem, beside, n=_NAMED)]
    hint = f"did you mean {', '.join(near)}?" if near else "look for it: unify search path:NAME"
    return UsageError(f"{video} is not indexed", hint)
