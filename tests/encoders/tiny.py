"""Tiny random towers with the real names and shapes, and a small world of things to learn.

A thing is a colour; a picture shows one or two of them as stripes, a caption names them. So
training can be tried wholly, in seconds, and its result can be right or wrong.
"""

from __future__ import annotations

import io
import itertools
import json
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

from unify.encoders.recipe import (
    LossRecipe,
    ModelRecipe,
    Recipe,
    ScheduleRecipe,
)
from unify.encoders.vision import BLOCKS, STRIDED

WIDTH = 24  # of the text tower: a multiple of its 12 heads
LAYERS = 3
CHANNELS = 6
FEATURES = 16
THINGS = {
    "apple": (220, 30, 30),
    "grass": (30, 180, 40),
    "ocean": (30, 60, 220),
    "lemon": (230, 220, 40),
    "snow": (245, 245, 245),
    "night": (15, 15, 25),
    "carrot": (240, 130, 20),
    "plum": (120, 40, 140),
}
WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "and", "picture", "of", *THINGS)


def write_towers(folder: Path, seed: int = 0) -> Path:
    """Write a picture tower, a text tower and a tokenizer as the export does."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(_vision(rng), folder / "vision.safetensors")
    save_file(_text(rng), folder / "text.safetensors")
    (folder / "tokenizer.json").write_text(json.dumps(_tokenizer()))
    return folder


def _vision(rng: np.random.Generator) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}

    def add(name: str, *shape: int) -> None:
        scale = 1.5 / np.sqrt(np.prod(shape[1:]))
        found[f"{name}.weight"] = (scale * rng.standard_normal(shape)).astype(np.float16)
        found[f"{name}.bias"] = (0.3 * rng.random(shape[0])).astype(np.float16)

    add("first", CHANNELS, 3, 3, 3)
    for block in range(BLOCKS):
        if block:
            add(f"{block}.expand", CHANNELS, CHANNELS, 1, 1)
        add(
            f"{block}.depthwise",
            CHANNELS,
            1,
            3 if block in STRIDED else 5,
            3 if block in STRIDED else 5,
        )
        add(f"{block}.project", CHANNELS, CHANNELS, 1, 1)
    add("last", FEATURES, CHANNELS, 1, 1)
    return found


def _text(rng: np.random.Generator) -> dict[str, np.ndarray]:
    found = {
        "words": rng.standard_normal((len(WORDS), WIDTH)),
        "positions": 0.1 * rng.standard_normal((40, WIDTH)),
        "norm.weight": np.ones(WIDTH),
        "norm.bias": np.zeros(WIDTH),
    }
    for i in range(LAYERS):
        for name, shape in (
            ("attention.in", (WIDTH, 3 * WIDTH)),
            ("attention.out", (WIDTH, WIDTH)),
            ("up", (WIDTH, 2 * WIDTH)),
            ("down", (2 * WIDTH, WIDTH)),
        ):
            found[f"{i}.{name}.weight"] = 0.1 * rng.standard_normal(shape)
            found[f"{i}.{name}.bias"] = np.zeros(shape[1])
        for name in ("attention.norm", "norm"):
            found[f"{i}.{name}.weight"] = np.ones(WIDTH)
            found[f"{i}.{name}.bias"] = np.zeros(WIDTH)
    return {name: np.ascontiguousarray(value, np.float16) for name, value in found.items()}


def _tokenizer() -> dict[str, object]:
    special = [
        {
            "id": WORDS.index(word), "content": word, "special": True, "single_word": False,
            "lstrip": False, "rstrip": False, "normalized": False,
        }
        for word in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    ]  # fmt: skip
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": special,
        "normalizer": {
            "type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
            "strip_accents": None, "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "BertProcessing",
            "sep": ["[SEP]", WORDS.index("[SEP]")],
            "cls": ["[CLS]", WORDS.index("[CLS]")],
        },
        "decoder": None,
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": {word: i for i, word in enumerate(WORDS)},
        },
    }  # fmt: skip


def write_lexicon(path: Path) -> Path:
    """Write a lexicon of the things and one word that no caption has."""
    path.write_text("".join(f"{word}\t{word}s\n" for word in (*THINGS, "zebra")))
    return path


def write_data(folder: Path, items: int = 120, stills: int = 2) -> Path:
    """Write an archive of stills with captions: pairs of things, some of them several times."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(1)
    pairs = list(itertools.combinations(THINGS, 2))
    rows: dict[str, object] = {}
    with tarfile.open(folder / "frames.tar", "w") as tar:
        for i in range(items):
            pair = pairs[i % len(pairs)]
            names = [f"item{i}_{k}.jpg" for k in range(1 + i % stills)]
            for name in names:
                data = _stripes(pair, rng)
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
            captions = [f"a picture of {pair[0]} and {pair[1]}", f"{pair[1]} and a {pair[0]}"]
            rows[f"item{i}"] = {"frames": names, "captions": captions}
    (folder / "captions.json").write_text(json.dumps(rows))
    return folder


def _stripes(pair: tuple[str, ...], rng: np.random.Generator) -> bytes:
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:, :32], picture[:, 32:] = THINGS[pair[0]], THINGS[pair[1]]
    picture = np.clip(picture + rng.normal(0, 6, picture.shape), 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=90)
    return file.getvalue()


def recipe(folder: Path, **schedule: object) -> Recipe:
    """A recipe that trains in seconds; `folder` has `towers`, `world-train` and `lexicon.txt`."""
    settings = {"epochs": 6, "batch": 12, "rate": 3e-3, "views": 2, "averaging": 0.9, **schedule}
    return Recipe(
        towers=str(folder / "towers"),
        lexicon=folder / "lexicon.txt",
        data=(folder / "world-train",),
        out=folder / "pack",
        cache=folder / "cache",
        model=ModelRecipe(latent=12, hidden=16, dropout=0.1, frozen_layers=1),
        schedule=ScheduleRecipe(**settings),  # type: ignore[arg-type]
        loss=LossRecipe(),
    )


def write_world(folder: Path) -> Path:
    """Write everything that a recipe names."""
    write_towers(folder / "towers")
    write_data(folder / "world-train")
    write_lexicon(folder / "lexicon.txt")
    return folder
