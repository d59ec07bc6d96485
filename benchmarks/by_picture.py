"""Search clips by a picture or a clip of another moment of the same video.

    python benchmarks/by_picture.py FOLDER [--json]

Protocol: FOLDER holds clips. Of each, five pictures a second are taken, cut in two at the middle
and encoded again (H.264). The gallery is an index of all second halves. Queries are made of the
first halves, so that no picture of a query is in the gallery: `still` is the picture at the middle
of the first half as a PNG file; `cropped` the same, mirrored, of which the middle 60 % of width
and height are kept; `clip` the whole first half. The target is the second half of the same clip, a
clip's score its best moment's; ranks are at mid-rank. R@k is the percentage of queries whose
target is ranked k or better, MdR the median rank. Each is asked of the latent side, the lexicon
side and both fused. A clip with a cut between the halves may have nothing in common with itself,
and is counted. A file of fewer than four pictures is left out and told.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from clips import MODES, summary
from over_clips import run

import unify
from unify.encoders.evaluate import mid_ranks
from unify.engine.fusion import Mode
from unify.engine.like import search_shown, stored_query
from unify.engine.query import Filters
from unify.engine.search import Searcher
from unify.engine.types import EncodedQuery, UInt8
from unify.indexer.ports import VideoEncoder
from unify.indexer.scaling import decode_image

KEPT = 0.6  # of the sides of a cropped picture
QUERIES = ("still", "cropped", "clip")


def pictures(path: Path) -> tuple[list[UInt8], Fraction]:
    """Return some five pictures a second of a clip, (height, width, 3) RGB, and their rate."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        rate = stream.average_rate or Fraction(25)
        step = max(1, round(rate / 5))
        frames = (f for i, f in enumerate(container.decode(stream)) if i % step == 0)
        return [frame.to_ndarray(format="rgb24") for frame in frames], rate / step


def write(path: Path, frames: Sequence[UInt8], rate: Fraction, crf: int = 23) -> None:
    """Write pictures as a clip, of less quality the greater `crf` is; a single one as a PNG."""
    even = [frame[: len(frame) // 2 * 2, : frame.shape[1] // 2 * 2] for frame in frames]
    with av.open(path, "w", format="image2" if path.suffix == ".png" else None) as container:
        stream = container.add_stream("png" if path.suffix == ".png" else "libx264", rate=rate)
        stream.height, stream.width = even[0].shape[:2]
        stream.pix_fmt = "rgb24" if path.suffix == ".png" else "yuv420p"
        if path.suffix != ".png":
            stream.options = {"crf": str(crf), "preset": "veryfast"}
        for frame in even:
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), "rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())


def cropped(frame: UInt8) -> UInt8:
    """Return the middle of a picture, mirrored."""
    height, width = frame.shape[:2]
    top, left = round(height * (1 - KEPT) / 2), round(width * (1 - KEPT) / 2)
    return frame[top : height - top, left : width - left][:, ::-1]


def halve(path: Path, here: dict[str, Path]) -> bool:
    """Write the second half of a clip into the gallery, and what is asked by beside it."""
    frames, rate = pictures(path)
    middle = len(frames) // 2
    if middle < 2:
        return False
    still = frames[middle // 2]
    write(here["gallery"] / f"{path.stem}.mp4", frames[middle:], rate)
    write(here["still"] / f"{path.stem}.png", [still], rate)
    write(here["cropped"] / f"{path.stem}.png", [cropped(still)], rate)
    write(here["clip"] / f"{path.stem}.mp4", frames[:middle], rate)
    return True


def rank(index: Searcher, shown: EncodedQuery, name: str, mode: Mode) -> float:
    """Return the rank of the clip of a name."""
    hits = search_shown(index, shown, k=index.backend.statistics().videos, mode=mode)
    names = [Path(hit.video).stem for hit in hits]
    scores = np.array([[hit.score for hit in hits]])
    return float(mid_ranks(scores, np.array([names.index(name)]))[0])


def stills(index: Searcher, paths: list[Path]) -> dict[str, EncodedQuery]:
    """Return pictures as queries by the clip that they are of, as `--image` makes them."""
    encoder = cast(VideoEncoder, index.encoder)
    frames = np.stack([decode_image(path.read_bytes(), encoder.frame_shape) for path in paths])
    features = np.concatenate([encoder.encode_frames(frame[None]) for frame in frames])
    at = np.arange(len(paths))
    codes = encoder.encode_moments(features, np.stack([at, at + 1], axis=1))
    return {
        path.stem: EncodedQuery(latent, *codes.lexicon.row(row))
        for row, (path, latent) in enumerate(zip(paths, codes.latents, strict=True))
    }


def moments(index: Searcher) -> dict[str, EncodedQuery]:
    """Return the first moment of each video as a query, by its name: a short clip is one."""
    backend, size = index.backend, len(index.encoder.lexicon)
    ids = backend.every(backend.allowed(Filters(), [], 0.0))[::-1].tolist()
    return {Path(backend.facts(id_).video).stem: stored_query(backend, size, id_) for id_ in ids}


def measure(folder: Path) -> dict[str, object]:
    """Cut, index, search, and return all figures."""
    with tempfile.TemporaryDirectory() as temporary:
        here = {name: Path(temporary) / name for name in ("gallery", *QUERIES)}
        for place in here.values():
            place.mkdir()
        clips = sorted(folder.glob("*.mp4"))
        used = [clip for clip in clips if halve(clip, here)]
        for name in ("gallery", "clip"):
            unify.build_index([here[name]], Path(temporary) / f"{name}-index")
        index = unify.open_index(Path(temporary) / "gallery-index")
        queries = {
            **{kind: stills(index, sorted(here[kind].glob("*.png"))) for kind in QUERIES[:2]},
            "clip": moments(unify.open_index(Path(temporary) / "clip-index")),
        }
        found = {
            kind: {
                str(mode): summary(np.array([rank(index, q, n, mode) for n, q in asked.items()]))
                for mode in MODES
            }
            for kind, asked in queries.items()
        }
        return {
            "clips": len(used),
            "left_out": [clip.name for clip in clips if clip not in used],
            "fingerprint": index.encoder.fingerprint,
            "recall": found,
        }


def table(figures: dict[str, object]) -> str:
    """Return the figures as markdown."""
    recall = figures["recall"]
    assert isinstance(recall, dict)
    lines = ["| asked by | mode | R@1 | R@5 | R@10 | MdR |", "|---|---|---|---|---|---|"]
    for kind, modes in recall.items():
        for mode, row in modes.items():
            numbers = " | ".join(f"{value:g}" for value in row.values())
            lines.append(f"| {kind} | {mode} | {numbers} |")
    return "\n".join([*lines, "", f"{figures['clips']} clips; left out: {figures['left_out']}"])


if __name__ == "__main__":
    run("Recall of clips by a picture of them.", measure, table)
