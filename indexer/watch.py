"""Keeping an index up to date with folders while they change.

Looks again and again, with nothing but `stat`, which works on network drives too. What has come,
changed or gone is acted upon once it is the same in two looks in a row: a file that is still being
copied is left alone, and a file on its way from one folder to another is not taken for deleted.
A PATH that is not there, or that suddenly holds no video (a disk that is not mounted), is left out
until it comes back; nothing of it is dropped. It must not know how videos are indexed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from unify.engine.errors import IncompatibleIndex, IndexUnavailable, UsageError
from unify.indexer.discover import Candidate, Choice, discover
from unify.indexer.ignore import Rules
from unify.indexer.progress import BuildReport

Build: TypeAlias = Callable[[Sequence[Path], Choice], BuildReport]
Facts: TypeAlias = tuple[int, int, str]  # size, time of writing, stamp of the subtitle files


@dataclass(frozen=True, slots=True)
class Built:
    """A build was run; it may have found nothing to do."""

    report: BuildReport


@dataclass(frozen=True, slots=True)
class Away:
    """A PATH is left out until it can be looked at again, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Back:
    """A PATH that was away can be looked at again."""

    path: str


@dataclass(frozen=True, slots=True)
class Postponed:
    """A build could not be run now, and why; it is tried again after the next look."""

    reason: str


Event: TypeAlias = Built | Away | Back | Postponed


def watch(
    paths: Sequence[Path],
    build: Build,
    interval_s: float,
    exclude: Sequence[str] = (),
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Event]:
    """Watch files and folders for ever; the caller ends it.

    Args:
        paths: files and folders; they may come later.
        build: brings the index up to date with some of the paths.
        interval_s: seconds between two looks.
        exclude: patterns of files and folders to leave out.
        sleep: waits for so many seconds.

    Yields:
        what happened, as it happens.

    Raises:
        UsageError: a path does not exist at the start, or a rule cannot be understood.
        IncompatibleIndex: as of a build; so does DamagedIndex.
    """
    discover([path for path in paths if not path.is_dir()])  # a slip of the pen is no disk
    Rules.given(exclude, os.sep)
    watcher = _Watcher(paths, tuple(exclude))
    while True:
        yield from watcher.look()
        if watcher.news():
            yield watcher.act(build)
        sleep(interval_s)


@dataclass(slots=True)
class _Watcher:
    paths: Sequence[Path]
    exclude: tuple[str, ...]
    away: dict[Path, str] = field(default_factory=dict)  # why each PATH is left out
    seen: dict[str, Facts] = field(default_factory=dict)  # at the last look
    unsettled: frozenset[str] = frozenset()  # changed since the look before it
    done: dict[str, Facts] | None = None  # what the last build knew

    def look(self) -> Iterator[Event]:
        """Look at all PATHs, and say which went and came."""
        facts: dict[str, Facts] = {}
        for path in self.paths:
            found, why = self._under(path)
            facts.update(found)
            if why and path not in self.away:
                yield Away(str(path), why)
            if not why and path in self.away:
                yield Back(str(path))
            self.away.pop(path, None)
            if why:
                self.away[path] = why
        known = {**self.seen, **facts}
        self.unsettled = frozenset(p for p in known if self.seen.get(p) != facts.get(p))
        self.seen = facts

    def _under(self, path: Path) -> tuple[dict[str, Facts], str]:
        """Return the videos under a PATH, or why it is left out."""
        try:
            found = discover([path], Choice(self.exclude))
        except UsageError as error:  # it is not there, or a file of rules cannot be understood
            return {}, error.message.removeprefix(f"{path}: ")
        if found.empty:
            return {}, found.unreadable[0][1] if found.unreadable else "no video is in it"
        return {candidate.path: _facts(candidate) for candidate in found.candidates}, ""

    def news(self) -> bool:
        """Return whether what stands still now differs from what the last build knew."""
        here = [path for path in self.paths if path not in self.away]
        return bool(here) and self._settled() != (self.done or {})

    def _settled(self) -> dict[str, Facts]:
        """What a build would know: of what has just changed, what the last one knew."""
        done = self.done or {}
        settled = {p: facts for p, facts in self.seen.items() if p not in self.unsettled}
        return settled | {p: done[p] for p in self.unsettled if p in done}

    def act(self, build: Build) -> Event:
        """Run a build over what stands still."""
        here = [path for path in self.paths if path not in self.away]
        away = tuple(os.path.abspath(path) for path in self.away)  # noqa: PTH100 - links stay
        try:
            report = build(here, Choice(self.exclude, self.unsettled, away))
        except IncompatibleIndex:
            raise
        except IndexUnavailable as error:  # another writer
            return Postponed(error.message)
        except UsageError as error:
            if all(map(os.path.exists, here)):
                raise
            return Postponed(error.message)  # a PATH has just gone
        self.done = self._settled()
        return Built(report)


def _facts(candidate: Candidate) -> Facts:
    return candidate.size_bytes, candidate.mtime_ns, candidate.sidecars.stamp
