"""The heads over frozen towers: a latent and a lexicon branch on each side (torch, training).

`heads.py` computes the same in NumPy. Sizes: B items, N stills of a batch, T of an item, C frame
features, W = 384 text width, D latent width, V terms.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as nnf

from unify.encoders.heads import TEXT_GAIN


@dataclass(frozen=True, slots=True)
class HeadSizes:
    """Widths of the heads."""

    frame: int = 1280
    text: int = 384
    latent: int = 512
    hidden: int = 1024
    terms: int = 0


class ResidualMlp(nn.Module):
    """A linear map plus a small network beside it, which starts at zero."""

    def __init__(self, inputs: int, hidden: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.direct = nn.Linear(inputs, outputs)
        self.up = nn.Linear(inputs, hidden)
        self.down = nn.Linear(hidden, outputs, bias=False)
        self.dropout = nn.Dropout(dropout)
        nn.init.zeros_(self.down.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(..., inputs) to (..., outputs)."""
        hidden = self.dropout(torch.relu(self.up(x)))
        out: Tensor = self.direct(x) + self.down(hidden)
        return out


class Heads(nn.Module):
    """Everything that is trained.

    Args:
        sizes: the widths.
        dictionary: (V, W) unit vectors of the terms.
        frame_mean: (C,) mean of training frames.
        frame_sd: (C,) their standard deviation.
        text_mean: (W,) mean of training captions.
        bias: (V,) first bias of the terms' logits.
        own_weights: (V,) first weight of a word that stands in the text.
        dropout: share of hidden units, and of frame features, left out in training.
    """

    frame_mean: Tensor
    frame_sd: Tensor
    text_mean: Tensor
    dictionary: Tensor

    def __init__(
        self, sizes: HeadSizes, dictionary: Tensor, frame_mean: Tensor, frame_sd: Tensor,
        text_mean: Tensor, bias: Tensor, own_weights: Tensor, dropout: float,
    ) -> None:  # fmt: skip
        super().__init__()
        self.register_buffer("frame_mean", frame_mean)
        self.register_buffer("frame_sd", frame_sd)
        self.register_buffer("text_mean", text_mean)
        self.register_buffer("dictionary", dictionary)
        self.video_latent = ResidualMlp(sizes.frame, sizes.hidden, sizes.latent, dropout)
        self.video_lexicon = ResidualMlp(sizes.frame, sizes.hidden, sizes.text, dropout)
        self.text_latent = ResidualMlp(sizes.text, sizes.hidden, sizes.latent, dropout)
        self.text_lexicon = ResidualMlp(sizes.text, sizes.hidden, sizes.text, dropout)
        nn.init.eye_(self.text_lexicon.direct.weight)
        nn.init.zeros_(self.text_lexicon.direct.bias)
        self.video_bias = nn.Parameter(bias.clone())
        self.text_bias = nn.Parameter(bias.clone())
        self.video_scale = nn.Parameter(torch.tensor(2.3))
        self.text_scale = nn.Parameter(torch.tensor(2.3))
        self.own = nn.Parameter(own_weights.clone())
        self.latent_temperature = nn.Parameter(torch.tensor(3.0))
        self.lexicon_temperature = nn.Parameter(torch.tensor(3.0))
        self.dropout = nn.Dropout(dropout / 2)

    def video(self, frames: Tensor, picks: Tensor) -> tuple[Tensor, Tensor]:
        """Encode moments.

        Args:
            frames: (N, C) features of all stills of the batch.
            picks: (B, T) each moment's rows of `frames`; short moments repeat their last.

        Returns:
            (B, D) unit latents; (B, V) lexicon logits, the largest of each term over stills.
        """
        x = self.dropout((frames - self.frame_mean) / self.frame_sd)
        fresh = torch.ones_like(picks, dtype=x.dtype)
        fresh[:, 1:] = (picks[:, 1:] != picks[:, :-1]).to(x.dtype)
        share = x.new_zeros(len(picks), len(x)).scatter_add_(1, picks, fresh)  # (B, N)
        latent = self.video_latent(share @ x / share.sum(dim=1, keepdim=True))
        logits = self._frame_logits(x)  # (N, V)
        top = logits[picks[:, 0]]
        for column in picks.T[1:]:
            top = torch.maximum(top, logits[column])
        return nnf.normalize(latent.float(), dim=1), top + self.video_bias

    def _frame_logits(self, x: Tensor) -> Tensor:
        states = nnf.normalize(self.video_lexicon(x), dim=1)
        return (self.video_scale.exp() * states) @ self.dictionary.T

    def text(self, texts: Tensor) -> tuple[Tensor, Tensor]:
        """Encode captions.

        Args:
            texts: (B, W) unit vectors.

        Returns:
            (B, D) unit latents; (B, V) logits of the expansion.
        """
        x = self.dropout(TEXT_GAIN * (texts - self.text_mean))
        states = nnf.normalize(self.text_lexicon(x), dim=1)
        logits = (self.text_scale.exp() * states) @ self.dictionary.T + self.text_bias
        return nnf.normalize(self.text_latent(x).float(), dim=1), logits

    def query(self, words: Tensor, logits: Tensor) -> Tensor:
        """Return (B, V) weights: the text's own words, and what they bring to mind."""
        return nnf.softplus(self.own) * words + activate(logits)

    def lexicon_score(self, words: Tensor, weights: Tensor) -> Tensor:
        """Score (B, V) text weights with (B, V) moment weights: (B, B), texts as rows."""
        scale = self.lexicon_temperature.exp().clamp(max=100)
        return scale * nnf.normalize(words, dim=1) @ nnf.normalize(weights, dim=1).T


def activate(logits: Tensor) -> Tensor:
    """Turn logits into weights: log(1 + ReLU), SPLADE, arXiv:2107.05720, equation 1."""
    return torch.log1p(torch.relu(logits))
