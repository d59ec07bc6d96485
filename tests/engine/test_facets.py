from itertools import pairwise

import numpy as np
import pytest

from tests.engine.corpus import Corpus
from unify.engine.facets import facets, shown_counts
from unify.engine.local import open_snapshot

SHOWS = 0.6


@pytest.fixture
def backend(corpus):
    return open_snapshot(corpus.directory)


def some(corpus: Corpus, count: int, seed: int = 3) -> np.ndarray:
    ids, owners, *_ = corpus.rows()
    live = ids[np.isin(owners, [video.id for video in corpus.videos])]
    return np.random.default_rng(seed).permutation(live)[:count]


def brute_force(corpus: Corpus, chosen: np.ndarray) -> dict[str, tuple[int, int, float]]:
    """Term to (moments of the set, of the library, gain), counted one by one."""
    ids, owners, _, weights = corpus.rows()
    dense = weights.toarray()
    live = np.isin(owners, [video.id for video in corpus.videos])
    found = {}
    for term, word in enumerate(corpus.pack.lexicon.terms):
        library = sum(dense[row, term] >= SHOWS for row in np.flatnonzero(live))
        inside = sum(dense[np.flatnonzero(ids == one)[0], term] >= SHOWS for one in chosen)
        if inside:
            gain = inside * np.log((inside / len(chosen)) / (library / live.sum()))
            found[word] = (int(inside), int(library), float(gain))
    return found


@pytest.mark.parametrize("count", [1, 7, 50])
def test_facets_equal_brute_force(corpus, backend, count):
    chosen = some(corpus, count)
    expected = brute_force(corpus, chosen)
    got = facets(backend, corpus.pack.lexicon, chosen, SHOWS, 100)
    assert {f.term: (f.count, f.library) for f in got} == {w: r[:2] for w, r in expected.items()}
    gains = [expected[facet.term][2] for facet in got]
    assert all(first >= second - 1e-9 for first, second in pairwise(gains))


def test_a_word_that_shows_everywhere_comes_after_one_that_tells(corpus, backend):
    chosen = some(corpus, 20)
    got = facets(backend, corpus.pack.lexicon, chosen, SHOWS, 100)
    shares = [facet.count / 20 / (facet.library / backend.statistics().moments) for facet in got]
    assert shares[0] > 1 > shares[-1]


def test_the_best_of_many_and_counts_that_are_at_hand(corpus, backend):
    chosen = some(corpus, 12)
    whole = facets(backend, corpus.pack.lexicon, chosen, SHOWS, 100)
    library = backend.term_counts(SHOWS)
    assert facets(backend, corpus.pack.lexicon, chosen, SHOWS, 4, library) == whole[:4]


def test_of_nothing_there_is_nothing(corpus, backend):
    none = np.zeros(0, np.int64)
    assert facets(backend, corpus.pack.lexicon, none, SHOWS, 5) == []
    assert not shown_counts(backend, len(corpus.pack.lexicon), none, SHOWS).any()
