"""Which terms of a lexicon a text names, and which of its words have none; for every pack.

A lexicon of a language model's pieces has "the" and "of" as terms; said in nearly every moment,
they would tell nothing of any. It must not know subtitles or times.
"""

from __future__ import annotations

import string

from unify.encoders.word_forms import STOP_WORDS
from unify.engine.lexicon import Lexicon, words_of

_MARKS = string.punctuation + "…–—«»“”„‘’、。，！？「」"


def spoken_terms(lexicon: Lexicon, text: str) -> list[int]:
    """Return the term ids of a text's words in order, stop words left out.

    >>> spoken_terms(Lexicon(["the", "dog", "run"], [[], ["dogs"], ["ran"]]), "The dogs ran!")
    [1, 2]
    """
    found = (lexicon.lookup(word) for word in words_of(text) if word not in STOP_WORDS)
    return [term for term in found if term is not None]


def unknown_words(lexicon: Lexicon, text: str) -> list[str]:
    """Return the words of a text that the lexicon lacks, in order, each once; no stop words.

    Numbers and single letters are not looked for as words, so they are not missed. What another
    script has between two spaces is one word.

    >>> unknown_words(Lexicon(["dog"]), "The dog and 2 axolotls, axolotls, собака!")
    ['axolotls', 'собака']
    """
    found: dict[str, None] = {}
    for token in text.split():
        words = words_of(token)
        if not words and any(letter.isalpha() for letter in token):
            found[token.strip(_MARKS)] = None
        for word in words:
            says = word.removesuffix("'s") not in STOP_WORDS and not word.isdecimal()
            if says and len(word) > 1 and lexicon.lookup(word) is None:
                found[word] = None
    return list(found)
