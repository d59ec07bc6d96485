"""What a checkpoint wants done to pictures, from its `preprocessor_config.json`.

Everything but the scaling, which the indexer does. Read here rather than by `transformers`'
processors, which need Pillow and would scale a second time. It must not know models beyond
their input sizes.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unify.engine.errors import UsageError
from unify.indexer.ports import FrameShape

if TYPE_CHECKING:
    import torch

_NAMES = ("preprocessor_config.json", "processor_config.json")
_CLIP = {
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
    "size": {"shortest_edge": 224},
    "crop_size": 224,
    "do_center_crop": True,
}
_SIGLIP = {
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "size": {"height": 224, "width": 224},
    "do_center_crop": False,
    "patch_size": 16,
    "max_num_patches": 256,
}


@dataclass(frozen=True, slots=True)
class Pixels:
    """From 8-bit frames to a model's input.

    Attributes:
        shape: the frames that the indexer must hand over.
        height: of the middle that the model sees, at most `shape.height`.
        width: likewise.
        scale: factor of the 8-bit values.
        mean: per channel, taken off after that.
        std: per channel, divided by.
        patch: side of the patches that the model wants cut out for it, or None for whole
            pictures.
    """

    shape: FrameShape
    height: int
    width: int
    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    patch: int | None

    def inputs(self, frames: torch.Tensor) -> dict[str, torch.Tensor]:
        """Turn (F, height, width, 3) uint8 frames into the arguments of `get_image_features`."""
        import torch

        top, left = (self.shape.height - self.height) // 2, (self.shape.width - self.width) // 2
        cut = frames[:, top : top + self.height, left : left + self.width]
        mean, std = (torch.tensor(x, device=frames.device) for x in (self.mean, self.std))
        pixels = (cut.to(torch.float32) * self.scale - mean) / std  # (F, h, w, 3)
        if self.patch is None:
            return {"pixel_values": pixels.permute(0, 3, 1, 2).contiguous()}
        rows, columns = self.height // self.patch, self.width // self.patch
        grid = pixels.reshape(-1, rows, self.patch, columns, self.patch, 3).transpose(2, 3)
        patches = grid.reshape(len(frames), rows * columns, -1)
        return {
            "pixel_values": patches,
            "pixel_attention_mask": torch.ones(patches.shape[:2], device=frames.device),
            "spatial_shapes": torch.tensor([[rows, columns]] * len(frames), device=frames.device),
        }


def read_pixels(folder: Path, model_type: str, config: Any) -> Pixels:
    """Read a checkpoint's preprocessing.

    Args:
        folder: the checkpoint.
        model_type: its family.
        config: the model's configuration, for the size that it takes.

    Raises:
        UsageError: there is none, or it cannot be done with frames of one size.
    """
    path, written = _read(folder)
    defaults: dict[str, Any] = _SIGLIP if model_type.startswith("siglip") else _CLIP
    try:
        return _from_settings({**defaults, **written}, path, model_type, config)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise UsageError(
            f"{path} cannot be used ({type(error).__name__}: {error})", "copy it again"
        ) from None


def _from_settings(settings: dict[str, Any], path: Path, model_type: str, config: Any) -> Pixels:
    if model_type == "siglip2":
        return _squares(settings)
    shape = _shape(settings, path)
    height, width = shape.height, shape.width
    if settings["do_center_crop"]:
        height, width = _pair(settings["crop_size"])
    takes = _pair(config.vision_config.image_size)
    if (height, width) != takes or height > shape.height or width > shape.width:
        raise UsageError(
            f"{path} makes pictures of {width}x{height}, the model takes {takes[1]}x{takes[0]}",
            "give the files of one checkpoint",
        )
    return _pixels(settings, shape, height, width, None)


def _squares(settings: dict[str, Any]) -> Pixels:
    """Choose the largest square that SigLIP 2 NaFlex takes whole.

    It was trained on all aspect ratios; frames of one size must have one, and squashing keeps
    all of the picture, as in SigLIP 2 of fixed resolution (arXiv:2502.14786, section 2.4).
    """
    patch = int(settings["patch_size"])
    side = patch * math.isqrt(int(settings["max_num_patches"]))
    return _pixels(settings, FrameShape(side, side, "squash"), side, side, patch)


def _pixels(
    settings: dict[str, Any], shape: FrameShape, height: int, width: int, patch: int | None
) -> Pixels:
    rescale, normalise = settings.get("do_rescale", True), settings.get("do_normalize", True)
    return Pixels(
        shape,
        height,
        width,
        float(settings.get("rescale_factor", 1 / 255)) if rescale else 1.0,
        tuple(settings["image_mean"]) if normalise else (0.0, 0.0, 0.0),
        tuple(settings["image_std"]) if normalise else (1.0, 1.0, 1.0),
        patch,
    )


def _shape(settings: dict[str, Any], path: Path) -> FrameShape:
    """Return the frames before the cut: cutting the middle of a middle is cutting the middle."""
    size, crops = settings["size"], settings["do_center_crop"]
    if isinstance(size, int):
        size = {"shortest_edge": size} if crops else {"height": size, "width": size}
    if "height" in size and "width" in size:
        return FrameShape(int(size["width"]), int(size["height"]), "squash")
    if "shortest_edge" in size and "longest_edge" not in size and crops:
        return FrameShape(int(size["shortest_edge"]), int(size["shortest_edge"]), "crop")
    raise UsageError(
        f"{path}: size {size} makes pictures of many sizes", "use a checkpoint of a fixed size"
    )


def _pair(size: Any) -> tuple[int, int]:
    """Return (height, width) of the forms in which a size is written."""
    if isinstance(size, int):
        return size, size
    if isinstance(size, (list, tuple)):
        return int(size[0]), int(size[1])
    return int(size["height"]), int(size["width"])


def _read(folder: Path) -> tuple[Path, dict[str, Any]]:
    """Return the file and its settings; newer processors are saved as a whole."""
    for path in (folder / name for name in _NAMES):
        try:
            settings: Any = json.loads(path.read_text("utf-8"))
            inner = settings.get("image_processor", settings if path.name == _NAMES[0] else None)
        except FileNotFoundError:
            continue
        except (OSError, ValueError, AttributeError) as error:
            raise UsageError(f"{path} cannot be read ({error})", "copy it again") from None
        if isinstance(inner, dict):
            return path, {key: value for key, value in inner.items() if value is not None}
    raise UsageError(
        f"{folder} holds no {_NAMES[0]}", "copy it there: it says how pictures are normalised"
    )
