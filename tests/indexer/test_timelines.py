"""The files are read back by OpenTimelineIO's adapters, as editing programs would."""

import itertools
from dataclasses import replace
from fractions import Fraction
from xml.etree import ElementTree

import pytest

from unify.engine.errors import UsageError
from unify.indexer.seek import Clock
from unify.indexer.timecode import FrameRate, rate_of
from unify.indexer.timelines import Event, edl, fcpxml, timeline_rate

NTSC = Fraction(30000, 1001)
CLOCK = Clock(Fraction(25), 60.0, "", 1920, 1080, 48_000, 2)


def event(path="/videos/a.mp4", start_s=4.0, end_s=12.0, **clock):
    return Event(path, start_s, end_s, replace(CLOCK, **clock), "a dog", "score 2.0, dog 1.2")


def read_edl(text, rate):
    otio = pytest.importorskip("opentimelineio")
    return otio.adapters.read_from_string(text, "cmx_3600", rate=rate)


def read_fcpxml(data):
    otio = pytest.importorskip("opentimelineio")
    (timeline,) = otio.adapters.read_from_string(data.decode(), "fcpx_xml")
    return timeline


def spans(clips):
    """Source ranges in frames."""
    return [(c.source_range.start_time.value, c.source_range.duration.value) for c in clips]


@pytest.mark.parametrize(
    ("rate", "timecode"),
    [
        (Fraction(24000, 1001), ""),
        (Fraction(25), "10:00:00:00"),
        (NTSC, "01:00:00;00"),
        (NTSC, "01:00:00:00"),
        (Fraction(50), ""),
        (2 * NTSC, ""),
    ],
)
def test_every_frame_rate_with_source_timecode(rate, timecode):
    events = [
        event("/videos/a.mp4", 61.3, 69.3, rate=rate, timecode=timecode, duration_s=100.0),
        event("/videos/b.mp4", 0.0, 2.5, rate=rate, timecode=timecode, channels=0),
    ]
    own = rate_of(rate, timecode)
    assert timeline_rate(events) == own
    began = own.frame_of(timecode)
    expected = [
        (began + round(61.3 * rate), round(69.3 * rate) - round(61.3 * rate)),
        (began, round(2.5 * rate)),
    ]
    text = edl("a dog", events, own)
    assert f"FCM: {'' if own.drop else 'NON-'}DROP FRAME" in text
    tracks = read_edl(text, float(rate)).tracks
    pictures = [clip for track in tracks if track.kind == "Video" for clip in track.find_clips()]
    assert spans(pictures) == expected
    assert [clip.name for clip in pictures] == ["a.mp4", "b.mp4"]
    if not own.drop:  # the adapter passes over locators with a semicolon
        assert pictures[0].markers[0].name.startswith("a dog: score 2.0")
    assert [len(list(t.find_clips())) for t in tracks if t.kind == "Audio"] == [1, 1]
    timeline = read_fcpxml(fcpxml("a dog", events, own))
    clips = list(timeline.find_clips())
    # The adapter counts in whole frames a second and cuts off: exact times are tested below.
    step = 1.01 / int(rate)
    for clip, (first, length) in zip(clips, expected, strict=True):
        assert clip.source_range.start_time.to_seconds() == pytest.approx(first / rate, abs=step)
        assert clip.source_range.duration.to_seconds() == pytest.approx(length / rate, abs=step)
    assert clips[0].media_reference.target_url == "file:///videos/a.mp4"
    assert clips[0].markers[0].name == "a dog"


def test_the_record_side_has_no_gaps():
    events = [event(start_s=number, end_s=number + 1.5) for number in range(5)]
    text = edl("x", events, FrameRate(Fraction(25)))
    rows = [line.split()[-4:] for line in text.splitlines() if line[:3].isdigit()]
    assert rows[0][2] == "01:00:00:00"
    assert all(a[3] == b[2] for a, b in itertools.pairwise(rows))


def test_times_of_fcpxml_are_whole_pictures_of_their_own_rate():
    events = [
        event("/v/a.mp4", 1.234, 3.21, rate=NTSC),
        event("/v/b.mp4", 5.05, 7.77),
        event("/v/a.mp4", 20.0, 21.0, rate=NTSC),
    ]
    root = ElementTree.fromstring(fcpxml("x", events, timeline_rate(events)))
    assert root.attrib == {"version": "1.8"}
    assets = {asset.get("id"): asset for asset in root.iter("asset")}
    assert sorted(asset.get("name") for asset in assets.values()) == ["a.mp4", "b.mp4"]
    formats = {f.get("id"): Fraction(f.get("frameDuration")[:-1]) for f in root.iter("format")}
    (sequence,) = root.iter("sequence")
    assert formats[sequence.get("format")] == 1 / NTSC
    at = Fraction(sequence.get("tcStart")[:-1])
    for clip in root.iter("asset-clip"):
        offset, start, duration = (
            Fraction(clip.get(k)[:-1]) for k in ("offset", "start", "duration")
        )
        assert offset == at
        at += duration
        assert (duration * NTSC).denominator == 1
        assert (start / formats[assets[clip.get("ref")].get("format")]).denominator == 1
    assert at - Fraction(sequence.get("tcStart")[:-1]) == Fraction(sequence.get("duration")[:-1])


@pytest.mark.parametrize(
    ("rates", "chosen"), [(["12"], "12→24"), (["15", "15", "25"], "30"), (["12.3"], "30")]
)
def test_a_rate_that_editors_do_not_know_becomes_one_that_they_do(rates, chosen):
    events = [event(rate=Fraction(rate)) for rate in rates]
    assert timeline_rate(events).name == chosen.rpartition("→")[2]


def test_names_that_break_lines_and_markup():
    odd = event('/videos/<a> & "b"\nc\x01é日.mp4')
    text = edl("two\nlines", [odd], FrameRate(Fraction(25)))
    assert len(text.splitlines()) == 7
    assert "TITLE: two lines" in text
    assert read_edl(text, 25).tracks[0][0].name == '<a> & "b" c é日.mp4'
    clip = next(iter(read_fcpxml(fcpxml("x", [odd], FrameRate(Fraction(25)))).find_clips()))
    assert clip.name == '<a> & "b" c é日.mp4'
    assert clip.media_reference.target_url.endswith("%0Ac%01%C3%A9%E6%97%A5.mp4")


def test_a_moment_never_reaches_past_the_file_and_lasts_a_picture():
    late = event(start_s=56.0, end_s=64.0)
    assert late.length(FrameRate(Fraction(25))) == 100
    assert event(start_s=1.0, end_s=1.001).length(FrameRate(Fraction(25))) == 1


def test_more_events_than_an_edl_numbers():
    with pytest.raises(UsageError, match="999 events"):
        edl("x", [event()] * 1000, FrameRate(Fraction(25)))
