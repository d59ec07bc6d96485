import io
from fractions import Fraction

import av
import pytest

from tests.indexer.media import make_video, number_of
from tests.indexer.sound import make_sounding
from unify.engine.errors import MediaError
from unify.indexer.decode import VideoFile
from unify.indexer.seek import SeekableFile, picture_at


def number_at(path, time_s, width=64):
    with av.open(io.BytesIO(picture_at(str(path), time_s, width)[1])) as container:
        return number_of(next(container.decode(video=0)).to_ndarray(format="rgb24"))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", {}),
        ("a.mkv", {}),
        ("a.webm", {"codec": "libvpx-vp9"}),
        ("a.ts", {}),
        ("a.flv", {}),
        ("a.avi", {"codec": "mpeg4", "bf": "2"}),
        ("b.avi", {"codec": "mjpeg"}),
        ("live.mp4", {"live": True, "container": "mp4", "movflags": "frag_keyframe+empty_moov"}),
    ],
)
def test_the_picture_is_that_of_the_index_time(tmp_path, name, options):
    path = make_video(tmp_path / name, 200, **options)
    times = VideoFile(str(path)).timeline().times_s
    for number in (0, 1, 49, 50, 113, 198, 199):
        assert number_at(path, float(times[number])) == number
        true_s, _ = picture_at(str(path), float(times[number]) + 0.02, 64)
        assert true_s == pytest.approx(float(times[number]), abs=2e-3)


def test_between_pictures_and_past_the_end(tmp_path):
    path = make_video(tmp_path / "v.mp4", 4, ticks=[500, 600, 2000, 2100])
    for time_s, number in ((0.0, 0), (0.09, 0), (0.1, 1), (1.4, 1), (1.5, 2), (99.0, 3)):
        assert number_at(path, time_s) == number


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_upright_in_the_width_that_was_asked_for(tmp_path, turns):
    path = make_video(tmp_path / "a.mp4", 10, turns=turns, size=(160, 120))
    assert number_at(path, 0.2, 80) == 5
    for width, size in ((80, (80, 60)), (4000, (160, 120))):
        with av.open(io.BytesIO(picture_at(str(path), 0.2, width)[1])) as container:
            frame = next(container.decode(video=0))
            assert (frame.width, frame.height) == size


def test_wide_pixels_are_shown_wide(tmp_path):
    path = make_video(tmp_path / "a.mkv", 5, aspect=Fraction(2))
    with av.open(io.BytesIO(picture_at(str(path), 0.0, 999)[1])) as container:
        frame = next(container.decode(video=0))
        assert (frame.width, frame.height) == (128, 48)


def test_the_clock_of_a_file(tmp_path):
    ntsc = Fraction(30000, 1001)
    path = make_sounding(tmp_path / "a.mov", 2, rate=ntsc, timecode="01:00:00;00")
    clock = SeekableFile(str(path)).clock()
    assert (clock.rate, clock.timecode) == (ntsc, "01:00:00;00")
    assert (clock.sample_rate, clock.channels) == (48_000, 2)
    assert clock.duration_s == pytest.approx(2.0, abs=0.05)
    silent = SeekableFile(str(make_video(tmp_path / "b.mp4", 50))).clock()
    assert (silent.rate, silent.timecode, silent.channels) == (Fraction(25), "", 0)


def test_what_cannot_be_read(tmp_path):
    (tmp_path / "junk.mp4").write_bytes(b"junk" * 1000)
    for path in (tmp_path / "junk.mp4", tmp_path / "none.mp4"):
        with pytest.raises(MediaError):
            picture_at(str(path), 0.0, 64)
        with pytest.raises(MediaError):
            SeekableFile(str(path)).clock()
