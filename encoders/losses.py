"""The losses of the two branches (sizes: B items of a batch, V terms).

Scores are (B, B) with texts as rows and videos as columns, already divided by a temperature.
Losses know neither data nor network.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as nnf

BLOCKED = -1e4


def contrastive(scores: Tensor, positives: Tensor) -> Tensor:
    """InfoNCE in both directions with several right answers.

    Args:
        scores: (B, B).
        positives: (B, B) bool, true where text and video belong together: the diagonal, and
            duplicates, which must not count as wrong answers.
    """
    return (_toward(scores, positives) + _toward(scores.T, positives.T)) / 2


def _toward(scores: Tensor, positives: Tensor) -> Tensor:
    right = scores.masked_fill(~positives, BLOCKED).logsumexp(dim=1)
    return (scores.logsumexp(dim=1) - right).mean()


def duplicates(names: Tensor, texts: Tensor) -> Tensor:
    """Return (B, B) bool: the same item, or the very same caption.

    Args:
        names: (B,) a number per item.
        texts: (B,) a number per distinct caption.
    """
    return (names[:, None] == names[None]) | (texts[:, None] == texts[None])


def distillation(latent: Tensor, lexicon: Tensor) -> Tensor:
    """Teach both branches their fusion: KL from the softmax of the mean score, both directions.

    The teacher gets no gradient, and is transposed for video to text (MODEL of the paper:
    self-distillation between the branches; its exact form there is not known to us).
    """
    teacher = ((latent + lexicon) / 2).detach()
    terms = [
        nnf.kl_div(
            s.log_softmax(dim=1), t.log_softmax(dim=1), reduction="batchmean", log_target=True
        )
        for score in (latent, lexicon)
        for s, t in ((score, teacher), (score.T, teacher.T))
    ]
    return torch.stack(terms).mean()


def grounding(logits: Tensor, targets: Tensor, present: Tensor) -> Tensor:
    """Binary cross-entropy of each term being shown, as captions say.

    Args:
        logits: (B, V) before the activation.
        targets: (B, V) share of the item's captions that name the term.
        present: (V,) 1 for terms that occur in training captions at all; others are not judged.
    """
    losses = nnf.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    return (losses @ present).mean()


def flops(weights: Tensor) -> Tensor:
    """Expected multiplications of an inverted index, of raw weights (B, V).

    SPLADE, arXiv:2107.05720, equation 4.
    """
    return weights.mean(dim=0).square().sum()
