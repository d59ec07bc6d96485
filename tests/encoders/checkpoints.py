"""Makes tiny checkpoints with random weights, saved as `transformers` saves real ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertForMaskedLM,
    CLIPConfig,
    CLIPModel,
    CLIPTokenizer,
    MetaClip2Config,
    MetaClip2Model,
    PreTrainedTokenizerFast,
    Siglip2Config,
    Siglip2Model,
    SiglipConfig,
    SiglipModel,
)

from tests.encoders.tiny import LAYERS, WIDTH, WORDS, write_data, write_lexicon, write_towers
from unify.encoders.hf import Towers
from unify.engine.types import UInt8

SIDE = 32
LAYER = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}
VISION = {**LAYER, "image_size": SIDE, "patch_size": 8}
CLIP_PIXELS = {
    "image_processor_type": "CLIPImageProcessor",
    "size": {"shortest_edge": SIDE},
    "crop_size": {"height": SIDE, "width": SIDE},
    "do_center_crop": True,
    "do_normalize": True,
    "do_resize": True,
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
    "resample": 3,
}
SIGLIP_PIXELS = {
    "image_processor_type": "SiglipImageProcessor",
    "size": {"height": SIDE, "width": SIDE},
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "resample": 2,
    "rescale_factor": 1 / 255,
}
NAFLEX_PIXELS = {
    "image_processor_type": "Siglip2ImageProcessor",
    "patch_size": 8,
    "max_num_patches": 16,
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "resample": 2,
    "rescale_factor": 1 / 255,
}


def save_clip(folder: Path, seed: int = 0) -> Path:
    """A CLIP whose tokenizer pads with the end token, as OpenAI's do."""
    config = CLIPConfig(text_config=clip_text(folder), vision_config=VISION, projection_dim=16)
    return save(folder, CLIPModel, config, CLIP_PIXELS, seed)


def save_metaclip(folder: Path, seed: int = 0) -> Path:
    config = MetaClip2Config(text_config=clip_text(folder), vision_config=VISION, projection_dim=16)
    return save(folder, MetaClip2Model, config, CLIP_PIXELS, seed)


def save_siglip(folder: Path, seed: int = 0) -> Path:
    """A SigLIP 2 of fixed resolution: SigLIP's model with a Gemma-like tokenizer."""
    vocabulary = gemma_tokenizer(folder, "GemmaTokenizer")
    config = SiglipConfig(text_config=siglip_text(vocabulary), vision_config=VISION)
    return save(folder, SiglipModel, config, SIGLIP_PIXELS, seed)


def save_naflex(folder: Path, seed: int = 0) -> Path:
    """A SigLIP 2 NaFlex."""
    vocabulary = gemma_tokenizer(folder, "Siglip2Tokenizer")
    vision = {**LAYER, "patch_size": 8, "num_patches": 16}
    config = Siglip2Config(text_config=siglip_text(vocabulary), vision_config=vision)
    return save(folder, Siglip2Model, config, NAFLEX_PIXELS, seed)


FAMILIES = {
    "clip": save_clip,
    "metaclip_2": save_metaclip,
    "siglip": save_siglip,
    "siglip2": save_naflex,
}
WIDTHS = {"clip": 16, "metaclip_2": 16, "siglip": 32, "siglip2": 32}  # of their joint spaces


def write_checkpoints(folder: Path, items: int) -> Path:
    """Write checkpoints of all kinds, and the tiny world's data and lexicon."""
    for kind, make in FAMILIES.items():
        make(folder / kind)
    write_data(folder / "world-train", items=items)
    write_lexicon(folder / "lexicon.txt")
    return folder


def noise(towers: Towers) -> UInt8:
    """Return four pictures, (4, height, width, 3)."""
    shape = towers.pixels.shape
    size = (4, shape.height, shape.width, 3)
    return np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)


def save_bert(folder: Path, **settings: object) -> Path:
    """A tiny `BertForMaskedLM` whose weights, and the sums that are stored, float16 can hold."""
    sizes = {
        "vocab_size": len(WORDS), "hidden_size": WIDTH, "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": LAYERS, "num_attention_heads": 12, "max_position_embeddings": 40,
    }  # fmt: skip
    torch.manual_seed(0)
    model = BertForMaskedLM(BertConfig(**{**sizes, **settings}))
    with torch.no_grad():
        for parameter in model.parameters():
            wide = parameter + torch.randn_like(parameter) * 0.2
            parameter.copy_((wide.clamp(-0.95, 1.9) * 1024).round() / 1024)
    model.save_pretrained(folder)
    towers = write_towers(folder.parent / "any-towers")
    (folder / "tokenizer.json").write_bytes((towers / "tokenizer.json").read_bytes())
    return folder


def clip_text(folder: Path) -> dict[str, Any]:
    tokenizer = clip_tokenizer(folder)
    names = ("bos_token_id", "eos_token_id", "pad_token_id")
    special = {name: getattr(tokenizer, name) for name in names}
    return {**LAYER, "vocab_size": len(tokenizer), "max_position_embeddings": 12, **special}


def siglip_text(vocabulary: int) -> dict[str, Any]:
    special = {"bos_token_id": 2, "eos_token_id": 1, "pad_token_id": 0}
    return {**LAYER, "vocab_size": vocabulary, "max_position_embeddings": 10, **special}


def save(folder: Path, model: Any, config: Any, pixels: dict[str, Any], seed: int) -> Path:
    torch.manual_seed(seed)
    made = model(config)
    with torch.no_grad():
        for parameter in made.parameters():  # as wide apart as trained ones: no output is flat
            if parameter.ndim > 1:
                parameter.normal_(std=0.25)
    made.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(pixels))
    return folder


def clip_tokenizer(folder: Path) -> CLIPTokenizer:
    """Byte pairs of a few words; any other text falls into letters."""
    letters = [*"abcdefghijklmnopqrstuvwxyz0123456789'.,!?-"]
    merges = [("c", "a"), ("ca", "t</w>"), ("d", "o"), ("do", "g</w>"), ("a", "n</w>")]
    words = [*letters, *(f"{x}</w>" for x in letters), *("".join(pair) for pair in merges)]
    vocabulary = {word: i for i, word in enumerate(words)}
    vocabulary |= {t: len(words) + i for i, t in enumerate(("<|startoftext|>", "<|endoftext|>"))}
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=12)
    tokenizer.save_pretrained(folder)
    return tokenizer


def gemma_tokenizer(folder: Path, kind: str) -> int:
    """Letters and spaces, an end token, padding on the right, no mask, capitals of their own."""
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    letters = [*"▁abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'.,!?-"]
    vocabulary = {token: i for i, token in enumerate([*special, *letters])}
    made = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>", fuse_unk=True))
    made.normalizer = normalizers.Replace(" ", "▁")
    made.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    made.post_processor = processors.TemplateProcessing(
        single="$A <eos>", special_tokens=[("<eos>", 1)]
    )
    folder.mkdir(parents=True, exist_ok=True)
    names = dict(zip(("pad_token", "eos_token", "bos_token", "unk_token"), special, strict=False))
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=made,
        padding_side="right",
        model_input_names=["input_ids"],
        model_max_length=10,
        **names,
    )
    wrapped.save_pretrained(folder)
    path = folder / "tokenizer_config.json"
    settings = json.loads(path.read_text()) | {"tokenizer_class": kind}
    path.write_text(json.dumps(settings | {"add_bos_token": False, "add_eos_token": True}))
    return len(vocabulary)
