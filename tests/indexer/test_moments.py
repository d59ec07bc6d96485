from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unify.indexer.moments import cut_moments, cut_windows


@given(
    st.lists(st.floats(0.001, 40.0), max_size=120),
    st.floats(0.0, 5.0),
    st.sampled_from([1.0, 4.0, 8.0]),
)
def test_moments_and_frames_cover_each_other(gaps: list[float], tail: float, window_s: float):
    times = np.concatenate([[0.0], np.cumsum(gaps)])
    duration_s = max(times[-1] + tail, 0.04)
    spans = cut_windows(times, duration_s, window_s)
    assert (spans.last > spans.first).all()
    assert (spans.start_s >= 0).all()
    assert (spans.end_s > spans.start_s).all()
    assert spans.end_s[-1] == duration_s == spans.end_s.max()
    assert (spans.end_s - spans.start_s <= window_s * 1.125 + 1e-9).all()
    assert (np.diff(spans.start_s) > 0).all()
    covered = {f for a, b in zip(spans.first, spans.last, strict=True) for f in range(a, b)}
    assert covered == set(range(len(times)))


@given(st.floats(0.5, 200.0), st.floats(0.2, 4.0))
def test_dense_frames_leave_no_gap(duration_s: float, fps: float):
    times = np.arange(0, duration_s, 1 / fps)
    spans = cut_windows(times, duration_s, 8.0)
    assert spans.start_s[0] == 0
    assert (spans.start_s[1:] < spans.end_s[:-1]).all()
    assert (np.diff(spans.start_s) <= 5.0 + 1e-9).all()
    for a, b, start, end in zip(spans.first, spans.last, spans.start_s, spans.end_s, strict=True):
        inside = (times >= start) & ((times < end) | (end == duration_s))
        assert inside.nonzero()[0].tolist() == list(range(a, b))


@pytest.mark.parametrize(
    ("duration_s", "starts"),
    [(5, [0]), (8, [0]), (8.5, [0]), (10, [0, 2]), (12, [0, 4]), (20.04, [0, 4, 8, 12.04])],
)
def test_where_windows_start(duration_s: float, starts: list[float]):
    spans = cut_windows(np.arange(0, duration_s, 0.5), duration_s, 8.0)
    assert np.allclose(spans.start_s, starts)


def test_a_gap_of_a_day_is_not_thousands_of_moments():
    times = np.array([0.0, 1.0, 86_400.0])
    assert len(cut_windows(times, 86_401.0, 8.0)) <= 4


@given(
    st.lists(st.tuples(st.floats(0.01, 30.0), st.booleans()), max_size=80),
    st.floats(0.01, 5.0),
    st.sampled_from([1.0, 4.0, 8.0]),
)
def test_moments_lie_within_shots(steps: list[tuple[float, bool]], tail: float, window_s: float):
    times = np.concatenate([[0.0], np.cumsum([gap for gap, _ in steps])])
    shots = np.array([0, *(i + 1 for i, (_, cut) in enumerate(steps) if cut)], np.int64)
    duration_s = float(times[-1]) + tail
    spans = cut_moments(times, duration_s, window_s, shots)

    bounds = [0.0, *((times[i - 1] + times[i]) / 2 for i in shots[1:]), duration_s]
    shot_of = np.searchsorted(shots, np.arange(len(times)), side="right") - 1
    covered = set()
    for start_s, end_s, first, last in zip(
        spans.start_s, spans.end_s, spans.first, spans.last, strict=True
    ):
        assert first < last
        shot = shot_of[first]
        assert shot == shot_of[last - 1]
        assert bounds[shot] <= start_s < end_s <= bounds[shot + 1]
        covered |= set(range(first, last))
    assert covered == set(range(len(times)))
    assert (np.diff(spans.start_s) > 0).all()
    assert (np.diff(spans.end_s) > 0).all()
    for shot, end_s in enumerate(bounds[1:]):  # the last moment of a shot ends it
        assert spans.end_s[shot_of[spans.first] == shot][-1] == end_s


@given(st.lists(st.floats(0.001, 40.0), max_size=60), st.floats(0.001, 5.0))
def test_one_shot_has_the_windows_of_a_video_without_shots(gaps: list[float], tail: float):
    times = np.concatenate([[0.0], np.cumsum(gaps)])
    duration_s = float(times[-1]) + tail
    found = cut_moments(times, duration_s, 8.0, np.zeros(1, np.int64))
    expected = cut_windows(times, duration_s, 8.0)
    for name in ("start_s", "end_s", "first", "last"):
        assert np.array_equal(getattr(found, name), getattr(expected, name))


def test_each_shot_has_windows_of_its_own():
    times = np.arange(30) + 0.5
    spans = cut_moments(times, 30.0, 8.0, np.array([0, 5, 17]))
    stretches = list(zip(spans.start_s.tolist(), spans.end_s.tolist(), strict=True))
    assert stretches == [(0, 5), (5, 13), (9, 17), (17, 25), (21, 29), (22, 30)]
    assert spans.first.tolist() == [0, 5, 9, 17, 21, 22]
    assert spans.last.tolist() == [5, 13, 17, 25, 29, 30]
