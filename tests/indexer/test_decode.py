from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.indexer.media import (
    SIZE,
    make_audio,
    make_still,
    make_video,
    number_of,
    picture,
    say_duration,
)
from unify.engine.errors import MediaError
from unify.indexer.decode import VideoFile
from unify.indexer.ports import FrameShape
from unify.indexer.sampling import choose_frames
from unify.indexer.scaling import decode_image

SQUASH = FrameShape(80, 60, "squash")


def sampled(path: Path, fps: float = 1.0, shape: FrameShape = SQUASH) -> list[tuple[float, int]]:
    """(seconds, number) of the sampled frames."""
    video = VideoFile(str(path))
    timeline = video.timeline()
    chosen = choose_frames(timeline.times_s, timeline.duration_s, fps)
    frames = list(video.frames(timeline, chosen, shape))
    assert all(image.shape == (shape.height, shape.width, 3) for _, image in frames)
    return [(time_s, number_of(image)) for time_s, image in frames]


def expected(frames: int, rate: float, fps: float) -> list[tuple[float, int]]:
    times = np.arange(frames) / rate
    return [(times[i], i) for i in choose_frames(times, frames / rate, fps).tolist()]


def same(found: list[tuple[float, int]], wanted: list[tuple[float, int]]) -> None:
    assert [number for _, number in found] == [number for _, number in wanted]
    assert np.allclose([t for t, _ in found], [t for t, _ in wanted], atol=2e-3)


@pytest.mark.parametrize(
    ("name", "codec", "container"),
    [
        ("a.mp4", "libx264", None),
        ("a.mkv", "libx264", None),
        ("a.ts", "libx264", "mpegts"),
        ("a.h264", "libx264", "h264"),  # no times at all
        ("a.avi", "libx264", None),  # decode order instead of times
        ("b.avi", "mpeg4", None),
        ("a.webm", "libvpx-vp9", None),
        ("a.mov", "mjpeg", None),
    ],
)
def test_each_container_gives_the_frames_of_the_rule(tmp_path, name, codec, container):
    path = make_video(tmp_path / name, 300, codec=codec, container=container)
    same(sampled(path), expected(300, 25, 1.0))
    same(sampled(path, fps=4.0), expected(300, 25, 4.0))


@pytest.mark.parametrize("frames", [1, 3, 7, 8, 9, 30])
def test_at_least_eight_or_all(tmp_path, frames):
    path = make_video(tmp_path / "a.mp4", frames)
    same(sampled(path), expected(frames, 25, 1.0))
    assert len(sampled(path)) == min(8, frames)


def test_variable_rate(tmp_path):
    ticks = np.cumsum([0, *([40] * 100), *([500] * 20), *([10] * 200), 3000]).tolist()
    path = make_video(tmp_path / "a.mp4", len(ticks), ticks=ticks)
    video = VideoFile(str(path))
    assert np.allclose(video.timeline().times_s, np.array(ticks) / 1000, atol=2e-3)
    times = np.array(ticks) / 1000
    chosen = choose_frames(times, video.timeline().duration_s, 1.0)
    same(sampled(path), [(times[i], i) for i in chosen.tolist()])


@pytest.mark.parametrize("suffix", [".mkv", ".ts", ".mp4"])
def test_times_begin_at_the_first_frame(tmp_path, suffix):
    ticks = [5000 + 40 * i for i in range(300)]
    path = make_video(tmp_path / f"a{suffix}", 300, ticks=ticks)
    same(sampled(path), expected(300, 25, 1.0))


@pytest.mark.parametrize("factor", [0.1, 10.0])
def test_a_declared_duration_is_not_believed(tmp_path, factor):
    path = say_duration(make_video(tmp_path / "a.mp4", 300), factor)
    same(sampled(path), expected(300, 25, 1.0))


def test_a_clock_that_jumps_back(tmp_path):
    data = make_video(tmp_path / "a.ts", range(1000, 1150), container="mpegts").read_bytes()
    more = make_video(tmp_path / "b.ts", range(2000, 2150), container="mpegts").read_bytes()
    path = tmp_path / "joined.ts"
    path.write_bytes(data + more)
    wanted = [(t, 1000 + i if i < 150 else 1850 + i) for t, i in expected(300, 25, 1.0)]
    same(sampled(path), wanted)


def test_a_stream_without_duration(tmp_path):
    path = make_video(tmp_path / "a.mkv", 300, container="matroska", live=True)
    assert VideoFile(str(path)).facts().duration_s is None
    same(sampled(path), expected(300, 25, 1.0))


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize("fit", ["squash", "crop"])
def test_turned_videos_stand_upright(tmp_path, turns, fit):
    path = make_video(tmp_path / "a.mp4", [0b100101110010] * 10, turns=turns)
    facts = VideoFile(str(path)).facts()
    assert (facts.width, facts.height) == SIZE
    assert {n for _, n in sampled(path, shape=FrameShape(80, 60, fit))} == {0b100101110010}


@pytest.mark.parametrize("turns", [0, 1])
@pytest.mark.parametrize("aspect", [Fraction(1), Fraction(2)])
def test_crop_keeps_the_middle(tmp_path, turns, aspect):
    # Left to right: white, black, black, white, over the whole height.
    path = make_video(
        tmp_path / "a.mp4", [0b100110011001] * 8, size=(128, 48), turns=turns,
        aspect=aspect if turns == 0 else 1 / aspect,
    )  # fmt: skip
    video = VideoFile(str(path))
    timeline = video.timeline()
    shape = FrameShape(48, 48, "crop")
    _, image = next(video.frames(timeline, np.arange(8), shape))
    # 48 of 128 (or of 256) columns, cut from the middle, where it is black.
    assert image.shape == (48, 48, 3)
    assert image.max() < 60
    _, squashed = next(video.frames(timeline, np.arange(8), FrameShape(48, 48, "squash")))
    assert number_of(squashed) == 0b100110011001


@pytest.mark.parametrize("size", [(34, 18), (100, 50), (48, 130)])
def test_odd_shapes(tmp_path, size):
    path = make_video(tmp_path / "a.mp4", 12, size=size)
    assert {n for _, n in sampled(path)} <= set(range(12))
    path = make_video(tmp_path / "a.webm", 12, size=(size[0] + 1, size[1] + 1), codec="libvpx-vp9")
    facts = VideoFile(str(path)).facts()
    assert (facts.width, facts.height) == (size[0] + 1, size[1] + 1)


def test_when_it_was_recorded(tmp_path):
    path = make_video(tmp_path / "a.mp4", 3, created="2020-02-03T04:05:06Z")
    assert VideoFile(str(path)).facts().recorded == 1580702706
    assert VideoFile(str(make_video(tmp_path / "b.mp4", 3))).facts().recorded is None


def test_names_that_are_not_utf8_and_look_like_urls(tmp_path):
    plain = make_video(tmp_path / "a.mp4", 10).read_bytes()
    for name in (b"caf\xe9.mp4", b"http:x%03d.mp4"):
        path = Path(str(tmp_path)) / name.decode("utf-8", "surrogateescape")
        path.write_bytes(plain)
        assert len(sampled(path)) == 8


@pytest.mark.parametrize(
    ("name", "make", "says"),
    [
        ("a.mp4", lambda p: p.write_bytes(b""), "empty"),
        ("a.mp4", lambda p: p.write_text("no video\n" * 99), "not a video"),
        ("a.m4a", make_audio, "no video stream (only audio)"),
        ("a.mp4", lambda p: p.mkdir(), "cannot be read|not a video"),
        ("a.mp4", lambda p: None, "No such file"),
        (
            "a.mp4",
            lambda p: p.write_bytes(make_video(p, 50).read_bytes()[:1500]),
            "not a video, or cut short",
        ),
    ],
)
def test_what_is_no_video_says_why(tmp_path, name, make, says):
    path = tmp_path / name
    make(path)
    with pytest.raises(MediaError) as caught:
        VideoFile(str(path)).facts()
    assert any(part in str(caught.value) for part in says.split("|"))
    assert "\n" not in str(caught.value)


def test_a_cut_video_is_read_as_far_as_it_goes(tmp_path):
    data = make_video(tmp_path / "b.ts", 500, container="mpegts").read_bytes()
    path = tmp_path / "cut.ts"
    path.write_bytes(data[: len(data) // 2])
    found = sampled(path)
    assert 5 <= len(found) < 15
    same(found, expected(500, 25, 1.0)[: len(found)])


def test_a_cut_mp4_says_how_much_is_left(tmp_path):
    path = make_video(tmp_path / "a.mp4", 500, movflags="faststart", g="25")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    video = VideoFile(str(path))
    timeline = video.timeline()
    assert timeline.duration_s < 19
    assert "of 20.0 s declared" in video.damage or "damaged" in video.damage


@pytest.mark.parametrize("suffix", [".avi", ".mov", ".mkv", ".mjpeg"])
@pytest.mark.parametrize("comments", [0, 40])  # so large that FFmpeg takes it for a still
def test_a_film_of_jpegs_that_are_cut_short_is_read(tmp_path, suffix, comments):
    comment = b"\xff\xfe\xff\xff" + bytes(65_533)
    stills = [make_still(number, "mjpeg", (640, 480)) for number in range(8)]
    stills = [data[:2] + comment * comments + data[2 : -len(data) // 10] for data in stills]
    path = tmp_path / f"a{suffix}"
    if suffix == ".mjpeg":
        path.write_bytes(b"".join(stills))
    else:
        with av.open(path, "w") as out:
            stream = out.add_stream("mjpeg", rate=8)
            stream.width, stream.height, stream.pix_fmt = 640, 480, "yuvj420p"
            for number, data in enumerate(stills):
                packet = av.Packet(data)
                packet.stream, packet.time_base = stream, Fraction(1, 8)
                packet.pts = packet.dts = number
                out.mux(packet)
    assert VideoFile(str(path)).facts().codec == "mjpeg"
    assert [number for _, number in sampled(path)] == list(range(8))


def test_damage_is_noted(tmp_path):
    path = make_video(tmp_path / "a.mp4", 250, g="25")
    data = bytearray(path.read_bytes())
    middle = data.index(b"mdat") + 4 + (len(data) - data.index(b"mdat")) // 3
    data[middle : middle + 600] = b"\xff" * 600
    path.write_bytes(data)
    video = VideoFile(str(path))
    timeline = video.timeline()
    frames = list(video.frames(timeline, np.arange(250), SQUASH))
    assert "damaged packets" in video.damage
    assert len(frames) > 100
    assert number_of(frames[0][1]) == 0
    assert number_of(frames[-1][1]) == 249


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video", "mpeg4"])
def test_a_hole_in_a_transport_stream_is_noted(tmp_path, codec):
    path = make_video(tmp_path / "a.ts", 500, codec=codec, g="50")
    whole = path.read_bytes()
    assert damage_of(path) == ""
    holes = [int(len(whole) * part) // 188 * 188 for part in (0.3, 0.55, 0.8)]
    noted = []
    for hole in holes:
        path.write_bytes(whole[:hole] + bytes(4 * 188) + whole[hole + 4 * 188 :])
        noted.append(damage_of(path))
    assert noted == ["1 damaged packet"] * len(holes)


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video"])
@pytest.mark.parametrize("frames", [57, 60, 61])
def test_joined_transport_streams_are_whole(tmp_path, codec, frames):
    path = make_video(tmp_path / "a.ts", frames, codec=codec)
    path.write_bytes(path.read_bytes() * 3)
    assert damage_of(path) == ""


def test_joined_transport_streams_of_one_clock_are_whole(tmp_path):
    first, second = ([start + 40 * i for i in range(57)] for start in (0, 57 * 40))
    path = make_video(tmp_path / "a.ts", 57, ticks=first)
    later = make_video(tmp_path / "b.ts", 57, ticks=second)
    path.write_bytes(path.read_bytes() + later.read_bytes())
    assert damage_of(path) == ""


def damage_of(path: Path) -> str:
    video = VideoFile(str(path))
    timeline = video.timeline()
    chosen = choose_frames(timeline.times_s, timeline.duration_s, 1.0)
    list(video.frames(timeline, chosen, SQUASH))
    return video.damage


def test_stills_are_scaled_like_frames(tmp_path):
    path = make_video(tmp_path / "a.mov", [77], codec="mjpeg", size=(640, 360))
    video = VideoFile(str(path))
    _, frame = next(video.frames(video.timeline(), np.arange(1), SQUASH))
    still = decode_image(make_still(77, "mjpeg", (640, 360)), SQUASH)
    assert np.array_equal(frame, still)
    assert number_of(decode_image(make_still(1234), SQUASH)) == 1234
    for data in (b"", b"no picture"):
        with pytest.raises(MediaError, match="not a picture"):
            decode_image(data, SQUASH)


def test_scaling_keeps_colours():
    image = decode_image(make_still(0b111111000000), FrameShape(*SIZE, "squash"))
    assert np.array_equal(image, picture(0b111111000000))
