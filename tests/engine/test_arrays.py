import re
from pathlib import Path

import numpy as np
import pytest

from unify.engine import arrays
from unify.engine.local import open_snapshot


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="needs Linux's /proc")
def test_a_snapshot_reads_latents_here_and_there(corpus):
    segment = open_snapshot(corpus.directory).segments[0]
    _ = segment.latents
    maps = Path("/proc/self/smaps").read_text()
    (flags,) = re.findall(rf"{re.escape(str(segment.latents_path))}\n[^/]*?VmFlags:(.*)", maps)
    assert "rr" in flags.split()


def test_what_is_no_map_is_left_alone():
    arrays.at_random(np.zeros(3))
