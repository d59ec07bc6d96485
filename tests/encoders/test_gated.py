from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from unify.encoders.gated import (  # noqa: E402
    COUNTS,
    Branches,
    FrameBranches,
    TextBranches,
    attention_heads,
    read_branches,
)
from unify.encoders.towers import Sharing  # noqa: E402

WIDTH = 16


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def opened(sharing: Sharing, attends: bool) -> Branches:
    """Blocks whose gates stand open, as after training."""
    made = Branches(WIDTH, COUNTS[sharing], 0.3, attends).eval()
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if name.endswith("gate"):
                parameter.fill_(0.5)
    return made


def unit(x: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.normalize(x, dim=-1)


@pytest.mark.parametrize("sharing", Sharing)
@pytest.mark.parametrize("attends", [True, False])
def test_untrained_blocks_change_nothing(sharing, attends):
    made = Branches(WIDTH, COUNTS[sharing], 0.3, attends).train()
    x, seen = unit(torch.randn(3, 5, WIDTH)), torch.ones(3, 5, dtype=torch.bool)
    for found in made(x, seen):
        assert torch.allclose(found, x, atol=1e-6)


def test_a_closed_gate_is_reached_by_the_gradient():
    made = Branches(WIDTH, COUNTS[Sharing.STEM], 0.0, attends=True)
    x, seen = torch.randn(2, 4, WIDTH), torch.ones(2, 4, dtype=torch.bool)
    latent, lexicon = made(x, seen)
    (latent[..., 0].sum() + lexicon[..., 1].sum()).backward()
    gates = [p for name, p in made.named_parameters() if name.endswith("gate")]
    assert len(gates) == 2 and all(gate.grad.abs() > 0 for gate in gates)


def test_sharing_is_what_it_says():
    x, seen = unit(torch.randn(2, 4, WIDTH)), torch.ones(2, 4, dtype=torch.bool)
    for sharing in Sharing:
        made = opened(sharing, attends=True)
        latent, lexicon = made(x, seen)
        assert torch.equal(latent, lexicon) == (sharing is Sharing.ALL)
        latent[..., 0].sum().backward(retain_graph=True)
        of_latent = {name for name, p in made.named_parameters() if p.grad is not None}
        made.zero_grad()
        lexicon[..., 0].sum().backward()
        of_lexicon = {name for name, p in made.named_parameters() if p.grad is not None}
        assert bool(of_latent & of_lexicon) == (sharing is not Sharing.NONE)


def test_what_may_not_be_seen_changes_nothing():
    text = TextBranches(opened(Sharing.STEM, attends=True))
    pooled, states = torch.randn(2, WIDTH), torch.randn(2, 6, WIDTH)
    words = torch.tensor([[True, True, True, False, False, False], [True] * 6])
    other = torch.where(words[..., None], states, torch.randn(2, 6, WIDTH))
    first, second = text(pooled, states, words), text(pooled, other, words)
    assert torch.allclose(first.latent, second.latent, atol=1e-6)
    votes = first.votes
    assert votes[:, 0].all() and torch.equal(votes[:, 1:], words)
    assert torch.allclose(first.voters[votes], second.voters[votes], atol=1e-6)
    seen = states + torch.randn(2, 6, WIDTH)
    assert not torch.allclose(text(pooled, seen, words).latent, first.latent, atol=1e-3)


def test_a_frame_is_encoded_alike_beside_any_others():
    frames = FrameBranches(opened(Sharing.STEM, attends=False))
    features = torch.randn(9, WIDTH).numpy()
    together = frames.encode(features)
    assert together.shape == (9, 2 * WIDTH) and together.dtype == np.float32
    assert np.abs(together[3] - frames.encode(features[3:4])[0]).max() < 1e-6
    lengths = np.linalg.norm(together.reshape(9, 2, WIDTH), axis=2)
    assert np.abs(lengths - 1).max() < 1e-5
    assert np.abs(together[:, :WIDTH] - together[:, WIDTH:]).max() > 1e-2, "branches of their own"


@pytest.mark.parametrize("sharing", Sharing)
@pytest.mark.parametrize("attends", [True, False])
def test_what_was_written_is_read(sharing, attends):
    made = opened(sharing, attends)
    again = read_branches(made.tensors(), attends)
    x, seen = torch.randn(2, 4, WIDTH), torch.ones(2, 4, dtype=torch.bool)
    for a, b in zip(made(x, seen), again(x, seen), strict=True):
        assert torch.equal(a, b)


def test_heads_divide_the_width():
    for width in (8, 12, 16, 100, 512, 768, 1152):
        assert width % attention_heads(width) == 0
