"""How alike are copies of a clip, and how alike are different clips: where to call two the same.

    python benchmarks/near_duplicates.py FOLDER [--json]

Protocol: FOLDER holds clips, each of other footage. Of each, three copies are written: `resized`
to two thirds of width and height; `trimmed` at the first tenth of its pictures; `bordered`, a
tenth of width and height cut away, half on each side. All with H.264 at a low quality (crf 33).
Originals and copies are indexed together. Two videos are as alike as the two moments of them whose
latents have the greatest inner product. For each threshold: the percentage of copies that are at
least so alike to their original, and of originals that are so alike to another original.
`neighbours` are moments of one clip that follow one another: scenes that go on.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import av
import numpy as np
from by_picture import pictures, write
from over_clips import run

import unify
from unify.engine.query import Filters
from unify.engine.types import Float32, UInt8

COPIES = ("resized", "trimmed", "bordered")
THRESHOLDS = (0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98)


def copies(path: Path, folder: Path) -> None:
    """Write the copies of a clip."""
    frames, rate = pictures(path)
    height, width = frames[0].shape[:2]
    top, left = height // 20, width // 20
    kept: dict[str, list[UInt8]] = {
        "resized": [resized(frame, width * 2 // 3, height * 2 // 3) for frame in frames],
        "trimmed": frames[len(frames) // 10 :],
        "bordered": [frame[top : height - top, left : width - left] for frame in frames],
    }
    for name, some in kept.items():
        write(folder / f"{path.stem}.{name}.mp4", some, rate, crf=33)


def resized(frame: UInt8, width: int, height: int) -> UInt8:
    """Scale a picture."""
    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), "rgb24")
    return picture.reformat(width=width, height=height).to_ndarray()


def latents_of(folders: list[Path], index: Path) -> dict[str, Float32]:
    """Index folders; return (M, D) latents of each video by its file name without the suffix."""
    unify.build_index(folders, index)
    backend = unify.open_index(index).backend
    ids = backend.every(backend.allowed(Filters(), [], 0.0))
    names = [Path(backend.facts(int(moment)).video).stem for moment in ids]
    rows = backend.latents(ids)
    return {name: rows[[n == name for n in names]] for name in dict.fromkeys(names)}


def measure(folder: Path) -> dict[str, object]:
    """Copy, index, compare, and return all figures."""
    clips = sorted(folder.glob("*.mp4"))
    with tempfile.TemporaryDirectory() as temporary:
        made = Path(temporary) / "copies"
        made.mkdir()
        for clip in clips:
            copies(clip, made)
        latents = latents_of([folder, made], Path(temporary) / "index")
    stems = [clip.stem for clip in clips]
    alike = {
        name: np.array([float((latents[s] @ latents[f"{s}.{name}"].T).max()) for s in stems])
        for name in COPIES
    }
    others = np.array(
        [max(float((latents[a] @ latents[b].T).max()) for b in stems if b != a) for a in stems]
    )
    neighbours = np.concatenate(
        [(latents[s][1:] * latents[s][:-1]).sum(axis=1) for s in stems if len(latents[s]) > 1]
    )
    groups = {**alike, "neighbours": neighbours, "another clip": others}
    return {
        "clips": len(clips),
        "least": {name: round(float(values.min()), 3) for name, values in groups.items()},
        "greatest": {name: round(float(values.max()), 3) for name, values in groups.items()},
        "percent": {
            threshold: {
                name: round(100 * float((values >= threshold).mean()), 1)
                for name, values in groups.items()
            }
            for threshold in THRESHOLDS
        },
    }


def table(figures: dict[str, object]) -> str:
    """Return the figures as markdown."""
    percent, least, greatest = (figures[key] for key in ("percent", "least", "greatest"))
    assert isinstance(percent, dict) and isinstance(least, dict) and isinstance(greatest, dict)
    lines = ["| at least | " + " | ".join(least) + " |", "|---" * (1 + len(least)) + "|"]
    for threshold, row in percent.items():
        lines.append(
            f"| {threshold} | " + " | ".join(f"{value:g}" for value in row.values()) + " |"
        )
    for title, row in (("least", least), ("greatest", greatest)):
        lines.append(f"| {title} | " + " | ".join(f"{value:g}" for value in row.values()) + " |")
    return "\n".join([*lines, "", f"{figures['clips']} clips; percent of each kind"])


if __name__ == "__main__":
    run("How alike copies and other clips are.", measure, table)
