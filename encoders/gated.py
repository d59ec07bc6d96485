"""What is trained above frozen dual encoders: gated blocks, for the stem and for the branches.

A gated block adds nothing before it is trained, so training starts from just what the towers
say (`h = x + g * (Block(x) - x)`, g = 0). The stem's block is structure that both branches share
(the paper's "shared stem encoder"); the lexicon branch has another of its own. A frame's block
sees that frame alone: its features, computed once, then serve every moment that it lies in, and
tell when in the video a term shows. It must not know the towers, losses or data.
Sizes: B texts, L tokens, N frames, D joint width.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as nnf

from unify.encoders.model import TextStates
from unify.encoders.towers import Sharing
from unify.engine.types import Float32

HEADS = 8
WIDER = 4  # times as wide as D is the hidden layer
ENCODED_AT_ONCE = 4096  # frames


class Counts(NamedTuple):
    """How many blocks both branches share, and how many are of each branch alone."""

    shared: int
    latent: int
    lexicon: int


COUNTS: Mapping[Sharing, Counts] = {
    Sharing.STEM: Counts(1, 0, 1),
    Sharing.ALL: Counts(1, 0, 0),
    Sharing.NONE: Counts(0, 1, 2),
}


class Attention(nn.Module):
    """Self-attention of pre-normalised states.

    Args:
        width: D.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = attention_heads(width)
        self.norm = nn.LayerNorm(width)
        self.mixed = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, seen: Tensor | None) -> Tensor:
        """(B, L, D) states and (B, L) bool, what may be attended to (None: all), to (B, L, D)."""
        count, length, width = x.shape
        mixed = self.mixed(self.norm(x)).view(count, length, 3, self.heads, -1)
        query, key, value = mixed.permute(2, 0, 3, 1, 4)
        mask = None if seen is None else seen[:, None, None, :]
        found = nnf.scaled_dot_product_attention(query, key, value, mask)
        out: Tensor = self.out(found.transpose(1, 2).reshape(count, length, width))
        return out


def attention_heads(width: int) -> int:
    """Return how many heads divide a width, as near to 8 as may be.

    >>> [attention_heads(width) for width in (512, 1152, 100, 7)]
    [8, 8, 10, 7]
    """
    divisors = (n for n in range(1, width + 1) if width % n == 0)
    return min(divisors, key=lambda n: abs(n - HEADS))


class GatedBlock(nn.Module):
    """One pre-norm transformer block behind a gate that starts closed.

    Args:
        width: D.
        dropout: of what it adds.
        attends: whether there are others in a sequence to attend to.
    """

    def __init__(self, width: int, dropout: float, attends: bool) -> None:
        super().__init__()
        self.attention = Attention(width) if attends else None
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, WIDER * width)
        self.down = nn.Linear(WIDER * width, width)
        self.dropout = nn.Dropout(dropout)
        self.gate = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor, seen: Tensor | None = None) -> Tensor:
        """(..., D) states to the same; `seen` counts where the block attends."""
        y = x if self.attention is None else x + self.dropout(self.attention(x, seen))
        y = y + self.dropout(self.down(nnf.gelu(self.up(self.norm(y)))))
        out: Tensor = x + self.gate * (y - x)
        return out


class Branches(nn.Module):
    """The blocks of one modality.

    Args:
        width: D.
        counts: of the blocks.
        dropout: in them.
        attends: whether they attend.
    """

    def __init__(self, width: int, counts: Counts, dropout: float, attends: bool) -> None:
        super().__init__()

        def stack(count: int) -> nn.ModuleList:
            return nn.ModuleList(GatedBlock(width, dropout, attends) for _ in range(count))

        self.shared, self.latent, self.lexicon = (stack(count) for count in counts)

    def forward(self, x: Tensor, seen: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(..., D) unit states to the branches' unit states: latent, lexicon."""
        for block in self.shared:
            x = block(x, seen)
        latent = lexicon = x
        for block in self.latent:
            latent = block(latent, seen)
        for block in self.lexicon:
            lexicon = block(lexicon, seen)
        return _unit(latent), _unit(lexicon)

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the blocks, under `shared.0.`, `latent.0.`, `lexicon.0.` and so on."""
        return {name: value.cpu().numpy() for name, value in self.state_dict().items()}


def read_branches(tensors: Mapping[str, Float32], attends: bool) -> Branches:
    """Make the blocks that `Branches.tensors` returned; they are as they were, but for dropout."""
    gates = [name.split(".")[0] for name in tensors if name.endswith(".gate")]
    counts = Counts(*(gates.count(part) for part in Counts._fields))
    width = next(len(value) for name, value in tensors.items() if name.endswith(".norm.weight"))
    made = Branches(width, counts, 0.0, attends)
    made.load_state_dict({name: torch.from_numpy(value) for name, value in tensors.items()})
    return made.eval()


class FrameBranches(nn.Module):
    """From a frozen picture tower's features to those of both branches.

    Args:
        branches: do not attend.
    """

    def __init__(self, branches: Branches) -> None:
        super().__init__()
        self.branches = branches

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(N, D) features to (N, D) unit features of each branch.

        Of unit length, so that their mean is CLIP4Clip's meanP (arXiv:2104.08860, section 3.3).
        """
        latent, lexicon = self.branches(_unit(features))
        return latent, lexicon

    @torch.inference_mode()
    def encode(self, features: Float32) -> Float32:
        """Encode (F, D) features on the CPU to (F, 2 D): those of both branches, side by side."""
        parts = torch.split(torch.from_numpy(features), ENCODED_AT_ONCE)
        return torch.cat([torch.cat(self(part), dim=1) for part in parts]).numpy()


class TextBranches(nn.Module):
    """From a frozen text tower's states to those of both branches.

    Args:
        branches: attend, among the whole text and its words.
    """

    def __init__(self, branches: Branches) -> None:
        super().__init__()
        self.branches = branches

    def forward(self, pooled: Tensor, states: Tensor, words: Tensor) -> TextStates:
        """Encode texts.

        Args:
            pooled: (B, D) the text features.
            states: (B, L, D) of the tokens, in the same space.
            words: (B, L) bool, False for padding and for special tokens.
        """
        x = _unit(torch.cat([pooled[:, None], states], dim=1))
        votes = torch.cat([torch.ones_like(words[:, :1]), words], dim=1)
        latent, lexicon = self.branches(x, votes)
        return TextStates(latent[:, 0], lexicon, votes)


def _unit(states: Tensor) -> Tensor:
    return nnf.normalize(states.float(), dim=-1)
