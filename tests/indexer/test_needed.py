from __future__ import annotations

import numpy as np
import pytest

from tests.indexer.media import make_video, number_of
from unify.indexer.decode import VideoFile
from unify.indexer.needed import PacketOrder, Step
from unify.indexer.ports import FrameShape
from unify.indexer.sampling import choose_frames

SQUASH = FrameShape(80, 60, "squash")
D, R, S = Step.DROP, Step.REFER, Step.SHOW


def steps(ticks: list[int | None], keys: list[int], wanted: list[int]) -> list[int] | None:
    order = PacketOrder()
    for number, tick in enumerate(ticks):
        order.add(tick, number in keys)
    found = order.steps(np.array(wanted))
    return None if found is None else list(found)


def test_what_follows_the_last_wanted_picture_is_dropped():
    assert steps([0, 1, 2, 3, 4, 5], [0], [2]) == [R, R, S, D, D, D]


def test_groups_without_a_wanted_picture_are_jumped_over():
    assert steps([0, 1, 2, 3, 4, 5], [0, 2, 4], [1, 5]) == [R, S, D, D, R, S]


def test_pictures_before_their_key_frame_need_the_group_before():
    # Decoded after the key frame that shows at 4, shown before it.
    ticks = [0, 1, 2, 4, 3, 5]
    assert steps(ticks, [0, 3], [3]) == [R, R, R, R, S, D]
    assert steps(ticks, [0, 3], [5]) == [D, D, D, R, D, S]
    assert steps(ticks, [0, 3], [2, 5]) == [R, R, S, R, R, S]  # the group before is whole


@pytest.mark.parametrize(
    ("ticks", "keys"), [([0, None, None], [0]), ([0, 1, 1], [0]), ([0, 1], [1]), ([], [])]
)
def test_streams_that_cannot_be_told_apart(ticks, keys):
    assert steps(ticks, keys, [0]) is None


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.mp4", "libx264", {"g": "25"}),
        ("a.mp4", "libx264", {"g": "250", "bf": "3"}),
        ("a.mkv", "libx264", {"g": "12", "x264-params": "open-gop=1:bframes=5:b-pyramid=normal"}),
        ("a.ts", "libx264", {"g": "20"}),
        ("a.mp4", "libx264", {"g": "40", "x264-params": "intra-refresh=1"}),
        ("a.ts", "libx264", {"g": "40", "x264-params": "intra-refresh=1"}),
        ("a.mp4", "libx264", {"g": "25", "flags": "+ildct+ilme", "x264-params": "interlaced=1"}),
        ("a.mp4", "libx265", {"g": "30", "x265-params": "log-level=none"}),
        ("a.mp4", "libx265", {"g": "10", "x265-params": "log-level=none:temporal-layers=3"}),
        ("a.mkv", "libvpx-vp9", {"g": "30"}),
        ("a.mp4", "mpeg4", {"g": "12", "bf": "2"}),
        ("a.mpg", "mpeg2video", {"g": "12", "bf": "2"}),
        ("a.mov", "mjpeg", {}),
    ],
)
def test_the_short_way_gives_the_same_pictures(tmp_path, name, codec, options):
    path = make_video(tmp_path / name, 200, codec=codec, **options)
    video = VideoFile(str(path))
    timeline = video.timeline()
    for fps in (0.5, 1.0, 3.0):
        chosen = choose_frames(timeline.times_s, timeline.duration_s, fps)
        short = list(video.frames(timeline, chosen, SQUASH))
        long = list(VideoFile(str(path)).frames(timeline, chosen, SQUASH))
        assert [time_s for time_s, _ in short] == [time_s for time_s, _ in long]
        assert np.array_equal([p for _, p in short], [p for _, p in long])
    assert not video.damage


def test_most_packets_are_left_out(tmp_path):
    path = make_video(tmp_path / "a.mp4", 500, g="10")
    video = VideoFile(str(path))
    timeline = video.timeline()
    wanted = timeline.ticks[choose_frames(timeline.times_s, timeline.duration_s, 1.0)]
    found = video._order.steps(wanted)
    assert found.count(Step.SHOW) == 20
    assert found.count(Step.DROP) > 350


def test_a_stream_that_lies_about_its_key_frames_is_decoded_whole(tmp_path, monkeypatch):
    path = make_video(tmp_path / "a.mp4", 300, g="300", sc_threshold="0")
    video = VideoFile(str(path))
    timeline = video.timeline()
    chosen = choose_frames(timeline.times_s, timeline.duration_s, 1.0)
    video._order._keys = bytearray([1]) * len(video._order._keys)  # every packet a key frame
    found = [number_of(picture) for _, picture in video.frames(timeline, chosen, SQUASH)]
    assert found == chosen.tolist()


def test_damage_in_what_is_needed_is_noted_all_the_same(tmp_path):
    path = make_video(tmp_path / "a.mp4", 500, g="250")
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 4
    middle = start + (len(data) - start) // 4
    data[middle : middle + 1500] = b"\xff" * 1500
    path.write_bytes(data)
    video = VideoFile(str(path))
    timeline = video.timeline()
    chosen = choose_frames(timeline.times_s, timeline.duration_s, 1.0)
    short = list(video.frames(timeline, chosen, SQUASH))
    long = VideoFile(str(path))
    assert np.array_equal(
        [p for _, p in short], [p for _, p in long.frames(timeline, chosen, SQUASH)]
    )
    assert "damaged packets" in video.damage
    assert video.damage == long.damage
