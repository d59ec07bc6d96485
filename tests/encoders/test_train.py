from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.encoders.runs import (  # noqa: E402
    check_a_killed_run_is_the_undisturbed_one,
    losses,
    trainer,
)
from tests.encoders.tiny import THINGS, recipe, write_world  # noqa: E402
from unify.encoders import curves  # noqa: E402
from unify.encoders.packs import open_pack  # noqa: E402
from unify.encoders.recipe import changed  # noqa: E402
from unify.encoders.towers import Sharing  # noqa: E402
from unify.encoders.train import RUN_FOLDER, train_pack  # noqa: E402
from unify.engine.errors import UsageError  # noqa: E402


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return write_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def trained(world, tmp_path_factory):
    """A whole run: the recipe and what it reported."""
    made = replace(recipe(world, epochs=30), out=tmp_path_factory.mktemp("run") / "pack")
    return made, train_pack(made)


def test_training_learns_the_world(trained):
    made, report = trained
    modes = report.recall["world"]
    by_name = {str(mode): found for mode, found in modes.items()}
    assert by_name["fused"].mean > 75, "of eight items; by chance 58"
    best = max(by_name["latent"].mean, by_name["lexicon"].mean)
    assert by_name["fused"].mean >= best - 8, "the fusion is not worse than its sides"
    curve = [sum(v for v in values.values() if v) for _, values in losses(made) if values]
    assert np.mean(curve[-3:]) < 0.8 * np.mean(curve[:3])


def test_a_run_leaves_a_pack_with_its_curves(trained):
    made, report = trained
    record = json.loads((made.out / "training.json").read_text())
    assert record["seed"] == 0 and record["schedule"]["epochs"] == 30
    assert record["held_out"]["lexicon_weight"] == report.lexicon_weight
    assert (made.out / RUN_FOLDER / "curves.png").read_bytes().startswith(b"\x89PNG")
    pack = open_pack(str(made.out))
    pack.verify()
    query = pack.encode_query("a picture of ocean and lemon")
    own = {pack.lexicon.lookup("ocean"), pack.lexicon.lookup("lemon")}
    assert own <= set(query.terms.tolist())


def test_a_killed_run_goes_on_with_the_same_curve(world, tmp_path):
    check_a_killed_run_is_the_undisturbed_one(recipe(world, epochs=3), tmp_path, 2)


def test_the_first_stage_leaves_the_text_side_as_it_was(world, tmp_path):
    made = replace(recipe(world, ground_share=1.0, epochs=2), out=tmp_path / "pack")
    run = trainer(made)
    model = run._model
    ids, mask = run._data.captions.tokens([0, 1, 2])
    before = [p.detach().clone() for p in model.text_grounding()]
    with torch.no_grad():
        weights = model.eval().text(ids, mask)[1]
    video = model.video_tower.top.last.weight.detach().clone()
    run.run()
    assert all(torch.equal(a, b) for a, b in zip(before, model.text_grounding(), strict=True)), (
        "bit-identical"
    )
    with torch.no_grad():
        assert torch.equal(model.eval().text(ids, mask)[1], weights)
    assert not torch.equal(model.video_tower.top.last.weight, video)


def test_the_second_stage_moves_it(world, tmp_path):
    made = replace(recipe(world, ground_share=0.5, epochs=2), out=tmp_path / "pack")
    run = trainer(made)
    before = [p.detach().clone() for p in run._model.text_grounding()]
    run.run()
    moved = [
        not torch.equal(a, b) for a, b in zip(before, run._model.text_grounding(), strict=True)
    ]
    assert any(moved)


def test_branches_can_be_trained_alone(world, tmp_path):
    for name, silent in (("lexicon", "text_latent"), ("latent", "text_lexicon")):
        only = changed(recipe(world, epochs=1), {"loss": {
            "latent": float(name == "latent"), "lexicon": float(name == "lexicon"),
        }})  # fmt: skip
        run = trainer(replace(only, out=tmp_path / name))
        before = getattr(run._model, silent).down.weight.detach().clone()
        run.run()
        assert torch.equal(getattr(run._model, silent).down.weight, before)


def test_another_recipe_does_not_go_on_with_a_run_and_says_why(world, tmp_path):
    made = replace(recipe(world, epochs=1), out=tmp_path / "pack")
    trainer(made).run()
    other = replace(changed(made, {"loss": {"masked": 0.2}}), seed=1, name="another name")
    with pytest.raises(
        UsageError, match=r"loss\.masked was 0\.1 and is 0\.2, seed was 0 and is 1; "
    ):
        trainer(other).run()


def test_curves_name_the_data_sets(trained):
    made, _ = trained
    last = curves.read(made.out / RUN_FOLDER / "metrics.jsonl")[-1].values
    assert {"recall/world/latent", "recall/world/lexicon", "active/world/video"} == set(last)


def test_a_word_no_caption_has_is_a_term_too(trained):
    made, _ = trained
    pack = open_pack(str(made.out))
    zebra = pack.lexicon.lookup("zebras")
    assert zebra == len(THINGS)
    assert zebra in pack.encode_query("zebra").terms.tolist()


def test_two_picture_towers_are_refused_before_training(world, tmp_path):
    made = changed(recipe(world), {"model": {"sharing": Sharing.NONE}})
    with pytest.raises(UsageError, match="two picture towers"):
        train_pack(replace(made, out=tmp_path / "pack"))


@pytest.mark.parametrize("frozen", [3, 40])
def test_a_text_tower_without_a_layer_to_train_is_refused(world, tmp_path, frozen):
    made = changed(recipe(world), {"model": {"frozen_layers": frozen}})
    with pytest.raises(UsageError, match=rf"has 3 layers, so {frozen} cannot .* to 2 or less"):
        train_pack(replace(made, out=tmp_path / "pack"))
