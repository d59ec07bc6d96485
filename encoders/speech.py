"""Which terms of a lexicon a spoken text names, the same for every pack.

A lexicon of a language model's pieces has "the" and "of" as terms; said in nearly every moment,
they would tell nothing of any. It must not know subtitles or times.
"""

from __future__ import annotations

from unify.encoders.word_forms import STOP_WORDS
from unify.engine.lexicon import Lexicon, words_of


def spoken_terms(lexicon: Lexicon, text: str) -> list[int]:
    """Return the term ids of a text's words in order, stop words left out.

    >>> spoken_terms(Lexicon(["the", "dog", "run"], [[], ["dogs"], ["ran"]]), "The dogs ran!")
    [1, 2]
    """
    found = (lexicon.lookup(word) for word in words_of(text) if word not in STOP_WORDS)
    return [term for term in found if term is not None]
