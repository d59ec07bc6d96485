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


@pytest.mark.parametrize(
    ("start_s", "end_s", "shown"), [(4.0, 12.0, "0:04–0:12"), (59.5, 61.25, "0:59.5–1:01.2")]
)
def test_a_short_hit_is_placed_to_a_tenth_of_a_second(start_s, end_s, shown):
    assert listing.times(SimpleNamespace(start_s=start_s, end_s=end_s)) == shown
