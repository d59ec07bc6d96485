from fractions import Fraction

import av
import numpy as np
import pytest

from tests.indexer.media import make_audio, make_video, number_of, picture
from tests.indexer.sound import beeps_in, make_sounding, numbers_in, times_in
from unify.engine.errors import MediaError
from unify.indexer.cut import CutMode, CutRequest, cut

EXACT, FAST = CutMode.EXACT, CutMode.FAST


def run(source, out, start_s, end_s, mode):
    return cut(CutRequest(str(source), start_s, end_s, mode, str(out)))


@pytest.mark.parametrize(
    ("name", "out", "made"),
    [
        ("a.mp4", "cut.mp4", {}),
        ("a.mkv", "cut.mkv", {"sound": "libopus"}),
        ("a.webm", "cut.webm", {"codec": "libvpx-vp9", "sound": "libopus"}),
        ("a.ts", "cut.mp4", {}),
        ("a.mov", "cut.mov", {"sound": "pcm_s16le"}),
        ("a.avi", "cut.mp4", {"codec": "mpeg4", "sound": "mp3", "bf": "2"}),
        ("h264.avi", "cut.mp4", {"sound": "mp3", "bf": "2"}),
        ("a.mp4", "cut.mkv", {"rate": Fraction(30000, 1001)}),
    ],
)
def test_exact_is_exact_to_the_picture_and_keeps_the_sound(tmp_path, name, out, made):
    rate = made.get("rate", Fraction(25))
    source = make_sounding(tmp_path / name, 4, **made)
    first, last = round(1.4 * rate), round(3.2 * rate)
    got = run(source, tmp_path / out, float(first / rate), float(last / rate), EXACT)
    assert numbers_in(tmp_path / out) == list(range(first, last))
    assert got.start_s == pytest.approx(first / rate, abs=1e-3)
    assert got.end_s == pytest.approx(last / rate, abs=1e-3)
    assert (got.pictures, got.sound, got.left_out) == (last - first, True, ())
    expected = [2 - got.start_s, 3 - got.start_s]
    assert beeps_in(tmp_path / out) == pytest.approx(expected, abs=0.045)  # MP3 comes 1/40 s late


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("a.mp4", {}),
        ("a.mkv", {"sound": "libopus"}),
        ("a.webm", {"codec": "libvpx-vp9", "sound": "libopus"}),
        ("a.ts", {}),
        ("a.mov", {"sound": "pcm_s16le"}),
    ],
)
def test_fast_begins_at_the_key_picture_before_and_says_so(tmp_path, name, made):
    source = make_sounding(tmp_path / name, 6, **made)
    out = tmp_path / f"cut{source.suffix}"
    got = run(source, out, 3.4, 4.8, FAST)
    assert got.start_s == pytest.approx(2.0, abs=1e-3)
    assert 4.8 <= got.end_s <= 5.0
    numbers = numbers_in(out)
    assert numbers == list(range(50, 50 + got.pictures))
    assert numbers[-1] >= 119
    assert beeps_in(out)[-2:] == pytest.approx([3 - 2, 4 - 2], abs=0.03)


def test_fast_refuses_a_container_without_showing_times(tmp_path):
    source = make_sounding(tmp_path / "a.avi", 2, codec="mpeg4", sound="mp3")
    with pytest.raises(MediaError, match="--exact"):
        run(source, tmp_path / "cut.avi", 1.0, 1.5, FAST)


def test_a_picture_that_shows_on_begins_the_cut(tmp_path):
    ticks = [0, 100, 110, 500, 900, 2000, 3000, 3010, 3020, 4000]
    source = make_video(tmp_path / "v.mp4", 10, ticks=ticks)
    got = run(source, tmp_path / "cut.mp4", 1.0, 3.01, EXACT)
    assert numbers_in(tmp_path / "cut.mp4") == [4, 5, 6]
    assert times_in(tmp_path / "cut.mp4") == pytest.approx([0.0, 1.1, 2.1], abs=1e-3)
    assert (got.start_s, got.sound) == (pytest.approx(0.9, abs=1e-3), False)


def test_past_the_end_and_from_the_beginning(tmp_path):
    source = make_video(tmp_path / "a.mp4", 50)
    assert run(source, tmp_path / "cut.mp4", 1.6, 99.0, EXACT).end_s == pytest.approx(2.0)
    assert numbers_in(tmp_path / "cut.mp4") == list(range(40, 50))
    assert run(source, tmp_path / "cut.mp4", 0.0, 0.2, EXACT).pictures == 5
    assert numbers_in(tmp_path / "cut.mp4") == list(range(5))


@pytest.mark.parametrize("mode", [EXACT, FAST])
def test_a_turned_video_stays_upright(tmp_path, mode):
    source = make_video(tmp_path / "a.mp4", 50, turns=1)
    run(source, tmp_path / "cut.mp4", 1.0, 1.4, mode)
    numbers = numbers_in(tmp_path / "cut.mp4")
    assert numbers[-10:][0] == 25 if mode is EXACT else numbers[0] == 0


def test_odd_sides_deep_colours_and_wide_pixels(tmp_path):
    odd = make_video(tmp_path / "odd.mkv", 20, size=(65, 49), codec="ffv1")
    run(odd, tmp_path / "odd.mp4", 0.2, 0.4, EXACT)
    assert numbers_in(tmp_path / "odd.mp4") == list(range(5, 10))
    deep = tmp_path / "deep.mkv"
    with av.open(str(deep), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p10le"
        for number in range(20):
            frame = av.VideoFrame.from_ndarray(picture(number), "rgb24")
            frame = frame.reformat(format="yuv420p10le")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    for kind in ("mp4", "webm"):
        run(deep, tmp_path / f"deep.{kind}", 0.2, 0.4, EXACT)
        assert numbers_in(tmp_path / f"deep.{kind}") == list(range(5, 10))
    wide = make_video(tmp_path / "wide.mkv", 20, aspect=Fraction(4, 3))
    run(wide, tmp_path / "wide.mp4", 0.2, 0.4, EXACT)
    with av.open(str(tmp_path / "wide.mp4")) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(4, 3)


def test_damage_in_the_range_costs_pictures_not_the_cut(tmp_path):
    source = make_sounding(tmp_path / "a.mp4", 4)
    data = bytearray(source.read_bytes())
    half = len(data) // 2
    data[half : half + 300] = bytes(300)
    source.write_bytes(data)
    got = run(source, tmp_path / "cut.mp4", 0.4, 3.6, EXACT)
    assert 20 <= got.pictures < 80
    assert got.damage
    assert len(numbers_in(tmp_path / "cut.mp4")) == got.pictures


@pytest.mark.parametrize(
    ("out", "says"), [("cut.xyz", "cannot be cut into .xyz"), ("cut.gif", "--out FILE.mp4")]
)
def test_containers_that_cannot_hold_it(tmp_path, out, says):
    source = make_video(tmp_path / "a.mp4", 10)
    with pytest.raises(MediaError, match=says):
        run(source, tmp_path / out, 0.0, 0.2, EXACT)


@pytest.mark.parametrize("mode", [EXACT, FAST])
def test_what_is_no_video(tmp_path, mode):
    with pytest.raises(MediaError, match="no video stream"):
        run(make_audio(tmp_path / "a.m4a"), tmp_path / "cut.mp4", 0.0, 1.0, mode)
    with pytest.raises(MediaError, match="cannot be read"):
        run(tmp_path / "none.mp4", tmp_path / "cut.mp4", 0.0, 1.0, mode)


def test_first_picture_is_the_source_s_own(tmp_path):
    """Not only its number: the colours, too, are those of the source."""
    source = make_video(tmp_path / "a.mkv", 30, codec="ffv1")
    run(source, tmp_path / "cut.mp4", 0.4, 0.8, EXACT)
    with av.open(str(source)) as container:
        wanted = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)][10]
    with av.open(str(tmp_path / "cut.mp4")) as container:
        got = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert number_of(got) == number_of(wanted) == 10
    assert np.abs(got.astype(int) - wanted).mean() < 4
