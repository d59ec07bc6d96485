"""What a query looks for beside what was typed: terms that were added, words that were replaced.

A pack expands a sentence by terms that belong to it, and a word that the lexicon lacks cannot be
looked for as it stands. Both are decided for the user, so both are told, and expansion can be
switched off whole or term by term. It must not know how terms are stored or scored.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from unify.engine.lexicon import Lexicon, plain, words_of
from unify.engine.types import EncodedQuery, Float32, Int64, UInt16

NEAR = 3  # terms that stand for a word which the lexicon lacks, or beside a wish
WISH = 0.5  # what a wish weighs beside a word of the sentence
_SLIPS = 0.15  # for each letter of both words: one up to six letters, two up to nine
_SHORTEST = 5  # letters: below that, most slips make another word


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
        terms: (term, weight in the query) that stand for it, the heaviest first.
    """

    word: str
    spelled: str
    terms: tuple[tuple[str, float], ...]


def spelled_like(lexicon: Lexicon, word: str, often: Callable[[UInt16], Int64]) -> str:
    """Return the term that a word is a slip of, or "": that of the fewest slips.

    Args:
        lexicon: the terms.
        word: one that it lacks.
        often: returns how many moments hold each of some terms; of terms that are as near as
            each other, the one that most hold is meant.

    >>> spelled_like(Lexicon(["hose", "horse", "kitchen"]), "hosre", np.zeros_like)
    'hose'
    >>> spelled_like(Lexicon(["hose", "horse", "kitchen"]), "ktichen", np.zeros_like)
    'kitchen'
    >>> spelled_like(Lexicon(["snow", "now"]), "snwo", np.zeros_like)
    'snow'
    """
    word = plain(word)
    if len(word) < _SHORTEST:
        return next((swap for swap in _swaps(word) if lexicon.lookup(swap) is not None), "")
    letters, found = set(word), {}
    for id_, term in enumerate(lexicon.terms):
        most = int(_SLIPS * (len(word) + len(term)))
        far = max(abs(len(word) - len(term)), len(letters.symmetric_difference(term)))
        if far <= most and (count := slips(word, term)) <= most:
            found[id_] = count
    if not found:
        return ""
    least = min(found.values())
    nearest = [id_ for id_, count in found.items() if count == least]
    return lexicon.terms[nearest[int(np.argmax(often(np.array(nearest, np.uint16))))]]


def _swaps(word: str) -> list[str]:
    """Return what a short word is when two neighbours change places; its first letter stays."""
    return [word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(1, len(word) - 1)]


def slips(word: str, other: str) -> int:
    """Return how many letters must be put in, left out or swapped with the next.

    It is the distance of Damerau (1964) without exchanges: another letter is one out and one in.

    >>> slips("ktichen", "kitchen"), slips("hosre", "hose"), slips("cat", "car")
    (1, 1, 2)
    """
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(word, 1):
        before, above, row = row, before, [i]
        for j, its in enumerate(other, 1):
            best = before[j - 1] if letter == its else 1 + min(before[j], row[j - 1])
            if i > 1 and j > 1 and letter == other[j - 2] and word[i - 2] == its:
                best = min(best, 1 + above[j - 2])
            row.append(best)
    return row[-1]


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
