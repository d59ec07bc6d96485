"""Trains the heads of a pack over frozen towers, calibrates them and writes the pack.

    python -m unify.encoders.train --data DIR --cache DIR --out encoders/packs/mini

OUT must hold `towers/` and `lexicon.txt` already (`unify.encoders.export`, `.wordlist`). Items
are those of `unify.encoders.data`; held-out ones are never trained on, everything is chosen on
them. Writes `heads.safetensors`, `training.json` (settings and figures) and `pack.json`.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from unify.encoders import losses
from unify.encoders.data import Item, read_training_items
from unify.encoders.dictionary import term_vectors
from unify.encoders.features import Features, encode_texts, load_features
from unify.encoders.finish import MAX_TOKENS, PACK_SHAPE, finish_pack
from unify.encoders.minilm import TextTower
from unify.encoders.model import Heads, HeadSizes, activate
from unify.encoders.trainset import Batch, TrainingSet, batches, make_set
from unify.encoders.vision import VisionTower
from unify.engine.durable import sha256_of
from unify.engine.lexicon import Lexicon
from unify.engine.types import Float32

# Against the expansion, after training: fused recall of held-out captions hardly moves between
# 1 and 3 (41.6 to 41.7), and own words lead the explanations.
OWN_GAIN = 2.0
OTHERS_RATE = 10.0  # scales and biases have far to go, and few steps

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Settings of one training run.

    Attributes:
        seed: of weights, order and dropout.
        epochs: passes over the items, one caption each.
        batch: items of a step.
        rate: highest learning rate (one cycle, 10 % warm-up).
        weight_decay: of matrices.
        dropout: of hidden units; half of it on frame features.
        latent: D.
        hidden: width of the residual networks.
        lexicon: weight of the lexicon branch's contrastive loss; 0 trains the latent branch alone.
        grounding: weight of the terms' cross-entropy.
        ground_offset: a term whose probability of being named is sigmoid(-offset) has weight 0.
        distillation: weight of the fused teacher after its ramp over 20 % of the steps.
        flops: weight of the sparsity of text weights; grounding keeps the moments' sparse.
        averaging: decay of the running mean of weights, which is what is kept.
    """

    seed: int = 0
    epochs: int = 20
    batch: int = 256
    rate: float = 1e-3
    weight_decay: float = 0.05
    dropout: float = 0.4
    latent: int = 512
    hidden: int = 512
    lexicon: float = 1.0
    grounding: float = 0.002
    ground_offset: float = 3.0
    distillation: float = 1.0
    flops: float = 0.0
    averaging: float = 0.995


def new_heads(data: TrainingSet, dictionary: Float32, config: TrainingConfig) -> Heads:
    """Make untrained heads, with the statistics of the training set in them."""
    frames = data.frames[np.concatenate(data.stills)]
    texts = data.texts[np.concatenate(data.captions)]
    frequency = data.frequencies()
    rarity = -np.log(frequency + 1e-5)
    rarity /= rarity[frequency > 0].mean()
    # With nothing else known, a term is as probable as it is frequent.
    share = data.targets.mean(axis=0).clip(1e-4, 0.5)
    bias = np.log(share / (1 - share)) + config.ground_offset
    sizes = HeadSizes(
        frame=frames.shape[1],
        text=texts.shape[1],
        latent=config.latent,
        hidden=config.hidden,
        terms=len(dictionary),
    )
    return Heads(
        sizes,
        torch.from_numpy(dictionary),
        frame_mean=torch.from_numpy(frames.mean(axis=0)),
        frame_sd=torch.from_numpy(frames.std(axis=0) + 0.05),
        text_mean=torch.from_numpy(texts.mean(axis=0)),
        bias=torch.from_numpy(bias.astype(np.float32)),
        own_weights=torch.from_numpy(np.log(np.expm1(rarity.clip(0.1, 3))).astype(np.float32)),
        dropout=config.dropout,
    )


def loss_of(
    heads: Heads, batch: Batch, present: Tensor, config: TrainingConfig, progress: float
) -> Tensor:
    """Return the loss of one batch; `progress` is the share of steps done."""
    with torch.autocast("cpu", torch.bfloat16):
        video, logits = heads.video(batch.frames, batch.picks)
        text, guesses = heads.text(batch.texts)
    logits, guesses = logits.float(), guesses.float()
    positives = losses.duplicates(batch.items, batch.captions)
    latent = heads.latent_temperature.exp().clamp(max=100) * text @ video.T
    total = losses.contrastive(latent, positives)
    if not config.lexicon:
        return total
    words = heads.query(batch.words, guesses)
    lexicon = heads.lexicon_score(words, activate(logits))
    ramp = min(1.0, progress / 0.2)
    grounded = sum(
        losses.grounding(side - config.ground_offset, batch.targets, present)
        for side in (logits, guesses)
    )
    return (
        total
        + config.lexicon * losses.contrastive(lexicon, positives)
        + config.grounding * grounded
        + ramp * config.distillation * losses.distillation(latent, lexicon)
        + config.flops * losses.flops(words)
    )


def train(
    data: TrainingSet, dictionary: Float32, config: TrainingConfig
) -> tuple[Heads, list[float]]:
    """Train heads.

    Returns:
        the running mean of the weights, and the mean loss of each epoch.
    """
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    heads = new_heads(data, dictionary, config)
    kept = deepcopy(heads)
    matrices = [p for p in heads.parameters() if p.ndim == 2]
    others = [p for p in heads.parameters() if p.ndim != 2]
    groups = [
        {"params": matrices, "weight_decay": config.weight_decay, "lr": config.rate},
        {"params": others, "weight_decay": 0.0, "lr": OTHERS_RATE * config.rate},
    ]
    optimizer = torch.optim.AdamW(groups, lr=config.rate, betas=(0.9, 0.98))
    steps = config.epochs * (len(data) // config.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, [config.rate, OTHERS_RATE * config.rate], total_steps=steps + 1, pct_start=0.1
    )
    present = torch.from_numpy(data.present.astype(np.float32))
    curve: list[float] = []
    done = 0
    for epoch in range(config.epochs):
        seen = []
        for batch in batches(data, config.batch, rng):
            loss = loss_of(heads, batch, present, config, done / steps)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(heads.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            average(kept, heads, config.averaging)
            seen.append(float(loss.detach()))
            done += 1
        curve.append(float(np.mean(seen)))
        log.info("epoch %d of %d: loss %.3f", epoch + 1, config.epochs, curve[-1])
    return kept.eval(), curve


@torch.no_grad()
def average(kept: Heads, heads: Heads, decay: float) -> None:
    """Move a running mean of weights toward the current ones."""
    for mean, current in zip(kept.parameters(), heads.parameters(), strict=True):
        mean.lerp_(current, 1 - decay)


def main() -> None:
    """Train, calibrate, measure and write a pack."""
    parser = argparse.ArgumentParser(description="Train the heads of a pack.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--cache", type=Path, required=True, help="folder for frozen features")
    parser.add_argument("--out", type=Path, required=True, help="the pack's folder")
    parser.add_argument("--name", default="mini")
    for field in fields(TrainingConfig):
        flag = "--" + field.name.replace("_", "-")
        parser.add_argument(flag, type=type(field.default), default=field.default)
    options = vars(parser.parse_args())
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    folder = options["out"]
    config = TrainingConfig(**{field.name: options[field.name] for field in fields(TrainingConfig)})
    items = read_training_items(options["data"])
    lexicon = Lexicon.read(folder / "lexicon.txt")
    features, dictionary = load_inputs(items, lexicon, folder, options["data"], options["cache"])
    train_set = make_set([item for item in items if not item.held_out], features, lexicon)
    heads, curve = train(train_set, dictionary, config)
    figures = finish_pack(folder, options["name"], export(heads), items, features, lexicon)
    record = {"config": asdict(config), "loss": curve, "held_out": asdict(figures)}
    (folder / "training.json").write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    log.info("%s", figures.table())


def load_inputs(
    items: Sequence[Item], lexicon: Lexicon, folder: Path, data: Path, cache: Path
) -> tuple[Features, Float32]:
    """Return the frozen features of all items, and the (V, W) vectors of the terms."""
    towers = folder / "towers"
    vision = VisionTower(towers / "vision.xml", PACK_SHAPE.height, PACK_SHAPE.width)
    text = TextTower(towers / "text.safetensors", towers / "tokenizer.json", MAX_TOKENS)
    stamp = "-".join(sha256_of(towers / n)[:8] for n in ("vision.bin", "text.safetensors"))
    features = load_features(items, data, cache, vision, text, PACK_SHAPE, stamp)
    terms = cache / f"terms-{stamp}.npz"
    return features, term_vectors(lexicon.terms, lambda t: encode_texts(t, terms, text))


@torch.no_grad()
def export(heads: Heads) -> dict[str, Float32]:
    """Return the tensors that `unify.encoders.heads` reads: parameters in their final form."""
    state = heads.state_dict()
    for name in ("video_scale", "text_scale"):
        state[name] = state[name].exp()
    state["own"] = OWN_GAIN * torch.nn.functional.softplus(state["own"])
    trained_only = ("latent_temperature", "lexicon_temperature")
    return {n: t.numpy() for n, t in state.items() if n not in trained_only}


if __name__ == "__main__":
    main()
