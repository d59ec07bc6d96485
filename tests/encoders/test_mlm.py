"""The paper's lexicon: BERT's pieces, and its masked language model's head."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from tokenizers import Tokenizer  # noqa: E402

from tests.encoders.checkpoints import save_bert  # noqa: E402
from tests.encoders.runs import check_moments, check_queries, trainer  # noqa: E402
from tests.encoders.tiny import (  # noqa: E402
    THINGS,
    WORDS,
    recipe,
    write_data,
    write_lexicon,
    write_towers,
)
from unify.encoders.captions import padded  # noqa: E402
from unify.encoders.distributed import ALONE  # noqa: E402
from unify.encoders.export import export_mlm  # noqa: E402
from unify.encoders.heads import HeadsFile  # noqa: E402
from unify.encoders.losses import masked_tokens  # noqa: E402
from unify.encoders.mlm import FILE, MlmText, Transform, TransformedProjection  # noqa: E402
from unify.encoders.objective import Objective, Progress  # noqa: E402
from unify.encoders.packs import open_pack  # noqa: E402
from unify.encoders.recipe import LossRecipe, Recipe, changed  # noqa: E402
from unify.encoders.schedule import Stage  # noqa: E402
from unify.encoders.train import train_pack  # noqa: E402
from unify.encoders.trainset import Draw, batches  # noqa: E402
from unify.encoders.wordlist import bert_vocabulary, format_lexicon  # noqa: E402
from unify.engine.errors import UsageError  # noqa: E402

TEXTS = ["a picture of ocean and lemon", "plum", "night and a snow"]
JOINT = Progress(60, 100, Stage.JOINT, 0.5)


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    """Towers of a masked language model, data, and a lexicon of the pieces that are words."""
    top = tmp_path_factory.mktemp("world")
    write_towers(top / "towers")
    export_mlm(save_bert(top / "bert"), top / "towers")
    write_data(top / "world-train", items=96)
    rows = [(piece, []) for piece in bert_vocabulary(top / "towers" / "tokenizer.json")]
    (top / "lexicon.txt").write_text(format_lexicon(rows))
    (top / "every-piece.txt").write_text("".join(f"{piece}\n" for piece in WORDS))
    return top


@pytest.fixture(scope="module")
def bert(world):
    return transformers.BertForMaskedLM.from_pretrained(world / "bert").eval()


@pytest.fixture(scope="module")
def run(world, tmp_path_factory):
    return trainer(with_rates(world, tmp_path_factory.mktemp("run") / "pack"))


def with_rates(world: Path, out: Path) -> Recipe:
    made = recipe(world, epochs=1, ground_share=0.3, scalar_rate=1.0, rate=1e-3)
    return replace(made, out=out)


def tokens(run, texts: list[str]):
    tokenizer = Tokenizer.from_file(str(Path(run._recipe.towers) / "tokenizer.json"))
    return padded([np.array(tokenizer.encode(text).ids) for text in texts])


def logits_of(bert, ids, mask):
    with torch.no_grad():
        return bert(input_ids=ids, attention_mask=mask.long()).logits


def test_logits_start_as_those_of_the_language_model(run, bert):
    model, (ids, mask) = run._model.eval(), tokens(run, TEXTS)
    pieces = [WORDS.index(term) for term in WORDS if not term.startswith("[")]
    theirs = logits_of(bert, ids, mask)[..., pieces]
    assert theirs.std() > 0.5, "or there is nothing to compare"
    words = mask.clone()
    for row, count in enumerate(mask.sum(dim=1).tolist()):
        words[row, [0, count - 1]] = False
    with torch.no_grad():
        assert (model.token_logits(ids, mask, words) - theirs[words]).abs().max() < 1e-4
        found = model.text(ids, mask)[1]
    largest = theirs.masked_fill(~words[..., None], -1e4).amax(dim=1)
    assert (found - largest).abs().max() < 1e-4


def test_both_sides_speak_through_the_head(run):
    model = run._model
    assert isinstance(model.text_tower, MlmText) and isinstance(model.text_lexicon, Transform)
    assert isinstance(model.video_lexicon, TransformedProjection)
    copied = model.video_lexicon.transform
    for one, other in zip(copied.parameters(), model.text_lexicon.parameters(), strict=True):
        assert torch.equal(one, other) and one is not other
    assert torch.equal(model.video_bias, model.text_bias)
    assert "term_of_piece" not in model.state_dict(), "it is no weight"


@pytest.mark.parametrize("lexicon", ["every-piece.txt", "lexicon.txt"])
def test_the_masked_loss_is_that_of_the_language_model(world, bert, tmp_path, lexicon):
    """Over every piece it is transformers' own loss; over fewer, that of their logits."""
    made = replace(with_rates(world, tmp_path / "pack"), lexicon=world / lexicon)
    run = trainer(changed(made, {"loss": {"masked": 0.7}}))
    model, data = run._model.eval(), run._data
    batch = next(batches(data, np.arange(12), 12, Draw(), np.random.default_rng(0)))
    hidden = batch.masked_ids == WORDS.index("[MASK]")
    whole = batch.ids[: len(hidden), : hidden.shape[1]]
    assert hidden.sum() >= 3
    labels = whole.masked_fill(~hidden, -100)
    with torch.no_grad():
        theirs = bert(
            input_ids=batch.masked_ids, attention_mask=batch.masked_mask.long(), labels=labels
        )
    expected = theirs.loss
    if lexicon == "lexicon.txt":
        terms = model.term_of_piece >= 0
        among = theirs.logits[hidden][:, terms]
        expected = masked_tokens(among, model.term_of_piece[whole[hidden]])
        assert expected < theirs.loss
    objective = Objective(LossRecipe(masked=0.7), torch.ones(data.terms), model.dictionary, ALONE)
    with torch.no_grad():
        exact = masked_tokens(
            model.token_logits(batch.masked_ids, batch.masked_mask, hidden),
            model.term_of_piece[whole[hidden]],
        )
        half = objective(model, batch, JOINT)["masked"] / 0.7
    assert float(exact) == pytest.approx(float(expected), abs=1e-4)
    assert float(half) == pytest.approx(float(expected), rel=2e-2), "in bfloat16"


def test_the_masked_loss_teaches_the_text_side_alone(run):
    model = run._model.eval()
    batch = next(batches(run._data, np.arange(12), 12, Draw(), np.random.default_rng(0)))
    objective = Objective(LossRecipe(), torch.ones(run._data.terms), model.dictionary, ALONE)
    model.zero_grad()
    objective(model, batch, JOINT)["masked"].backward()
    assert model.text_lexicon.dense.weight.grad.abs().max() > 0
    assert model.text_tower.bert.lexicon[0].up.weight.grad.abs().max() > 0
    assert all(p.grad is None for p in model.video_lexicon.parameters())
    model.zero_grad()


@pytest.fixture(scope="module")
def trained(world, tmp_path_factory):
    """A whole run: the recipe, and the kept model as the heads' file rounds it."""
    made = with_rates(world, tmp_path_factory.mktemp("run") / "pack")
    report = train_pack(made)
    assert report is not None and report.recall["world"]
    run = trainer(made)
    kept = run.run()  # from the last checkpoint: nothing is left to train
    with torch.no_grad():
        for parameter in kept.parameters():
            if parameter.ndim > 1:
                parameter.copy_(parameter.half().float())
    return made, kept, run


def test_the_pack_says_of_sentences_what_the_model_says(trained):
    made, kept, run = trained
    pack, heads = open_pack(str(made.out)), HeadsFile(made.out / "heads.safetensors")
    pack.verify()
    assert not (made.out / "towers" / FILE).exists(), "the head stands in the heads"
    first = heads.tensor("text_lexicon.dense.weight")
    before = trainer(replace(made, out=made.out.parent / "new"))._model.text_lexicon
    assert np.abs(first - before.dense.weight.detach().numpy()).max() > 1e-4, "it was trained"
    texts = [*TEXTS, "", "zebra"]
    with torch.no_grad():
        latents, logits = kept.text(*tokens(run, texts))
    check_queries(pack, heads, texts, latents, logits, 1e-4, 1e-3)
    assert not len(pack.encode_query("").terms)


def test_the_pack_says_of_pictures_what_the_model_says(trained):
    made, kept, run = trained
    pack = open_pack(str(made.out))
    frames, picks = run._data.stack([0, 1, 2])
    with torch.no_grad():
        features = kept.video_tower(frames)[0].numpy()
        latents, logits = kept.video(frames, picks)
    rows = [row[row >= 0].numpy() for row in picks]
    spans = np.array([[row[0], row[-1] + 1] for row in rows])
    codes = pack.encode_moments(features, spans)
    check_moments(codes, latents, logits, 1e-4, 1e-3)


def test_a_lexicon_of_other_words_leaves_the_head_out_and_says_so(world, tmp_path, caplog):
    made = replace(
        with_rates(world, tmp_path / "pack"), lexicon=write_lexicon(tmp_path / "words.txt")
    )
    with caplog.at_level(logging.WARNING):
        model = trainer(made)._model
    assert "is not of the pieces of" in caplog.text
    assert model.term_of_piece is None and len(model.dictionary) == len(THINGS) + 1


def test_a_bert_of_another_build_is_refused(tmp_path):
    source = save_bert(tmp_path / "bert", layer_norm_eps=1e-5)
    with pytest.raises(UsageError, match=r"layer_norm_eps.*1e-05.*as bert-base-uncased"):
        export_mlm(source, tmp_path)
    (source / "tokenizer.json").unlink()
    with pytest.raises(UsageError, match="holds no tokenizer"):
        export_mlm(source, tmp_path)
