"""The losses of the two branches (sizes: B items of a batch, V terms).

Scores are (B, B) with texts as rows and videos as columns, already divided by a temperature.
UNIFY (Liu et al., LREC-COLING 2024, arXiv:2402.16769) names its losses without all their
formulas: video-text contrast, masked language modelling, self-distillation between the branches.
Where the form here is ours or another paper's, the docstring says so.

Everything is computed in float32, or wider if given so, whatever autocast surrounds the call:
sums over V terms and softmaxes of scaled scores lose too much in half precision. Where a batch
lies on several processes, give what `distributed.Group` gathered. Losses know neither data nor
network nor the weights with which they are added up.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import ParamSpec

import torch
from torch import Tensor
from torch.nn import functional as nnf

BLOCKED = -1e4
BAG_SHARPNESS = 4.0  # weights are log1p's of logits, too close together for a softmax
SMALLEST_NORM = 1e-6  # a bag without words, a video without weights
IGNORED = -100  # label of a token that was not masked, as transformers' collators write it

P = ParamSpec("P")


class Teacher(StrEnum):
    """Which branch teaches which in self-distillation."""

    FUSED = "fused"  # the mean of both scores teaches both branches
    LATENT = "latent"  # the latent branch teaches the lexicon branch
    LEXICON = "lexicon"  # the lexicon branch teaches the latent branch
    MUTUAL = "mutual"  # each teaches the other
    NONE = "none"


def _in_float32(loss: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """Let a loss see half-precision tensors as float32, with autocast off."""

    def widened(value: object) -> object:
        if isinstance(value, Tensor) and value.is_floating_point():
            return value.to(torch.promote_types(value.dtype, torch.float32))
        return value

    @wraps(loss)
    def wide(*args: P.args, **kwargs: P.kwargs) -> Tensor:
        given = [value for value in (*args, *kwargs.values()) if isinstance(value, Tensor)]
        positional = [widened(value) for value in args]
        named = {name: widened(value) for name, value in kwargs.items()}
        with torch.autocast(given[0].device.type, enabled=False):
            return loss(*positional, **named)  # type: ignore[arg-type]  # as they were given

    return wide


@_in_float32
def contrastive(scores: Tensor, positives: Tensor) -> Tensor:
    """InfoNCE in both directions with several right answers.

    `-log(sum_{j in M_i} e^{S_ij} / sum_j e^{S_ij})`, the mean over i and over both directions:
    the contrast of CLIP (arXiv:2103.00020, figure 3) with a set M_i of positives.

    Args:
        scores: (B, B).
        positives: (B, B) bool, true where text and video belong together: the diagonal, and
            duplicates, which must not count as wrong answers. A row or a column without a
            right answer counts nothing; it is a wrong answer to others all the same.
    """
    return (_toward(scores, positives) + _toward(scores.T, positives.T)) / 2


def _toward(scores: Tensor, positives: Tensor) -> Tensor:
    right = scores.masked_fill(~positives, BLOCKED).logsumexp(dim=1)
    return _mean_where(scores.logsumexp(dim=1) - right, positives.any(dim=1))


def _mean_where(losses: Tensor, counted: Tensor) -> Tensor:
    return (losses * counted).sum() / counted.sum().clamp(min=1)


def duplicates(names: Tensor, texts: Tensor) -> Tensor:
    """Return (B, B) bool: the same item, or the very same caption.

    Args:
        names: (B,) a number per item.
        texts: (B,) a number per distinct caption.
    """
    return (names[:, None] == names[None]) | (texts[:, None] == texts[None])


@_in_float32
def distillation(latent: Tensor, lexicon: Tensor, teacher: Teacher = Teacher.FUSED) -> Tensor:
    """Let the branches teach each other: KL(softmax of the teacher || softmax of the student).

    The mean over all students and over both directions, so it weighs as much as one
    `contrastive`. A teacher gets no gradient, and is transposed for video to text. UNIFY distils
    between its branches in a form that is not known to us; the fused teacher, the mean of both
    scores, is that of arXiv:2508.16707 for images and text, and LATENT that of arXiv:2402.17535.

    Args:
        latent: (B, B) scores.
        lexicon: (B, B) scores.
        teacher: who teaches whom; NONE gives 0.
    """
    fused = (latent + lexicon) / 2
    lessons = {
        Teacher.FUSED: [(latent, fused), (lexicon, fused)],
        Teacher.LATENT: [(lexicon, latent)],
        Teacher.LEXICON: [(latent, lexicon)],
        Teacher.MUTUAL: [(latent, lexicon), (lexicon, latent)],
        Teacher.NONE: [],
    }[teacher]
    if not lessons:
        return latent.new_zeros(())
    terms = [
        _divergence(s, t.detach())
        for student, taught in lessons
        for s, t in ((student, taught), (student.T, taught.T))
    ]
    return torch.stack(terms).mean()


def _divergence(student: Tensor, teacher: Tensor) -> Tensor:
    return nnf.kl_div(
        student.log_softmax(dim=1),
        teacher.log_softmax(dim=1),
        reduction="batchmean",
        log_target=True,
    )


@_in_float32
def grounding(logits: Tensor, targets: Tensor, present: Tensor) -> Tensor:
    """Binary cross-entropy of each term being shown, as captions say.

    Args:
        logits: (B, V) before the activation.
        targets: (B, V) share of the item's captions that name the term.
        present: (V,) 1 for terms that occur in training captions at all; others are not judged.
    """
    losses = nnf.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    return (losses @ present).mean()


@_in_float32
def bag_of_words(weights: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy between a caption's words and the softmax over all terms.

    `-(1/|y|) sum_{j in y} log softmax(4u)_j`: words that were said rise, and the softmax pushes
    all others down: activate and suppress, the two aims of UNIFY's grounding (abstract); the
    form is ours. A row without words counts nothing.

    Args:
        weights: (B, V) activated weights u.
        targets: (B, V) 1 for each word of the row's captions, or the share of them that say it;
            only the shares' proportions within a row matter.
    """
    return _words_said(BAG_SHARPNESS * weights, targets)


def _words_said(logits: Tensor, words: Tensor) -> Tensor:
    """Cross-entropy of each row's words, with equal or given shares: both (B, V)."""
    sizes = words.sum(dim=1)
    said = (words * logits.log_softmax(dim=1)).sum(dim=1)
    return _mean_where(-said / sizes.clamp(min=SMALLEST_NORM), sizes > 0)


@_in_float32
def masked_words(logits: Tensor, removed: Tensor) -> Tensor:
    """Have a text say the words that were taken out of it, as masked language modelling does.

    `-(1/|r|) sum_{j in r} log softmax(z)_j` over all terms, for text towers without a language
    model's head. Of logits and not of weights: a term that is not active yet must be reached too.
    The form is ours.

    Args:
        logits: (B, V) of the texts after the removal, before the activation.
        removed: (B, V) 1 for each word that was taken out; rows without any count nothing.
    """
    return _words_said(logits, removed)


@_in_float32
def masked_tokens(logits: Tensor, labels: Tensor) -> Tensor:
    """Masked language modelling: cross-entropy of the tokens under the masks.

    BERT, arXiv:1810.04805, section 3.1; UNIFY adds it in its second stage against drift of the
    texts' lexicon. Without a masked token it is 0.

    Args:
        logits: (T, V') over the tokenizer's V' pieces.
        labels: (T,) int64 the piece under each mask; -100 for tokens that are not judged.
    """
    total = nnf.cross_entropy(logits, labels, ignore_index=IGNORED, reduction="sum")
    return total / (labels != IGNORED).sum().clamp(min=1)


@_in_float32
def semi_parametric(
    words: Tensor, video_weights: Tensor, positives: Tensor, scale: float
) -> Tensor:
    """Contrast the videos' weights with literal words: no learned code of a text can help.

    `contrastive` of unit binary bags against unit weights: the semi-parametric loss of VDR
    (arXiv:2212.07699, ICLR 2024). A text without words is no query and teaches nothing.

    Args:
        words: (B, V) above 0 for each word of the text.
        video_weights: (B, V) activated weights.
        positives: (B, B) as in `contrastive`.
        scale: 1 / temperature.
    """
    bags = nnf.normalize((words > 0).to(video_weights.dtype), dim=1, eps=SMALLEST_NORM)
    scores = scale * bags @ nnf.normalize(video_weights, dim=1, eps=SMALLEST_NORM).T
    return contrastive(scores, positives & (words > 0).any(dim=1, keepdim=True))


@_in_float32
def flops(weights: Tensor) -> Tensor:
    """Expected multiplications of an inverted index: `sum_j (mean_b u_bj)^2`.

    SPLADE, arXiv:2107.05720, equation 4 (after arXiv:2004.05665). Of raw weights: on rows of
    unit length it has nothing to push. The mean is over the whole batch; given its mean as one
    row (1, V), it is the same.

    Args:
        weights: (B, V) not below 0.
    """
    return weights.mean(dim=0).square().sum()


@_in_float32
def dictionary_pull(dictionary: Tensor, first: Tensor) -> Tensor:
    """Squared distance of the dictionary from where it began: words keep their meaning.

    `||E - E0||^2` over all entries; the form is ours.

    Args:
        dictionary: (V, W) as it is now.
        first: (V, W) as it was before training; it gets no gradient.
    """
    return (dictionary - first.detach()).square().sum()
