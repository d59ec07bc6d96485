"""Runs the commands that the documents show, and writes their output into them.

`python -m tests.examples` compares every document with what the program says now,
`python -m tests.examples --write` fills the real output in. Both run each ```console block of a
document, in order, in a folder that holds `samples/`: a fresh one where the document begins by
building an index, else one with their index, which such documents share.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from unify.cli.main import app

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("README.md", "docs/tutorial.md", "docs/howto.md", "docs/query-language.md",
         "docs/limits.md", "docs/milvus.md")  # fmt: skip
HOME = "/home/me"  # what documents show in place of the folder that they ran in
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PIPE = re.compile(r" (?:2>&1 )?\| (head|tail) -(\d+)$")
_VARIES = re.compile(r"^ *(why:|\+\d|searched for:|terms  |added  )|[▁-█]")
_SHELL = frozenset("()<>|;&")  # what an unquoted word must not hold


@dataclass(frozen=True, slots=True)
class Example:
    """A command of a document, and what the document says that it prints."""

    command: str
    shown: str


def read_examples(block: str) -> list[Example]:
    r"""Return the commands of a block.

    >>> read_examples(chr(10).join(["$ unify a", "one", "two", "$ ls", ""]))
    [Example(command='unify a', shown='one\ntwo\n'), Example(command='ls', shown='')]
    """
    parts = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)[1:]
    return [Example(*pair) for pair in zip(parts[::2], parts[1::2], strict=True)]


def blocks(text: str) -> list[str]:
    """Return the console blocks of a document."""
    return _BLOCK.findall(text)


def fresh_folder() -> Path:
    """Return a folder with `samples/` that goes with this process."""
    here = Path(tempfile.mkdtemp(prefix="unify-docs-")).resolve()
    atexit.register(shutil.rmtree, here, ignore_errors=True)
    shutil.copytree(ROOT / "samples", here / "samples", ignore=shutil.ignore_patterns("*.*[dy]"))
    return here


@functools.cache
def indexed_folder() -> Path:
    """Return the one folder that holds an index of its `samples/`, too."""
    with inside(fresh_folder()) as here:
        run("unify index build samples", here)
    return here


@contextlib.contextmanager
def inside(here: Path) -> Iterator[Path]:
    """Stand in a folder, with a state of its own."""
    before, environment = Path.cwd(), dict(os.environ)
    own = {"XDG_STATE_HOME": str(here / ".state"), "XDG_CONFIG_HOME": str(here / ".config")}
    os.environ |= {**own, "NO_COLOR": "1"}
    for name in ("UNIFY_INDEX", "UNIFY_WORDS"):
        os.environ.pop(name, None)
    os.chdir(here)
    try:
        yield here
    finally:
        os.chdir(before)
        os.environ.clear()
        os.environ |= environment


def words_of(command: str) -> list[str]:
    """Split a command as a shell does.

    Raises:
        ValueError: a shell would take a part of it for itself, as in `len:>10`.
    """
    split = shlex.shlex(command, posix=True, punctuation_chars=True)
    split.whitespace_split, split.commenters = True, ""
    if any(set(word) <= _SHELL for word in split if word):
        raise ValueError(f"a part of this needs quotes: {command}")
    return shlex.split(command)


def run(command: str, here: Path) -> str:
    """Run a command of a document and return what it prints, stdout and stderr together."""
    pipe = _PIPE.search(command)
    if command.startswith("unify "):
        words = words_of(_PIPE.sub("", command))
        result = CliRunner().invoke(app, words[1:], prog_name="unify")
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        output = result.output
    else:
        done = subprocess.run(
            ["bash", "-c", command], cwd=here, capture_output=True, text=True, check=True
        )
        output = done.stdout
    lines = output.replace(str(here), HOME).splitlines()
    if pipe:
        lines = lines[: int(pipe[2])] if pipe[1] == "head" else lines[-int(pipe[2]) :]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def outputs(text: str) -> list[tuple[Example, str]]:
    """Run every example of a document, in order; return it with what it printed now."""
    found = [example for block in blocks(text) for example in read_examples(block)]
    if not found:
        return []
    builds = found[0].command.startswith("unify index build")
    with inside(fresh_folder() if builds else indexed_folder()) as here:
        return [(example, run(example.command, here)) for example in found]


def filled(text: str) -> str:
    """Return a document with the output that its commands have now."""
    ran = iter(outputs(text))

    def fill(match: re.Match[str]) -> str:
        count = len(read_examples(match[1]))
        pairs = [next(ran) for _ in range(count)]
        body = "".join(f"$ {example.command}\n{printed}" for example, printed in pairs)
        return f"```console\n{body}```"

    return _BLOCK.sub(fill, text)


def gist(output: str) -> str:
    """Return what of an output must not change from machine to machine.

    Numbers, bars and the order of reasons may: processors round differently, and are busy.
    """
    lines = [line for line in output.splitlines() if not _VARIES.search(line)]
    return re.sub(r"[ \t]+", " ", re.sub(r"-?\d[\d.,:]*", "0", "\n".join(lines)))


if __name__ == "__main__":
    changed = False
    for name in NAMES:
        path = ROOT / name
        if not path.exists():
            continue
        old = path.read_text(encoding="utf-8")
        new = filled(old)
        changed |= new != old
        if "--write" in sys.argv:
            path.write_text(new, encoding="utf-8")
    sys.exit(0 if "--write" in sys.argv else int(changed))
