"""Runs the commands of the golden files, in a pipe and on a terminal, and fills their output in.

    python -m tests.cli.goldens            # tell which files no longer say what the program says
    python -m tests.cli.goldens --write    # write what it says now into them

A file of `golden/` is a story: lines `$ COMMAND`, run in order in a folder with three sample
videos, after each what it printed `--- in a pipe` (lines of stderr begin with `! `) and `--- on a
terminal` of 80 columns (both streams; `␛` is an escape). To add a command, add its `$` line and
write. Unless a story begins with `$ unify index build`, the folder has an index already.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import functools
import json
import math
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).resolve().parent / "golden"
VIDEOS = ("cat.mp4", "coffee.mp4", "horse.mp4")
HOME = "/home/me"
_MODES = {"--- in a pipe": False, "--- on a terminal": True}
_DRAWN = re.compile(r"\x1b\[\?25[lh]|\x1b\[\d*[AK]|\r")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_VARIES = (  # what no two runs share, or no two machines
    (re.compile(r"in [\d.]+ s \(\d+ x real time\)"), "in 1.0 s (10 x real time)"),
    (re.compile(r"[\d.]+ ms"), "1.0 ms"),
    (re.compile(r'"times_ms": \{[^}]*\}'), '"times_ms": {}'),
    (re.compile(r'"(size_bytes|bytes|wall_s)": [\d.]+'), r'"\1": 1'),
    (re.compile(r"^((?:search|decoding|encoding) (?:threads|workers) +)\d+", re.M), r"\g<1>2"),
    (re.compile(r"[▏▎▍▌▋▊▉█]+ *"), "█ "),
    (re.compile(r"last/[0-9a-f]{16}"), "last/0"),
)


@dataclass(frozen=True)
class Story:
    """The commands of a golden file."""

    commands: list[str]

    @property
    def indexed(self) -> bool:
        """Whether its folder has an index before the first command."""
        return not self.commands[0].startswith("unify index build")


def read_story(text: str) -> Story:
    r"""Return the commands of a golden file.

    >>> read_story("$ unify a\n--- in a pipe, exit 0\n$5\n\n$ ls\n").commands
    ['unify a', 'ls']
    """
    return Story(re.findall(r"^\$ (.+)$", text, re.M))


@functools.cache
def _made(indexed: bool) -> Path:
    """Return a folder to copy: videos, a player that does nothing, and maybe an index of them."""
    here = Path(tempfile.mkdtemp(prefix="unify-golden-")).resolve()
    atexit.register(shutil.rmtree, here, ignore_errors=True)
    (here / "videos").mkdir()
    (here / "bin").mkdir()
    for name in VIDEOS:
        shutil.copy2(ROOT / "samples" / name, here / "videos")
    (here / "bin" / "mpv").write_text("#!/bin/sh\n")
    (here / "bin" / "mpv").chmod(0o755)
    if indexed:
        subprocess.run(
            [sys.executable, "-m", "unify", "index", "build", "videos"],
            cwd=here, env=_environment(here), capture_output=True, check=True,
        )  # fmt: skip
    return here


@contextlib.contextmanager
def _folder(indexed: bool) -> Iterator[Path]:
    """Give a folder of its own; the paths in its index are those of the folder it is a copy of."""
    outer = Path(tempfile.mkdtemp(prefix="unify-golden-")).resolve()
    try:
        yield Path(shutil.copytree(_made(indexed), outer / "me", symlinks=True))
    finally:
        shutil.rmtree(outer)


def _environment(here: Path) -> dict[str, str]:
    ours = ("UNIFY_", "XDG_", "NO_COLOR", "COLUMNS", "LINES", "OMP_", "_UNIFY")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {
        "PYTHONPATH": str(ROOT), "HOME": str(here), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8",
        "XDG_CACHE_HOME": f"{here}/.cache", "XDG_STATE_HOME": f"{here}/.state",
        "XDG_DATA_HOME": f"{here}/.data", "PATH": f"{here}/bin:{kept['PATH']}",
        "PYTHON": sys.executable,
    }  # fmt: skip


def run(command: str, here: Path, terminal: bool) -> str:
    """Run a command of a story in a process of its own; return how it ended and what it printed."""
    shell = f'unify() {{ "$PYTHON" -m unify "$@"; }}\n{command}'
    argv = ["bash", "-c", shell]
    if terminal:
        code, printed = _on_terminal(argv, here)
        printed = _DRAWN.sub("", printed)
        lines = [line for line in printed.split("\n") if "━" not in line]
        printed = "\n".join(lines).replace("\x1b", "␛")
    else:
        done = subprocess.run(
            argv, cwd=here, env=_environment(here), capture_output=True, text=True,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        code = done.returncode
        printed = done.stdout + "".join(f"! {line}\n" for line in done.stderr.splitlines())
    return f", exit {code}\n{_steady(printed, here)}"


def _on_terminal(argv: list[str], here: Path) -> tuple[int, str]:
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    with subprocess.Popen(
        argv, cwd=here, env=_environment(here), stdin=its, stdout=its, stderr=its
    ) as process:
        os.close(its)
        parts = []
        with contextlib.suppress(OSError):  # EIO: the other side is closed
            while part := os.read(ours, 1 << 16):
                parts.append(part)
        os.close(ours)
    return process.returncode, b"".join(parts).decode()


def _steady(printed: str, here: Path) -> str:
    """Replace what differs from run to run, and shorten numbers of JSON."""
    text = printed.replace(str(here), HOME).replace(str(_made(True)), HOME)
    for pattern, instead in _VARIES:
        text = pattern.sub(instead, text)
    lines = (_shorter(line) if line.startswith("{") else line for line in text.splitlines())
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _shorter(line: str) -> str:
    def short(value: object) -> object:
        if isinstance(value, dict):
            return {name: short(inner) for name, inner in value.items()}
        if isinstance(value, list):  # the first terms tell enough
            return [short(inner) for inner in value[:4]]
        return round(value, 2) if isinstance(value, float) else value

    return json.dumps(short(json.loads(line)), ensure_ascii=False)


def filled(text: str) -> str:
    """Return a golden file with what its commands print now."""
    story = read_story(text)
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(len(_MODES)) as threads:
        heres = [stack.enter_context(_folder(story.indexed)) for _ in _MODES]
        ran = list(threads.map(
            lambda here, terminal: [run(command, here, terminal) for command in story.commands],
            heres, _MODES.values(),
        ))  # fmt: skip
    parts = []
    for number, command in enumerate(story.commands):
        printed = (f"{mode}{outputs[number]}" for mode, outputs in zip(_MODES, ran, strict=True))
        parts.append(f"$ {command}\n{''.join(printed)}")
    return "\n".join(parts)


def differs(old: str, new: str) -> bool:
    """Return whether two outputs differ by more than processors do in rounding.

    Text and whole numbers must be equal, fractions to a twentieth or 0.1.

    >>> differs("cat 2.51, 3 hits", "cat 2.53, 3 hits"), differs("3 hits", "4 hits")
    (False, True)
    """
    if _NUMBER.sub("0", old) != _NUMBER.sub("0", new):
        return True
    pairs = zip(_NUMBER.findall(old), _NUMBER.findall(new), strict=True)
    return not all(
        a == b or ("." in a + b and math.isclose(float(a), float(b), rel_tol=0.05, abs_tol=0.1))
        for a, b in pairs
    )


def main(write: bool) -> int:
    """Compare or write all golden files; return how many differ."""
    changed = 0
    for path in sorted(GOLDEN.glob("*.txt")):
        old = path.read_text(encoding="utf-8")
        new = filled(old)
        if differs(old, new):
            changed += 1
            sys.stdout.write(f"{path.name} {'is written' if write else 'differs'}\n")
            if write:
                path.write_text(new, encoding="utf-8")
    return changed


if __name__ == "__main__":
    found = main("--write" in sys.argv)
    sys.exit(0 if "--write" in sys.argv else int(found > 0))
