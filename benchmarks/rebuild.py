"""How long a build takes that finds nothing new: names, sizes and times of all files, no content.

    python benchmarks/rebuild.py FOLDER [--videos 20000] [--runs 3] [--profile]

Makes, in FOLDER, that many real videos (one tiny MP4, each with a box of its own number at its
end, so that every content is another one) in folders of 200, and indexes them once, decoded for
real but with vectors that cost nothing, under the name of the `mini` pack. Both are kept there
and used again. Then it times `unify index build` of the unchanged folder, each run a process of
its own, beside a process that only imports the same libraries and opens the pack; and opening the
index, as every search does.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import statistics
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import av
import numpy as np

from unify.encoders.packs import open_pack
from unify.engine.local import open_snapshot
from unify.engine.manifest import IndexSettings
from unify.engine.types import Float32, Int64, MomentCodes, SparseRows, UInt8
from unify.indexer.build import build

PER_FOLDER = 200
ENTRY = "import sys; from unify.cli.main import main; sys.argv[1:] = {!r}; main()"
LOAD = 'import unify.indexer.build; from unify.encoders.packs import open_pack; open_pack("mini")'


class FreeEncoder:
    """The `mini` pack as far as an index can tell, with the same row for every moment."""

    def __init__(self) -> None:
        self._pack = open_pack("mini")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pack, name)

    def encode_frames(self, frames: UInt8) -> Float32:
        """Encode (F, height, width, 3) frames to (F, 1) zeros."""
        return np.zeros((len(frames), 1), np.float32)

    def encode_moments(self, features: Float32, spans: Int64) -> MomentCodes:
        """Encode every moment to the same vector and one word."""
        latents = np.zeros((len(spans), self._pack.latent_dim), np.float32)
        latents[:, 0] = 1.0
        return MomentCodes(latents, _one_word(len(spans)), _one_word(len(features)))

    def settings(self) -> IndexSettings:
        """Return what `unify index build` would ask for."""
        pack = self._pack
        return IndexSettings(
            "mini", pack.fingerprint, pack.latent_dim, len(pack.lexicon), 1.0, 8.0, "pyav"
        )


def _one_word(rows: int) -> SparseRows:
    return SparseRows(np.arange(rows + 1), np.zeros(rows, np.uint16), np.ones(rows, np.float32))


def make_videos(folder: Path, count: int) -> None:
    """Write the videos that are not there yet."""
    first = folder / "first.mp4"
    if not first.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with av.open(str(first), "w") as out:
            stream = out.add_stream("libx264", rate=1)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), "rgb24")
            out.mux(stream.encode(frame))
            out.mux(stream.encode())
    data = first.read_bytes()
    for number in range(count):
        path = folder / "videos" / f"{number // PER_FOLDER:04d}" / f"{number:06d}.mp4"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data + struct.pack(">I4sQ", 16, b"free", number))


def seconds(code: str) -> float:
    """Run Python code in a process of its own and return its wall time."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


def profile(videos: Path, index: Path) -> None:
    """Print what the time of one build of the unchanged folder goes into."""
    encoder = FreeEncoder()
    profiler = cProfile.Profile()
    profiler.runcall(build, [videos], index, encoder, encoder.settings())
    pstats.Stats(profiler).sort_stats("cumulative").print_stats(40)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="A build of an unchanged folder.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--videos", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    make_videos(options.folder, options.videos)
    videos, index = options.folder / "videos", options.folder / "index"
    encoder = FreeEncoder()
    report = build([videos], index, encoder, encoder.settings())
    sys.stdout.write(
        f"{report.found:,} videos: {report.indexed:,} indexed in {report.wall_s:.1f} s\n"
    )
    if options.profile:
        profile(videos, index)
    again = ENTRY.format(["index", "build", str(videos), "--index", str(index)])
    build_s = [seconds(again) for _ in range(options.runs)]
    load_s = [seconds(LOAD) for _ in range(options.runs)]
    open_ms = []
    for _ in range(options.runs):
        started = time.perf_counter()
        open_snapshot(index).statistics()
        open_ms.append(1000 * (time.perf_counter() - started))
    sys.stdout.write(
        f"again, unchanged: {statistics.median(build_s):.2f} s "
        f"(of which {statistics.median(load_s):.2f} s to load libraries and pack)\n"
        f"opening the index: {statistics.median(open_ms):.0f} ms\n"
    )


if __name__ == "__main__":
    main()
