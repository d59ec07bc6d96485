"""The UNIFY model in torch: two towers, and a latent and a lexicon branch on each side.

    frames -> video tower -> video_latent  -> unit latent (B, D)
                          -> video_lexicon -> word space -> logits over the lexicon, max over frames
    text   -> text tower  -> text_latent   -> unit latent (B, D)
                          -> text_lexicon  -> word space -> logits over the lexicon, max over tokens

Towers are shared by the branches as `towers.Sharing` says ("structure sharing" of the paper). The
lexicon space is pre-defined: each dimension is a word, and the dictionary of the words' vectors
ties it to meaning on both sides. `heads.py` computes the same in NumPy. It must not know losses.

Sizes: B items, N frames of a batch, T frames of an item, L tokens, C frame features, W text width
(also the width of word space), D latent width, V terms.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as nnf

from unify.encoders.heads import BLOCKED


@dataclass(frozen=True, slots=True)
class TextStates:
    """What a text tower says.

    Attributes:
        latent: (B, W) one vector a text, for the latent branch.
        voters: (B, L + 1, W) the whole text and each token, for the lexicon branch; (B, L, W) the
            tokens alone, for a language model's head.
        votes: (B, L + 1) or (B, L) bool; padding and special tokens have no vote.
    """

    latent: Tensor
    voters: Tensor
    votes: Tensor


LENGTH_GROUPS = 4  # of a batch of captions, by their numbers of tokens

VideoTower = Callable[[Tensor], tuple[Tensor, Tensor]]  # (N, ...) to (N, C) of each branch
TextTower = Callable[[Tensor, Tensor], TextStates]  # (B, L) ids, (B, L) bool mask


class Projection(nn.Module):
    """Standardise, then a linear map plus a one-layer ReLU network, which starts at zero.

    Args:
        mean: (inputs,) taken off.
        scale: (inputs,) then multiplied with.
        hidden: width of the network.
        outputs: width.
        dropout: share of hidden units left out in training; half of it of the inputs.
        identity: start as the identity (towers that share a space; inputs equal outputs).
    """

    mean: Tensor
    scale: Tensor

    def __init__(
        self, mean: Tensor, scale: Tensor, hidden: int, outputs: int, dropout: float,
        identity: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.register_buffer("mean", mean.clone())
        self.register_buffer("scale", scale.clone())
        self.direct = nn.Linear(len(mean), outputs)
        self.up = nn.Linear(len(mean), hidden)
        self.down = nn.Linear(hidden, outputs, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.input_dropout = nn.Dropout(dropout / 2)
        nn.init.zeros_(self.down.weight)
        if identity:
            nn.init.eye_(self.direct.weight)
            nn.init.zeros_(self.direct.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(..., inputs) to (..., outputs)."""
        x = self.input_dropout((x - self.mean) * self.scale)
        hidden = self.dropout(torch.relu(self.up(x)))
        out: Tensor = self.direct(x) + self.down(hidden)
        return out


@dataclass(frozen=True, slots=True)
class Lexical:
    """What the lexicon branch starts from.

    Attributes:
        dictionary: (V, W) unit vectors of the terms; for a language model's head its word vectors.
        video_bias: (V,) first bias of the video side's logits.
        text_bias: (V,) of the text side's.
        own: (V,) first weight of a word that stands in the text, before softplus.
        scale: logarithm of what cosines with the dictionary are multiplied by.
        term_of_piece: (P,) the term of each piece of the text tower's vocabulary, or NO_TERM; where
            it is given, the lexicon is that vocabulary and logits are a masked language model's:
            products with the dictionary instead of cosines (see `unify.encoders.mlm`).
    """

    dictionary: Tensor
    video_bias: Tensor
    text_bias: Tensor
    own: Tensor
    scale: float = 2.3
    term_of_piece: Tensor | None = None


class Unify(nn.Module):
    """Everything that is trained.

    Args:
        video_tower: frames to features.
        text_tower: token ids to states.
        video_latent: C to D.
        video_lexicon: C to W.
        text_latent: W to D.
        text_lexicon: W to W.
        lexical: the start of the lexicon branch.
    """

    def __init__(
        self, video_tower: nn.Module, text_tower: nn.Module, video_latent: Projection,
        video_lexicon: nn.Module, text_latent: Projection, text_lexicon: nn.Module,
        lexical: Lexical,
    ) -> None:  # fmt: skip
        super().__init__()
        self.video_tower, self.text_tower = video_tower, text_tower
        self.video_latent, self.video_lexicon = video_latent, video_lexicon
        self.text_latent, self.text_lexicon = text_latent, text_lexicon
        self.dictionary = nn.Parameter(lexical.dictionary.clone())
        self.video_bias = nn.Parameter(lexical.video_bias.clone())
        self.text_bias = nn.Parameter(lexical.text_bias.clone())
        self.own = nn.Parameter(lexical.own.clone())
        self.video_scale = nn.Parameter(torch.tensor(lexical.scale))
        self.text_scale = nn.Parameter(torch.tensor(lexical.scale))
        self.latent_temperature = nn.Parameter(torch.tensor(3.0))
        self.lexicon_temperature = nn.Parameter(torch.tensor(3.0))
        self.register_buffer("term_of_piece", lexical.term_of_piece, persistent=False)

    term_of_piece: Tensor | None

    def text_grounding(self) -> list[nn.Parameter]:
        """Return what stage 1 must not move: the text tower and the text's side of the lexicon.

        The latent branch's text projection is not among them: where towers share no space it
        starts at random, and there is nothing in it to protect.
        """
        parts = (self.text_tower, self.text_lexicon)
        single = [self.dictionary, self.text_bias, self.text_scale, self.own]
        return [p for part in parts for p in part.parameters()] + single

    def video(self, frames: Tensor, picks: Tensor) -> tuple[Tensor, Tensor]:
        """Encode moments.

        Args:
            frames: (N, ...) frames of the batch, as the video tower takes them.
            picks: (B, T) each moment's rows of `frames`; -1 fills the rows of short moments.

        Returns:
            (B, D) unit latents; (B, V) lexicon logits, the largest of each term over frames.
        """
        latent, lexicon = self.video_tower(frames)
        shown = picks >= 0
        at = picks.clamp(min=0)
        share = shown.to(latent.dtype) / shown.sum(dim=1, keepdim=True)  # (B, T)
        means = (latent[at] * share[..., None]).sum(dim=1)  # (B, C)
        logits = self._word_logits(self.video_lexicon(lexicon), self.video_scale)  # (N, V)
        top = running_maximum(logits, at, shown)
        return nnf.normalize(self.video_latent(means).float(), dim=1), top + self.video_bias

    def text(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Encode captions: (B, L) ids and bool mask to (B, D) unit latents and (B, V) logits.

        Short captions go through without the padding that the longest of a batch would give them.
        """
        lengths = mask.sum(dim=1)
        order = torch.argsort(lengths, stable=True)
        parts = []
        for rows in torch.chunk(order, LENGTH_GROUPS):
            width = int(lengths[rows].max())
            parts.append(self._text(ids[rows, :width], mask[rows, :width]))
        back = torch.argsort(order)
        latents, logits = (torch.cat(side)[back] for side in zip(*parts, strict=True))
        return latents, logits

    def _text(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        states: TextStates = self.text_tower(ids, mask)
        words = self.text_lexicon(states.voters)  # (B, L + 1, W)
        logits = self._word_logits(words, self.text_scale)
        logits = logits.masked_fill(~states.votes[..., None], BLOCKED).amax(dim=1)
        latent = self.text_latent(states.latent)
        return nnf.normalize(latent.float(), dim=1), logits.float() + self.text_bias

    def token_logits(self, ids: Tensor, mask: Tensor, at: Tensor) -> Tensor:
        """Return what a language model's head says of tokens.

        Args:
            ids: (B, L).
            mask: (B, L) bool.
            at: (B, L) bool, true for T tokens.

        Returns:
            (T, V) logits.
        """
        words = self.text_lexicon(self.text_tower(ids, mask).voters[at])
        return self._word_logits(words, self.text_scale).float() + self.text_bias

    def _word_logits(self, states: Tensor, scale: Tensor) -> Tensor:
        if self.term_of_piece is None:
            states = nnf.normalize(states.float(), dim=-1).to(states.dtype)
        return scale.exp() * states @ (self.dictionary.to(states.dtype).T)

    def query(self, words: Tensor, logits: Tensor) -> Tensor:
        """Return (B, V) weights: the text's own words, and what they bring to mind."""
        return nnf.softplus(self.own) * words + activate(logits)

    def latent_score(self, texts: Tensor, videos: Tensor) -> Tensor:
        """Score (B, D) texts with (B, D) videos: (B, B), texts as rows."""
        return self.latent_temperature.exp().clamp(max=100) * texts @ videos.T

    def lexicon_score(self, words: Tensor, weights: Tensor) -> Tensor:
        """Score (B, V) text weights with (B, V) moment weights: (B, B), texts as rows."""
        scale = self.lexicon_temperature.exp().clamp(max=100)
        return scale * nnf.normalize(words, dim=1) @ nnf.normalize(weights, dim=1).T


def running_maximum(logits: Tensor, at: Tensor, shown: Tensor) -> Tensor:
    """Return (B, V): the largest logit over each moment's frames, one frame place at a time.

    A running maximum holds (B, V) numbers instead of (B, T, V).

    Args:
        logits: (N, V).
        at: (B, T) rows of `logits`.
        shown: (B, T) bool; the first place of each row is always shown.
    """
    top = logits[at[:, 0]].float()
    for place in range(1, at.shape[1]):
        here = logits[at[:, place]].float().masked_fill(~shown[:, place, None], BLOCKED)
        top = torch.maximum(top, here)
    return top


def activate(logits: Tensor) -> Tensor:
    """Turn logits into weights: log(1 + ReLU), SPLADE, arXiv:2107.05720, equation 1."""
    return torch.log1p(torch.relu(logits))
