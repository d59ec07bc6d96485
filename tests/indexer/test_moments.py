from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unify.indexer.moments import cut_windows


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
