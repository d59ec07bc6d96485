"""How long a whole `unify search` takes, beside a process that only loads what it needs.

    python benchmarks/cold.py INDEX [--runs N]

Two commands in turn, A B A B ..., each a fresh process timed from outside: A is `unify search`
on INDEX, B imports the same libraries (pydantic among them, which typer imports to read arguments),
opens the pack's text side and ends. Prints medians and the median of the pairwise ratios; the first
pair is not counted.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time

ASKED = ["search", "a man cooking pasta", "--json", "--no-words"]  # the user's dictionary left out
SEARCH = [sys.executable, "-m", "unify", *ASKED, "--index"]
LOAD = """
import numpy, pydantic.types, safetensors, tokenizers, typer, unify.cli.main, unify.engine.search
from unify.encoders.packs import open_pack
pack = open_pack("mini")
pack.encode_query("a man cooking pasta")
pack.calibration
"""


def seconds(command: list[str]) -> float:
    """Run a command to its end and return its wall time."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ)
    return time.perf_counter() - started


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="Cold start of a search.")
    parser.add_argument("index")
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    pairs = [
        (seconds([*SEARCH, options.index]), seconds([sys.executable, "-c", LOAD]))
        for _ in range(options.runs + 1)
    ][1:]
    search, load = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    sys.stdout.write(f"search {search:.3f} s, load alone {load:.3f} s, ratio {ratio:.2f}\n")


if __name__ == "__main__":
    main()
