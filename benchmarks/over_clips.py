"""A benchmark over a folder of clips, as a script: `FOLDER [--json]`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path


def run(
    description: str,
    measure: Callable[[Path], dict[str, object]],
    table: Callable[[dict[str, object]], str],
) -> None:
    """Measure on the folder that the command line names; print figures as a table or as JSON."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = measure(options.folder)
    sys.stdout.write((json.dumps(figures, indent=1) if options.json else table(figures)) + "\n")
