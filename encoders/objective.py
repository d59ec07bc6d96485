"""What training makes small: the losses of one batch, by the two stages of semantics grounding.

Stage 1 grounds the video side: the text side is frozen, and videos learn the lexicon that texts
already speak. Stage 2 trains both sides jointly, with words missing from the texts to be brought
to mind so that meaning does not drift, and with each branch learning from their fusion.
It must not know where batches come from, nor how weights are updated.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from unify.encoders import losses
from unify.encoders.captions import NO_TERM
from unify.encoders.distributed import Group
from unify.encoders.model import Unify, activate
from unify.encoders.recipe import LossRecipe
from unify.encoders.schedule import SparsityController, Stage, quadratic_ramp
from unify.encoders.trainset import Batch

LEXICON_SCALE = 20.0  # of literal words against videos: LexLIP's temperature of 0.05
DISTILLATION_RAMP = 0.2  # share of stage 2 in which self-distillation comes in
SPARSITY_RAMP = 1 / 3  # share of all steps


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is.

    Attributes:
        step: finished steps.
        steps: of the whole run.
        stage: the stage of semantics grounding.
        joint: share of stage 2 that is done.
    """

    step: int
    steps: int
    stage: Stage
    joint: float


@dataclass(frozen=True, slots=True)
class Encoded:
    """The global batch as both sides encode it: every tensor over the items of all processes."""

    video: Tensor
    video_logits: Tensor
    text: Tensor
    text_logits: Tensor
    words: Tensor
    targets: Tensor
    positives: Tensor


class Objective:
    """The weighted sum of all losses.

    Args:
        recipe: the weights.
        present: (V,) 1 for terms that occur in training captions at all.
        dictionary: (V, W) as it was before training.
        group: the processes that train.
    """

    def __init__(
        self, recipe: LossRecipe, present: Tensor, dictionary: Tensor, group: Group
    ) -> None:
        self._recipe, self._present, self._group = recipe, present, group
        self._dictionary = dictionary
        self.controllers = {
            "text": SparsityController(recipe.text_terms),
            "video": SparsityController(recipe.video_terms),
        }

    def __call__(self, model: Unify, batch: Batch, now: Progress) -> dict[str, Tensor]:
        """Return the losses of a batch by name, each already weighted; their sum is the loss."""
        with torch.autocast(batch.frames.device.type, torch.bfloat16):
            video, video_logits = model.video(batch.frames, batch.picks)
            text, text_logits = model.text(batch.ids, batch.mask)
        gather = self._group.gather
        items, texts = gather(batch.items), gather(batch.texts)
        encoded = Encoded(
            gather(video), gather(video_logits), gather(text), gather(text_logits),
            gather(batch.words), gather(batch.targets), losses.duplicates(items, texts),
        )  # fmt: skip
        found = {}
        latent = model.latent_score(encoded.text, encoded.video)
        if self._recipe.latent:
            found["latent"] = self._recipe.latent * losses.contrastive(latent, encoded.positives)
        if self._recipe.lexicon:
            found |= self._lexicon(model, encoded, latent, now)
            if self._recipe.masked and now.stage is Stage.JOINT:
                found["masked"] = self._recipe.masked * self._masked(model, batch)
        return found

    def _masked(self, model: Unify, batch: Batch) -> Tensor:
        """What is missing in texts: masked tokens where there is a language model's head."""
        gather, ids, mask = self._group.gather, batch.masked_ids, batch.masked_mask
        half = torch.autocast(batch.frames.device.type, torch.bfloat16)
        if model.term_of_piece is None:
            with half:
                _, guesses = model.text(ids, mask)
            return losses.masked_words(gather(guesses), gather(batch.removed))
        whole = batch.ids[: len(ids), : ids.shape[1]]
        hidden = (ids != whole) & mask
        labels = model.term_of_piece[whole[hidden]]
        labels = labels.masked_fill(labels == NO_TERM, losses.IGNORED)
        with half:
            logits = model.token_logits(ids, mask, hidden)
        # Each process has another number of masked tokens: sums are gathered, not means.
        count = (labels != losses.IGNORED).sum()
        total = losses.masked_tokens(logits, labels) * count
        return gather(total[None]).sum() / gather(count[None]).sum().clamp(min=1)

    def _lexicon(
        self, model: Unify, encoded: Encoded, latent: Tensor, now: Progress
    ) -> dict[str, Tensor]:
        recipe = self._recipe
        shown = activate(encoded.video_logits)
        query = model.query(encoded.words, encoded.text_logits)
        score = model.lexicon_score(query, shown)
        contrast = losses.contrastive(score, encoded.positives)
        found = {"lexicon": recipe.lexicon * contrast}
        if recipe.grounding:
            found["grounding"] = recipe.grounding * sum(
                (
                    losses.grounding(side - recipe.ground_offset, encoded.targets, self._present)
                    for side in (encoded.video_logits, encoded.text_logits)
                ),
                contrast.new_zeros(()),
            )
        if recipe.bag_of_words:
            said = losses.bag_of_words(shown, encoded.targets)
            found["bag_of_words"] = recipe.bag_of_words * said
        ground = now.stage is Stage.GROUND
        literal = recipe.semi_parametric if ground else recipe.semi_parametric_joint
        if literal:
            found["semi_parametric"] = literal * losses.semi_parametric(
                encoded.words, shown, encoded.positives, LEXICON_SCALE
            )
        if recipe.distillation and recipe.latent and not ground:
            weight = recipe.distillation * min(1.0, now.joint / DISTILLATION_RAMP)
            found["distillation"] = weight * losses.distillation(latent, score, recipe.teacher)
        if recipe.flops:
            found["flops"] = self._sparsity(query, shown, float(contrast.detach()), now)
        if recipe.dictionary_pull and model.dictionary.requires_grad and not ground:
            pull = losses.dictionary_pull(model.dictionary, self._dictionary)
            found["dictionary"] = recipe.dictionary_pull * pull
        return found

    def _sparsity(self, query: Tensor, shown: Tensor, contrast: float, now: Progress) -> Tensor:
        """The penalty on raw weights of both sides, held at the wanted number of terms."""
        ramp = quadratic_ramp(now.step, round(SPARSITY_RAMP * now.steps))
        total = shown.new_zeros(())
        for name, weights in (("text", query), ("video", shown)):
            penalty = losses.flops(weights)
            controller = self.controllers[name]
            total = total + ramp * controller.weight(float(penalty.detach()), contrast) * penalty
            controller.observe(float((weights > 0).sum(dim=1).float().mean()))
        return total
