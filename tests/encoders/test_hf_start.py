from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tokenizers import Tokenizer  # noqa: E402

from tests.encoders.checkpoints import (  # noqa: E402
    FAMILIES,
    WIDTHS,
    noise,
    write_checkpoints,
)
from tests.encoders.runs import (  # noqa: E402
    check_a_killed_run_is_the_undisturbed_one,
    check_moments,
    check_queries,
    trainer,
)
from tests.encoders.tiny import recipe  # noqa: E402
from unify.encoders import zeroshot  # noqa: E402
from unify.encoders.captions import padded  # noqa: E402
from unify.encoders.heads import HeadsFile, unit  # noqa: E402
from unify.encoders.hf import Towers  # noqa: E402
from unify.encoders.hf_start import read_tokenizer  # noqa: E402
from unify.encoders.hf_trained import TrainedHfPack  # noqa: E402
from unify.encoders.model import Unify, activate  # noqa: E402
from unify.encoders.packs import open_pack  # noqa: E402
from unify.encoders.recipe import Recipe, changed  # noqa: E402
from unify.encoders.start import open_start  # noqa: E402
from unify.encoders.train import Trainer, train_pack  # noqa: E402
from unify.engine.errors import UsageError  # noqa: E402
from unify.engine.lexicon import Lexicon  # noqa: E402

CAPTIONS = ["a cat and a dog", "lemon", "an ox, snow!"]
SIGLIP = ("siglip", "siglip2")


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    """Checkpoints of all kinds, and the tiny world's data and lexicon."""
    return write_checkpoints(tmp_path_factory.mktemp("world"), items=96)


def from_checkpoint(world: Path, kind: str, out: Path, **schedule: object) -> Recipe:
    made = recipe(world, **{"epochs": 2, "video_rate": 3e-3, "text_rate": 3e-3, **schedule})
    made = changed(made, {"model": {"latent": WIDTHS[kind], "frozen_layers": 4}})
    return replace(made, towers=f"hf:{world / kind}", out=out)


@dataclass(frozen=True)
class Started:
    """An untrained model in evaluation mode, and what it was made of."""

    run: Trainer
    towers: Towers
    tokenizer: Tokenizer

    @property
    def model(self) -> Unify:
        return self.run._model.eval()


@pytest.fixture(scope="module", params=FAMILIES)
def started(request, world, tmp_path_factory) -> Started:
    made = from_checkpoint(world, request.param, tmp_path_factory.mktemp("run") / "pack")
    run = trainer(made)
    towers = run._model.text_tower.backbone.towers
    return Started(run, towers, read_tokenizer(world / request.param, request.param in SIGLIP)[0])


def ids_of(tokenizer: Tokenizer, towers: Towers, texts: list[str]):
    """Ids and mask of texts, as captions become them."""
    tokenizer.no_padding()
    tokenizer.enable_truncation(towers.context)
    return padded([np.array(tokenizer.encode(text).ids) for text in texts])


def test_before_training_the_latent_score_is_the_towers_cosine(started):
    model, towers = started.model, started.towers
    features = towers.encode_frames(noise(towers))
    frames = unit(features)
    expected = unit(np.stack([frames[:3].mean(axis=0), frames[3]]))
    with torch.no_grad():
        videos = model.video(torch.from_numpy(features), torch.tensor([[0, 1, 2], [3, -1, -1]]))[0]
        texts = model.text(*ids_of(started.tokenizer, started.towers, CAPTIONS))[0]
        found = model.latent_score(texts, videos).numpy()
    cosines = unit(towers.encode_texts(CAPTIONS)) @ expected.T
    assert np.abs(texts.numpy() @ videos.numpy().T - cosines).max() < 1e-5
    scale = min(float(towers.logit_scale.exp()), 99.0)
    assert np.abs(found - scale * cosines).max() < 1e-3


def test_before_training_the_lexicon_is_the_zero_shot_projection(started):
    model, run, towers = started.model, started.run, started.towers
    terms = Lexicon.read(run._recipe.lexicon).terms
    space = zeroshot.uncentred_space(terms, towers.encode_texts)
    space = replace(space, frame_mean=model.video_lexicon.mean.numpy())
    features = towers.encode_frames(noise(towers))
    best = zeroshot.VideoHead(space).best_scores(features, np.array([[0, 3], [3, 4]]))
    with torch.no_grad():
        logits = model.video(torch.from_numpy(features), torch.tensor([[0, 1, 2], [3, -1, -1]]))[1]
        scale, bias = model.video_scale.exp().numpy(), model.video_bias.numpy()
        assert np.abs(logits.numpy() - (scale * best + bias)).max() < 1e-5 * max(1, scale.max())
        assert np.abs((logits.numpy() - bias) / scale - best).max() < 1e-5
        ids, mask = ids_of(started.tokenizer, started.towers, CAPTIONS)
        said = model.text(ids, mask)[1]
        tokens = towers.token_states(towers.tokens(CAPTIONS))
    for row in range(len(CAPTIONS)):
        voters = torch.cat([tokens.pooled[row : row + 1], tokens.states[row][tokens.words[row]]])
        centred = unit(unit(voters.numpy()) - model.text_lexicon.mean.numpy())
        expected = (centred @ space.dictionary.T).max(axis=0)
        found = (said[row] - model.text_bias).detach() / model.text_scale.exp().detach()
        assert np.abs(found.numpy() - expected).max() < 1e-5


def test_captions_become_the_tokens_that_searches_use(started):
    ids, mask = ids_of(started.tokenizer, started.towers, ["A cat", "dog"])
    tokens = started.towers.tokens(["A cat", "dog"])["input_ids"]
    for row in range(2):
        own = int(mask[row].sum())
        assert torch.equal(ids[row, :own], tokens[row, :own])


def test_words_can_be_taken_out_of_captions(started):
    captions, row = started.run._data.captions, 1  # "grass and a apple", as far as it fits
    _, mask, missing = captions.without([row], 1.0, np.random.default_rng(0))
    assert np.array_equal(np.sort(missing[0]), captions.own[row])
    assert mask.sum() <= captions.tokens([row])[1].sum() - len("grass")


def test_padding_never_changes_a_vector(started):
    model = started.model
    ids, mask = ids_of(started.tokenizer, started.towers, ["dog"])
    more = torch.nn.functional.pad(ids, (0, 3)), torch.nn.functional.pad(mask, (0, 3))
    blocks = [*model.text_tower.above.branches.shared, *model.video_tower.branches.shared]
    frames = torch.randn(4, started.towers.dim)
    with torch.no_grad():
        for block in blocks:
            block.gate.fill_(0.5)
        short = *model.text(ids, mask), *model.video(frames, torch.tensor([[0, 1]]))
        long = *model.text(*more), *model.video(frames, torch.tensor([[0, 1, -1, -1]]))
        for block in blocks:
            block.gate.zero_()
    for a, b in zip(short, long, strict=True):
        assert torch.allclose(a, b, atol=1e-5)


def test_as_many_terms_start_active_as_are_wanted(world, tmp_path):
    made = from_checkpoint(world, "clip", tmp_path / "pack")
    made = changed(made, {"loss": {"video_terms": 3.0, "text_terms": 2.0}})
    run = trainer(made)
    model = run._model.eval()
    with torch.no_grad():
        shown = activate(model.video(*run._data.stack(range(len(run._data))))[1])
        said = activate(model.text(*run._data.captions.tokens(range(len(run._data.captions))))[1])
    assert abs((shown > 0).sum(dim=1).float().mean() - 3) < 0.5
    # The tiny context cuts many captions to the same text: ties at the threshold are 0, but for
    # the rounding of the bias.
    assert 0 < (said > 1e-5).sum(dim=1).float().mean() < 2.5


def test_the_first_stage_leaves_the_text_side_as_it_was(world, tmp_path):
    run = trainer(from_checkpoint(world, "clip", tmp_path / "pack", ground_share=1.0))
    model = run._model
    ids, mask = run._data.captions.tokens([0, 1, 2])
    before = [p.detach().clone() for p in model.text_grounding()]
    gate = model.video_tower.branches.shared[0].gate
    tower = {k: v.clone() for k, v in model.text_tower.backbone.towers.model.state_dict().items()}
    with torch.no_grad():
        logits = model.eval().text(ids, mask)[1]
    run.run()
    assert all(torch.equal(a, b) for a, b in zip(before, model.text_grounding(), strict=True))
    after = model.text_tower.backbone.towers.model.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in tower.items())
    with torch.no_grad():
        assert torch.equal(model.eval().text(ids, mask)[1], logits)
    assert gate.abs() > 0, "the video side has learned"


def test_the_second_stage_trains_the_texts_blocks(world, tmp_path):
    run = trainer(from_checkpoint(world, "siglip", tmp_path / "pack", ground_share=0.0))
    run.run()
    branches = run._model.text_tower.above.branches
    assert branches.shared[0].gate.abs() > 0 and branches.lexicon[0].gate.abs() > 0


@pytest.fixture(scope="module", params=["clip", "siglip"])
def trained(request, world, tmp_path_factory):
    """A whole run: the recipe, the kept model as the heads' file rounds it, and its towers."""
    made = from_checkpoint(world, request.param, tmp_path_factory.mktemp("run") / "pack")
    report = train_pack(made)
    assert report is not None and report.recall["world"]
    kept = trainer(made).run()  # from the last checkpoint: nothing is left to train
    with torch.no_grad():
        for parameter in kept.parameters():
            if parameter.ndim > 1:
                parameter.copy_(parameter.half().float())
    return made, kept, kept.text_tower.backbone.towers


def test_the_pack_alone_says_of_frames_what_the_model_says(trained, tmp_path):
    made, kept, towers = trained
    shutil.copytree(made.out, tmp_path / "moved")
    pack = open_pack(str(tmp_path / "moved"))
    assert isinstance(pack, TrainedHfPack)
    pack.verify()
    facts = json.loads((tmp_path / "moved" / "pack.json").read_text())
    assert facts["towers"] == "transformers" and "heads" not in facts, "trained is the default"
    frames = noise(towers)
    codes = pack.encode_moments(pack.encode_frames(frames), np.array([[0, 3], [3, 4]]))
    with torch.no_grad():
        features = torch.from_numpy(towers.encode_frames(frames))
        latents, logits = kept.video(features, torch.tensor([[0, 1, 2], [3, -1, -1]]))
    check_moments(codes, latents, logits, 1e-4, 1e-4)


def test_the_pack_says_of_sentences_what_the_model_says(trained):
    made, kept, towers = trained
    pack, heads = open_pack(str(made.out)), HeadsFile(made.out / "heads.safetensors")
    folder = Path(made.towers.removeprefix("hf:"))
    tokenizer = read_tokenizer(folder, folder.name in SIGLIP)[0]
    with torch.no_grad():
        latents, logits = kept.text(*ids_of(tokenizer, towers, CAPTIONS))
    check_queries(pack, heads, CAPTIONS, latents, logits, 1e-4, 1e-4)
    for caption, query in zip(CAPTIONS, pack.encode_queries(CAPTIONS), strict=True):
        assert np.abs(pack.encode_query(caption).latent - query.latent).max() < 1e-5


def test_such_a_pack_indexes_and_searches(trained, tmp_path):
    import unify

    samples = Path(__file__).resolve().parents[2] / "samples"
    options = unify.BuildOptions(pack=str(trained[0].out), fps=0.5)
    unify.build_index([samples / "cat.mp4"], index=tmp_path / "index", options=options)
    hits = unify.open_index(tmp_path / "index").search("a lemon", k=3).hits
    assert hits and hits[0].video.endswith("cat.mp4")


def test_a_killed_run_goes_on_with_the_same_curve(world, tmp_path):
    made = from_checkpoint(world, "clip", tmp_path / "pack", epochs=3)
    check_a_killed_run_is_the_undisturbed_one(made, tmp_path, 2)


def test_a_runs_checkpoint_holds_no_towers(started):
    model, run = started.model, started.run
    frozen = {id(p) for p in started.towers.model.parameters()}
    assert not frozen & {id(p) for p in model.parameters()}
    assert run._kept.text_tower.backbone is model.text_tower.backbone, "not copied"


def test_latents_of_another_width_are_refused(world, tmp_path):
    made = changed(from_checkpoint(world, "clip", tmp_path / "pack"), {"model": {"latent": 512}})
    with pytest.raises(UsageError, match=r"latents of 16 numbers, not 512.*model\.latent = 16"):
        trainer(made)


def test_settings_of_other_towers_are_refused(world, tmp_path):
    made = from_checkpoint(world, "clip", tmp_path / "pack")
    with pytest.raises(UsageError, match=r"frozen_layers is 2, and hf:.*clip takes none; leave it"):
        open_start(changed(made, {"model": {"frozen_layers": 2}}))
    with pytest.raises(UsageError, match=r"fine_tune is 1, and .*towers takes none; leave it out"):
        open_start(changed(recipe(world), {"model": {"fine_tune": 1}}))


def test_the_words_are_encoded_once(world, tmp_path, monkeypatch):
    made = replace(from_checkpoint(world, "clip", tmp_path / "pack"), cache=tmp_path / "cache")
    first = trainer(made)._model.dictionary
    monkeypatch.setattr(Towers, "encode_texts", None)
    assert torch.equal(trainer(made)._model.dictionary, first)


def test_a_folder_without_a_checkpoint_is_refused(world):
    with pytest.raises(UsageError, match=r"config\.json cannot be read"):
        made = replace(from_checkpoint(world, "clip", world), towers=f"hf:{world / 'nothing'}")
        open_start(made)
