"""The trainable parts of the `mini` towers in torch: what lies above their frozen stems.

`vision.py` and `minilm.py` compute the same from the same named tensors. Stems are structure that
both branches share (the paper's "shared stem encoder"); each branch's last text layer is its own.
It must not know losses or data. Sizes: N frames, B texts, L tokens, W text width, C feature width.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as nnf

from unify.encoders.minilm import EPSILON, HEADS
from unify.encoders.vision import BLOCKS, STEM_BLOCKS

Tensors = Mapping[str, Any]


class Sharing(StrEnum):
    """What the two branches have in common: the ablation of the paper's structure sharing."""

    STEM = "stem"  # everything but the last layer and the heads
    ALL = "all"  # everything but the heads
    NONE = "none"  # nothing that is trained


class CnnTop(nn.Module):
    """The last blocks of EfficientNet-Lite, from the stem's feature map to the pooled feature.

    Args:
        tensors: by the names of `unify.encoders.vision`.
    """

    def __init__(self, tensors: Tensors) -> None:
        super().__init__()
        self.blocks = nn.ModuleDict({
            str(i): nn.ModuleDict({
                part: _convolution(tensors, f"{i}.{part}")
                for part in ("expand", "depthwise", "project")
            })
            for i in range(STEM_BLOCKS, BLOCKS)
        })  # fmt: skip
        self.last = _convolution(tensors, "last")
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, maps: Tensor) -> Tensor:
        """(N, channels, height, width) to (N, C)."""
        x = maps.contiguous(memory_format=torch.channels_last)
        for block in self.blocks.values():
            parts: Any = block
            y = nnf.relu6(parts["depthwise"](nnf.relu6(parts["expand"](x))))
            y = parts["project"](y)
            x = x + y if x.shape == y.shape else y
        return nnf.relu6(self.last(x)).mean(dim=(2, 3))

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the convolutions by the names of `unify.encoders.vision`."""
        return {
            name.removeprefix("blocks."): value.detach().contiguous().numpy()
            for name, value in self.state_dict().items()
        }


def _convolution(tensors: Tensors, name: str) -> nn.Conv2d:
    weight = torch.from_numpy(np.asarray(tensors[f"{name}.weight"], np.float32).copy())
    out, width, kernel, _ = weight.shape
    groups = out if name.endswith("depthwise") else 1
    layer = nn.Conv2d(width * groups, out, kernel, padding=kernel // 2, groups=groups)
    layer.weight.data = weight
    layer.bias.data = torch.from_numpy(np.asarray(tensors[f"{name}.bias"], np.float32).copy())  # type: ignore[union-attr]
    return layer


class BertLayer(nn.Module):
    """One post-norm transformer layer, by the names of `unify.encoders.minilm`."""

    def __init__(self, tensors: Tensors, prefix: str, dropout: float) -> None:
        super().__init__()
        self.mixed = _linear(tensors, f"{prefix}attention.in")
        self.out = _linear(tensors, f"{prefix}attention.out")
        self.up = _linear(tensors, f"{prefix}up")
        self.down = _linear(tensors, f"{prefix}down")
        self.attention_norm = _layer_norm(tensors, f"{prefix}attention.norm")
        self.norm = _layer_norm(tensors, f"{prefix}norm")
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, L, W) states and (B, L) bool mask to (B, L, W) states."""
        count, length, width = x.shape
        query, key, value = self.mixed(x).view(count, length, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        seen = nnf.scaled_dot_product_attention(query, key, value, mask[:, None, None, :])
        joined = seen.transpose(1, 2).reshape(count, length, width)
        x = self.attention_norm(x + self.dropout(self.out(joined)))
        out: Tensor = self.norm(x + self.dropout(self.down(nnf.gelu(self.up(x)))))
        return out

    def tensors(self, prefix: str) -> dict[str, np.ndarray]:
        """Return the weights by the names of `unify.encoders.minilm`."""
        names = {
            "mixed": "attention.in", "out": "attention.out", "up": "up", "down": "down",
            "attention_norm": "attention.norm", "norm": "norm",
        }  # fmt: skip
        found: dict[str, np.ndarray] = {}
        for name, value in self.state_dict().items():
            part, kind = name.split(".")
            turned = value.T if value.ndim == 2 else value
            found[f"{prefix}{names[part]}.{kind}"] = turned.detach().contiguous().numpy()
        return found


def _linear(tensors: Tensors, name: str) -> nn.Linear:
    weight = torch.from_numpy(np.asarray(tensors[f"{name}.weight"], np.float32).T.copy())
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.weight.data = weight
    layer.bias.data = torch.from_numpy(np.asarray(tensors[f"{name}.bias"], np.float32).copy())
    return layer


def _layer_norm(tensors: Tensors, name: str) -> nn.LayerNorm:
    weight = torch.from_numpy(np.asarray(tensors[f"{name}.weight"], np.float32).copy())
    layer = nn.LayerNorm(len(weight), eps=EPSILON)
    layer.weight.data = weight
    layer.bias.data = torch.from_numpy(np.asarray(tensors[f"{name}.bias"], np.float32).copy())
    return layer


def unit_mean(states: Tensor, mask: Tensor) -> Tensor:
    """Return the unit mean over tokens: (B, L, W) states and (B, L) mask to (B, W)."""
    return nnf.normalize((states.float() * mask[..., None]).sum(dim=1), dim=1)


def inner_tokens(mask: Tensor) -> Tensor:
    """Return (B, L) bool: texts' tokens without the first and the last, which are special."""
    inner = mask.clone()
    inner[:, 0] = False
    return inner.scatter_(1, mask.sum(dim=1, keepdim=True) - 1, False)


class BertText(nn.Module):
    """A BERT tower: frozen embeddings and first layers, trained layers, one last layer a branch.

    Args:
        tensors: by the names of `unify.encoders.minilm`, every layer under its number.
        frozen: how many layers stay as they are; the last of all is never among them.
        sharing: what the branches share.
        dropout: in the trained layers.
    """

    def __init__(self, tensors: Tensors, frozen: int, sharing: Sharing, dropout: float) -> None:
        super().__init__()
        layers = 1 + max(int(name.split(".")[0]) for name in tensors if name[0].isdigit())
        self.register_buffer("words", torch.from_numpy(np.asarray(tensors["words"], np.float32)))
        positions = np.asarray(tensors["positions"], np.float32)
        self.register_buffer("positions", torch.from_numpy(positions))
        self.norm = _layer_norm(tensors, "norm")
        self.stem = nn.ModuleList(BertLayer(tensors, f"{i}.", 0.0) for i in range(frozen))
        self.norm.requires_grad_(False)
        self.stem.requires_grad_(False)

        def stack(first: int, last: int) -> nn.ModuleList:
            return nn.ModuleList(BertLayer(tensors, f"{i}.", dropout) for i in range(first, last))

        split = frozen if sharing is Sharing.NONE else layers - 1
        self.shared = stack(frozen, layers if sharing is Sharing.ALL else split)
        own = layers if sharing is Sharing.ALL else split
        self.latent, self.lexicon = stack(own, layers), stack(own, layers)

    words: Tensor
    positions: Tensor

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """(B, L) ids and bool mask to the branches' (B, L, W) states: latent, lexicon."""
        with torch.no_grad():
            x = self.norm(self.words[ids] + self.positions[: ids.shape[1]])
            for layer in self.stem:
                x = layer(x, mask)
        for layer in self.shared:
            x = layer(x, mask)
        latent = lexicon = x
        for layer in self.latent:
            latent = layer(latent, mask)
        for layer in self.lexicon:
            lexicon = layer(lexicon, mask)
        return latent, lexicon

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the trained layers, under `shared.0.`, `latent.0.`, `lexicon.0.` and so on."""
        found: dict[str, np.ndarray] = {}
        for part, layers in (
            ("shared", self.shared), ("latent", self.latent), ("lexicon", self.lexicon)
        ):  # fmt: skip
            for i, layer in enumerate(layers):
                assert isinstance(layer, BertLayer)
                found |= layer.tensors(f"{part}.{i}.")
        return found
