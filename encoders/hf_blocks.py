"""The towers of a checkpoint as training computes with them: frozen, but for their last blocks.

What is frozen looks at every picture once, and its states are kept (`features.py`); the trained
blocks run in every step, and compute their states again for the gradient instead of keeping them
(Chen et al. 2016, arXiv:1604.06174). Towers that stay wholly as they are have no such blocks.
It must not know what stands above the towers.
Sizes: F frames, P patch states, W tower width, B captions, L tokens, D joint width.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from unify.encoders.hf import FRAME_BATCH, TokenStates, Towers, exact
from unify.engine.errors import UsageError
from unify.engine.types import Float32, UInt8


class Backbone:
    """Both towers: neither their frozen part nor its weights are kept with a model.

    Args:
        towers: the checkpoint.
        whole_context: whether texts are padded to the whole context.
        pad: the padding token.
        trained: how many of each tower's last blocks are to be trained.

    Raises:
        UsageError: a tower has fewer.
    """

    def __init__(self, towers: Towers, whole_context: bool, pad: int, trained: int) -> None:
        self.towers, self.trained = towers, trained
        self._whole_context, self._pad = whole_context, pad
        towers.model.requires_grad_(False)
        if not trained:
            return
        fewest = min(len(layers) for layers in self._layers())
        if trained > fewest:
            raise UsageError(
                f"a tower of the checkpoint has {fewest} blocks, not {trained}",
                f"set model.fine_tune to {fewest} or less",
            )
        towers.model.activation_checkpointing_enable()  # of blocks in training mode

    def _trained(self) -> Iterator[list[nn.Module]]:
        return (layers[len(layers) - self.trained :] for layers in self._layers())

    def _layers(self) -> tuple[list[nn.Module], list[nn.Module]]:
        model = self.towers.model
        return [*model.vision_model.encoder.layers], [*model.text_model.encoder.layers]

    def blocks(self) -> tuple[nn.ModuleList, nn.ModuleList]:
        """Return the trained blocks of pictures and of texts: the towers' own, not copies."""
        video, text = self._trained()
        return nn.ModuleList(video), nn.ModuleList(text)

    def __deepcopy__(self, memo: dict[int, object]) -> Backbone:
        """Copy the trained blocks; what is frozen is there once."""
        if not self.trained:
            return self
        model = self.towers.model
        own = {id(p) for blocks in self.blocks() for p in blocks.parameters()}
        frozen = [p for p in (*model.parameters(), *model.buffers()) if id(p) not in own]
        memo.update({id(tensor): tensor for tensor in frozen})
        made, towers = copy.copy(self), copy.copy(self.towers)
        towers.model = copy.deepcopy(model, memo)
        made.towers = towers
        return made

    def states(self, ids: Tensor, mask: Tensor) -> TokenStates:
        """Encode (B, L) ids with their bool mask, on the device of the ids.

        Towers that are wholly frozen are computed in float32, without gradients. Of trained ones
        the gradient ends where the trained blocks begin: nothing below them asks for any.
        """
        towers, length = self._on(ids.device), ids.shape[1]
        ids = ids.masked_fill(~mask, self._pad)
        if self._whole_context:
            more = max(0, towers.context - length)
            tokens = {"input_ids": nn.functional.pad(ids, (0, more), value=self._pad)}
        else:
            tokens = {"input_ids": ids, "attention_mask": mask.long()}
        if self.trained:
            found = towers.token_states(tokens)
        else:
            with torch.no_grad(), torch.autocast(ids.device.type, enabled=False):
                found = towers.token_states(tokens)
        return TokenStates(found.states[:, :length], found.words[:, :length] & mask, found.pooled)

    @torch.inference_mode()
    def encode_below(self, frames: UInt8) -> Float32:
        """Encode (F, height, width, 3) frames to the (F, P, W) states below the trained blocks."""
        towers, parts = self.towers, []
        with exact(torch):
            for start in range(0, len(frames), FRAME_BATCH):
                batch = torch.tensor(frames[start : start + FRAME_BATCH], device=towers.device)
                inputs = towers.pixels.inputs(batch)
                found = towers.model.get_image_features(**inputs, output_hidden_states=True)
                parts.append(found.hidden_states[-1 - self.trained].cpu())
        return torch.cat(parts).numpy()

    def frame_features(self, states: Tensor) -> Tensor:
        """From (F, P, W) states below the trained blocks to (F, D), as a search encodes frames."""
        model = self._on(states.device).model
        vision = model.vision_model
        for block in next(self._trained()):
            states = block(states, None)
        if self._whole_context:  # SigLIP pools by attention, and its head is the projection
            found: Tensor = vision.head(vision.post_layernorm(states))
        else:
            found = model.visual_projection(vision.post_layernorm(states[:, 0]))
        return found

    def _on(self, device: torch.device) -> Towers:
        self.towers.model.to(device)
        self.towers.device = str(device)
        return self.towers
