"""From trained heads to a pack: measure, calibrate, write.

Everything here runs on the NumPy heads, the ones that users run, never on torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from unify.encoders import calibrate
from unify.encoders.data import Item, Source
from unify.encoders.evaluate import Recall, Scores, score
from unify.encoders.features import Features
from unify.encoders.heads import HeadsFile, TextHead, VideoHead
from unify.encoders.manifest import Manifest, describe_files
from unify.encoders.wordlist import STOP_WORDS
from unify.engine.fusion import Mode
from unify.engine.lexicon import Lexicon, words_of
from unify.engine.types import (
    Bool,
    Calibration,
    EncodedQuery,
    Float32,
    MomentCodes,
)
from unify.indexer.ports import FrameShape

PACK_SHAPE = FrameShape(width=260, height=260, fit="squash")
MAX_TOKENS = 128
CALIBRATION_CAPTIONS = 2000
STRONGEST = 5
# Frequent words (man, woman) glow faintly in every frame and would crowd the reasons. Taking off
# this share of each term's mean weight costs nothing: mean fused recall of held-out captions 41.9
# with 0, 42.0 with 0.7, 41.8 with 1.0, 41.7 with 1.3.
BACKGROUND_SHARE = 0.7


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured on the held-out items.

    Attributes:
        recall: per source and mode.
        constant: per source, fused by one affine map for all queries.
        moment_terms: median weights of a moment.
        query_terms: median terms of a caption.
        named: per source, share of moments' five strongest terms that a caption of theirs names.
        coverage: share of the captions' words, stop words left out, that the lexicon has.
        lexicon_weight: chosen, see `Calibration`.
        shows: chosen.
        weak: chosen.
    """

    recall: dict[Source, dict[Mode, Recall]]
    constant: dict[Source, Recall]
    moment_terms: float
    query_terms: float
    named: dict[Source, float]
    coverage: float
    lexicon_weight: float
    shows: float
    weak: float

    def table(self) -> str:
        """Return the figures as a markdown table."""
        rows = ["| held-out set | mode | R@1 | R@5 | R@10 | MdR |", "|---|---|---|---|---|---|"]
        for source, modes in self.recall.items():
            rows += [f"| {source} | {mode} | {found} |" for mode, found in modes.items()]
            rows.append(f"| {source} | fused, constant map | {self.constant[source]} |")
        said = ", ".join(f"{source} {share:.2f}" for source, share in self.named.items())
        return "\n".join([*rows, "", f"five strongest terms named by a caption: {said}"])


def save_heads(
    path: Path, tensors: Mapping[str, Float32], calibration: Calibration | None = None
) -> None:
    """Write `heads.safetensors`: matrices as float16, vectors and statistics as float32."""
    out = {
        name: np.ascontiguousarray(np.atleast_1d(tensor), np.float16 if tensor.ndim == 2 else None)
        for name, tensor in tensors.items()
    }
    for name, value in asdict(calibration).items() if calibration else ():
        out[f"calibration.{name}"] = np.atleast_1d(np.asarray(value, np.float32))
    save_file(out, path)
    path.chmod(0o644)  # safetensors makes files that their owner alone can read


def encode_items(head: VideoHead, items: Sequence[Item], features: Features) -> MomentCodes:
    """Encode each item's stills as one moment."""
    counts = np.array([len(item.stills) for item in items])
    rows = [features.frame_of[name] for item in items for name in item.stills]
    last = np.cumsum(counts)
    spans = np.stack([last - counts, last], axis=1).astype(np.int64)
    return head.encode(features.frames[rows].astype(np.float32), spans)


def encode_captions(
    head: TextHead, captions: Sequence[str], features: Features, lexicon: Lexicon
) -> list[EncodedQuery]:
    """Encode captions as queries."""
    texts = features.texts[[features.text_of[c] for c in captions]].astype(np.float32)
    own = [sorted(set(lexicon.term_ids(caption))) for caption in captions]
    return [head.encode(text, terms) for text, terms in zip(texts, own, strict=True)]


def score_held_out(
    folder: Path, items: Sequence[Item], features: Features, lexicon: Lexicon
) -> dict[Source, Scores]:
    """Score all captions of the held-out items, one gallery per source."""
    file = HeadsFile(folder / "heads.safetensors")
    text, video = TextHead(file), VideoHead(file)
    out = {}
    for source in Source:
        chosen = [item for item in items if item.held_out and item.source is source]
        codes = encode_items(video, chosen, features)
        captions = [caption for item in chosen for caption in item.captions]
        right = np.repeat(np.arange(len(chosen)), [len(item.captions) for item in chosen])
        queries = encode_captions(text, captions, features, lexicon)
        out[source] = score(queries, codes.latents, codes.lexicon, len(lexicon), right)
    return out


def calibrated(
    folder: Path, items: Sequence[Item], features: Features, lexicon: Lexicon,
    held_out: Mapping[Source, Scores],
) -> Calibration:  # fmt: skip
    """Compute the statistics on training items and choose the rest on held-out ones."""
    file = HeadsFile(folder / "heads.safetensors")
    text, video = TextHead(file), VideoHead(file)
    train = [item for item in items if not item.held_out]
    codes = encode_items(video, train, features)
    step = max(1, len(train) // CALIBRATION_CAPTIONS)
    captions = [item.captions[i % len(item.captions)] for i, item in enumerate(train[::step])]
    queries = encode_captions(text, captions, features, lexicon)
    found = calibrate.statistics(codes.latents, codes.lexicon, len(lexicon), queries)
    found = calibrate.choose_weight(found, list(held_out.values()))
    found = calibrate.choose_weak(found, list(held_out.values()))
    chosen = [item for item in items if item.held_out]
    rows = encode_items(video, chosen, features).lexicon
    return calibrate.choose_shows(found, rows, named_by(chosen, lexicon))


def named_by(items: Sequence[Item], lexicon: Lexicon) -> Bool:
    """Return (items, V) whether any caption of an item names a term."""
    named = np.zeros((len(items), len(lexicon)), bool)
    for row, item in enumerate(items):
        for caption in item.captions:
            named[row, lexicon.term_ids(caption)] = True
    return named


def finish_pack(
    folder: Path, name: str, tensors: Mapping[str, Float32], items: Sequence[Item],
    features: Features, lexicon: Lexicon,
) -> Report:  # fmt: skip
    """Save the heads, calibrate them, measure them on the held-out items, and write the pack."""
    tensors = {**tensors, "video_background": np.zeros_like(tensors["video_bias"])}
    save_heads(folder / "heads.safetensors", tensors)
    head = VideoHead(HeadsFile(folder / "heads.safetensors"))
    stills = [name for item in items if not item.held_out for name in item.stills]
    frames = features.frames[[features.frame_of[name] for name in stills]].astype(np.float32)
    tensors["video_background"] = head.background(frames, BACKGROUND_SHARE)
    save_heads(folder / "heads.safetensors", tensors)
    held_out = score_held_out(folder, items, features, lexicon)
    calibration = calibrated(folder, items, features, lexicon, held_out)
    save_heads(folder / "heads.safetensors", tensors, calibration)
    write_manifest(folder, name, len(calibration.latent_mean), len(lexicon))
    named = named_terms(folder, items, features, lexicon)
    return measure(calibration, held_out, named, coverage(items, lexicon))


def named_terms(
    folder: Path, items: Sequence[Item], features: Features, lexicon: Lexicon
) -> dict[Source, float]:
    """Return the share of held-out items' five strongest terms that their captions name."""
    head = VideoHead(HeadsFile(folder / "heads.safetensors"))
    shares = {}
    for source in Source:
        chosen = [item for item in items if item.held_out and item.source is source]
        rows = encode_items(head, chosen, features).lexicon
        named, right = named_by(chosen, lexicon), 0
        for i in range(len(rows)):
            terms, weights = rows.row(i)
            right += int(named[i, terms[np.argsort(-weights, kind="stable")[:STRONGEST]]].sum())
        shares[source] = right / (STRONGEST * len(rows))
    return shares


def measure(
    calibration: Calibration,
    held_out: Mapping[Source, Scores],
    named: dict[Source, float],
    covered: float,
) -> Report:
    """Measure every mode on the held-out items."""
    queries = [query for scores in held_out.values() for query in scores.queries]
    fixed = calibrate.constant_affine(calibration, queries)
    return Report(
        recall={
            source: {mode: scores.recall(calibration, mode) for mode in Mode}
            for source, scores in held_out.items()
        },
        constant={
            source: scores.recall(calibration, Mode.FUSED, lambda *_: fixed)
            for source, scores in held_out.items()
        },
        moment_terms=float(np.median([s.moment_terms for s in held_out.values()])),
        query_terms=float(np.median([len(q.terms) for q in queries])),
        named=named,
        coverage=covered,
        lexicon_weight=calibration.lexicon_weight,
        shows=calibration.shows,
        weak=calibration.weak,
    )


def coverage(items: Sequence[Item], lexicon: Lexicon) -> float:
    """Return the share of words of held-out captions that the lexicon has, stop words left out."""
    words = [
        word
        for item in items
        if item.held_out
        for caption in item.captions
        for word in words_of(caption)
        if word not in STOP_WORDS
    ]
    return sum(lexicon.lookup(word) is not None for word in words) / len(words)


def write_manifest(folder: Path, name: str, latent_dim: int, terms: int) -> Manifest:
    """Hash the files of a pack and write `pack.json`."""
    manifest = Manifest(
        name, PACK_SHAPE, MAX_TOKENS, latent_dim, terms, "float32", describe_files(folder)
    )
    manifest.write(folder)
    return manifest
