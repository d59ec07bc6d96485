from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors.numpy import load_file  # noqa: E402

from tests.encoders.tiny import LAYERS, write_towers  # noqa: E402
from unify.encoders.minilm import Layers, TextTower  # noqa: E402
from unify.encoders.towers import BertText, CnnTop, Sharing  # noqa: E402
from unify.encoders.vision import VisionTower  # noqa: E402


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_towers(tmp_path_factory.mktemp("towers"))


def test_the_torch_top_over_the_stem_is_the_whole_picture_tower(folder):
    tensors = load_file(folder / "vision.safetensors")
    frames = np.random.default_rng(0).integers(0, 256, (3, 64, 80, 3), dtype=np.uint8)
    stem = VisionTower(tensors, 64, 80, stem_only=True).encode(frames)
    with torch.no_grad():
        found = CnnTop(tensors)(torch.from_numpy(stem)).numpy()
    whole = VisionTower(tensors, 64, 80).encode(frames)
    assert np.abs(whole).max() > 0.1
    assert np.abs(found - whole).max() < 1e-4


def test_a_trained_top_goes_back_to_the_same_names(folder):
    tensors = load_file(folder / "vision.safetensors")
    back = CnnTop(tensors).tensors()
    assert all(
        np.array_equal(value, tensors[name].astype(np.float32)) for name, value in back.items()
    )
    assert "last.bias" in back and "15.project.weight" not in back


@pytest.mark.parametrize("sharing", list(Sharing))
def test_torch_layers_compute_what_numpy_layers_do(folder, sharing):
    tensors = load_file(folder / "text.safetensors")
    text = BertText(tensors, 1, sharing, dropout=0.1).eval()
    ids = np.array([[2, 7, 9, 3], [2, 8, 3, 0]])
    mask = np.array([[1, 1, 1, 1], [1, 1, 1, 0]], np.float32)
    with torch.no_grad():
        latent, lexicon = text(torch.from_numpy(ids), torch.from_numpy(mask > 0))
    whole = TextTower(folder / "text.safetensors", folder / "tokenizer.json", 16)
    assert whole.depth == LAYERS
    expected = whole.states(ids, mask)
    for found in (latent.numpy(), lexicon.numpy()):
        assert np.abs(found - expected)[mask == 1].max() < 1e-5
    parts = text.tensors()
    stem = TextTower(folder / "text.safetensors", folder / "tokenizer.json", 16, depth=1)
    states = stem.states(ids, mask)
    for part in ("shared", "lexicon"):
        prefixes = sorted({".".join(n.split(".")[:2]) + "." for n in parts if n.startswith(part)})
        states = Layers(parts, prefixes)(states, mask)
    assert np.abs(states - expected)[mask == 1].max() < 1e-5


def test_sharing_says_what_the_branches_have_in_common(folder):
    tensors = load_file(folder / "text.safetensors")
    sizes = {
        sharing: [
            len(part) for text in [BertText(tensors, 1, sharing, 0.0)]
            for part in (text.shared, text.latent, text.lexicon)
        ]
        for sharing in Sharing
    }  # fmt: skip
    assert sizes == {Sharing.STEM: [1, 1, 1], Sharing.ALL: [2, 0, 0], Sharing.NONE: [0, 2, 2]}


def test_the_stem_gets_no_gradient(folder):
    text = BertText(load_file(folder / "text.safetensors"), 2, Sharing.STEM, 0.0)
    latent, _ = text(torch.tensor([[2, 7, 3]]), torch.ones(1, 3, dtype=torch.bool))
    latent.sum().backward()
    assert all(p.grad is None for layer in text.stem for p in layer.parameters())
    assert any(p.grad is not None for layer in text.latent for p in layer.parameters())
