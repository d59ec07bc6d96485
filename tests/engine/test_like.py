import numpy as np
import pytest

from unify.engine.errors import UsageError
from unify.engine.fusion import affine
from unify.engine.like import Like, moment_at, search_like, search_shown, stored_query
from unify.engine.local import open_snapshot
from unify.engine.search import Searcher


@pytest.fixture
def searcher(corpus):
    return Searcher(open_snapshot(corpus.directory), corpus.pack)


def known(corpus, searcher, video=0, time_s=1.4) -> int:
    return moment_at(searcher.backend, Like(f"clips/{corpus.videos[video].rel}", time_s))


def brute_force(
    corpus, searcher, moment: int, filters=lambda video: True
) -> list[tuple[int, float]]:
    """Every live moment by its fused score with a stored one, from rows read by other means."""
    ids, owners, latents, weights = corpus.rows()
    row = int(np.flatnonzero(ids == moment)[0])
    query = stored_query(searcher.backend, 20, moment)
    lat = latents @ query.latent.astype(np.float64)
    lex = weights.toarray() @ weights.toarray()[row]
    fusion = affine(query, corpus.pack.calibration)
    scores = fusion(lat, lex)
    allowed = [video.id for video in corpus.videos if filters(video)]
    facts = [searcher.backend.facts(int(i)) if o in allowed else None
             for i, o in zip(ids, owners, strict=True)]  # fmt: skip
    own = searcher.backend.facts(moment)
    kept = [
        (int(i), float(score))
        for i, score, fact in zip(ids, scores, facts, strict=True)
        if fact and (fact.video_id != own.video_id or fact.end_s <= own.start_s
                     or fact.start_s >= own.end_s)
    ]  # fmt: skip
    return sorted(kept, key=lambda pair: (-pair[1], pair[0]))


@pytest.mark.parametrize("offset", [0, 4])
def test_hits_are_those_of_brute_force_without_the_moment_itself(corpus, searcher, offset):
    moment = known(corpus, searcher)
    found = search_like(searcher, moment, k=6, offset=offset, moments=True)
    expected = brute_force(corpus, searcher, moment)[offset : offset + 6]
    assert [hit.moment for hit in found] == [i for i, _ in expected]
    np.testing.assert_allclose([hit.score for hit in found], [s for _, s in expected], rtol=1e-6)
    assert [hit.rank for hit in found] == list(range(offset + 1, offset + 7))
    assert found.exact and not any(hit.weak for hit in found)


@pytest.mark.parametrize(("k", "offset"), [(50, 0), (3, 0), (4, 2)])
def test_one_hit_a_video_and_of_its_own_the_best_other_moment(corpus, searcher, k, offset):
    moment = known(corpus, searcher)
    found = search_like(searcher, moment, k=k, offset=offset)
    best: dict[str, int] = {}
    for other, _ in brute_force(corpus, searcher, moment):
        best.setdefault(searcher.backend.facts(other).path, other)
    assert searcher.backend.facts(moment).path in best
    assert [hit.moment for hit in found] == list(best.values())[offset : offset + k]
    assert [hit.rank for hit in found] == list(range(offset + 1, offset + 1 + len(found)))


def test_its_own_video_is_left_out_where_videos_are_pooled(corpus, searcher):
    moment = known(corpus, searcher)
    found = search_like(searcher, moment, k=50, pool="mean:2")
    assert searcher.backend.facts(moment).path not in {hit.path for hit in found}
    assert len(found) == len(corpus.videos) - 1


def test_filters_and_operators_hold_beside_it(corpus, searcher):
    moment = known(corpus, searcher)
    found = search_like(searcher, moment, "path:even", k=50)
    assert len(found) > 3 and all("even/" in hit.video for hit in found)
    barred = search_like(searcher, moment, "w1 -w4", k=100, moments=True)
    ids = np.array([hit.moment for hit in barred])
    assert (searcher.backend.term_weights(ids, np.array([4], np.uint16)) < 0.6).all()


def test_words_draw_it_towards_them_as_the_weight_falls(corpus, searcher):
    moment = known(corpus, searcher)
    alone = [hit.moment for hit in search_like(searcher, moment, k=20, moments=True)]
    words = [hit.moment for hit in searcher.search("w1 w2", 80, moments=True)]

    def shared(weight: float) -> int:
        mixed = search_like(searcher, moment, "w1 w2", k=20, weight=weight, moments=True)
        return len({hit.moment for hit in mixed} & set(words[:20]))

    assert shared(0.01) > shared(100)
    heavy = search_like(searcher, moment, "w1 w2", k=20, weight=100, moments=True)
    assert len({hit.moment for hit in heavy} & set(alone)) >= 19


def test_a_stored_moment_is_read_as_it_is(corpus, searcher):
    ids, _, latents, weights = corpus.rows()
    for row in (0, len(ids) - 1):
        query = stored_query(searcher.backend, 20, int(ids[row]))
        unit = latents[row] / np.linalg.norm(latents[row])
        np.testing.assert_allclose(query.latent, unit, atol=1e-6)
        dense = np.zeros(20)
        dense[query.terms] = query.weights
        np.testing.assert_array_equal(dense, weights.toarray()[row])


@pytest.mark.parametrize(("time_s", "start_s"), [(0.0, 0), (1.4, 0), (2.6, 1), (5.9, 3), (6.9, 3)])
def test_the_moment_at_a_time_is_the_one_around_it(corpus, searcher, time_s, start_s):
    moment = known(corpus, searcher, time_s=time_s)
    assert searcher.backend.facts(moment).start_s == start_s


def test_a_time_past_the_end_is_no_moment(corpus, searcher):
    with pytest.raises(UsageError, match=r"has no second 99; its pictures end at \d+\.\d s"):
        known(corpus, searcher, time_s=99.0)


@pytest.mark.parametrize(
    ("time", "seconds"),
    [("12.5", 12.5), (".5", 0.5), ("0:07", 7.0), ("1:30.25", 90.25), ("61:00", 3660.0),
     ("1:02:05", 3725.0)],
)  # fmt: skip
def test_a_time_is_seconds_or_as_hits_show_it(time, seconds):
    assert Like.read(f"a@b.mp4@{time}") == Like("a@b.mp4", seconds)


@pytest.mark.parametrize(
    "text",
    ["a.mp4", "a.mp4@", "@3", "a.mp4@-1", "a.mp4@nan", "a.mp4@x", "a.mp4@1:60", "a.mp4@1:2:3:4"],
)
def test_a_place_that_is_none_says_how_to_write_one(text):
    with pytest.raises(UsageError, match="VIDEO@SECONDS"):
        Like.read(text)


def test_an_unknown_video_and_a_weight_that_cannot_be(corpus, searcher):
    with pytest.raises(UsageError, match="not indexed"):
        moment_at(searcher.backend, Like("nowhere.mp4", 1.0))
    with pytest.raises(UsageError, match="weighs 0;"):
        search_like(searcher, known(corpus, searcher), weight=0)


def test_what_is_shown_is_scored_as_a_stored_moment_but_leaves_nothing_out(corpus, searcher):
    moment = known(corpus, searcher)
    stored = stored_query(searcher.backend, 20, moment)
    found = search_shown(searcher, stored, k=200, moments=True)
    like = search_like(searcher, moment, k=200, moments=True)
    assert len(found) > len(like)
    assert moment in {hit.moment for hit in found}
    scores = {hit.moment: hit.score for hit in found}
    assert all(scores[hit.moment] == hit.score for hit in like)
    assert [hit.rank for hit in found] == list(range(1, len(found) + 1))
    assert found.exact and not any(hit.weak for hit in found)


def test_pages_filters_and_words_hold_beside_what_is_shown(corpus, searcher):
    stored = stored_query(searcher.backend, 20, known(corpus, searcher))
    whole = [hit.moment for hit in search_shown(searcher, stored, "w1", k=12, moments=True)]
    page = search_shown(searcher, stored, "w1", k=6, offset=6, moments=True)
    assert [hit.moment for hit in page] == whole[6:]
    assert whole != [hit.moment for hit in search_shown(searcher, stored, k=12, moments=True)]
    assert all("even/" in hit.video for hit in search_shown(searcher, stored, "path:even", k=50))
    with pytest.raises(UsageError, match="weighs 200;"):
        search_shown(searcher, stored, weight=200)
