"""How much memory a process takes that opens an index and answers queries.

    python benchmarks/memory.py FOLDER SHAPE MOMENTS QUERIES SEGMENT [--exact]

A fresh process, which `latency.py` starts, imports what a search imports, opens the index and asks
every query for 10 and for 100. Reported are its resident pages before it opens the index, their
peak from then on (VmHWM), and the part that is its own at the end (RssAnon): the rest are pages of
files, which the system takes back when it needs them. Read from Linux's /proc; elsewhere nothing
is reported.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from library import Library

from unify.engine.local import open_snapshot
from unify.engine.search import Searcher

STATUS, RESET_PEAK = Path("/proc/self/status"), Path("/proc/self/clear_refs")
KS = (10, 100)


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of one process.

    Attributes:
        imported: resident once everything is imported and the queries are made.
        peak: resident at most, until all queries are answered.
        anonymous: its own at the end, pages of files not counted.
    """

    imported: int
    peak: int
    anonymous: int


def status(field: str) -> int:
    """Return a field of this process's status in bytes."""
    for line in STATUS.read_text("utf-8").splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024
    raise KeyError(f"{STATUS} has no {field}")


def here(library: Library, exact: bool) -> Memory:
    """Measure this process."""
    assert library.pack.calibration  # made now: what that takes is no part of a search
    RESET_PEAK.write_text("5", "utf-8")  # https://man7.org/linux/man-pages/man5/proc.5.html
    imported = status("VmRSS")
    searcher = Searcher(open_snapshot(library.index), library.pack)
    for k in KS:
        for number in range(len(library.queries)):
            searcher.search(f"q{number}", k, moments=True, exact=exact)
    return Memory(imported, status("VmHWM"), status("RssAnon"))


def measured(library: Library, exact: bool) -> Memory | None:
    """Measure a fresh process that searches a library; None where there is no /proc.

    Raises:
        CalledProcessError: it failed; why is on stderr.
    """
    if not STATUS.exists():
        return None
    told = (library.folder, library.shape, library.moments, len(library.queries), library.segment)
    command = [sys.executable, __file__, *map(str, told), *(["--exact"] if exact else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return Memory(**json.loads(done.stdout))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Memory of a process that searches.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("shape")
    for name in ("moments", "queries", "segment"):
        parser.add_argument(name, type=int)
    parser.add_argument("--exact", action="store_true")
    options = parser.parse_args()
    library = Library.at(
        options.folder, options.shape, options.moments, options.queries, options.segment
    )
    sys.stdout.write(json.dumps(asdict(here(library, options.exact))) + "\n")


if __name__ == "__main__":
    main()
