"""The hits of the last search of each index, so that `unify open 3` knows what 3 is.

They live in the XDG state folder, one small file an index: an index may be read-only and shared,
and what somebody looked for is nobody else's business.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unify.cli.render import tell
from unify.engine.errors import UsageError

_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class LastSearch:
    """What was asked, and what was found.

    Attributes:
        query: as it was typed.
        pack: name of the pack that answered.
        hits: `jsonio.hit_record` of each, best first.
    """

    query: str
    pack: str
    hits: tuple[dict[str, Any], ...]

    def numbered(self, words: Sequence[str]) -> list[dict[str, Any]]:
        """Return the hits that words name: ranks, ranges of ranks, or `all`; each once, in order.

        Commas part ranks as spaces do.

        Raises:
            UsageError: a word is none of these, or there is no such hit.

        >>> last = LastSearch("a dog", "mini", tuple({"rank": rank} for rank in range(1, 7)))
        >>> [hit["rank"] for hit in last.numbered(["5,", "1-3,2"])]
        [5, 1, 2, 3]
        """
        by_rank = {hit["rank"]: hit for hit in self.hits}
        if not by_rank:
            raise UsageError(f"the search {self.query!r} found nothing", "search again")
        chosen: dict[int, dict[str, Any]] = {}
        for word in (part for some in words for part in some.rstrip(",").split(",")):
            for rank in _ranks(word, list(by_rank)):
                if rank not in by_rank:
                    raise UsageError(
                        f"there is no hit {rank} of the search {self.query!r}",
                        f"it found {_found(by_rank)}",
                    )
                chosen[rank] = by_rank[rank]
        return list(chosen.values())


def _found(ranks: Collection[int]) -> str:
    first, last = min(ranks), max(ranks)
    return f"hit {first} alone" if first == last else f"hits {first} to {last}"


def reasons(hit: dict[str, Any], most: int = 5) -> str:
    """Return the strongest terms of a hit and the latent part, as one line.

    >>> reasons({"terms": [{"term": "dog", "part": 1.26}], "parts": {"latent": 2.0}})
    'dog 1.3, latent 2.0'
    """
    parts = [f"{term['term']} {term['part']:.1f}" for term in hit["terms"][:most]]
    return ", ".join([*parts, f"latent {hit['parts']['latent']:.1f}"])


def _ranks(word: str, known: list[int]) -> Sequence[int]:
    if word == "all":
        return known
    first, dash, last = word.partition("-")
    if first.isdecimal() and (last.isdecimal() or not dash):
        low, high = int(first), int(last or first)
        if low <= high:
            return range(low, max(low, min(high, max(known) + 1)) + 1)
    raise UsageError(
        f"cannot read the hit {word!r}", "write ranks (1 3 or 1,3), a range (1-5) or all"
    )


def remember(directory: Path, query: str, pack: str, hits: Sequence[dict[str, Any]]) -> str:
    """Keep the hits of a search.

    Returns:
        why they could not be kept, in which case none are; "" when they were.
    """
    try:
        path = path_of(directory)
    except RuntimeError:  # no home
        return "there is no home folder; set XDG_STATE_HOME"
    record = {"schema": _SCHEMA, "index": str(directory), "query": query, "pack": pack}
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary.touch(0o600)
        temporary.write_text(json.dumps({**record, "hits": list(hits)}), "ascii")
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        with suppress(OSError):
            path.unlink()  # better none than those of an older search
        return f"{path.parent}: {error.strerror}"
    return ""


def keep(index: Path | None, query: str, pack: str, hits: Sequence[dict[str, Any]]) -> None:
    """Keep the hits of a search, and say so where that fails; `index` is as of --index."""
    from unify.engine.location import known_as

    why_not = remember(known_as(index), query, pack, hits)
    if why_not:
        tell(f"unify open, cut and export will not know these hits: {why_not}")


def recall(directory: Path) -> LastSearch:
    """Return the last search of an index.

    Raises:
        UsageError: there was none, or it was not kept.
    """
    try:
        path = path_of(directory)
        record = json.loads(path.read_text("ascii"))
        if record["schema"] != _SCHEMA:
            raise ValueError
        return LastSearch(record["query"], record["pack"], tuple(record["hits"]))
    except (OSError, RuntimeError):
        raise UsageError(
            f"no search of {directory} is remembered", "run unify search first"
        ) from None
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{path} cannot be read", "run unify search again") from None


def path_of(directory: Path) -> Path:
    """Return the file that keeps the last search of an index.

    Raises:
        RuntimeError: there is no home folder, and XDG_STATE_HOME is not set.
    """
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    name = hashlib.sha256(os.fsencode(directory.resolve())).hexdigest()[:16]
    return Path(state) / "unify" / "last" / f"{name}.json"
