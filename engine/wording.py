"""What a query looks for beside what was typed: terms that were added, words that were replaced.

A pack expands a sentence by terms that belong to it, and a word that the lexicon lacks cannot be
looked for as it stands. Both are decided for the user, so both are told, and expansion can be
switched off whole or term by term. It must not know how terms are stored or scored.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from unify.engine.lexicon import Lexicon, plain, words_of
from unify.engine.types import EncodedQuery, Float32, UInt16

NEAR = 3  # terms that stand for a word which the lexicon lacks, or beside a wish
WISH = 0.5  # what a wish weighs beside a word of the sentence
_SPELLED = 0.85  # of 1, as difflib counts: "ktichen" and "kitchen" have 0.86
_SHORTEST = 5  # letters: below that, one slip makes another word


class Origin(StrEnum):
    """Why a term is looked for."""

    OWN = "own"  # a word of the query
    NEAR = "near"  # in place of a word that the lexicon lacks, or near a wish
    ADDED = "added"  # by the pack, as belonging to the sentence


@dataclass(frozen=True, slots=True)
class SearchedTerm:
    """A term that a query looks for in pictures.

    Attributes:
        term: the word.
        weight: in the query.
        origin: why.
    """

    term: str
    weight: float
    origin: Origin


@dataclass(frozen=True, slots=True)
class Replaced:
    """A word that the lexicon lacks.

    Attributes:
        word: as it was written.
        spelled: the word that it was read as on both sides, or "" where none is spelled alike.
        terms: (term, weight in the query) that stand for it, the nearest first.
    """

    word: str
    spelled: str
    terms: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Faint:
    """A word of the query that no moment shows.

    Attributes:
        word: a term.
        best: its greatest weight in any moment that meets the filters.
        shows: the weight from which on a moment is held to show it.
    """

    word: str
    best: float
    shows: float


def spelled_like(lexicon: Lexicon, word: str) -> str:
    """Return the term that a word is a slip of, or "".

    >>> spelled_like(Lexicon(["kitchen", "chicken"]), "ktichen")
    'kitchen'
    """
    near = lexicon.suggest(word, 1) if len(word) >= _SHORTEST else []
    alike = near and difflib.SequenceMatcher(None, near[0], plain(word)).ratio() >= _SPELLED
    return near[0] if alike else ""


def respelled(text: str, slips: Collection[tuple[str, str]]) -> str:
    """Return a sentence with words replaced, in the lower case that encoders read anyway.

    >>> respelled("A man in a Ktichen, cooking", [("ktichen", "kitchen")])
    'a man in a kitchen, cooking'
    """
    if not slips:
        return text
    instead = dict(slips)
    text = plain(text)
    for word in dict.fromkeys(words_of(text)):
        if word in instead:
            text = _whole_word(text, word, instead[word])
    return text


def _whole_word(text: str, word: str, instead: str) -> str:
    parts, at = [], 0
    while (found := text.find(word, at)) >= 0:
        end = found + len(word)
        alone = not (text[found - 1 : found].isalnum() or text[end : end + 1].isalnum())
        parts += [text[at:found], instead if alone else word]
        at = end
    return "".join([*parts, text[at:]])


def strongest(lexicon: Lexicon, query: EncodedQuery, count: int) -> list[tuple[str, float]]:
    """Return the heaviest terms of an encoded text with their weights, the heaviest first."""
    order = np.argsort(-query.weights, kind="stable")[:count]
    return [(lexicon.terms[int(query.terms[i])], float(query.weights[i])) for i in order]


def with_terms(
    query: EncodedQuery, lexicon: Lexicon, terms: Collection[tuple[str, float]]
) -> EncodedQuery:
    """Return a query that weighs some terms at least so much."""
    if not terms:
        return query
    dense: Float32 = np.zeros(len(lexicon), np.float32)
    dense[query.terms] = query.weights
    for term, weight in terms:
        at = lexicon.lookup(term)
        if at is not None:
            dense[at] = max(dense[at], weight)
    kept = np.flatnonzero(dense).astype(np.uint16)
    return EncodedQuery(query.latent, kept, dense[kept])


def without_terms(query: EncodedQuery, dropped: UInt16) -> EncodedQuery:
    """Return a query that does not look for some terms in pictures."""
    kept = ~np.isin(query.terms, dropped)
    return EncodedQuery(query.latent, query.terms[kept], query.weights[kept])
