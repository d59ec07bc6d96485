import numpy as np
import pytest

from unify.engine.errors import UsageError
from unify.engine.explain import library_terms, term_tracks, video_terms
from unify.engine.local import open_snapshot


@pytest.fixture
def backend(corpus):
    return open_snapshot(corpus.directory)


def test_library_terms_count_live_rows_that_show_a_term(corpus, backend):
    _, owners, _, weights = corpus.rows()
    live = np.isin(owners, [v.id for v in corpus.videos])
    expected = (weights.toarray()[live] >= 0.6).sum(axis=0)
    counted = dict(library_terms(backend, corpus.pack.lexicon, 0.6, 100))
    assert counted == {f"w{i}": int(n) for i, n in enumerate(expected) if n}
    assert list(counted.values()) == sorted(counted.values(), reverse=True)
    assert len(library_terms(backend, corpus.pack.lexicon, 0.6, 3)) == 3


def test_tracks_cover_the_frames_of_a_moment(backend, corpus):
    moment = backend.segments[0].base + 1  # frames 1 to 3 of the first video
    (track,) = term_tracks(backend, corpus.pack.lexicon, moment, ["w3", "unknown"])
    assert track.term == "w3"
    np.testing.assert_array_equal(track.times_s, [1, 2, 3])
    indptr, terms, weights = backend.segments[0].tracks
    for frame, weight in zip((1, 2, 3), track.weights, strict=True):
        row = slice(int(indptr[frame]), int(indptr[frame + 1]))
        stored = dict(zip(terms[row].tolist(), weights[row].tolist(), strict=True))
        assert weight == stored.get(3, 0)


def test_video_terms_show_each_frame_once(backend, corpus):
    video = corpus.videos[0]
    for name in (f"clips/{video.rel}", f"/abs/clips/{video.rel}"):
        tracks = video_terms(backend, corpus.pack.lexicon, name, 5)
        assert len(tracks) == 5
        np.testing.assert_array_equal(tracks[0].times_s, np.arange(6))


def test_unknown_video(backend, corpus):
    with pytest.raises(UsageError, match="nowhere is not indexed"):
        video_terms(backend, corpus.pack.lexicon, "nowhere", 5)
    known = f"clips/{corpus.videos[0].rel}"
    with pytest.raises(UsageError, match=f"did you mean {known}"):
        video_terms(backend, corpus.pack.lexicon, f"elsewhere/{corpus.videos[0].rel}", 5)
