from fractions import Fraction

import pytest

from unify.engine.errors import UsageError
from unify.indexer.timecode import FrameRate, rate_named, rate_of

NTSC = Fraction(30000, 1001)
OTHERS = [Fraction(24000, 1001), Fraction(24), Fraction(25), NTSC, Fraction(50), Fraction(60)]


@pytest.mark.parametrize(
    "rate",
    [FrameRate(NTSC, True), FrameRate(2 * NTSC, True), *map(FrameRate, OTHERS)],
    ids=lambda rate: rate.name,
)
def test_as_opentimelineio_counts_and_back(rate):
    otio = pytest.importorskip("opentimelineio")
    day = round(24 * 3600 * rate.exact) - 1
    for frame in [*range(0, 40_000, 7), 1799, 1800, 17_981, 17_982, day - rate.nominal]:
        text = rate.timecode(frame)
        time = otio.opentime.RationalTime(frame, float(rate.exact))
        assert text == time.to_timecode(float(rate.exact), rate.drop)
        assert rate.frame_of(text) == frame


def test_dropped_numbers_are_not_given():
    rate = FrameRate(NTSC, True)
    assert [rate.timecode(frame) for frame in (1799, 1800)] == ["00:00:59;29", "00:01:00;02"]
    assert rate.timecode(17_982) == "00:10:00;00"


@pytest.mark.parametrize(
    ("measured", "timecode", "name"),
    [
        ("2997/100", "", "29.97 drop-frame"),
        ("30000/1001", "01:00:00:00", "29.97"),
        ("30000/1001", "01:00:00;00", "29.97 drop-frame"),
        ("24000/1001", "", "23.976"),
        ("23.98", "", "23.976"),
        ("24", "", "24"),
        ("59.94", "", "59.94 drop-frame"),
        ("15", "", "15"),
        ("12.3", "", "12.3"),
    ],
)
def test_files_rates_become_the_standard_ones(measured, timecode, name):
    assert rate_of(Fraction(measured), timecode).name == name


def test_rates_as_people_write_them():
    assert rate_named("29.97").name == "29.97 drop-frame"
    assert rate_named("29.97ndf").name == "29.97"
    assert rate_named("23.976").exact == Fraction(24000, 1001)
    for bad in ("", "fast", "0", "-25", "1e9", "nan", "1/0"):
        with pytest.raises(UsageError, match="cannot read the frame rate"):
            rate_named(bad)


def test_what_is_no_timecode_begins_at_zero():
    assert FrameRate(Fraction(25)).frame_of("noon") == 0
