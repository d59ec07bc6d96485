"""Join captioned clips into long videos, search every caption, and see if its stretch is found.

    python benchmarks/concatenated.py FOLDER [--pack NAME] [--pooling] [--sweep]

Protocol: FOLDER holds clips and `captions.tsv` (columns `file` and `caption`), or is a data set
of stills, of whose held-out half every second item is looked at by a moving camera. The clips are
joined in random order, 4 to 24 to a video (`benchmarks/joined.py`), and indexed. Each caption is
a query over all moments; found is the stretch of its clip if the first hit is a moment of the
right video whose intersection over union with it is 0.3, or 0.5. `apart` is the same search over
the same clips or parts of clips as a video each; `kept` is R@1 at 0.5 over R@1 apart.

Ways to cut a video into moments: `windows` of 8 s, without regard to shots; windows in `shots` as
`unify index build` finds and cuts them; `whole` shots of up to a minute beside the windows in
them; windows in the stretches that were joined, which nobody could know (`joined`). P and R are
precision and recall of cuts: found is one that lies within a second of a joint. Clips with cuts of
their own lower precision by right.

`--sweep` compares constants of `indexer/shots.py` instead, `--pooling` adds ways to make one
moment of its frames, for the first condition. Constants were chosen on stills; clips are reported.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from joined import Clip, Condition, Truth, clips_in, make, make_alone, stills_in

from unify.encoders.heads import MOMENT_TERMS, HeadsFile, VideoHead, normalised, unit
from unify.encoders.packs import Pack, open_pack
from unify.engine.local import open_snapshot
from unify.engine.manifest import IndexSettings
from unify.engine.search import Searcher
from unify.engine.segment import MomentSpans
from unify.engine.types import Float32, Float64, Int64, MomentCodes, SparseRows
from unify.engine.writer import IndexWriter, Root, Video
from unify.indexer.decoding import Batch, DecodeProcess, Started
from unify.indexer.moments import cut_moments
from unify.indexer.shots import JUMP, PRICE, find_shots
from unify.indexer.worker import Decoder, Request

WINDOW_S = 8.0
WHOLE_S = 60.0
NEAR_S = 1.0

Encode = Callable[[Float32, Int64], MomentCodes]


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a video: times and features of its frames, and where clips were joined."""

    file: str
    duration_s: float
    times: Float64
    features: Float32
    joints: Float64


@dataclass(frozen=True, slots=True)
class Figures:
    """What a search found: percentages, moments an hour, and precision and recall of cuts."""

    at_3: float
    at_5: float
    first: float
    per_hour: float
    precision: float
    recall: float


def look(folder: Path, truths: Sequence[Truth], pack: Pack) -> list[Seen]:
    """Decode and encode the frames of all videos as a build does."""
    process = DecodeProcess()
    seen = []
    for file in dict.fromkeys(truth.file for truth in truths):
        times, features, duration_s = [], [], 0.0
        request = Request(str(folder / file), 1.0, pack.frame_shape, Decoder.PYAV)
        for event in process.decode(request):
            match event:
                case Started():
                    duration_s = event.duration_s
                case Batch():
                    times.append(event.times_s)
                    features.append(pack.encode_frames(event.frames))
        joints = np.array([t.start_s for t in truths if t.file == file][1:], np.float64)
        whole = np.concatenate(times), np.concatenate(features)
        seen.append(Seen(file, duration_s, *whole, joints))
    process.close()
    return seen


def in_one(video: Seen) -> Int64:
    """Return the first frames of shots, were there no cut."""
    return np.zeros(1, np.int64)


def as_built(video: Seen, price: float = PRICE, jump: float = JUMP) -> Int64:
    """Return the first frames of shots as a build finds them."""
    return find_shots(video.features, video.duration_s, price, jump)


def as_joined(video: Seen) -> Int64:
    """Return the first frames of the stretches that were joined."""
    frames = np.searchsorted(video.times, video.joints)
    return np.unique(np.append(0, frames[frames < len(video.times)]))


@dataclass(frozen=True, slots=True)
class Way:
    """A way to cut videos into moments; see the protocol."""

    name: str
    shots: Callable[[Seen], Int64]
    whole: bool = False


SHOTS = Way("shots", as_built)
WAYS = (
    Way("windows", in_one), SHOTS, Way("whole", as_built, whole=True), Way("joined", as_joined),
)  # fmt: skip
SWEEP = tuple(
    Way(f"price {price:g}, jump {jump:g}", partial(as_built, price=price, jump=jump))
    for price in (0.4, 0.8, 1.2, 1.6)
    for jump in (0.0, 0.25, 0.35, 0.45)
)


def moments_of(video: Seen, way: Way) -> MomentSpans:
    """Return the moments of a video."""
    shots = way.shots(video)
    spans = cut_moments(video.times, video.duration_s, WINDOW_S, shots)
    if not way.whole:
        return spans
    rows = list(zip(spans.start_s, spans.end_s, spans.first, spans.last, strict=True))
    shot_of = np.searchsorted(shots, spans.first, side="right")
    for shot in np.unique(shot_of):
        inside = np.flatnonzero(shot_of == shot)
        a, b = inside[0], inside[-1]
        if a < b and spans.end_s[b] - spans.start_s[a] <= WHOLE_S:
            rows.append((spans.start_s[a], spans.end_s[b], spans.first[a], spans.last[b]))
    starts, ends, first, last = zip(*sorted(rows), strict=True)
    return MomentSpans(np.array(starts), np.array(ends), np.array(first), np.array(last))


def index_of(
    videos: Sequence[Seen], way: Way, pack: Pack, encode: Encode, directory: Path
) -> Searcher:
    """Write an index of what was seen, and open it."""
    settings = IndexSettings(
        pack.name, pack.fingerprint, pack.latent_dim, len(pack.lexicon), 1.0, WINDOW_S, "pyav"
    )
    with IndexWriter.open(directory, settings) as writer:
        for number, video in enumerate(videos):
            spans = moments_of(video, way)
            codes = encode(video.features, np.stack([spans.first, spans.last], axis=1))
            writer.add(number, spans, video.times, codes)
        root = [Root("joined", str(directory))]
        rows = [Video(i, 0, video.file, video.duration_s, 0.0) for i, video in enumerate(videos)]
        writer.publish(root, rows)
    return Searcher(open_snapshot(directory), pack)


def overlap(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Return intersection over union of two stretches of time.

    >>> overlap((0.0, 8.0), (4.0, 12.0))
    0.3333333333333333
    """
    inner = min(a[1], b[1]) - max(a[0], b[0])
    return max(0.0, inner) / (max(a[1], b[1]) - min(a[0], b[0]))


def cuts(videos: Sequence[Seen], way: Way) -> tuple[float, float]:
    """Return precision and recall of cuts, 1 where there is nothing to find."""
    right = found = there = 0
    for video in videos:
        shots = way.shots(video)[1:]
        edges = (video.times[shots - 1] + video.times[shots]) / 2
        left = video.joints.tolist()
        found, there = found + len(edges), there + len(left)
        for edge in edges.tolist():
            near = min(left, key=lambda joint, edge=edge: abs(joint - edge), default=np.inf)
            if abs(near - edge) <= NEAR_S:
                left.remove(near)
                right += 1
    return right / found if found else 1.0, right / there if there else 1.0


def search(
    videos: Sequence[Seen],
    truths: Sequence[Truth],
    way: Way,
    pack: Pack,
    encode: Encode | None = None,
) -> Figures:
    """Index, search every caption, and say how often its stretch comes first."""
    asked = [(caption, truth) for truth in truths for caption in truth.captions]
    with tempfile.TemporaryDirectory() as directory:
        index = index_of(videos, way, pack, encode or pack.encode_moments, Path(directory))
        moments = index.backend.statistics().moments
        first, overlaps = [], []
        queries = [caption for caption, _ in asked]
        for answer, (_, truth) in zip(
            index.search_many(queries, 1, moments=True), asked, strict=True
        ):
            if isinstance(answer, Exception):
                raise answer
            hit = answer[0]
            right = Path(hit.video).name == truth.file
            stretch = truth.start_s, truth.end_s
            overlaps.append(overlap((hit.start_s, hit.end_s), stretch) if right else 0.0)
            first.append(right)
    hours = sum(video.duration_s for video in videos) / 3600
    at = np.array(overlaps)
    precision, recall = cuts(videos, way)
    shares = [100 * float(np.mean(x)) for x in (at >= 0.3, at >= 0.5, first)]
    return Figures(*shares, moments / hours, precision, recall)


class PooledHead(VideoHead):
    """Frames to moments in other ways than those of the pack.

    Args:
        file: the pack's heads.
        latent: `mean` of features, `latents` (the mean of the frames' own), or `central` (the
            mean of the half of the features that are nearest to the mean).
        top: how many of a term's largest weights are averaged; 0: all.
    """

    def __init__(self, file: HeadsFile, latent: str, top: int) -> None:
        super().__init__(file)
        self._how = latent
        self._top = top

    def encode(self, features: Float32, spans: Int64) -> MomentCodes:
        """Encode moments of one video."""
        weights = self._weights(features)
        pooled = np.stack([self._of_terms(weights[a:b]) for a, b in spans.tolist()])
        latents = np.stack([self._of_latents(features[a:b]) for a, b in spans.tolist()])
        rows = normalised(SparseRows.from_dense(pooled, MOMENT_TERMS))
        return MomentCodes(unit(latents), rows, SparseRows.from_dense(weights, 1))

    def _of_terms(self, weights: Float32) -> Float32:
        count = min(self._top or len(weights), len(weights))
        return np.asarray(np.sort(weights, axis=0)[-count:].mean(axis=0), np.float32)

    def _of_latents(self, features: Float32) -> Float32:
        if self._how == "latents":
            return np.asarray(unit(self._latent(features)).mean(axis=0), np.float32)
        if self._how == "central":
            near = np.argsort(-unit(features) @ features.mean(axis=0), kind="stable")
            features = features[np.sort(near[: -(-len(features) // 2)])]
        return self._latent(features.mean(axis=0, keepdims=True))[0]


def poolings(videos: Sequence[Seen], truths: Sequence[Truth], pack: Pack) -> list[str]:
    """Return a markdown table of ways to pool."""
    file = HeadsFile(pack.facts().folder / "heads.safetensors")
    lines = ["", "| latent | terms | R@1, IoU 0.3 | R@1, IoU 0.5 |", "|---|---|---|---|"]
    for latent, top in (
        ("mean", 1), ("latents", 1), ("central", 1), ("mean", 2), ("mean", 3), ("mean", 0),
    ):  # fmt: skip
        found = search(videos, truths, SHOTS, pack, PooledHead(file, latent, top).encode)
        terms = {0: "mean", 1: "max"}.get(top, f"top-{top} mean")
        lines.append(f"| {latent} | {terms} | {found.at_3:.1f} | {found.at_5:.1f} |")
    return lines


def row(condition: Condition, name: str, found: Figures, apart: float) -> str:
    """Return a line of the table."""
    shares = f"{found.at_3:.1f} | {found.at_5:.1f} | {found.at_5 / max(apart, 1e-9):.2f}"
    cut = f"{found.precision:.2f} | {found.recall:.2f}"
    return f"| {condition} | {name} | {shares} | {found.per_hour:.0f} | {cut} |"


def measure(
    clips: Sequence[Clip],
    work: Path,
    pack: Pack,
    conditions: Sequence[Condition],
    ways: Sequence[Way] = WAYS,
    pooling: bool = False,
) -> list[str]:
    """Make the videos, search them, and return the lines of tables."""
    lines = ["| clips | moments | R@1, IoU 0.3 | R@1, IoU 0.5 | kept | an hour | P | R |"]
    lines.append("|---|---|---|---|---|---|---|---|")
    extra: list[str] = []
    for condition in conditions:
        here = {name: work / f"{condition}-{name}" for name in ("apart", "long")}
        for path in here.values():
            path.mkdir(parents=True, exist_ok=True)
        alone = make_alone(clips, here["apart"], condition, 0)
        apart = search(look(here["apart"], alone, pack), alone, SHOTS, pack)
        lines.append(f"| {condition} | apart | | {apart.first:.1f} | | {apart.per_hour:.0f} | | |")
        truths = make(clips, here["long"], condition, 0)
        videos = look(here["long"], truths, pack)
        for way in ways:
            found = search(videos, truths, way, pack)
            lines.append(row(condition, way.name, found, apart.first))
        if pooling and not extra:
            extra = poolings(videos, truths, pack)
    asked = sum(len(clip.captions) for clip in clips)
    return [*lines, "", f"{len(clips)} clips, {asked} captions, pack {pack.name}", *extra]


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="Right stretches of long videos.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pack", default="mini")
    parser.add_argument("--conditions", nargs="+", type=Condition, default=list(Condition))
    parser.add_argument("--pooling", action="store_true")
    parser.add_argument("--sweep", action="store_true")
    options = parser.parse_args()
    pack = open_pack(options.pack)
    if not isinstance(pack, Pack):
        raise SystemExit(f"{options.pack} is no pack with heads; use mini, or one from unify train")
    captions = options.folder / "captions.tsv"
    known = captions.exists()
    clips = clips_in(options.folder, captions) if known else stills_in(options.folder, 5)
    ways = SWEEP if options.sweep else WAYS
    with tempfile.TemporaryDirectory() as work:
        lines = measure(clips, Path(work), pack, options.conditions, ways, options.pooling)
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
