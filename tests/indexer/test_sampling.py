from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from unify.indexer.sampling import LEAST_FRAMES, choose_frames

gaps = st.lists(st.floats(0.001, 30.0), min_size=0, max_size=200)


@given(gaps, st.floats(0.001, 5.0), st.floats(0.05, 30.0))
def test_the_choice_follows_the_rule(gaps: list[float], tail: float, fps: float):
    times = np.concatenate([[0.0], np.cumsum(gaps)])
    chosen = choose_frames(times, times[-1] + tail, fps)
    assert (np.diff(chosen) > 0).all()
    assert chosen[0] >= 0
    assert chosen[-1] < len(times)
    assert len(chosen) >= min(LEAST_FRAMES, len(times))
    assert len(chosen) <= max(LEAST_FRAMES, np.ceil((times[-1] + tail) * fps))


def test_a_chosen_frame_shows_at_the_middle_of_its_second():
    times = np.arange(0, 60, 0.04)
    chosen = choose_frames(times, 60.0, 1.0)
    assert np.allclose(times[chosen], np.arange(60) + 0.48)  # the last frame up to .5


def test_a_frame_that_starts_at_the_middle_shows_there():
    times = np.arange(0, 20, 0.1)
    assert np.allclose(times[choose_frames(times, 20.0, 1.0)], np.arange(20) + 0.5)


def test_a_short_video_gives_eight():
    times = np.arange(0, 2, 0.04)
    chosen = choose_frames(times, 2.0, 1.0)
    assert len(chosen) == 8
    assert np.ptp(np.diff(chosen)) <= 1


def test_a_picture_that_stands_still_is_taken_once():
    times = np.concatenate([np.arange(0, 10, 0.1), [40.0, 41.0]])
    chosen = choose_frames(times, 42.0, 1.0)
    assert chosen.tolist() == [*range(5, 100, 10), 99, 100, 101]


def test_pictures_bunched_together_still_give_eight():
    times = np.array([*np.arange(20) / 100, 100.0])
    assert len(choose_frames(times, 100.04, 0.05)) == 8


def test_a_clock_that_jumps_far_ahead_costs_nothing():
    times = np.array([*range(20), 1e12])
    assert choose_frames(times, 1e12 + 1, 1.0).tolist() == list(range(21))
