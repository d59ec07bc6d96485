"""What is said in a moment, beside what it shows: the second half of the term space.

An index over V words stores 2V terms: id t stands for "shows word t", id V + t for "word t is
said" (subtitles name it). Rows, postings and kernels know no difference. A said word's stored
weight is 1; a query gives it `SAID * shows` times its weight of the shown word, where `shows` is
the pack's own measure of a word that shows, so that the index depends on no such choice.

Only words that stand in the query are looked for in what is said: talk that has nothing to do
with the picture would meet an expansion's many near words by chance. (111 clips, each given three
of 35 lines of unrelated talk, caption to clip, R@1 over five draws: without talk 52.3; words of
the query alone 51.5, all terms 50.5.) Statistics of a pack know only what shows, so the fusion is
made of these terms, and what is said comes on top: without it a score is what it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from unify.engine.types import EncodedQuery, Int64, MomentCodes, SparseRows, UInt16

# A moment's strongest shown term has 1.8 times `shows` (median of 149 moments of clips).
SAID = 2.0


def said_ids(terms: Iterable[int], size: int) -> UInt16:
    """Return the ids, ascending, under which words are stored as said.

    Args:
        terms: word ids.
        size: V.

    >>> said_ids([3, 1, 3], 10).tolist()
    [11, 13]
    """
    return np.array(sorted({term + size for term in terms}), np.uint16)


def with_said(query: EncodedQuery, said: UInt16, size: int, shows: float) -> EncodedQuery:
    """Return a query that also asks for what is said.

    Args:
        query: over shown terms.
        said: ids as `said_ids` gives them; those that the query does not weigh are left out.
        size: V.
        shows: least weight at which a moment shows a term.

    >>> query = EncodedQuery(None, np.array([1, 3], "u2"), np.array([1, 4], "f4"))
    >>> found = with_said(query, said_ids([3, 5], 10), 10, 0.5)
    >>> found.terms.tolist(), found.weights.tolist()
    ([1, 3, 13], [1.0, 4.0, 4.0])
    """
    if not len(said):
        return query
    asked = np.isin(query.terms, said - np.uint16(size))
    weights = query.weights[asked] * np.float32(SAID * shows)
    return EncodedQuery(
        query.latent,
        np.concatenate([query.terms, query.terms[asked] + np.uint16(size)]),
        np.concatenate([query.weights, weights]),
    )


def add_said(
    codes: MomentCodes, moments: Sequence[Iterable[int]], frames: Sequence[Iterable[int]], size: int
) -> MomentCodes:
    """Return the codes of a video with the words that are said in it.

    Args:
        codes: of what it shows.
        moments: the word ids said in each of its M moments.
        frames: the same for each of its F frames.
        size: V.
    """
    return MomentCodes(
        codes.latents, _beside(codes.lexicon, moments, size), _beside(codes.tracks, frames, size)
    )


def _beside(rows: SparseRows, said: Sequence[Iterable[int]], size: int) -> SparseRows:
    ids = [said_ids(words, size) for words in said]
    counts = np.array([len(some) for some in ids], np.int64)
    owners = np.concatenate([_owners(np.diff(rows.indptr)), _owners(counts)])
    order = np.argsort(owners, kind="stable")  # said ids are above all shown ones
    terms = np.concatenate([rows.terms, *ids])[order]
    weights = np.concatenate([rows.weights, np.ones(int(counts.sum()), np.float32)])[order]
    return SparseRows(rows.indptr + np.concatenate([[0], np.cumsum(counts)]), terms, weights)


def _owners(counts: Int64) -> Int64:
    return np.repeat(np.arange(len(counts)), counts)
