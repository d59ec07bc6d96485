import numpy as np
import pytest

from unify.engine.local import open_snapshot
from unify.engine.tracks import peak_s, squeezed, video_tracks


@pytest.fixture
def backend(corpus):
    return open_snapshot(corpus.directory)


def frames(backend, segment: int, video: int) -> np.ndarray:
    """(6, V) weights of all frames of a video, read without the code under test."""
    part = backend.segments[segment]
    rows = np.flatnonzero(part.moments["video"] == video)
    first, last = int(part.moments["first"][rows[0]]), int(part.moments["last"][rows[-1]])
    indptr, terms, weights = part.tracks
    dense = np.zeros((last - first, 20))
    for frame in range(first, last):
        row = slice(int(indptr[frame]), int(indptr[frame + 1]))
        dense[frame - first, terms[row]] = weights[row]
    return dense


def test_tracks_of_a_whole_video_show_each_frame_once(corpus, backend):
    video = corpus.videos[0]
    moments = backend.moments_of(f"clips/{video.rel}")
    tracks = video_tracks(backend, corpus.pack.lexicon, moments, ["w3", "nonsense", "w7", "w3"])
    dense = frames(backend, 0, video.id)
    assert [track.term for track in tracks] == ["w3", "w7"]
    for track, term in zip(tracks, (3, 7), strict=True):
        np.testing.assert_array_equal(track.times_s, np.arange(6))
        np.testing.assert_array_equal(track.weights, dense[:, term])


def test_no_moment_has_no_track(corpus, backend):
    assert video_tracks(backend, corpus.pack.lexicon, np.zeros(0, np.int64), ["w1"]) == []


def test_the_peak_is_the_frame_with_the_greatest_sum(corpus, backend):
    terms, weights = np.array([2, 5, 11], np.uint16), np.array([1.0, 0.5, -0.25], np.float32)
    peaks = 0
    for video in corpus.videos:
        dense = frames(backend, 0 if video.id <= 10 else 1, video.id)[:, terms] @ weights
        for moment in backend.moments_of(f"clips/{video.rel}").tolist():
            start = int(backend.facts(moment).start_s)
            inside = dense[start : start + 3]
            found = peak_s(backend, moment, terms, weights)
            assert found == (start + int(np.argmax(inside)) if inside.max() > 0 else None)
            peaks += found is not None
    assert peaks > 10


def test_a_line_keeps_its_peaks():
    weights = np.random.default_rng(1).random(1000)
    line = squeezed(weights, 60)
    assert len(line) <= 60 and max(line) == weights.max()
    assert squeezed(np.zeros(0), 60) == []
