"""Held-out recall during training: quick, in torch, for curves and not for reports.

Final figures come from the pack that was written (`finish.py`, `unify eval`). It must not know
how training goes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as nnf

from unify.encoders.evaluate import mid_ranks, recall
from unify.encoders.heads import MOMENT_TERMS
from unify.encoders.model import Unify, activate
from unify.encoders.trainset import TrainingSet

CAPTIONS = 2  # of each item, as queries
CHUNK = 128


@torch.no_grad()
def validate(
    model: Unify, data: TrainingSet, names: Sequence[str], device: torch.device
) -> dict[str, float]:
    """Return mean recall (of R@1, R@5 and R@10) of each data set, for both branches.

    Args:
        model: left in evaluation mode.
        data: held-out items; each data set is a gallery of its own.
        names: of the data sets, by their number in `data.places`; two of one name are one gallery.
        device: where the model is.

    Returns:
        by `recall/msrvtt/latent` and the like, in %; and active terms of an item.
    """
    model.eval()
    found: dict[str, float] = {}
    for source in dict.fromkeys(names):
        items = [i for i, (of, _) in enumerate(data.places) if names[of] == source]
        part = data.part(items)
        latents, shown = _encode_items(model, part, device)
        texts, words, right = _encode_captions(model, part, device)
        for name, scores in (("latent", texts @ latents.T), ("lexicon", words @ shown.T)):
            ranks = mid_ranks(scores.double().numpy(), right)
            found[f"recall/{source}/{name}"] = recall(ranks).mean
        found[f"active/{source}/video"] = float((shown > 0).sum(dim=1).float().mean())
    return found


def _encode_items(model: Unify, data: TrainingSet, device: torch.device) -> tuple[Tensor, Tensor]:
    latents, shown = [], []
    for start in range(0, len(data), CHUNK):
        frames, picks = data.stack(range(start, min(start + CHUNK, len(data))))
        latent, logits = model.video(frames.to(device), picks.to(device))
        weights = activate(logits)
        least = weights.topk(min(MOMENT_TERMS, weights.shape[1])).values[:, -1:]
        latents.append(latent.cpu())
        shown.append(nnf.normalize(weights * (weights >= least), dim=1).cpu())
    return torch.cat(latents), torch.cat(shown)


def _encode_captions(
    model: Unify, data: TrainingSet, device: torch.device
) -> tuple[Tensor, Tensor, np.ndarray]:
    rows = [int(text) for texts in data.texts for text in texts[:CAPTIONS]]
    right = np.repeat(np.arange(len(data)), [min(CAPTIONS, len(texts)) for texts in data.texts])
    latents, words = [], []
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        ids, mask = data.captions.tokens(part)
        latent, logits = model.text(ids.to(device), mask.to(device))
        own = torch.zeros(len(part), data.terms, device=device)
        for place, row in enumerate(part):
            own[place, data.captions.own[row]] = 1
        latents.append(latent.cpu())
        words.append(model.query(own, logits).cpu())
    return torch.cat(latents), torch.cat(words), right
