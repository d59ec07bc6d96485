from collections import Counter

import pytest

from unify.engine.errors import UsageError
from unify.engine.local import open_snapshot
from unify.engine.search import Searcher
from unify.engine.spread import by_time, spread


@pytest.fixture
def find(corpus):
    searcher = Searcher(open_snapshot(corpus.directory), corpus.pack)
    return lambda depth: searcher.search("w1 w2", depth, moments=True)


@pytest.mark.parametrize("per_video", [1, 2, 3])
def test_hits_are_the_best_of_each_video_that_do_not_overlap(find, per_video):
    expected = []
    for hit in find(1000):
        same = [kept for kept in expected if kept.video == hit.video]
        apart = all(hit.start_s >= kept.end_s or kept.start_s >= hit.end_s for kept in same)
        if len(same) < per_video and apart:
            expected.append(hit)
    found = spread(find, 15, 2, per_video)
    assert [hit.moment for hit in found] == [hit.moment for hit in expected[2:17]]
    assert [hit.rank for hit in found] == list(range(3, 3 + len(found)))
    assert max(Counter(hit.video for hit in found).values()) <= per_video


def test_it_looks_deeper_until_there_are_enough(find):
    depths = []

    def counted(depth):
        depths.append(depth)
        return find(depth)

    videos = {hit.video for hit in find(1000)}
    assert len(spread(counted, len(videos), 0, 1)) == len(videos)
    assert depths == sorted(set(depths))
    assert len(spread(find, 1000, 0, 1)) == len(videos)


def test_none_of_a_video_is_refused(find):
    with pytest.raises(UsageError, match="0 hits a video"):
        spread(find, 5, 0, 0)


def test_hits_in_time_keep_their_ranks(find):
    found = find(12)
    ordered = by_time(found)
    places = [(hit.video, hit.start_s) for hit in ordered]
    assert places == sorted(places)
    assert sorted(ordered, key=lambda hit: hit.rank) == list(found)
