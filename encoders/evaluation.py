"""Runs packs over a data set, and says how well they find its items.

Every item is one moment over its frames, every caption a query as a user would type it, and the
gallery is all items; scores are those of `evaluate.py`. Items that are missing or cannot be
decoded leave the gallery with their captions, and are counted: such figures are not comparable
with those of the whole set. It must not know terminals, nor how a pack was trained.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np

from unify.encoders.datasets import DataSet, Item
from unify.encoders.evaluate import Gallery, Overlap, Recall, overlap, word_coverage
from unify.encoders.ranking import BothWays, dual_softmax, mode_view, rank_both_ways
from unify.engine.errors import MediaError
from unify.engine.fusion import Mode
from unify.engine.ports import QueryEncoder
from unify.engine.types import EncodedQuery, Float32, SparseRows
from unify.indexer.ports import VideoEncoder

CHUNK = 64  # captions encoded at once
MODES = (Mode.LATENT, Mode.LEXICON, Mode.FUSED)
DUAL_SOFTMAX = "fused, dual softmax over all queries"
FIGURES = ("R@1", "R@5", "R@10", "MdR", "MnR")


class Encoder(VideoEncoder, QueryEncoder, Protocol):
    """What a pack is to an evaluation."""


@runtime_checkable
class BatchEncoder(Protocol):
    """A pack that encodes many queries faster than one by one."""

    def encode_queries(self, texts: Sequence[str]) -> list[EncodedQuery]:
        """Encode plain sentences, each as `QueryEncoder.encode_query` does."""
        ...


class Stage(StrEnum):
    """What an evaluation is at."""

    ITEMS = "items"
    CAPTIONS = "captions"


Progress: TypeAlias = Callable[[Stage, int, int], None]
"""Told of a stage, how many are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How well one pack finds the items of a data set.

    Attributes:
        pack: its name.
        fingerprint: of the pack.
        dataset: the data set's name.
        split: which part of it.
        frames: how many an item was looked at with, at most.
        items: in the gallery.
        captions: queries.
        missing: annotated items whose file is not there.
        failed: (item, reason) of those that cannot be decoded.
        ranks: mode to figures; dual softmax is a row of its own.
        overlap: of the lexicon side.
        coverage: share of the captions' words, stop words left out, that the lexicon has.
    """

    pack: str
    fingerprint: str
    dataset: str
    split: str
    frames: int
    items: int
    captions: int
    missing: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]
    ranks: dict[str, BothWays]
    overlap: Overlap
    coverage: float


def evaluate_pack(
    pack: Encoder,
    dataset: DataSet,
    frames: int | None = None,
    with_dual_softmax: bool = False,
    progress: Progress = lambda *_: None,
) -> Evaluation:
    """Encode a data set by a pack and rank in both directions.

    Args:
        pack: encodes videos and queries.
        dataset: at least one item.
        frames: of an item, at most; by default the data set's own number.
        with_dual_softmax: add the row that knows all queries.
        progress: told how far it is.

    Raises:
        MediaError: no item can be decoded.
    """
    count = dataset.frame_count if frames is None else frames
    encoded = _encode_items(pack, dataset, count, progress)
    captions = [caption for item in encoded.items for caption in item.captions]
    right = np.repeat(np.arange(len(encoded.items)), [len(i.captions) for i in encoded.items])
    queries = _encode_captions(pack, captions, progress)
    gallery = Gallery(encoded.latents, encoded.rows, len(pack.lexicon))
    blocks = partial(gallery.blocks, queries, right)
    views = {str(mode): mode_view(pack.calibration, mode) for mode in MODES}
    if with_dual_softmax:
        views[DUAL_SOFTMAX] = dual_softmax(views[Mode.FUSED], blocks)
    return Evaluation(
        pack=pack.name,
        fingerprint=pack.fingerprint,
        dataset=dataset.name,
        split=dataset.split,
        frames=count,
        items=len(encoded.items),
        captions=len(captions),
        missing=dataset.missing,
        failed=encoded.failed,
        ranks=rank_both_ways(blocks, views, len(gallery)),
        overlap=overlap(queries, encoded.rows, len(pack.lexicon), right),
        coverage=word_coverage(captions, pack.lexicon),
    )


@dataclass(frozen=True, slots=True)
class _Encoded:
    items: list[Item]
    latents: Float32
    rows: SparseRows
    failed: tuple[tuple[str, str], ...]


def _encode_items(pack: Encoder, dataset: DataSet, count: int, progress: Progress) -> _Encoded:
    failed: list[tuple[str, str]] = []

    def fail(item: Item, error: MediaError) -> None:
        failed.append((item.name, str(error)))

    items: list[Item] = []
    latents: list[Float32] = []
    rows: list[SparseRows] = []
    for item, pictures in dataset.frames(dataset.items, pack.frame_shape, count, fail):
        features = pack.encode_frames(pictures)
        codes = pack.encode_moments(features, np.array([[0, len(features)]]))
        items.append(item)
        latents.append(codes.latents)
        rows.append(codes.lexicon)
        progress(Stage.ITEMS, len(items) + len(failed), len(dataset.items))
    if not items:
        name, why = failed[0]
        raise MediaError(f"no item of {dataset.name} can be decoded ({name}: {why})", "check them")
    return _Encoded(items, np.concatenate(latents), SparseRows.concatenate(rows), tuple(failed))


def _encode_captions(
    pack: Encoder, captions: Sequence[str], progress: Progress
) -> list[EncodedQuery]:
    """Encode captions, each text once."""
    distinct = list(dict.fromkeys(captions))
    found: dict[str, EncodedQuery] = {}
    for start in range(0, len(distinct), CHUNK):
        texts = distinct[start : start + CHUNK]
        if isinstance(pack, BatchEncoder):
            queries = pack.encode_queries(texts)
        else:
            queries = [pack.encode_query(text) for text in texts]
        found.update(zip(texts, queries, strict=True))
        progress(Stage.CAPTIONS, len(found), len(distinct))
    return [found[caption] for caption in captions]


def record(evaluations: Sequence[Evaluation]) -> dict[str, Any]:
    """Return evaluations of one data set as JSON fields.

    `packs` holds one entry a pack; several of them (such as seeds) also give `mean` and `sd` of
    every recall figure, the standard deviation with N - 1.
    """
    first = evaluations[0]
    packs = [_pack_record(one) for one in evaluations]
    found: dict[str, Any] = {"dataset": first.dataset, "split": first.split, "packs": packs}
    if len(evaluations) > 1:
        means, sds = _mean_and_sd(evaluations)
        found["mean"], found["sd"] = _nested(means), _nested(sds)
    return found


def table(evaluations: Sequence[Evaluation]) -> str:
    """Return evaluations of one data set as markdown."""
    first = evaluations[0]
    lines = [
        f"**{first.dataset}, {first.split}**: {first.items:,} items, {first.captions:,} captions, "
        f"{len(first.missing):,} missing, {len(first.failed):,} not decodable, "
        f"at most {first.frames} frames an item",
        "",
        f"| pack | mode | direction | {' | '.join(FIGURES)} |",
        f"|---|---|---|{'---|' * len(FIGURES)}",
    ]
    for one in evaluations:
        for (mode, direction), values in _figures(one).items():
            cells = " | ".join(f"{value:.1f}" for value in values)
            lines.append(f"| {one.pack} | {mode} | {direction} | {cells} |")
    if len(evaluations) > 1:
        means, sds = _mean_and_sd(evaluations)
        for (mode, direction), values in means.items():
            pairs = zip(values, sds[mode, direction], strict=True)
            cells = " | ".join(f"{mean:.1f} ± {sd:.1f}" for mean, sd in pairs)
            lines.append(f"| mean ± sd of {len(evaluations)} | {mode} | {direction} | {cells} |")
    lines += [
        "",
        "| pack | fingerprint | terms a text | terms a video | multiplications a pair "
        "| words known | captions that share no term with their video |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in evaluations:
        met = one.overlap
        lines.append(
            f"| {one.pack} | {one.fingerprint[:12]} | {met.text_terms:.1f} | {met.video_terms:.1f}"
            f" | {met.multiplications:.2f} | {one.coverage:.1%} | {met.disjoint:,} |"
        )
    return "\n".join(lines)


_Figures: TypeAlias = dict[tuple[str, str], list[float]]


def _figures(one: Evaluation) -> _Figures:
    """Return (mode, direction) to the values of FIGURES."""

    def values(found: Recall) -> list[float]:
        return [found.at_1, found.at_5, found.at_10, found.median, found.mean_rank]

    rows = {}
    for mode, ranks in one.ranks.items():
        rows[mode, "text to video"] = values(ranks.text_to_video)
        rows[mode, "video to text"] = values(ranks.video_to_text)
    return rows


def _mean_and_sd(evaluations: Sequence[Evaluation]) -> tuple[_Figures, _Figures]:
    all_of = [_figures(one) for one in evaluations]
    stacked = {key: np.array([one[key] for one in all_of]) for key in all_of[0]}
    means = {key: values.mean(axis=0).tolist() for key, values in stacked.items()}
    return means, {key: values.std(axis=0, ddof=1).tolist() for key, values in stacked.items()}


def _nested(figures: _Figures) -> dict[str, dict[str, dict[str, float]]]:
    nested: dict[str, dict[str, dict[str, float]]] = {}
    for (mode, direction), values in figures.items():
        rounded = (round(value, 3) for value in values)
        row = dict(zip(FIGURES, rounded, strict=True))
        nested.setdefault(mode, {})[direction.replace(" ", "_")] = row
    return nested


def _pack_record(one: Evaluation) -> dict[str, Any]:
    return {
        "pack": one.pack,
        "fingerprint": one.fingerprint,
        "frames": one.frames,
        "items": one.items,
        "captions": one.captions,
        "missing": list(one.missing),
        "failed": [list(pair) for pair in one.failed],
        "recall": _nested(_figures(one)),
        "lexicon": asdict(one.overlap) | {"coverage": one.coverage},
    }
