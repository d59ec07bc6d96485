"""Compare warm searches through the REST interface with the same searches in Python.

    python benchmarks/rest.py INDEX [--queries FILE] [--repeat N] [--json]

Protocol: `unify serve` runs as a process of its own on the loopback address, with one client and
one kept connection. Each query (a line of FILE; by default twelve everyday ones) is asked in turn
through REST and in this process, at k = 24, `--repeat` times after a first round that does not
count, so that load by others meets both alike. `server` is the time that the server itself reports
(`Server-Timing`: parse, encode, search, find peaks, make the JSON); `round trip` is what the
client waits; `python` is `Searcher.search`. The bar: server p50 within 2 ms of Python's.
"""

from __future__ import annotations

import argparse
import http.client
import json
import platform
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import numpy as np

import unify

K = 24
BAR_MS = 2.0
QUERIES = (
    "a man cooking pasta", "two dogs playing in the snow", "a red car on a street at night",
    "a woman talking to the camera", "a cartoon animal dancing", "people playing football",
    "a boat on the water", "a child eating cake", "a close-up of a flower", "a city from above",
    "a man plays the guitar on stage", "someone cutting vegetables",
)  # fmt: skip


@contextmanager
def serving(index: Path) -> Iterator[int]:
    """Run `unify serve` and give its port."""
    command = [sys.executable, "-m", "unify", "serve", "--port", "0", "--index", str(index)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        yield int(address.rstrip("/").rpartition(":")[2])
    finally:
        process.terminate()
        process.wait()


def ask(line: http.client.HTTPConnection, query: str) -> tuple[float, float]:
    """Return milliseconds that the server reports, and that the client waited."""
    started = time.perf_counter()
    line.request("GET", f"/api/v1/search?k={K}&q={quote(query)}")
    answer = line.getresponse()
    body = answer.read()
    waited_ms = 1000 * (time.perf_counter() - started)
    if answer.status != 200:
        raise SystemExit(f"{answer.status}: {body.decode()}")
    reported = re.search(r"dur=([\d.]+)", answer.getheader("server-timing", ""))
    assert reported is not None
    return float(reported[1]), waited_ms


def measure(index: Path, queries: list[str], repeat: int) -> dict[str, np.ndarray]:
    """Return milliseconds of every counted search, by how it was made."""
    searcher = unify.open_index(index)
    found: dict[str, list[float]] = {"python": [], "server": [], "round trip": []}
    with serving(index) as port:
        line = http.client.HTTPConnection("127.0.0.1", port)
        for turn in range(repeat + 1):
            for query in queries:
                started = time.perf_counter()
                searcher.search(query, K)
                python_ms = 1000 * (time.perf_counter() - started)
                server_ms, waited_ms = ask(line, query)
                if turn:
                    for name, ms in zip(found, (python_ms, server_ms, waited_ms), strict=True):
                        found[name].append(ms)
    return {name: np.array(times) for name, times in found.items()}


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("index", type=Path)
    parser.add_argument("--queries", type=Path)
    parser.add_argument("--repeat", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    queries = given.queries.read_text("utf-8").splitlines() if given.queries else list(QUERIES)
    times = measure(given.index, queries, given.repeat)
    rows = {
        name: {f"p{p}": round(float(np.percentile(ms, p)), 2) for p in (50, 90, 99)}
        for name, ms in times.items()
    }
    above_ms = round(rows["server"]["p50"] - rows["python"]["p50"], 2)
    if given.json:
        facts = {
            "machine": platform.processor() or platform.machine(),
            "python": platform.python_version(),
            "k": K,
            "queries": len(queries),
            "repeat": given.repeat,
        }
        sys.stdout.write(json.dumps({**facts, "ms": rows, "above_ms": above_ms}) + "\n")
        return
    lines = ["| | p50 | p90 | p99 |", "|---|---|---|---|"]
    for name, row in rows.items():
        lines.append(f"| {name}, ms | {row['p50']:.2f} | {row['p90']:.2f} | {row['p99']:.2f} |")
    verdict = "within" if above_ms <= BAR_MS else "above"
    lines += [
        "",
        f"server p50 {above_ms:+.2f} ms beside Python's, {verdict} the bar of {BAR_MS:g} ms",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
