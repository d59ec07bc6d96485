from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.encoders.tiny import THINGS, recipe, write_world  # noqa: E402
from unify.encoders import curves  # noqa: E402
from unify.encoders.distributed import ALONE  # noqa: E402
from unify.encoders.heads import HeadsFile, unit  # noqa: E402
from unify.encoders.model import activate  # noqa: E402
from unify.encoders.packs import open_pack  # noqa: E402
from unify.encoders.recipe import Recipe, changed  # noqa: E402
from unify.encoders.start import open_start  # noqa: E402
from unify.encoders.towers import Sharing  # noqa: E402
from unify.encoders.train import RUN_FOLDER, Trainer, read_corpus, train_pack  # noqa: E402
from unify.engine.errors import UsageError  # noqa: E402
from unify.engine.lexicon import Lexicon  # noqa: E402


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return write_world(tmp_path_factory.mktemp("world"))


def trainer(made: Recipe) -> Trainer:
    start, lexicon = open_start(made), Lexicon.read(made.lexicon)
    corpus = read_corpus(made, start, lexicon)
    torch.manual_seed(made.seed)
    model = start.model(made, corpus.data.part(corpus.train), start.dictionary(lexicon.terms))
    return Trainer(made, model, corpus, ALONE)


def losses(made: Recipe) -> list[tuple[int, dict[str, float | None]]]:
    found = curves.read(made.out / RUN_FOLDER / "metrics.jsonl")
    return [(r.step, {k: v for k, v in r.values.items() if k.startswith("loss/")}) for r in found]


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


def test_the_pack_says_what_the_model_says(trained, world):
    """NumPy and OpenVINO against torch, but for the float16 of stored weights."""
    made, _ = trained
    made = replace(made, out=made.out.parent / "pack")
    run = trainer(made)
    kept = run.run()
    pack, heads = open_pack(str(made.out)), HeadsFile(made.out / "heads.safetensors")
    corpus = read_corpus(made, open_start(made), pack.lexicon)
    frames, picks = corpus.data.stack([0, 1, 2])
    ids, mask = corpus.data.captions.tokens([0, 1])
    with torch.no_grad():
        latents, logits = kept.video(frames, picks)
        texts, guesses = kept.text(ids, mask)
    features = open_start(made).features(heads, corpus.data)[0]
    spans, rows = [], []
    for _, own in corpus.data.places[:3]:
        spans.append([len(rows), len(rows) + len(own)])
        rows += own.tolist()
    codes = pack.encode_moments(features[rows], np.array(spans))
    assert np.abs(codes.latents - latents.numpy()).max() < 2e-2
    weights = np.maximum(activate(logits).numpy() - heads.tensor("video_background"), 0)
    dense = np.zeros_like(weights)
    for i in range(3):
        terms, values = codes.lexicon.row(i)
        dense[i, terms] = values
    assert np.abs(dense - unit(weights)).max() < 2e-2
    captions = [corpus.items[0].captions[0], corpus.items[0].captions[1]]
    for row, query in enumerate(pack.encode_queries(captions)):
        assert np.abs(query.latent - texts[row].numpy()).max() < 2e-2
        said = activate(guesses)[row].numpy()
        own = set(pack.lexicon.term_ids(captions[row]))
        for term, weight in zip(query.terms.tolist(), query.weights.tolist(), strict=True):
            assert (weight > said[term]) if term in own else abs(weight - said[term]) < 5e-2


def test_a_killed_run_goes_on_with_the_same_curve(world, tmp_path, monkeypatch):
    whole = replace(recipe(world), out=tmp_path / "whole")
    broken = replace(whole, out=tmp_path / "broken")
    expected = trainer(whole).run()
    first = trainer(broken)
    after = first._after_epoch

    def killed(epoch: int, step: int) -> None:
        if epoch == 4:
            raise KeyboardInterrupt
        after(epoch, step)

    monkeypatch.setattr(first, "_after_epoch", killed)
    with pytest.raises(KeyboardInterrupt):
        first.run()
    found = trainer(broken).run()
    assert losses(broken) == losses(whole)
    pairs = zip(expected.state_dict().values(), found.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


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


def test_another_recipe_does_not_go_on_with_a_run(world, tmp_path):
    made = replace(recipe(world, epochs=1), out=tmp_path / "pack")
    trainer(made).run()
    with pytest.raises(UsageError, match="checkpoint"):
        trainer(replace(made, seed=1)).run()


def test_a_word_no_caption_has_is_a_term_too(trained):
    made, _ = trained
    pack = open_pack(str(made.out))
    zebra = pack.lexicon.lookup("zebras")
    assert zebra == len(THINGS)
    assert zebra in pack.encode_query("zebra").terms.tolist()


def test_a_frozen_picture_tower_makes_a_pack_too(world, tmp_path):
    made = changed(recipe(world, epochs=1), {
        "model": {"train_video": False, "sharing": Sharing.NONE},
    })  # fmt: skip
    made = replace(made, out=tmp_path / "pack")
    report = train_pack(made)
    assert report.recall["world"]
    pack = open_pack(str(made.out))
    frames = np.full((2, 260, 260, 3), 90, np.uint8)
    assert np.isfinite(
        pack.encode_moments(pack.encode_frames(frames), np.array([[0, 2]])).latents
    ).all()


def test_two_picture_towers_are_refused_before_training(world, tmp_path):
    made = changed(recipe(world), {"model": {"sharing": Sharing.NONE}})
    with pytest.raises(UsageError, match="two picture towers"):
        train_pack(replace(made, out=tmp_path / "pack"))
