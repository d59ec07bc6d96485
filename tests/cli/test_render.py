from hypothesis import given
from hypothesis import strategies as st

from unify.cli import render


@given(st.floats(-1, 2), st.floats(-1, 2))
def test_bars_have_one_width_and_grow(a, b):
    low, high = sorted((a, b))
    assert len(render.bar(low)) == len(render.bar(high)) == 12
    assert render.bar(low).rstrip().count("█") <= render.bar(high).rstrip().count("█")


def test_sparklines_of_long_videos_keep_their_peaks():
    weights = [0.0] * 1000
    weights[777] = 1.0
    squeezed = render._squeeze(weights, 60)
    assert len(squeezed) <= 60
    assert max(squeezed) == 1.0
