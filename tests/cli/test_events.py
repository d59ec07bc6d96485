from fractions import Fraction

import pytest

from unify.cli.events import uneven
from unify.indexer.seek import Clock
from unify.indexer.timecode import FrameRate
from unify.indexer.timelines import Event


@pytest.mark.parametrize(
    ("own", "timeline", "count"),
    [(24, 24, 0), (12, 24, 0), (Fraction(30000, 1001), Fraction(60000, 1001), 0), (25, 24, 1),
     (24, 12, 1), (24, Fraction(24000, 1001), 1)],
)  # fmt: skip
def test_rounded_is_what_has_pictures_between_those_of_the_timeline(own, timeline, count):
    clock = Clock(Fraction(own), 9.0, "", 64, 48, 0, 0)
    events = [Event("/v/a.mp4", 1.0, 2.0, clock, "", "")]
    assert uneven(events, FrameRate(Fraction(timeline))) == count
