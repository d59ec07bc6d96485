"""Find moments in videos from a sentence.

    import unify

    unify.build_index(["videos/"], index="library")
    index = unify.open_index("library")
    for hit in index.search("a man cooking pasta", k=10):
        print(hit.video, hit.start_s, hit.end_s, hit.score)

Names are imported when first used: importing unify loads nothing heavy.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unify.encoders.library import BuildOptions, build_index, open_index
    from unify.engine.answer import Answer, Hit, TermMatch
    from unify.engine.dictionary import Dictionary
    from unify.engine.errors import (
        DamagedIndex,
        IncompatibleIndex,
        IndexUnavailable,
        MediaError,
        MissingPackage,
        QueryError,
        UnifyError,
        UsageError,
    )
    from unify.engine.search import Searcher

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "BuildOptions",
    "DamagedIndex",
    "Dictionary",
    "Hit",
    "IncompatibleIndex",
    "IndexUnavailable",
    "MediaError",
    "MissingPackage",
    "QueryError",
    "Searcher",
    "TermMatch",
    "UnifyError",
    "UsageError",
    "build_index",
    "open_index",
]

_HOMES = {
    "Answer": "unify.engine.answer",
    "BuildOptions": "unify.encoders.library",
    "Dictionary": "unify.engine.dictionary",
    "Hit": "unify.engine.answer",
    "Searcher": "unify.engine.search",
    "TermMatch": "unify.engine.answer",
    "build_index": "unify.encoders.library",
    "open_index": "unify.encoders.library",
}

# Run from a checkout, the folders beside this one are the sub-packages: no install is needed.
_root = Path(__file__).resolve().parent.parent
if (_root / "pyproject.toml").is_file() and (_root / "engine").is_dir():
    __path__.append(str(_root))


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'unify' has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "unify.engine.errors")), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
