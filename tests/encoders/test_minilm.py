from __future__ import annotations

import math

import numpy as np
import pytest
from safetensors.numpy import save_file

from unify.encoders.minilm import TextTower, gelu
from unify.encoders.packs import SHIPPED

TOWERS = SHIPPED / "mini" / "towers"


@pytest.fixture(scope="module")
def tower() -> TextTower:
    return TextTower(TOWERS / "text.safetensors", TOWERS / "tokenizer.json", 32)


def testgelu_is_exact_enough():
    x = np.linspace(-8, 8, 2001, dtype=np.float32)
    exact = [0.5 * v * (1 + math.erf(v / math.sqrt(2))) for v in x.tolist()]
    assert np.abs(gelu(x) - exact).max() < 1e-6


def test_a_sentence_does_not_depend_on_its_neighbours(tower):
    texts = ["cat", "a man cooking pasta", "two dogs play in the snow while it rains", ""]
    together = tower.encode(texts)
    alone = np.concatenate([tower.encode([text]) for text in texts])
    assert np.abs(together - alone).max() < 1e-5
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)


def test_long_texts_are_cut(tower):
    assert len(tower.tokens(["dog " * 100])[0]) == 32
    assert np.array_equal(tower.encode(["dog " * 100]), tower.encode(["dog " * 50]))


def test_words_of_one_piece_are_known(tower):
    assert [tower.knows(word) for word in ("silence", "kitchen", "snwo", "ktichen")] == [
        True, True, False, False,
    ]  # fmt: skip


def test_meaning(tower):
    pasta, noodles, plane = tower.encode(
        ["a man cooking pasta", "someone boils noodles", "a plane"]
    )
    assert pasta @ noodles > pasta @ plane + 0.2


def test_the_export_is_the_published_model(tmp_path):
    """Against the reference implementation, on a tiny random checkpoint."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    export = pytest.importorskip("unify.encoders.export")
    sizes = {"hidden_size": 384, "num_hidden_layers": 2, "intermediate_size": 64, "vocab_size": 50}
    config = transformers.BertConfig(num_attention_heads=12, layer_norm_eps=1e-12, **sizes)
    torch.manual_seed(0)
    model = transformers.BertModel(config).eval()
    renamed = export.rename({name: t.numpy() for name, t in model.state_dict().items()})
    save_file(renamed, tmp_path / "text.safetensors")
    tower = TextTower(tmp_path / "text.safetensors", TOWERS / "tokenizer.json", 8)
    ids = np.array([[2, 7, 9, 3], [2, 8, 3, 0]])
    mask = np.array([[1, 1, 1, 1], [1, 1, 1, 0]])
    with torch.no_grad():
        out = model(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask))
    expected = out.last_hidden_state.numpy()
    found = tower.states(ids, mask.astype(np.float32))
    assert np.abs(found - expected)[mask == 1].max() < 1e-5
