"""What a set of moments shows more than the rest of the library: the terms to narrow a search by.

A term of a result set is worth offering when many of its moments show it and few others do: terms
are ordered by their share of the Kullback-Leibler divergence between the set and the library,
`n * log((n / set) / (N / library))`, so that words which show everywhere ("man", "stand") come
last although their counts are the greatest. Pure functions over a backend; no query is known here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unify.engine.backend import Backend
from unify.engine.lexicon import Lexicon
from unify.engine.types import Int64

_BLOCK = 64  # rows whose weights are spread over the whole lexicon at once


@dataclass(frozen=True, slots=True)
class Facet:
    """A term that some moments of a set show.

    Attributes:
        term: the word.
        count: moments of the set that show it.
        library: moments of the whole library that show it.
    """

    term: str
    count: int
    library: int


def facets(
    backend: Backend, lexicon: Lexicon, ids: Int64, shows: float, top: int,
    library: Int64 | None = None,
) -> list[Facet]:  # fmt: skip
    """Return the terms that tell a set of moments from the library, the most telling first.

    Args:
        backend: holds the rows.
        lexicon: names the terms.
        ids: (n,) moments of the set, each once.
        shows: least weight at which a moment shows a term.
        top: how many terms, at most.
        library: (V,) what `backend.term_counts(shows)` returns, where it is at hand: it reads
            every row.
    """
    if library is None:
        library = backend.term_counts(shows)
    counts = shown_counts(backend, len(lexicon), ids, shows)
    rows = backend.statistics().moments
    found = np.flatnonzero(counts)
    if not len(found):
        return []
    often = counts[found] / len(ids)
    usual = np.maximum(library[found], counts[found]) / max(rows, len(ids))
    gains = counts[found] * np.log(often / usual)
    ranked = sorted(
        zip((-gains).tolist(), (-counts[found]).tolist(), found.tolist(), strict=True),
        key=lambda row: (round(row[0], 9), row[1], lexicon.terms[row[2]]),
    )
    return [
        Facet(lexicon.terms[term], -count, int(library[term])) for _, count, term in ranked[:top]
    ]


def shown_counts(backend: Backend, size: int, ids: Int64, shows: float) -> Int64:
    """Return (V,) numbers of the given moments that show each word at `shows` or above.

    Args:
        backend: holds the rows.
        size: V.
        ids: (n,) moments.
        shows: least weight.
    """
    every = np.arange(size, dtype=np.uint16)
    counts = np.zeros(size, np.int64)
    for at in range(0, len(ids), _BLOCK):
        counts += (backend.term_weights(ids[at : at + _BLOCK], every) >= shows).sum(axis=0)
    return counts
