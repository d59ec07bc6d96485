"""Training runs in tests: started, killed and gone on with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from unify.encoders import curves
from unify.encoders.corpus import read_corpus
from unify.encoders.distributed import ALONE
from unify.encoders.heads import HeadsFile, unit
from unify.encoders.model import Unify, activate
from unify.encoders.packs import Pack
from unify.encoders.recipe import Recipe
from unify.encoders.start import open_start
from unify.encoders.train import RUN_FOLDER, Trainer
from unify.engine.lexicon import Lexicon
from unify.engine.types import MomentCodes


def trainer(made: Recipe) -> Trainer:
    """Make what `train_pack` makes for one process."""
    start, lexicon = open_start(made), Lexicon.read(made.lexicon)
    corpus = read_corpus(made, start, lexicon)
    torch.manual_seed(made.seed)
    model = start.model(made, corpus.data.part(corpus.train), lexicon.terms)
    return Trainer(made, model, corpus, ALONE)


def losses(made: Recipe) -> list[tuple[int, dict[str, float | None]]]:
    """Return the curve of a run."""
    found = curves.read(made.out / RUN_FOLDER / "metrics.jsonl")
    return [(r.step, {k: v for k, v in r.values.items() if k.startswith("loss/")}) for r in found]


def killed_after(run: Trainer, epoch: int) -> None:
    """Run until the steps of an epoch are done and its checkpoint is not written."""
    after = run._after_epoch

    def killed(finished: int, step: int) -> None:
        if finished == epoch:
            raise KeyboardInterrupt
        after(finished, step)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(run, "_after_epoch", killed)
        run.run()


def check_a_killed_run_is_the_undisturbed_one(made: Recipe, folder: Path, epoch: int) -> None:
    """Compare curve and weights, bit for bit, of a run and of one killed after an epoch."""
    whole, broken = (replace(made, out=folder / name) for name in ("whole", "broken"))
    expected: Unify = trainer(whole).run()
    killed_after(trainer(broken), epoch)
    found = trainer(broken).run()
    assert losses(broken) == losses(whole)
    pairs = zip(expected.state_dict().values(), found.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def check_moments(
    found: MomentCodes, latents: Tensor, logits: Tensor, latent: float, weight: float
) -> None:
    """Compare a pack's moments with what the model says of them, within two tolerances."""
    assert np.abs(found.latents - latents.numpy()).max() < latent
    shown = unit(activate(logits).numpy())
    for row in range(len(shown)):
        stored = dense(*found.lexicon.row(row), shown.shape[1])
        assert np.abs(stored - shown[row]).max() < weight


def check_queries(
    pack: Pack, heads: HeadsFile, texts: Sequence[str], latents: Tensor, logits: Tensor,
    latent: float, weight: float,
) -> None:  # fmt: skip
    """Compare a pack's queries with what the model says of texts, within two tolerances."""
    own = heads.tensor("own")
    for row, query in enumerate(pack.encode_queries(texts)):
        assert np.abs(query.latent - latents[row].numpy()).max() < latent
        expected = activate(logits[row]).numpy()
        named = sorted(set(pack.lexicon.term_ids(texts[row])))
        expected[named] += own[named]
        assert np.abs(dense(query.terms, query.weights, len(own)) - expected).max() < weight


def dense(terms: np.ndarray, weights: np.ndarray, count: int) -> np.ndarray:
    """Return (count,) weights."""
    row = np.zeros(count, np.float32)
    row[terms] = weights
    return row
