from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from unify.encoders.evaluate import to_dense  # noqa: E402
from unify.encoders.finish import save_heads  # noqa: E402
from unify.encoders.heads import HeadsFile, TextHead, VideoHead  # noqa: E402
from unify.encoders.model import activate  # noqa: E402
from unify.encoders.train import TrainingConfig, export, train  # noqa: E402
from unify.encoders.trainset import TrainingSet, batches  # noqa: E402

TERMS, WIDTH, FRAME = 12, 16, 24
CONFIG = TrainingConfig(epochs=8, batch=16, latent=8, hidden=32, dropout=0.1)


def toy() -> tuple[TrainingSet, np.ndarray]:
    """Items that show two terms each: frames and texts are noisy sums of the terms' vectors."""
    rng = np.random.default_rng(0)
    dictionary = np.linalg.qr(rng.standard_normal((WIDTH, WIDTH)))[0][:TERMS].astype(np.float32)
    looks = rng.standard_normal((TERMS, FRAME)).astype(np.float32)
    shown = [sorted(rng.choice(TERMS, 2, replace=False).tolist()) for _ in range(96)]
    stills, frames = [], []
    for terms in shown:
        count = int(rng.integers(1, 4))
        stills.append(np.arange(len(frames), len(frames) + count))
        frames += [
            looks[terms].sum(axis=0) + 0.1 * rng.standard_normal(FRAME) for _ in range(count)
        ]
    texts = np.array([dictionary[terms].sum(axis=0) for terms in shown])
    texts += 0.05 * rng.standard_normal(texts.shape)
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    targets = np.zeros((96, TERMS), np.float32)
    for row, terms in enumerate(shown):
        targets[row, terms] = 1
    data = TrainingSet(
        np.array(frames, np.float32),
        texts.astype(np.float32),
        stills,
        [np.array([i]) for i in range(96)],
        [[terms] for terms in shown],
        targets,
    )
    return data, dictionary


def test_an_epoch_shows_every_item_once():
    data, _ = toy()
    seen = [batch.items for batch in batches(data, 32, np.random.default_rng(1))]
    assert sorted(torch.cat(seen).tolist()) == list(range(96))
    batch = next(batches(data, 32, np.random.default_rng(1)))
    for item, picks in zip(batch.items.tolist(), batch.picks.tolist(), strict=True):
        rows = batch.frames[sorted(set(picks))].numpy()
        own = data.frames[data.stills[item]]
        assert all((own == row).all(axis=1).any() for row in rows), "only the item's own stills"
    assert ((batch.words <= batch.targets) | (batch.words == 0)).all()


def test_training_lowers_the_loss_and_repeats_itself():
    data, dictionary = toy()
    _, curve = train(data, dictionary, CONFIG)
    assert curve[-1] < 0.8 * curve[0]
    assert train(data, dictionary, CONFIG)[1] == curve


def test_the_teaching_branches_can_be_switched_off():
    data, dictionary = toy()
    heads, curve = train(data, dictionary, replace(CONFIG, lexicon=0.0))
    assert curve[-1] < curve[0]
    assert torch.equal(
        heads.video_lexicon.down.weight, torch.zeros_like(heads.video_lexicon.down.weight)
    )


def test_numpy_heads_compute_what_torch_trained(tmp_path):
    data, dictionary = toy()
    heads, _ = train(data, dictionary, CONFIG)
    tensors = export(heads)
    tensors["video_background"] = np.zeros_like(tensors["video_bias"])
    save_heads(tmp_path / "heads.safetensors", tensors)
    file = HeadsFile(tmp_path / "heads.safetensors")
    stills = data.stills[0]
    picks = torch.arange(len(stills))[None]
    with torch.no_grad():
        latent, logits = heads.video(torch.from_numpy(data.frames[stills]), picks)
        text, guesses = heads.text(torch.from_numpy(data.texts[:1]))
    codes = VideoHead(file).encode(data.frames[stills], np.array([[0, len(stills)]]))
    assert np.abs(codes.latents - latent.numpy()).max() < 5e-3, "float16 weights"
    weights = activate(logits)
    expected = (weights / weights.norm()).numpy()
    assert np.abs(to_dense(codes.lexicon, TERMS) - expected).max() < 5e-3
    query = TextHead(file).encode(data.texts[0], [3])
    assert np.abs(query.latent - text[0].numpy()).max() < 5e-3
    said = activate(guesses)[0].numpy()
    others = [term for term in query.terms.tolist() if term != 3]
    found = dict(zip(query.terms.tolist(), query.weights.tolist(), strict=True))
    assert np.allclose([found[t] for t in others], said[others], atol=2e-2)
    assert found[3] > said[3]
