"""How fast videos are indexed, what each stage costs, and how much memory it takes.

    python benchmarks/indexing.py CLIPS [--videos DIR] [--codecs h264,hevc] [--heights 360,1080]
        [--seconds 600] [--gop 250] [--fps 1] [--workers N] [--copies 1] [--max-memory SIZE]
        [--json]

Protocol: the videos are made by `footage.py` from the .mp4 files in the folder CLIPS (30 frames
a second, 16:9, at least 1.2, 6 and 20 Mbit/s at 360, 1080 and 2160 lines) and kept in DIR. Each
is indexed by a fresh process into an empty directory, with the pack `mini`. Reported are seconds
of video over wall seconds of the build, starting the process and loading the pack left out; CPU
seconds of all its processes; and the most memory that they held together at one time, pages
that they share counted once (PSS, read ten times a second from Linux's /proc).

Each stage alone is timed in CPU seconds on the first two minutes: `demux` reads all packets,
`decode` makes the wanted pictures, `scale` brings them to the encoder's size, `encode` turns them
into features; `write` is what follows the last picture of the whole video: moments, segment,
manifest. A stage's figure is seconds of video over CPU seconds; on N processors the whole can be
N times as fast as all stages one after the other. `full decode` is what decoding every picture
would take. Other programs on the machine lengthen the wall time, hardly the CPU seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import av
import footage
import numpy as np
import openvino

import unify
from unify.encoders.packs import open_pack
from unify.indexer.decode import VideoFile
from unify.indexer.needed import PacketOrder
from unify.indexer.progress import Advanced, Progress, Published, VideoFinished
from unify.indexer.resources import parse_size
from unify.indexer.sampling import choose_frames
from unify.indexer.scaling import FrameScaler

STAGE_S = 120.0
SAMPLE_S = 0.1


@dataclass(frozen=True, slots=True)
class Options:
    """What a build is told."""

    fps: float
    workers: int | None
    max_memory_bytes: int | None


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole build: seconds of video, wall and CPU seconds, memory at its peak."""

    video_s: float
    wall_s: float
    cpu_s: float
    write_s: float
    peak_mb: float
    failed: list[str]


def cpu_s(work: Callable[[], Any]) -> float:
    """Return the CPU seconds that this process takes for some work."""
    before = time.process_time()
    work()
    return time.process_time() - before


def stages(path: Path, fps: float) -> dict[str, float]:
    """Return CPU seconds of each stage for a second of video."""
    pack = open_pack("mini")
    shape = pack.frame_shape
    video = VideoFile(str(path))
    whole_s = video.timeline().duration_s
    demux_s = cpu_s(video.timeline) / whole_s
    timeline = video.timeline()
    chosen = choose_frames(timeline.times_s, timeline.duration_s, fps)
    chosen = chosen[timeline.times_s[chosen] < STAGE_S]
    span_s = min(STAGE_S, whole_s)
    pictures: list[Any] = []

    def look() -> None:
        pictures[:] = [picture for _, picture in video.frames(timeline, chosen, shape)]

    short_s = cpu_s(look)
    frames = np.stack(pictures)
    video._order = PacketOrder()  # without it every picture is decoded
    full_s = cpu_s(look)
    if not np.array_equal(frames, np.stack(pictures)):
        raise SystemExit(f"{path}: the short way gives other pictures")
    scale_s = _scale_s(path, shape) * len(chosen)
    pack.encode_frames(frames[:4])
    encode_s = cpu_s(lambda: pack.encode_frames(frames))
    rest = {"decode": short_s - scale_s, "scale": scale_s, "encode": encode_s}
    found = {"demux": demux_s} | {name: value / span_s for name, value in rest.items()}
    return found | {"full decode": (full_s - scale_s) / span_s}


def _scale_s(path: Path, shape: Any) -> float:
    """Return the CPU seconds that scaling one picture takes."""
    scale = FrameScaler(shape)
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            scale(frame)
            again = partial(scale, frame)
            return min(cpu_s(again) for _ in range(20))
    raise SystemExit(f"{path}: no picture")


def build_here(paths: list[Path], options: Options) -> None:
    """Index into an empty directory and print what it took; run in a process of its own."""
    last_picture_s = written_s = write_s = 0.0

    def tell(event: Progress) -> None:
        nonlocal last_picture_s, write_s, written_s
        now_s = time.perf_counter()
        match event:
            case Advanced(_, video_s, _) if video_s > written_s:
                last_picture_s, written_s = now_s, video_s
            case VideoFinished() | Published():
                write_s += now_s - last_picture_s
                last_picture_s = now_s

    settings = unify.BuildOptions(
        fps=options.fps, workers=options.workers, max_memory_bytes=options.max_memory_bytes
    )
    with tempfile.TemporaryDirectory() as index:
        report = unify.build_index(paths, index, settings, tell)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    spent_s = sum(one.ru_utime + one.ru_stime for one in used)
    failed = [f"{path}: {reason}" for path, reason in report.failed]
    whole = Whole(report.video_s, report.wall_s, spent_s, write_s, 0.0, failed)
    sys.stdout.write(json.dumps(asdict(whole)) + "\n")


def build(paths: list[Path], options: Options) -> Whole:
    """Index in a fresh process and watch the memory of all its processes."""
    told = json.dumps(asdict(options))
    command = [sys.executable, __file__, "--build-here", told, *map(str, paths)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        peak = 0
        while process.poll() is None:
            peak = max(peak, memory_bytes(process.pid))
            time.sleep(SAMPLE_S)
        said = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise SystemExit(f"the build of {paths[0]} failed")
    whole = Whole(**{**json.loads(said), "peak_mb": round(peak / 1e6, 1)})
    if whole.failed:
        raise SystemExit("\n".join(whole.failed))
    return whole


def memory_bytes(pid: int) -> int:
    """Return the memory of a process and all that it started, shared pages counted once."""
    total = 0
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += sum(map(memory_bytes, map(int, (task / "children").read_text().split())))
    except OSError:  # it has just ended
        return total
    return total


def measure(path: Path, options: Options, copies: int) -> dict[str, Any]:
    """Return all figures of one video."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        paths = []
        for number in range(copies):  # of other content each, or they would be indexed once
            paths.append(Path(folder) / f"{number}{path.suffix}")
            paths[-1].write_bytes(path.read_bytes() + bytes(number)) if copies > 1 else None
        whole = build(paths if copies > 1 else [path], options)
    costs = stages(path, options.fps)
    costs["write"] = whole.write_s / whole.video_s
    parts = {name: costs[name] for name in ("demux", "decode", "scale", "encode", "write")}
    return {
        "video": path.name,
        "mbit_s": round(path.stat().st_size * 8 / 1e6 / (whole.video_s / copies), 2),
        **asdict(whole),
        "times_real_time": round(whole.video_s / whole.wall_s, 1),
        "video_s_per_cpu_s": round(whole.video_s / whole.cpu_s, 1),
        "stages_times_real_time": {k: round(1 / max(v, 1e-9), 1) for k, v in costs.items()},
        "stages_percent": {k: round(100 * v / sum(parts.values())) for k, v in parts.items()},
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Return the figures as markdown."""
    names = list(rows[0]["stages_percent"])
    head = ["video", "x real time", "video s per CPU s", *names, "full decode", "peak MB"]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for row in rows:
        stage = row["stages_times_real_time"]
        cells = [f"{stage[name]:.0f} ({row['stages_percent'][name]} %)" for name in names]
        wall, cpu = f"{row['times_real_time']:g}", f"{row['video_s_per_cpu_s']:g}"
        last = [f"{stage['full decode']:.0f}", f"{row['peak_mb']:.0f}"]
        lines.append(f"| {' | '.join([row['video'], wall, cpu, *cells, *last])} |")
    return "\n".join(lines)


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    return {
        "machine": platform.machine(),
        "processors": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "av": av.__version__,
        "libavcodec": ".".join(map(str, av.library_versions["libavcodec"])),
        "openvino": openvino.__version__,
        "unify": unify.__version__,
    }


def main() -> None:
    """Run the benchmark."""
    if sys.argv[1:2] == ["--build-here"]:
        build_here([Path(path) for path in sys.argv[3:]], Options(**json.loads(sys.argv[2])))
        return
    parser = argparse.ArgumentParser(description="Speed and memory of indexing.")
    parser.add_argument("clips", type=Path)
    parser.add_argument("--videos", type=Path, default=Path(tempfile.gettempdir()) / "unify-videos")
    parser.add_argument("--codecs", default=",".join(footage.CODECS))
    parser.add_argument("--heights", default=",".join(map(str, footage.SCENE_S)))
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--gop", type=int, default=footage.GOP)
    parser.add_argument("--fps", type=float, default=1.0)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--copies", type=int, default=1, help="videos of this kind in the build")
    parser.add_argument("--max-memory")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    memory = parse_size(asked.max_memory) if asked.max_memory else None
    options = Options(asked.fps, asked.workers, memory)
    rows = []
    for height in map(int, asked.heights.split(",")):
        for codec in asked.codecs.split(","):
            path = footage.make(asked.clips, asked.videos, codec, height, asked.seconds, asked.gop)
            rows.append(measure(path, options, asked.copies))
            sys.stderr.write(json.dumps(rows[-1]) + "\n")
    figures = {**machine(), "options": asdict(options), "rows": rows}
    text = table(rows) + f"\n\n{', '.join(f'{k} {v}' for k, v in machine().items())}"
    sys.stdout.write((json.dumps(figures, indent=1) if asked.json else text) + "\n")


if __name__ == "__main__":
    main()
