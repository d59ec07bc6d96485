from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.encoders.runs import check_moments, trainer  # noqa: E402
from tests.encoders.tiny import recipe, write_world  # noqa: E402
from unify.encoders import finish  # noqa: E402
from unify.encoders.corpus import read_corpus  # noqa: E402
from unify.encoders.heads import HeadsFile  # noqa: E402
from unify.encoders.model import activate  # noqa: E402
from unify.encoders.packs import open_pack  # noqa: E402
from unify.encoders.recipe import changed  # noqa: E402
from unify.encoders.start import open_start  # noqa: E402
from unify.encoders.towers import Sharing  # noqa: E402
from unify.encoders.train import train_pack  # noqa: E402
from unify.engine.errors import UsageError  # noqa: E402


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return write_world(tmp_path_factory.mktemp("world"))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"sharing": Sharing.ALL},
        {"sharing": Sharing.NONE, "train_video": False},
        {"frozen_layers": 0},
    ],
    ids=["stem", "all", "none", "nothing frozen"],
)
def test_the_pack_says_what_the_model_says(world, tmp_path, settings):
    """NumPy and OpenVINO against torch, but for the float16 of stored weights."""
    made = changed(recipe(world, epochs=2), {"model": settings})
    made = replace(made, out=tmp_path / "pack")
    train_pack(made)
    kept = trainer(made).run()  # from the last checkpoint: nothing is left to train
    pack, heads = open_pack(str(made.out)), HeadsFile(made.out / "heads.safetensors")
    corpus = read_corpus(made, open_start(made), pack.lexicon)
    frames, picks = corpus.data.stack([0, 1, 2])
    ids, mask = corpus.data.captions.tokens([0, 1])
    with torch.no_grad():
        latents, logits = kept.video(frames, picks)
        texts, guesses = kept.text(ids, mask)
    features = open_start(made).features(made.out, heads, corpus.data)[0]
    spans, rows = [], []
    for _, own in corpus.data.places[:3]:
        spans.append([len(rows), len(rows) + len(own)])
        rows += own.tolist()
    codes = pack.encode_moments(features[rows], np.array(spans))
    check_moments(codes, latents, logits, 2e-2, 2e-2)
    captions = [corpus.items[0].captions[0], corpus.items[0].captions[1]]
    for row, query in enumerate(pack.encode_queries(captions)):
        assert np.abs(query.latent - texts[row].numpy()).max() < 2e-2
        said = activate(guesses)[row].numpy()
        own = set(pack.lexicon.term_ids(captions[row]))
        for term, weight in zip(query.terms.tolist(), query.weights.tolist(), strict=True):
            assert (weight > said[term]) if term in own else abs(weight - said[term]) < 5e-2


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


def test_a_pack_cut_off_while_it_is_replaced_is_refused(world, tmp_path, monkeypatch):
    made = replace(recipe(world, epochs=1), out=tmp_path / "pack")
    train_pack(made)
    whole = open_pack(str(made.out)).fingerprint

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    for name in ("save_heads", "describe_files"):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(finish, name, crash)
            train_pack(made)
        with pytest.raises(UsageError, match="no pack"):
            open_pack(str(made.out))
    train_pack(made)
    assert open_pack(str(made.out)).fingerprint == whole
