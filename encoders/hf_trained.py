"""Packs of `transformers` towers with trained UNIFY heads, as `unify train` writes them.

Such a pack holds all that it needs: `towers/` is the checkpoint with its tokenizer, and
`heads.safetensors` has the gated blocks beside the heads. torch is loaded when something is
encoded. It must not know how the heads were trained.
Sizes: F frames, L tokens, D joint width.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from unify.encoders.heads import HeadsFile, Projection, TextHead, VideoHead
from unify.encoders.hf import TEXT_BATCH, Towers, load_torch
from unify.encoders.packs import Pack
from unify.engine.types import EncodedQuery, Float32, UInt8

if TYPE_CHECKING:
    from unify.encoders.gated import FrameBranches

TOWERS = "towers"  # below a pack's folder


class TrainedHfPack(Pack):
    """Encodes videos and queries (`VideoEncoder` and `QueryEncoder`).

    Args:
        folder: the pack's folder.
    """

    @property
    def uses_gpu(self) -> bool:
        """Whether it computes on a GPU where there is one."""
        return True

    def encode_frames(self, frames: UInt8) -> Float32:
        """Encode (F, height, width, 3) RGB frames to (F, 2 D) features, any F >= 1."""
        return self._blocks.encode(self._towers.encode_frames(frames))

    @cached_property
    def _towers(self) -> Towers:
        return Towers(self._folder / TOWERS)

    @cached_property
    def _blocks(self) -> FrameBranches:
        return frame_branches(self._heads)

    @cached_property
    def _sentences(self) -> TowerSentences:
        return TowerSentences(self._towers, self._heads)

    @cached_property
    def _video_head(self) -> TwinVideoHead:
        return TwinVideoHead(self._heads)


class TowerSentences:
    """The text side of such a pack, as `sentences.SentenceEncoder` is of the others.

    Args:
        towers: the checkpoint.
        heads: has the text's gated blocks under `text.`, and the head.
    """

    def __init__(self, towers: Towers, heads: HeadsFile) -> None:
        load_torch()
        from unify.encoders.gated import TextBranches, read_branches

        self._towers, self._head = towers, TextHead(heads)
        self._branches = TextBranches(read_branches(heads.below("text."), attends=True))

    def knows(self, word: str) -> bool:
        """Return whether a word is one token."""
        return self._towers.knows(word)

    def encode(self, texts: Sequence[str], own: Sequence[list[int]]) -> list[EncodedQuery]:
        """Encode texts; `own` are the terms that stand in each."""
        torch = load_torch()
        branches = self._branches.to(self._towers.device)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        found: dict[int, EncodedQuery] = {}
        for start in range(0, len(order), TEXT_BATCH):
            rows = order[start : start + TEXT_BATCH]
            with torch.inference_mode():
                tokens = self._towers.token_states(self._towers.tokens([texts[i] for i in rows]))
                states = branches(tokens.pooled, tokens.states, tokens.words)
            for place, row in enumerate(rows):
                voters = states.voters[place, states.votes[place]].cpu().numpy()
                latent = states.latent[place].cpu().numpy()
                found[row] = self._head.encode(latent, voters, own[row])
        return [found[row] for row in range(len(texts))]


class TwinVideoHead(VideoHead):
    """A `VideoHead` of features of both branches, side by side.

    Args:
        file: the pack's heads.
    """

    def __init__(self, file: HeadsFile) -> None:
        super().__init__(file)
        self._latent = _HalfProjection(file, "video_latent", first=True)
        self._lexicon = _HalfProjection(file, "video_lexicon", first=False)


class _HalfProjection(Projection):
    """Projects the first or the second half of (rows, 2 D) features."""

    def __init__(self, file: HeadsFile, name: str, first: bool) -> None:
        super().__init__(file, name)
        self._half = slice(len(self._mean)) if first else slice(len(self._mean), None)

    def __call__(self, x: Float32) -> Float32:
        """(rows, 2 D) to (rows, outputs)."""
        return super().__call__(x[:, self._half])


def frame_branches(heads: HeadsFile) -> FrameBranches:
    """Return the gated blocks of frames, which the heads' file has under `vision.`."""
    load_torch()
    from unify.encoders.gated import FrameBranches, read_branches

    return FrameBranches(read_branches(heads.below("vision."), attends=False))
