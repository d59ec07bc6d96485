"""A masked language model's head as the head of the lexicon: the paper's own lexicon space.

    token state -> transform (dense, GELU, LayerNorm) -> product with the word vectors + bias

The word vectors are those that the text tower reads with, so a term is a piece of its vocabulary
and a logit is what the language model says of it (BERT, arXiv:1810.04805, section 3.1). Videos
come to the same space by a projection of their own and a copy of the transform, as in LexLIP
(arXiv:2302.02908). `export.py` writes `mlm.safetensors`, `mini.py` starts from it,
and `heads.py` computes the same in NumPy. It must not know losses or data.
Sizes: B texts, L tokens, P pieces, V terms, W text width, C frame features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.numpy import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as nnf

from unify.encoders.captions import NO_TERM
from unify.encoders.minilm import EPSILON
from unify.encoders.model import Lexical, Projection, TextStates
from unify.encoders.towers import BertText, inner_tokens, unit_mean
from unify.engine.types import Float32, Int64

FILE = "mlm.safetensors"  # beside the text tower of a folder of towers


class Transform(nn.Module):
    """Token states to what is compared with word vectors.

    Args:
        tensors: `dense.weight` (out, in), `dense.bias`, `norm.weight` and `norm.bias`.
    """

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        width = len(tensors["dense.bias"])
        self.dense = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width, eps=EPSILON)
        self.load_state_dict(dict(tensors))

    def forward(self, x: Tensor) -> Tensor:
        """(..., W) to (..., W)."""
        out: Tensor = self.norm(nnf.gelu(self.dense(x)))
        return out


class TransformedProjection(nn.Module):
    """Frame features to the space of the word vectors.

    Args:
        projection: C to W.
        transform: a copy of the text's.
    """

    def __init__(self, projection: Projection, transform: Transform) -> None:
        super().__init__()
        self.projection, self.transform = projection, transform

    def forward(self, x: Tensor) -> Tensor:
        """(..., C) to (..., W)."""
        out: Tensor = self.transform(self.projection(x))
        return out


class MlmText(nn.Module):
    """The text tower with its states as the language model's head takes them.

    Only tokens vote: a mean of states is nothing that the head was trained on.
    """

    def __init__(self, bert: BertText) -> None:
        super().__init__()
        self.bert = bert

    def forward(self, ids: Tensor, mask: Tensor) -> TextStates:
        """(B, L) ids and bool mask to states, a voter for each token; special ones do not vote."""
        latent, lexicon = self.bert(ids, mask)
        return TextStates(unit_mean(latent, mask), lexicon, inner_tokens(mask))


@dataclass(frozen=True, slots=True)
class LanguageHead:
    """What the lexicon takes from a language model.

    Attributes:
        pieces: (V,) the piece of each term.
        words: (V, W) their vectors.
        bias: (V,) their biases.
        transform: its tensors, see `Transform`.
    """

    pieces: Int64
    words: Float32
    bias: Float32
    transform: Mapping[str, Tensor]

    def lexical(self, first: Lexical, pieces: int) -> Lexical:
        """Return a start whose logits are the language model's, with the own weights of another.

        Args:
            first: its own weights stay.
            pieces: P, of the text tower.
        """
        terms = torch.full((pieces,), NO_TERM)
        terms[torch.from_numpy(self.pieces)] = torch.arange(len(self.pieces))
        bias = torch.from_numpy(self.bias)
        return Lexical(torch.from_numpy(self.words), bias, bias, first.own, 0.0, terms)


def read_head(folder: Path, tokenizer: Tokenizer, terms: Sequence[str]) -> LanguageHead | None:
    """Read the head of a folder of towers.

    Args:
        folder: of towers.
        tokenizer: of the text tower.
        terms: of the lexicon.

    Returns:
        None where the towers have no such head, or the terms are not all pieces of theirs.
    """
    pieces = [tokenizer.token_to_id(term) for term in terms]
    if not (folder / FILE).is_file() or None in pieces:
        return None
    chosen = np.array(pieces, np.int64)
    tensors = {name: np.asarray(x, np.float32) for name, x in load_file(folder / FILE).items()}
    bias = tensors.pop("bias")
    with safe_open(str(folder / "text.safetensors"), "np") as file:
        text: Any = file
        words = np.asarray(text.get_tensor("words")[chosen], np.float32)
    transform = {name: torch.from_numpy(tensor) for name, tensor in tensors.items()}
    return LanguageHead(chosen, words, bias[chosen], transform)
