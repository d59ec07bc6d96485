"""What the indexer needs from outside: something that encodes frames. A pack provides it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from unify.engine.lexicon import Lexicon
from unify.engine.types import Float32, Int64, MomentCodes, UInt8


@dataclass(frozen=True, slots=True)
class FrameShape:
    """The pictures that an encoder wants, RGB, 8 bits a channel.

    `squash` scales both sides to the size; `crop` scales the shorter side and cuts the middle.
    """

    width: int
    height: int
    fit: Literal["squash", "crop"]


class VideoEncoder(Protocol):
    """Turns frames into features, once each, and windows of features into moments."""

    @property
    def name(self) -> str:
        """The pack's name, for people."""
        ...

    @property
    def fingerprint(self) -> str:
        """A hash over every file that changes a vector."""
        ...

    @property
    def latent_dim(self) -> int:
        """D."""
        ...

    @property
    def lexicon(self) -> Lexicon:
        """The V terms."""
        ...

    def terms_of(self, text: str) -> list[int]:
        """Return the terms that a spoken text names, in order, without words that say nothing."""
        ...

    @property
    def frame_shape(self) -> FrameShape:
        """The pictures that `encode_frames` takes."""
        ...

    def encode_frames(self, frames: UInt8) -> Float32:
        """Encode (F, height, width, 3) RGB frames to (F, C) features, any F >= 1."""
        ...

    def encode_moments(self, features: Float32, spans: Int64) -> MomentCodes:
        """Encode moments of one video.

        Args:
            features: (F, C) features of all the video's frames, in time order.
            spans: (M, 2) first and one-past-last frame of each moment, none empty.
        """
        ...
