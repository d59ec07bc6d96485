from types import SimpleNamespace

import pytest

from unify.cli import listing


@pytest.mark.parametrize("weights", [(1.0, 1.0), (0.0, 1.0), (3.0, 0.5)])
def test_neighbours_by_rank_differ_in_print(weights):
    scores = [sum(weights) / (60 + rank) for rank in range(1, 41)]
    places = listing.decimals([SimpleNamespace(score=score) for score in scores])
    assert len({f"{score:.{places}f}" for score in scores}) == len(scores)


@pytest.mark.parametrize(
    ("scores", "places"), [([4.31, 0.2], 2), ([0.61], 4), ([-2.0, -3.0], 2), ([0.0], 2), ([], 2)]
)
def test_larger_scores_have_two_decimals(scores, places):
    assert listing.decimals([SimpleNamespace(score=score) for score in scores]) == places
