"""What is not damage must not be called so: no file left to open, no place left on the disk."""

from __future__ import annotations

import ast
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.engine.compacting import compact
from tests.engine.corpus import random_codes, spans
from unify.engine import durable, verify
from unify.engine.errors import IndexUnavailable
from unify.engine.local import open_snapshot
from unify.engine.manifest import read_manifest
from unify.engine.search import Searcher
from unify.engine.writer import IndexWriter, Video

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def few_files(more: int) -> Iterator[None]:
    """Let this process open so many more files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, hard), hard))
    try:
        while True:
            taken.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        for _ in range(more):
            os.close(taken.pop())
    try:
        yield
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_too_many_open_files_are_no_damage(corpus):
    def search() -> list[int]:
        found = Searcher(open_snapshot(corpus.directory), corpus.pack).search("w1")
        return [hit.moment for hit in found]

    whole, outcomes = search(), set()
    for more in range(24):
        with few_files(more):
            try:
                assert search() == whole
                assert verify.verify(corpus.directory) == []
                outcomes.add("answered")
            except IndexUnavailable as error:
                assert "Too many open files" in str(error)
                outcomes.add("refused")
    assert outcomes == {"answered", "refused"}


FORK = """
import os, signal, sys
from unify.engine.postings import pool
assert list(pool().map(abs, [-1, -2])) == [1, 2]
if os.fork() == 0:
    signal.alarm(20)
    os._exit(list(pool().map(abs, [-1, -2])) != [1, 2])
sys.exit(os.wait()[1])
"""


def test_searching_after_a_fork():
    """Threads do not survive a fork: a pool that was started before would wait for ever."""
    assert subprocess.run([sys.executable, "-c", FORK], cwd=ROOT, timeout=60).returncode == 0


def test_a_writer_whose_publish_has_failed_publishes_no_more(corpus, monkeypatch):
    """The new manifest may be there or not: the same number must not be given twice."""
    before = read_manifest(corpus.directory)

    def fail(folder: Path) -> None:
        raise OSError(5, "Input/output error")

    with IndexWriter.open(corpus.directory, corpus.pack.settings()) as writer:
        codes = random_codes(np.random.default_rng(0), corpus.pack, ties=False)
        writer.add(99, *spans(), codes)
        videos = [*corpus.videos, Video(99, 0, "new.mp4", 5, 0)]
        rename = durable.rename

        def swap(path: Path, target: Path) -> None:
            with monkeypatch.context() as patch:
                if target.name == "manifest.json":
                    patch.setattr(durable, "sync_folder", fail)
                rename(path, target)

        monkeypatch.setattr(durable, "rename", swap)
        with pytest.raises(IndexUnavailable, match="Input/output error"):
            writer.publish(writer.roots, videos)
        reader = open_snapshot(corpus.directory)
        assert reader.manifest.generation == before.generation + 1
        with pytest.raises(IndexUnavailable, match="an earlier publish has failed"):
            writer.publish(writer.roots, corpus.videos)
    monkeypatch.undo()
    with IndexWriter.open(corpus.directory, corpus.pack.settings()) as writer:
        assert 99 in writer.live_videos
    assert verify.verify(corpus.directory) == []


def test_a_full_disk_gets_its_room_back(corpus, monkeypatch):
    write = durable.write_file

    def full(path: Path, fill: object) -> None:
        if path.name == "latents.faiss":
            raise OSError(28, "No space left on device")
        write(path, fill)  # type: ignore[arg-type]

    monkeypatch.setattr(durable, "write_file", full)
    with pytest.raises(IndexUnavailable, match="No space left on device; what was published"):
        compact(corpus.directory)
    folders = {path.name for path in (corpus.directory / "segments").iterdir()}
    assert folders == {f"{entry.id:08d}" for entry in read_manifest(corpus.directory).segments}


WRITES = {"mkdir", "rename", "unlink", "rmtree", "rmdir", "write_bytes", "write_text", "touch",
          "symlink_to", "hardlink_to", "truncate", "tofile", "memmap", "savez"}  # fmt: skip
ALLOWED = {
    ("compiled.py", "mkdir"),  # numba's cache, not the index
    ("lock.py", "open"),  # the lock, of which no byte counts
    ("latents.py", "memmap"),  # for reading
}


def test_the_engine_writes_in_one_place():
    """Otherwise failing every step of `durable` would not be failing every step."""
    found = set()
    for path in (ROOT / "engine").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or path.name == "durable.py":
                continue
            owner, _, name = ast.unparse(node.func).rpartition(".")
            modes = [a.value for a in node.args if isinstance(a, ast.Constant)]
            opens = name == "open" and any(m in ("w", "wb", "a", "ab", "r+b", "x") for m in modes)
            if (name in WRITES or opens) and owner != "durable":
                found.add((path.name, name))
    assert found == ALLOWED
