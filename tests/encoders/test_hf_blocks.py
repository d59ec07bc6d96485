"""Towers of a checkpoint whose last blocks are trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tests.encoders.checkpoints import (  # noqa: E402
    FAMILIES,
    WIDTHS,
    noise,
    write_checkpoints,
)
from tests.encoders.runs import check_a_killed_run_is_the_undisturbed_one, trainer  # noqa: E402
from tests.encoders.tiny import recipe  # noqa: E402
from unify.encoders.hf import Towers  # noqa: E402
from unify.encoders.hf_start import HfStart, HfVideo  # noqa: E402
from unify.encoders.model import LENGTH_GROUPS  # noqa: E402
from unify.encoders.packs import open_pack  # noqa: E402
from unify.encoders.recipe import Recipe, changed  # noqa: E402
from unify.encoders.start import open_start  # noqa: E402
from unify.encoders.train import train_pack  # noqa: E402
from unify.encoders.trainset import Draw, batches  # noqa: E402
from unify.engine.errors import UsageError  # noqa: E402

KINDS = ("clip", "siglip")
LAST = "encoder.layers.1."  # the trained block of each tower


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    """Checkpoints of all kinds, and a smaller tiny world."""
    return write_checkpoints(tmp_path_factory.mktemp("world"), items=48)


def fine_tuned(world: Path, kind: str, out: Path, blocks: int = 1, **schedule: object) -> Recipe:
    rates = {"epochs": 1, "ground_share": 0.4, "video_rate": 3e-3, "text_rate": 3e-3, "views": 1}
    made = recipe(world, **{**rates, **schedule})
    settings = {"latent": WIDTHS[kind], "fine_tune": blocks, "dropout": 0.0, "text_dropout": 0.0}
    settings["frozen_layers"] = 4  # the default: it is for other towers
    return replace(changed(made, {"model": settings}), towers=f"hf:{world / kind}", out=out)


@pytest.mark.parametrize("kind", FAMILIES)
@pytest.mark.parametrize("blocks", [1, 2])
def test_states_below_the_blocks_become_the_towers_features(world, kind, blocks):
    start = HfStart(world / kind, blocks)
    towers = Towers(world / kind)
    states = start.stem().encode(noise(towers))
    assert states.shape[0] == 4 and states.ndim == 3
    with torch.no_grad():
        found = start._backbone.frame_features(torch.from_numpy(states)).numpy()
    expected = towers.encode_frames(noise(towers))
    assert np.abs(expected).max() > 0.1
    assert np.abs(found - expected).max() < 1e-5
    whole = HfStart(world / kind, 0).stem()
    assert np.array_equal(whole.encode(noise(towers)), expected), "nothing is trained"
    assert whole.stamp != start.stem().stamp, "another cache"


@pytest.fixture(scope="module", params=KINDS)
def pair(request, world, tmp_path_factory):
    """Untrained models without and with trained blocks."""
    out = tmp_path_factory.mktemp("runs")
    return [trainer(fine_tuned(world, request.param, out / str(k), k)) for k in (0, 1)]


def test_before_training_both_models_say_the_same(pair):
    plain, run = (one._model.eval() for one in pair)
    towers = run.text_tower.backbone.towers
    stem = HfStart(Path(pair[1]._recipe.towers.removeprefix("hf:")), 1).stem()
    states = torch.from_numpy(stem.encode(noise(towers)))
    features = torch.from_numpy(towers.encode_frames(noise(towers)))
    ids, mask = pair[1]._data.captions.tokens([0, 1, 2])
    with torch.no_grad():
        for one, other in zip(plain.video_tower(features), run.video_tower(states), strict=True):
            assert (one - other).abs().max() < 1e-5
        for one, other in zip(plain.text(ids, mask)[:1], run.text(ids, mask)[:1], strict=True):
            assert (one - other).abs().max() < 1e-5
    assert not any("blocks" in name for name in plain.state_dict())
    names = [name for name in run.state_dict() if "blocks." in name]
    assert names and all(name.split(".blocks.")[1].startswith("0.") for name in names)


def test_a_copy_has_blocks_of_its_own_and_shares_the_rest(pair):
    run = pair[1]
    model, kept = run._model, run._kept
    assert kept.video_tower.backbone is kept.text_tower.backbone is not model.text_tower.backbone
    mine, its = (m.text_tower.backbone.towers.model for m in (model, kept))
    for (name, one), other in zip(mine.named_parameters(), its.parameters(), strict=True):
        assert (one is other) == (LAST not in name), name
    for side in ("video_tower", "text_tower"):
        blocks = getattr(kept, side).blocks
        there = kept.text_tower.backbone.blocks()[side == "text_tower"]
        for one, other in zip(blocks.parameters(), there.parameters(), strict=True):
            assert one is other


def test_computing_states_again_gives_the_same_gradients(pair, monkeypatch):
    run = pair[1]
    model = run._model
    batch = next(batches(run._data, np.arange(12), 12, Draw(), np.random.default_rng(0)))
    calls = []
    real = torch.nn.functional.scaled_dot_product_attention

    def counted(*args, **kwargs):
        calls.append(1)
        return real(*args, **kwargs)

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", counted)

    def gradients(training: bool) -> tuple[list[torch.Tensor], int]:
        model.train(training)
        model.zero_grad()
        calls.clear()
        video, shown = model.video(batch.frames, batch.picks)
        text, said = model.text(batch.ids, batch.mask)
        (model.latent_score(text, video).diag().sum() + shown.mean() + said.mean()).backward()
        blocks = [*model.video_tower.blocks.parameters(), *model.text_tower.blocks.parameters()]
        return [p.grad.clone() for p in blocks], len(calls)

    again, more = gradients(training=True)
    kept, fewer = gradients(training=False)  # no dropout: it differs in this alone
    model.zero_grad()
    groups = LENGTH_GROUPS  # in which texts go through their tower
    assert more == fewer + 1 + groups, "one block of each tower is computed twice"
    assert max(grad.abs().max() for grad in kept) > 1e-4
    for one, other in zip(again, kept, strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-7)
    frozen = model.text_tower.backbone.towers.model.named_parameters()
    assert all(p.grad is None for name, p in frozen if LAST not in name)


@pytest.fixture(scope="module", params=KINDS)
def trained(request, world, tmp_path_factory):
    """A whole run: the recipe and the kept model."""
    made = fine_tuned(world, request.param, tmp_path_factory.mktemp("run") / "pack")
    report = train_pack(made)
    assert report is not None and report.recall["world"]
    return made, trainer(made).run()  # from the last checkpoint: nothing is left to train


def test_blocks_move_and_what_is_frozen_does_not(trained, world):
    made, kept = trained
    before = Towers(Path(made.towers.removeprefix("hf:"))).model.state_dict()
    written = Towers(made.out / "towers").model.state_dict()
    here = kept.text_tower.backbone.towers.model.state_dict()
    moved = set()
    for name, value in before.items():
        assert torch.equal(written[name], here[name]), "what is written is what was kept"
        if LAST not in name:
            assert torch.equal(written[name], value), f"{name} is frozen"
        elif not torch.equal(written[name], value):
            moved.add(name.split(".")[0])
    assert moved == {"vision_model", "text_model"}


def test_the_pack_says_what_the_model_says(trained):
    made, kept = trained
    with torch.no_grad():
        for parameter in kept.parameters():
            if parameter.ndim > 1 and not any(
                parameter is p
                for side in (kept.video_tower, kept.text_tower)
                for p in side.blocks.parameters()
            ):
                parameter.copy_(parameter.half().float())  # as the heads' file rounds it
    pack = open_pack(str(made.out))
    pack.verify()
    frames = noise(kept.text_tower.backbone.towers)
    codes = pack.encode_moments(pack.encode_frames(frames), np.array([[0, 3], [3, 4]]))
    start = open_start(made)
    states = torch.from_numpy(start.stem().encode(frames))
    start.tokenizer.enable_truncation(start.max_tokens)
    with torch.no_grad():
        latents = kept.video(states, torch.tensor([[0, 1, 2], [3, -1, -1]]))[0]
        ids = torch.tensor([start.tokenizer.encode("a cat").ids])
        text = kept.text(ids, torch.ones_like(ids, dtype=torch.bool))[0]
    assert np.abs(codes.latents - latents.numpy()).max() < 1e-4
    assert np.abs(pack.encode_query("a cat").latent - text[0].numpy()).max() < 1e-4


def test_the_first_stage_trains_the_pictures_blocks_alone(world, tmp_path):
    run = trainer(fine_tuned(world, "clip", tmp_path / "pack", ground_share=1.0))
    model = run._model
    assert isinstance(model.video_tower, HfVideo)
    sides = (model.video_tower.blocks, model.text_tower.blocks)
    before = [[p.detach().clone() for p in side.parameters()] for side in sides]
    run.run()
    same = [
        all(torch.equal(a, b) for a, b in zip(old, side.parameters(), strict=True))
        for old, side in zip(before, sides, strict=True)
    ]
    assert same == [False, True]


def test_a_killed_run_goes_on_with_the_same_curve(world, tmp_path):
    made = fine_tuned(world, "clip", tmp_path / "pack", epochs=2)
    check_a_killed_run_is_the_undisturbed_one(made, tmp_path, 2)


def test_more_blocks_than_there_are_are_refused(world):
    with pytest.raises(UsageError, match=r"has 2 blocks, not 3; set model\.fine_tune to 2 or less"):
        HfStart(world / "clip", 3)
