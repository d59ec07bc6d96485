"""A disk that fails at a chosen step, and one that forgets what was not synced.

Every step of a build on the disk goes through `engine/durable.py` or through SQLite; this stands
in for both, counts the steps, and lets one of them go wrong.
"""

from __future__ import annotations

import errno
import io
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from unify.engine import durable

OTHERS = ("lock", "catalog.sqlite", "catalog.sqlite-journal")  # not written by `durable`


class Fault(StrEnum):
    """What goes wrong."""

    REFUSED = "refused"  # the step is not done, and an error is returned, once
    HALF = "half"  # half of it is done, and an error is returned
    LATE = "late"  # it is done, and an error is returned all the same
    FULL = "full"  # from this step on nothing can be written any more
    KILLED = "killed"  # half of it is done, and the process is gone
    POWER = "power"  # likewise, and whatever was not synced


class Killed(BaseException):
    """The process is gone: nothing that it still does may have an effect."""


class Disk:
    """Stands in for the disk of one index while it is installed.

    Args:
        directory: the index; its parent is taken for durable.
        fault: what goes wrong, or None.
        at: the number of the step at which it does, from 1.
        platter: of an earlier disk, to go on with what that has not synced.

    Attributes:
        steps: what was done, in order.
        hit: whether the fault has happened.
        platter: what would be there after the power failed.
    """

    def __init__(
        self,
        directory: Path,
        fault: Fault | None = None,
        at: int = 0,
        platter: Platter | None = None,
    ) -> None:
        self.steps: list[str] = []
        self.hit = False
        self._fault, self._at = fault, at
        self._dead = False
        self._paths: dict[int, Path] = {}
        self.platter = platter or Platter(directory)

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Take the disk's place until the patch is undone."""
        patch.setattr(durable, "open", self._open, raising=False)
        patch.setattr(durable, "os", _Os(self))
        patch.setattr(durable, "remove", self._remove)
        connect, disk = sqlite3.connect, self

        class Connection(_Connection):
            do = staticmethod(disk.do)

        def faulty(*arguments: Any, **options: Any) -> sqlite3.Connection:
            return disk.do(
                "sql connect", lambda: connect(*arguments, **options, factory=Connection)
            )

        patch.setattr(sqlite3, "connect", faulty)

    def do(self, what: str, act: Callable[[], Any], half: Callable[[], Any] = lambda: None) -> Any:
        """Do one step, or let it go wrong."""
        if self._dead:
            raise Killed
        self.steps.append(what)
        self.hit |= len(self.steps) == self._at and self._fault is not None
        later_too = self._fault is Fault.FULL and self.hit and _needs_room(what)
        if not later_too and (self._fault is None or len(self.steps) != self._at):
            return act()
        if self._fault in (Fault.KILLED, Fault.POWER):
            half()
            self._dead = True
            raise Killed
        if self._fault is Fault.LATE:
            made = act()
            if isinstance(made, io.BufferedWriter):
                made.close()
        elif self._fault is Fault.HALF:
            half()
        raise _error(what)

    def sync(self, descriptor: int) -> None:
        path = self._paths[descriptor]
        self.do(f"sync {path.name}", lambda: self.platter.sync(path))

    def make(self, path: Path) -> None:
        self.do(f"mkdir {path.name}", lambda: (os.mkdir(path), self.platter.make(path, {})))  # noqa: PTH102

    def rename(self, path: Path, target: Path) -> None:
        def act() -> None:
            path.replace(target)
            self.platter.rename(path, target)

        self.do(f"rename {target.name}", act)

    def folder(self, path: Path, descriptor: int) -> None:
        self._paths[descriptor] = path

    def _open(self, path: Path, mode: str) -> io.BufferedWriter:
        def act() -> io.BufferedWriter:
            raw = _Raw(path, mode)
            raw.do = self.do
            self._paths[raw.fileno()] = path
            self.platter.make(path, b"")
            return _Writer(raw)

        return self.do(f"create {path.name}", act)

    def _remove(self, path: Path) -> None:
        def half() -> None:
            for inner in sorted(path.glob("*"))[::2]:
                inner.unlink()
                self.platter.remove(inner)

        def act() -> None:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            self.platter.remove(path)

        self.do(f"remove {path.name}", act, half)


def _needs_room(what: str) -> bool:
    verb, _, rest = what.partition(" ")
    if verb == "sql":
        return rest.split()[0] in ("INSERT", "UPDATE", "DELETE", "BEGIN;", "COMMIT")
    return verb in ("create", "write", "mkdir")


def _error(what: str) -> Exception:
    if what.startswith("sql"):
        return sqlite3.OperationalError("database or disk is full")
    code = errno.ENOSPC if _needs_room(what) else errno.EIO
    return OSError(code, os.strerror(code))


class _Os:
    """The module `os` as `durable` sees it."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def open(self, path: Path, flags: int) -> int:
        descriptor = os.open(path, flags)
        self._disk.folder(path, descriptor)
        return descriptor

    def mkdir(self, path: Path) -> None:
        self._disk.make(path)

    def replace(self, path: Path, target: Path) -> None:
        self._disk.rename(path, target)

    def fsync(self, descriptor: int) -> None:
        self._disk.sync(descriptor)


class _Raw(io.FileIO):
    do: Callable[..., Any]

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        write = super().write
        written: int = self.do("write", lambda: write(view), lambda: write(view[: len(view) // 2]))
        return written


class _Writer(io.BufferedWriter):
    def close(self) -> None:
        try:
            super().close()
        finally:
            self.raw.close()  # also when the process is gone


class _Connection(sqlite3.Connection):
    do: Callable[..., Any]

    def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
        run = super().execute
        cursor: sqlite3.Cursor = self.do(f"sql {sql}", lambda: run(sql, *arguments))
        return cursor

    def executemany(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
        run = super().executemany
        cursor: sqlite3.Cursor = self.do(f"sql {sql}", lambda: run(sql, *arguments))
        return cursor

    def executescript(self, sql: str) -> sqlite3.Cursor:
        run = super().executescript
        cursor: sqlite3.Cursor = self.do(f"sql {sql}", lambda: run(sql))
        return cursor

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        if kind is not None:
            super().rollback()
            return False
        try:
            self.do("sql COMMIT", super().commit)
        except BaseException:
            super().rollback()  # as SQLite does, and as a journal left behind would
            raise
        return False


class Platter:
    """What would be there after the power failed: the worst that POSIX allows.

    A file's bytes count once they are synced, a name once its folder is; a removal counts at
    once. SQLite looks after its own file.

    Args:
        directory: the index; what is in it counts as synced, and its own name too if it is there.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._top = _read(directory.parent, {directory.name} if directory.exists() else set())

    def make(self, path: Path, what: bytes | dict[str, Any]) -> None:
        node = self._node(path.parent)
        if node is not None:
            node.names[path.name] = _Node(isinstance(what, dict))

    def sync(self, path: Path) -> None:
        node = self._node(path)
        if node is None:
            return
        if node.folder:
            node.kept = dict(node.names)
        else:
            node.data = path.read_bytes()

    def rename(self, path: Path, target: Path) -> None:
        source, goal = self._node(path.parent), self._node(target.parent)
        assert source is not None and goal is not None
        goal.names[target.name] = source.names.pop(path.name)

    def remove(self, path: Path) -> None:
        node = self._node(path.parent)
        assert node is not None
        node.names.pop(path.name, None)
        node.kept.pop(path.name, None)

    def restore(self) -> None:
        """Leave on the disk what would be there."""
        for path in self._directory.iterdir() if self._directory.exists() else ():
            if path.name not in OTHERS:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        index = self._top.kept.get(self._directory.name)
        if index is not None:
            self._write(index, self._directory)

    def _write(self, node: _Node, path: Path) -> None:
        if not node.folder:
            path.write_bytes(node.data)
            return
        path.mkdir(exist_ok=True)
        for name, inner in node.kept.items():
            self._write(inner, path / name)

    def _node(self, path: Path) -> _Node | None:
        """Return what is at a path now; None outside of the index's parent."""
        node = self._top
        with suppress(ValueError):
            for part in path.relative_to(self._directory.parent).parts:
                node = node.names[part]
            return node
        return None


class _Node:
    """A file, with its synced bytes, or a folder, with its names now and when it was synced."""

    def __init__(self, folder: bool) -> None:
        self.folder = folder
        self.data = b""
        self.names: dict[str, _Node] = {}
        self.kept: dict[str, _Node] = {}


def _read(path: Path, only: set[str]) -> _Node:
    """Return a folder with some of what is in it, as synced."""
    node = _Node(True)
    for inner in (path / name for name in only):
        if inner.is_dir():
            node.names[inner.name] = _read(inner, {p.name for p in inner.iterdir()} - {*OTHERS})
        else:
            node.names[inner.name] = _Node(False)
            node.names[inner.name].data = inner.read_bytes()
    node.kept = dict(node.names)
    return node
