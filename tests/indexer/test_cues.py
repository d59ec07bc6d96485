import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from unify.indexer import cues as module
from unify.indexer.cues import Cue, said_in

TIMES = st.floats(-100, 200) | st.sampled_from([1e9, -1e9])
CUES = st.lists(st.builds(Cue, TIMES, TIMES, st.text("123 ", max_size=8)), max_size=8)


def terms_of(text):
    return [int(word) for word in text.split()]


@given(CUES, st.lists(st.floats(0, 99), min_size=1, max_size=12, unique=True))
def test_every_word_is_said_where_its_line_is_or_nearest_to_it(cues, times):
    times_s = np.array(sorted(times))
    half = (len(times) + 1) // 2
    ranges = np.array([[0, half], [half // 2, len(times)]])
    said = said_in(cues, times_s, 100.0, ranges, terms_of)
    inside = [cue for cue in cues if cue.start_s < 100 and cue.end_s >= 0]
    assert said.outside == len(cues) - len(inside)
    expected = [set() for _ in times]
    for cue in inside:
        end_s = min(max(cue.start_s, cue.end_s), cue.start_s + module.LONGEST_S)
        covered = [i for i, t in enumerate(times_s) if cue.start_s <= t <= end_s]
        if not covered:
            covered = [int(np.abs(times_s - (cue.start_s + end_s) / 2).argmin())]
        for i in covered:
            expected[i].update(terms_of(cue.text))
    assert list(map(set, said.frames)) == expected
    for words, (first, last) in zip(said.moments, ranges.tolist(), strict=True):
        assert set(words) == set().union(*expected[first:last])
        assert len(words) == len(set(words))


def test_a_flood_of_words_is_bounded():
    times_s = np.arange(100.0)
    text = " ".join(map(str, range(1000)))
    cues = [Cue(0.0, 1e6, text)] * 500
    said = said_in(cues, times_s, 100.0, np.array([[0, 100]]), terms_of)
    assert max(map(len, said.frames)) == module.FRAME_WORDS
    assert len(said.moments[0]) <= module.MOMENT_WORDS
    assert not said.frames[61]  # a line that never goes says nothing of when
