"""What each part of the model and its training is worth: variants of one small recipe.

    python benchmarks/ablations.py --towers DIR --data DIR [--data DIR] --out FOLDER
        [--seeds 3] [--only NAME ...] [--lexicon NAME=FILE ...]

Every variant changes one thing of the base (`ablations.toml`) and is trained with seeds 0, 1, ...
The figures are those that `unify train` reports on the held-out items. After each run the tables
of all finished runs are printed and written to OUT/ablations.md, whatever they show.

Each run has the folder OUT/VARIANT/seed-N. A finished one has `run.json`, is read and not run
again, and keeps of its pack the figures (`training.json`) and the curve alone; an interrupted one
goes on from its last checkpoint. `--only` says what is run, not what is shown; `--lexicon` adds
variants with another vocabulary, and has to be given again for them to be shown.

`frames-averaged` has no setting in a recipe: the features of an item's frames are averaged before
the heads see them, instead of taking each term's largest weight over the frames.
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import os
import platform
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch

from unify.encoders import corpus
from unify.encoders.datasets import TRAIN, DataSet, held_out, read_dataset
from unify.encoders.features import FrameFeatures, frame_features
from unify.encoders.losses import Teacher
from unify.encoders.recipe import SECTIONS, Recipe, changed, read_recipe
from unify.encoders.towers import Sharing
from unify.encoders.train import RUN_FOLDER, train_pack
from unify.engine.durable import replace_file, sha256_of
from unify.engine.errors import UnifyError, UsageError
from unify.engine.fusion import Mode

RECIPE = Path(__file__).with_suffix(".toml")
FIGURES, RECORD, TABLE = "training.json", "run.json", "ablations.md"
KEPT = {FIGURES, RECORD, f"{RUN_FOLDER}/metrics.jsonl", f"{RUN_FOLDER}/curves.png"}
RANKS = ("at_1", "at_5", "at_10")
MODES = (Mode.LATENT, Mode.LEXICON, Mode.FUSED)
NONE = "–"


@dataclass(frozen=True, slots=True)
class Variant:
    """One change of the base.

    Attributes:
        name: also of its folder.
        change: settings by section, see `recipe.changed`.
        modes: the searches that the trained branches allow.
        lexicon: another terms' file.
        averaged: the heads see the mean of an item's frames instead of each frame.
    """

    name: str
    change: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    modes: tuple[Mode, ...] = MODES
    lexicon: Path | None = None
    averaged: bool = False

    def recipe(self, base: Recipe, seed: int) -> Recipe:
        """Return the recipe of one run."""
        out = base.out / self.name / f"seed-{seed}"
        lexicon = self.lexicon or base.lexicon
        return replace(changed(base, self.change), lexicon=lexicon, out=out, seed=seed)


VARIANTS = (
    Variant("base"),
    Variant("latent-only", {"loss": {"lexicon": 0.0}}, (Mode.LATENT,)),
    Variant("lexicon-only", {"loss": {"latent": 0.0}}, (Mode.LEXICON,)),
    Variant("one-stage", {"schedule": {"ground_share": 0.0}}),
    Variant("sharing-all", {"model": {"sharing": Sharing.ALL}}),
    Variant("sharing-none", {"model": {"sharing": Sharing.NONE}}),
    *(
        Variant(f"teacher-{teacher}", {"loss": {"teacher": teacher}})
        for teacher in Teacher
        if teacher is not Teacher.FUSED
    ),
    Variant("masked-off", {"loss": {"masked": 0.0}}),
    Variant(
        "semi-parametric-off", {"loss": {"semi_parametric": 0.0, "semi_parametric_joint": 0.0}}
    ),
    Variant("bag-of-words", {"loss": {"bag_of_words": 0.1}}),
    Variant("flops", {"loss": {"flops": 1.0}}),
    Variant("flops-half", {"loss": {"flops": 1.0, "text_terms": 24.0, "video_terms": 56.0}}),
    Variant("dictionary-trained", {"schedule": {"dictionary_rate": 1e-4}}),
    Variant("text-frozen", {"model": {"train_text": False}}),
    Variant("frames-averaged", averaged=True),
)


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run.

    Attributes:
        held_out: the figures, as `finish.Report` has them.
        seconds: of its training and measuring; None where it was interrupted.
        machine: on which it ran.
    """

    held_out: Mapping[str, Any]
    seconds: float | None
    machine: str


Results = Sequence[tuple[Variant, Sequence[Run]]]


def averaged(*arguments: Any) -> FrameFeatures:
    """Return `features.frame_features` with one row an item: the mean over its pictures."""
    found = frame_features(*arguments)
    means = [
        np.asarray(found.values[rows], np.float32).mean(axis=0) for rows in found.rows.values()
    ]
    rows = {name: np.array([row]) for row, name in enumerate(found.rows)}
    return replace(found, values=np.stack(means).astype(np.float16), rows=rows)


def finish(variant: Variant, recipe: Recipe) -> None:
    """Run a recipe of a variant, or what is left of it."""
    whole = not any((recipe.out / RUN_FOLDER).glob("checkpoint-*"))
    started = time.perf_counter()
    with mock.patch.object(
        corpus, "frame_features", averaged if variant.averaged else frame_features
    ):
        train_pack(recipe)
    seconds = round(time.perf_counter() - started, 1) if whole else None
    record = {"lexicon": sha256_of(recipe.lexicon), "seconds": seconds, "machine": machine()}
    replace_file(recipe.out / RECORD, json.dumps(record).encode())


def read_run(recipe: Recipe, sources: Sequence[DataSet]) -> Run | None:
    """Return a finished run, or None where it is not finished; what is big of it is deleted.

    Raises:
        UsageError: it was run with other settings, data sets or terms.
    """
    if not (recipe.out / RECORD).is_file():
        return None
    record = json.loads((recipe.out / RECORD).read_text("utf-8"))
    figures = json.loads((recipe.out / FIGURES).read_text("utf-8"))
    wanted = {"seed": recipe.seed} | {name: asdict(getattr(recipe, name)) for name in SECTIONS}
    if (
        wanted != {name: figures.get(name) for name in wanted}
        or set(figures["held_out"]["recall"]) != {data.name for data in sources}
        or record["lexicon"] != sha256_of(recipe.lexicon)
    ):
        raise UsageError(
            f"{recipe.out} is a run of another recipe, lexicon or data", "give another --out"
        )
    for path in [path for path in recipe.out.rglob("*") if path.is_file()]:
        if path.relative_to(recipe.out).as_posix() not in KEPT:
            path.unlink()
    return Run(figures["held_out"], record["seconds"], record["machine"])


def machine() -> str:
    """Say what a run runs on."""
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads, "
        f"Python {platform.python_version()}, torch {torch.__version__}"
    )


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Return mean and sample standard deviation.

    >>> spread([1.0, 2.0, 3.0]), spread([2.25], 2)
    ('2.0 ± 1.0', '2.25')
    """
    mean = f"{statistics.fmean(values):.{digits}f}"
    return f"{mean} ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else mean


def recall_table(source: str, results: Results) -> Iterator[str]:
    """Yield one data set's table: recall of each variant in each mode."""
    yield f"\n{source}, text to video, R@1 / R@5 / R@10\n"
    yield _row("variant", "seeds", *MODES)
    yield _row(*["---"] * (2 + len(MODES)))
    for variant, runs in results:
        cells = []
        for mode in MODES:
            recalls = [run.held_out["recall"][source][mode] for run in runs]
            ranks = [spread([one[rank] for one in recalls]) for rank in RANKS]
            cells.append(" / ".join(ranks) if mode in variant.modes else NONE)
        yield _row(variant.name, str(len(runs)), *cells)


def lexicon_table(results: Results) -> Iterator[str]:
    """Yield the table of active terms, and of what they say."""
    yield "\nThe lexicon side: medians of the terms that are kept, and what they say\n"
    yield _row(
        "variant", "terms of a moment", "terms of a caption",
        "% of a moment's five strongest named by a caption",
        "% of the captions' words that are terms", "chosen weight in fused",
    )  # fmt: skip
    yield _row(*["---"] * 6)
    for variant, runs in results:
        if Mode.LEXICON in variant.modes:
            figures = [run.held_out for run in runs]
            yield _row(
                variant.name,
                spread([one["moment_terms"] for one in figures]),
                spread([one["query_terms"] for one in figures]),
                spread([100 * statistics.fmean(one["named"].values()) for one in figures]),
                spread([100 * one["coverage"] for one in figures]),
                spread([one["lexicon_weight"] for one in figures], 2)
                if Mode.FUSED in variant.modes
                else NONE,
            )


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def protocol(base: Recipe, sources: Sequence[DataSet], results: Results) -> Iterator[str]:
    """Yield what was measured, how and on what."""
    for data in sources:
        items = [item for item in data.items if held_out(data.name, item.name)]
        captions = sum(len(item.captions) for item in items)
        yield (
            f"- {data.name}: {len(data.items) - len(items):,} items to train on; the gallery is "
            f"the {len(items):,} held out by their names, each of their {captions:,} captions a "
            "query; ties at mid-rank."
        )
    yield (
        f"- {base.schedule.epochs} epochs, batches of {base.schedule.batch}. A variant is one "
        "change of the base, which has two stages, the stem shared and the fused teacher. Mean ± "
        "sample standard deviation over seeds. The weight of the lexicon side in fused is chosen "
        "on the same held-out items, which favours fused a little."
    )
    runs = [run for _, found in results for run in found]
    seconds = [run.seconds for run in runs if run.seconds is not None]
    if seconds:
        yield f"- {statistics.median(seconds):,.0f} s a run: the median of those not interrupted."
    yield from (f"- Machine: {name}." for name in sorted({run.machine for run in runs}))


def report(base: Recipe, sources: Sequence[DataSet], results: Results) -> str:
    """Return everything as markdown."""
    lines = ["# Ablations", "", *protocol(base, sources, results)]
    for data in sources:
        lines += recall_table(data.name, results)
    return "\n".join([*lines, *lexicon_table(results)]) + "\n"


def measure(
    base: Recipe, variants: Sequence[Variant], seeds: int, only: Sequence[str] = ()
) -> Iterator[str]:
    """Run what is not finished, seed by seed, so that early reports have every variant.

    Args:
        base: the recipe that variants change; its `out` is the folder of all runs.
        variants: to be shown where they are finished.
        seeds: runs of a variant.
        only: names of the variants to be run; none means all.

    Yields:
        the report, at first of what is there and then after each run.

    Raises:
        UsageError: `only` names no variant, or a finished run is not of this recipe.
    """
    names = [variant.name for variant in variants]
    if unknown := sorted(set(only) - set(names)):
        raise UsageError(f"there is no variant {unknown[0]}", f"use one of {', '.join(names)}")
    sources = [read_dataset(folder, TRAIN) for folder in base.data]
    recipes = {
        (variant.name, seed): variant.recipe(base, seed)
        for seed, variant in itertools.product(range(seeds), variants)
    }
    of_name = {variant.name: variant for variant in variants}
    found = {key: run for key, made in recipes.items() if (run := read_run(made, sources))}

    def current() -> str:
        runs = [
            (v, [found[key] for key in recipes if key in found and key[0] == v.name])
            for v in variants
        ]
        return report(base, sources, [(variant, those) for variant, those in runs if those])

    if found:
        yield current()
    for key, made in recipes.items():
        if key not in found and key[0] in (only or names):
            logging.getLogger(__name__).info("%s, seed %d", *key)
            finish(of_name[key[0]], made)
            if run := read_run(made, sources):
                found[key] = run
            yield current()


def vocabulary(text: str) -> Variant:
    """Return the variant of NAME=FILE: another lexicon.

    Raises:
        ArgumentTypeError: it is not of that form, or there is no such file.
    """
    name, _, file = text.partition("=")
    if not name.replace("-", "").isalnum() or not Path(file).is_file():
        raise argparse.ArgumentTypeError(
            f"{text!r} is not NAME=FILE: letters, digits and dashes, and a lexicon that exists"
        )
    return Variant(f"lexicon-{name}", lexicon=Path(file))


def main() -> None:
    """Run the ablations."""
    parser = argparse.ArgumentParser(description="What each part of the model is worth.")
    parser.add_argument("--towers", required=True, help="what training starts from")
    parser.add_argument("--data", required=True, type=Path, action="append")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="default: all")
    parser.add_argument(
        "--lexicon",
        type=vocabulary,
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="a variant with another vocabulary",
    )
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        base = read_recipe(RECIPE, {
            "towers": options.towers, "data": tuple(options.data), "out": options.out,
            "cache": options.out / "cache",
        })  # fmt: skip
        variants = [*VARIANTS, *options.lexicon]
        for text in measure(base, variants, options.seeds, options.only):
            replace_file(options.out / TABLE, text.encode())
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
    except UnifyError as error:
        parser.exit(error.exit_code, f"{error}\n")


if __name__ == "__main__":
    main()
