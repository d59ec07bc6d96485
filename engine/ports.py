"""What the engine needs from outside: something that encodes a query. A pack provides it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from unify.engine.lexicon import Lexicon
from unify.engine.types import Calibration, EncodedQuery


class QueryEncoder(Protocol):
    """Turns query text into a latent vector and lexicon weights."""

    @property
    def name(self) -> str:
        """The pack's name, for people."""
        ...

    @property
    def fingerprint(self) -> str:
        """A hash over every file that changes a vector."""
        ...

    @property
    def lexicon(self) -> Lexicon:
        """The V terms."""
        ...

    @property
    def calibration(self) -> Calibration:
        """Statistics for fusion and thresholds."""
        ...

    def unknown_words(self, text: str) -> list[str]:
        """Return the words of a text that the lexicon lacks, in order, each once.

        Words that say nothing ("the", "of") are left out.
        """
        ...

    def knows(self, word: str) -> bool:
        """Return whether a word in lower case was common where its text tower learned to read.

        Such a word is no slip of spelling, though the lexicon may lack it.
        """
        ...

    def encode_query(self, text: str) -> EncodedQuery:
        """Encode one plain sentence, without operators; deterministic."""
        ...

    def encode_queries(self, texts: Sequence[str]) -> list[EncodedQuery]:
        """Encode several sentences, each as `encode_query` does."""
        ...
