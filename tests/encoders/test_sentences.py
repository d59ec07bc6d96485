from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.encoders.runs import trainer  # noqa: E402
from tests.encoders.tiny import recipe, write_world  # noqa: E402
from unify.encoders.captions import padded  # noqa: E402
from unify.encoders.finish import head_tensors  # noqa: E402
from unify.encoders.heads import HeadsFile, save_heads  # noqa: E402
from unify.encoders.model import activate  # noqa: E402
from unify.encoders.recipe import changed  # noqa: E402
from unify.encoders.sentences import SentenceEncoder  # noqa: E402
from unify.encoders.start import open_start  # noqa: E402
from unify.encoders.towers import Sharing  # noqa: E402

LONGEST = 12  # tokens
TEXTS = ["", " ", "apple", "a picture of plum and snow " * 400, "qqq", "a picture of ocean"]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return write_world(tmp_path_factory.mktemp("world"))


@pytest.mark.parametrize(
    ("sharing", "frozen"),
    [(Sharing.STEM, 1), (Sharing.STEM, 0), (Sharing.ALL, 1), (Sharing.NONE, 2)],
)
def test_texts_of_any_length_are_what_the_model_says(world, tmp_path, sharing, frozen):
    made = changed(recipe(world), {
        "model": {"sharing": sharing, "frozen_layers": frozen, "train_video": False},
    })  # fmt: skip
    model, start = trainer(made)._model.eval(), open_start(made)
    with torch.no_grad():
        for parameter in model.text_tower.bert.lexicon.parameters():
            parameter.mul_(1.1)  # the branches differ
    save_heads(tmp_path / "heads.safetensors", start.tensors(model) | head_tensors(model))
    towers = world / "towers"
    encoder = SentenceEncoder(
        towers / "text.safetensors", towers / "tokenizer.json",
        HeadsFile(tmp_path / "heads.safetensors"), LONGEST,
    )  # fmt: skip
    found = encoder.encode(TEXTS, [[] for _ in TEXTS])
    start.tokenizer.enable_truncation(LONGEST)
    ids, mask = padded([np.array(start.tokenizer.encode(text).ids) for text in TEXTS])
    assert mask.sum(dim=1).tolist() == [2, 2, 3, LONGEST, 3, 6]
    with torch.no_grad():
        latents, logits = model.text(ids, mask)
    for row, query in enumerate(found):
        assert np.abs(query.latent - latents[row].numpy()).max() < 2e-2
        dense = np.zeros(logits.shape[1], np.float32)
        dense[query.terms] = query.weights
        assert np.abs(dense - activate(logits)[row].numpy()).max() < 5e-2


def test_nothing_to_encode_is_nothing(world, tmp_path):
    start = open_start(recipe(world))
    model = trainer(recipe(world))._model
    save_heads(tmp_path / "heads.safetensors", start.tensors(model) | head_tensors(model))
    (tmp_path / "pack").symlink_to(world)
    assert start.sentences(tmp_path / "pack", HeadsFile(tmp_path / "heads.safetensors")).encode(
        [], []
    ) == []  # fmt: skip
