"""From a trained model to a pack: write, calibrate, measure.

Everything is measured with the NumPy heads, the ones that users run. Only the pictures' features
come from torch, over the cached stems; `unify eval` measures the written pack itself.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from unify.encoders import calibrate
from unify.encoders.datasets import Item, held_out
from unify.encoders.evaluate import Recall, Scores, score, word_coverage
from unify.encoders.heads import HeadsFile, save_heads
from unify.encoders.manifest import FILE_NAME, Manifest, describe_files
from unify.encoders.model import Unify
from unify.encoders.recipe import Recipe
from unify.encoders.start import Start
from unify.encoders.trainset import TrainingSet
from unify.engine.fusion import Mode
from unify.engine.lexicon import Lexicon
from unify.engine.types import Bool, Calibration, EncodedQuery, MomentCodes

CALIBRATION_CAPTIONS = 2000
STRONGEST = 5
# Against the expansion, after training: fused recall of held-out captions hardly moves between
# 1 and 3, and own words lead the explanations.
OWN_GAIN = 2.0
HEADS = "heads.safetensors"


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured on the held-out items.

    Attributes:
        recall: per data set and mode.
        constant: per data set, fused by one affine map for all queries.
        moment_terms: median weights of a moment.
        query_terms: median terms of a caption.
        named: per data set, share of moments' five strongest terms that a caption names.
        coverage: share of the captions' words, stop words left out, that the lexicon has.
        lexicon_weight: chosen, see `Calibration`.
        shows: chosen.
        weak: chosen.
    """

    recall: dict[str, dict[Mode, Recall]]
    constant: dict[str, Recall]
    moment_terms: float
    query_terms: float
    named: dict[str, float]
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


def finish_pack(
    recipe: Recipe, start: Start, model: Unify, data: TrainingSet,
    names: Sequence[tuple[str, str]], items: Sequence[Item],
) -> Report:  # fmt: skip
    """Write a pack, calibrate it, and measure it on the held-out items.

    Where the folder holds a pack already, that one ends here: cut off in between there is no
    pack, rather than one whose `pack.json` speaks of other files.

    Args:
        recipe: of the run.
        start: what it started from.
        model: the trained model, on the CPU.
        data: all items, trained on or held out.
        names: per item, its data set and its name.
        items: the items themselves, in the same order.
    """
    folder = recipe.out
    (folder / FILE_NAME).unlink(missing_ok=True)
    start.write_towers(folder / "towers", model)
    if recipe.lexicon.resolve() != (folder / "lexicon.txt").resolve():
        shutil.copyfile(recipe.lexicon, folder / "lexicon.txt")
    tensors = start.tensors(model) | head_tensors(model)
    measured = _Measured(folder, start, tensors, data, names, items)
    report = measured.finish()
    manifest = Manifest(
        recipe.name, start.frame_shape, start.max_tokens, recipe.model.latent,
        len(measured.lexicon), "float32", describe_files(folder, start.vector_files(folder)),
        start.kind,
    )  # fmt: skip
    settings = {name: asdict(getattr(recipe, name)) for name in ("model", "schedule", "loss")}
    record = {"seed": recipe.seed, **settings, "held_out": asdict(report)}
    (folder / "training.json").write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    manifest.write(folder)
    return report


@torch.no_grad()
def head_tensors(model: Unify) -> dict[str, np.ndarray]:
    """Return the heads' tensors as `unify.encoders.heads` reads them."""
    towers = ("video_tower.", "text_tower.", "latent_temperature", "lexicon_temperature")
    state = {n: t for n, t in model.state_dict().items() if not n.startswith(towers)}
    for name in ("video_scale", "text_scale"):
        state[name] = state[name].exp()
    state["own"] = OWN_GAIN * torch.nn.functional.softplus(state["own"])
    return {name: tensor.numpy() for name, tensor in state.items()}


class _Measured:
    """A pack in the making, and the items it is calibrated and measured on."""

    def __init__(
        self, folder: Path, start: Start, tensors: dict[str, np.ndarray], data: TrainingSet,
        names: Sequence[tuple[str, str]], items: Sequence[Item],
    ) -> None:  # fmt: skip
        self._path = folder / HEADS
        self._tensors = tensors
        save_heads(self._path, tensors)
        self._start, self._data, self._items = start, data, items
        self._sources = [source for source, _ in names]
        self._held = np.array([held_out(*name) for name in names])
        self.lexicon = Lexicon.read(folder / "lexicon.txt")
        heads = HeadsFile(self._path)
        self._features = start.features(folder, heads, data)
        self._sentences = start.sentences(folder, heads)
        self._head = start.video_head(heads)

    def finish(self) -> Report:
        """Calibrate, save the heads for good, and measure."""
        scores = self._scores()
        calibration = self._calibration(list(scores.values()))
        save_heads(self._path, self._tensors, calibration)
        return self._report(calibration, scores)

    def _codes(self, items: Sequence[int]) -> MomentCodes:
        """Encode each item's pictures as one moment."""
        places = [self._data.places[i] for i in items]
        frames = np.concatenate([self._features[source][rows] for source, rows in places])
        last = np.cumsum([len(rows) for _, rows in places])
        first = np.concatenate([[0], last[:-1]])
        return self._head.encode(frames, np.stack([first, last], axis=1).astype(np.int64))

    def _queries(self, captions: Sequence[str]) -> list[EncodedQuery]:
        own = [sorted(set(self.lexicon.term_ids(caption))) for caption in captions]
        return self._sentences.encode(captions, own)

    def _held_of(self, source: str) -> list[int]:
        pairs = zip(self._sources, self._held, strict=True)
        return [i for i, (of, held) in enumerate(pairs) if held and of == source]

    def _scores(self) -> dict[str, Scores]:
        """Score all captions of the held-out items, one gallery per data set."""
        found = {}
        for source in dict.fromkeys(self._sources):
            held = self._held_of(source)
            codes = self._codes(held)
            captions = [caption for i in held for caption in self._items[i].captions]
            right = np.repeat(np.arange(len(held)), [len(self._items[i].captions) for i in held])
            queries = self._queries(captions)
            found[source] = score(queries, codes.latents, codes.lexicon, len(self.lexicon), right)
        return found

    def _calibration(self, held_out_scores: Sequence[Scores]) -> Calibration:
        """Compute the statistics on training items and choose the rest on held-out ones."""
        train = np.flatnonzero(~self._held).tolist()
        codes = self._codes(train)
        chosen = train[:: max(1, len(train) // CALIBRATION_CAPTIONS)]
        captions = [
            self._items[i].captions[place % len(self._items[i].captions)]
            for place, i in enumerate(chosen)
        ]
        found = calibrate.statistics(
            codes.latents, codes.lexicon, len(self.lexicon), self._queries(captions)
        )
        found = calibrate.choose_weight(found, held_out_scores)
        found = calibrate.choose_weak(found, held_out_scores)
        held = np.flatnonzero(self._held).tolist()
        return calibrate.choose_shows(found, self._codes(held).lexicon, self._named(held))

    def _named(self, items: Sequence[int]) -> Bool:
        """Return (items, V) whether any caption of an item names a term."""
        named = np.zeros((len(items), len(self.lexicon)), bool)
        for row, item in enumerate(items):
            for caption in self._items[item].captions:
                named[row, self.lexicon.term_ids(caption)] = True
        return named

    def _strongest_named(self, source: str) -> float:
        """Return the share of held-out items' strongest terms that their captions name."""
        held = self._held_of(source)
        rows, named, right = self._codes(held).lexicon, self._named(held), 0
        for i in range(len(rows)):
            terms, weights = rows.row(i)
            right += int(named[i, terms[np.argsort(-weights, kind="stable")[:STRONGEST]]].sum())
        return right / (STRONGEST * len(rows))

    def _report(self, calibration: Calibration, held: Mapping[str, Scores]) -> Report:
        queries = [query for scores in held.values() for query in scores.queries]
        fixed = calibrate.constant_affine(calibration, queries)
        captions = [
            caption
            for item, kept in zip(self._items, self._held, strict=True)
            if kept
            for caption in item.captions
        ]
        return Report(
            recall={
                source: {mode: scores.recall(calibration, mode) for mode in Mode}
                for source, scores in held.items()
            },
            constant={
                source: scores.recall(calibration, Mode.FUSED, lambda *_: fixed)
                for source, scores in held.items()
            },
            moment_terms=float(np.median([s.moment_terms for s in held.values()])),
            query_terms=float(np.median([len(q.terms) for q in queries])),
            named={source: self._strongest_named(source) for source in held},
            coverage=word_coverage(captions, self.lexicon),
            lexicon_weight=calibration.lexicon_weight,
            shows=calibration.shows,
            weak=calibration.weak,
        )
