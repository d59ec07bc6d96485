"""`python -m tests.reliability.builder INDEX PATH...`: a build for tests that kill it.

It says `building` when it begins, publishes after every video, and tries failed ones again.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.indexer.building import NumberEncoder, run_build
from unify.indexer import build as building

if __name__ == "__main__":
    building._PUBLISH_MOMENTS = 1
    print("building", flush=True)  # noqa: T201
    slow = NumberEncoder(pause_s=0.01)
    run_build(sys.argv[2:], Path(sys.argv[1]), slow, retry_failed=True, workers=2)
