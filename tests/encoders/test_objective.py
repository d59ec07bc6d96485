from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from tests.encoders.tiny import recipe, write_world  # noqa: E402
from unify.encoders.distributed import ALONE  # noqa: E402
from unify.encoders.losses import Teacher  # noqa: E402
from unify.encoders.objective import Objective, Progress  # noqa: E402
from unify.encoders.recipe import LossRecipe  # noqa: E402
from unify.encoders.schedule import Stage  # noqa: E402
from unify.encoders.start import open_start  # noqa: E402
from unify.encoders.train import read_corpus  # noqa: E402
from unify.encoders.trainset import Draw, batches  # noqa: E402
from unify.engine.lexicon import Lexicon  # noqa: E402

GROUND = Progress(0, 100, Stage.GROUND, 0.0)
JOINT = Progress(60, 100, Stage.JOINT, 0.5)


@pytest.fixture(scope="module")
def setting(tmp_path_factory):
    """An untrained model and a batch of the tiny world."""
    import numpy as np

    made = recipe(write_world(tmp_path_factory.mktemp("world")))
    start, lexicon = open_start(made), Lexicon.read(made.lexicon)
    data = read_corpus(made, start, lexicon).data
    torch.manual_seed(0)
    model = start.model(made, data, lexicon.terms).eval()
    model.dictionary.requires_grad_(False)
    batch = next(batches(data, np.arange(16), 16, Draw(), np.random.default_rng(0)))
    return model, batch


def losses(setting, now: Progress, **changes: object) -> dict[str, float]:
    model, batch = setting
    made = replace(LossRecipe(), **changes)  # type: ignore[arg-type]
    objective = Objective(made, torch.ones(9), model.dictionary.detach().clone(), ALONE)
    return {name: float(value.detach()) for name, value in objective(model, batch, now).items()}


def test_each_stage_has_its_own_losses(setting):
    ground, joint = losses(setting, GROUND), losses(setting, JOINT)
    assert set(ground) == {"latent", "lexicon", "grounding", "semi_parametric"}
    assert set(joint) == {*ground, "masked", "distillation"}
    assert joint["semi_parametric"] == pytest.approx(ground["semi_parametric"] * 3 / 5, rel=1e-4)


def test_a_loss_weighs_what_the_recipe_says_and_0_leaves_it_out(setting):
    one, two = losses(setting, JOINT), losses(setting, JOINT, lexicon=2.0, masked=0.0)
    assert two["lexicon"] == pytest.approx(2 * one["lexicon"])
    assert "masked" not in two
    every = losses(setting, JOINT, bag_of_words=0.1, flops=1.0)
    assert {"bag_of_words", "flops"} <= set(every)


def test_a_single_branch_has_no_distillation(setting):
    assert set(losses(setting, JOINT, lexicon=0.0)) == {"latent"}
    assert {"latent", "distillation"}.isdisjoint(losses(setting, JOINT, latent=0.0))


def test_distillation_comes_in_slowly(setting):
    early = losses(setting, replace(JOINT, joint=0.1))["distillation"]
    assert early == pytest.approx(losses(setting, JOINT)["distillation"] / 2, rel=1e-4)
    assert losses(setting, JOINT, teacher=Teacher.NONE)["distillation"] == 0


def test_the_dictionary_is_pulled_back_where_it_is_trained(setting):
    model, _ = setting
    model.dictionary.requires_grad_(True)
    assert losses(setting, JOINT)["dictionary"] == 0, "it has not moved yet"
    model.dictionary.requires_grad_(False)
