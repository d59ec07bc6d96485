from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.encoders.archives import write, write_tar
from tests.indexer.media import make_still, make_video, number_of, picture
from unify.encoders.datasets import (
    HELD_OUT,
    DataSet,
    Item,
    held_out,
    hold_out,
    read_dataset,
    split_position,
)
from unify.encoders.datasets_frames import Span, choose_frames
from unify.engine.errors import MediaError, UsageError
from unify.indexer.decode import VideoFacts
from unify.indexer.decoding import Batch, Event, Finished, Started
from unify.indexer.ports import FrameShape

SQUASH = FrameShape(64, 48, "squash")


def empty_files(*paths: Path) -> None:
    """Files that are found; whether they decode is another matter."""
    for path in paths:
        write(path, "")


def stills(folder: Path) -> Path:
    rows = {
        "video2": {"frames": ["video2_0.png", "video2_1.png"], "captions": ["a dog", "a pet"]},
        "video1": {"frames": ["video1_0.png", "gone.png"], "captions": ["a cat"]},
        "video3": {"frames": ["lost.png"], "captions": ["a car"]},
    }
    write(folder / "captions.json", rows)
    names = ("video2_1.png", "video2_0.png", "video1_0.png")
    write_tar(folder / "frames.tar", {name: make_still(i) for i, name in enumerate(names)})
    return folder


def msrvtt(folder: Path) -> Path:
    head = "key,vid_key,video_id,sentence\n"
    rows = 'ret0,msr9,video9,"a man, talking"\nret1,msr7,video7,a dog\nret2,msr8,video8,a cat\n'
    write(folder / "data" / "MSRVTT_JSFUSION_test.csv", head + rows)
    write(folder / "data" / "MSRVTT_train.9k.csv", "video_id\nvideo1\nvideo0\n")
    write(folder / "data" / "MSRVTT_train.7k.csv", "video_id\nvideo1\n")
    pairs = [("video1", "b"), ("video0", "a"), ("video1", " "), ("video9", "no"), ("video1", "c")]
    sentences = [{"video_id": v, "caption": c, "sen_id": i} for i, (v, c) in enumerate(pairs)]
    videos = [{"video_id": f"video{i}", "url": "x"} for i in range(10)]
    write(folder / "data" / "MSRVTT_data.json", {"sentences": sentences, "videos": videos})
    names = ("videos/all/video9.mp4", "videos/video7.webm", "videos/video0.mp4", "video1.MP4")
    empty_files(*(folder / name for name in (*names, "videos/._video8.mp4", "video8.npy")))
    return folder


DIDEMO = {
    "1@N1_2_ab.mov": "1@N1_2_ab.mov",
    "1@N1_3_ab.avi": "1@N1_3_ab.avi.mp4",
    "1@N1_4_ab.3gp": "1@N1_4_ab",
    "1@N1_5_ab.mpg": "1@N1_5_ab.m4v",
    "1@N1_6_ab.wmv": "1@N1_6_ab.MTS",
    "1@N1_7_ab": "1@N1_7_ab.mp4",
}


def didemo(folder: Path) -> Path:
    rows = [
        {"annotation_id": i, "video": video, "description": text, "times": [[0, 0], [1, 2]]}
        for text in ("first part.", "then that")
        for i, video in enumerate([*DIDEMO, "1@N1_8_ab.mov"])
    ]
    for split in ("train", "val", "test"):
        write(folder / f"{split}_data.json", rows if split == "test" else rows[:1])
    empty_files(*(folder / "videos" / file for file in DIDEMO.values()))
    return folder


def msvd(folder: Path, as_json: bool = False) -> Path:
    lines = "# a comment\n\n-4ws_5_15 a squirrel\teats\n_x_1_2\ta man runs\n-4ws_5_15 a peanut\n"
    captions = {"-4ws_5_15": ["a squirrel\teats", "a peanut"], "_x_1_2": ["a man runs"]}
    if as_json:
        write(folder / "captions.json", captions)
    else:
        write(folder / "AllVideoDescriptions.txt", lines)
    write(folder / "test_list.txt", "_x_1_2\n-4ws_5_15\n")
    write(folder / "train_list.txt", "_x_1_2\n")
    empty_files(folder / "YouTubeClips" / "-4ws_5_15.avi", folder / "YouTubeClips" / "_x_1_2.avi")
    return folder


def clips(folder: Path) -> Path:
    rows = 'b.mp4\ta "dog\tx\na.mp4\ta cat\ty\nb.mp4\ta pet\tz\nnone.mp4\ta car\tz\n'
    write(folder / "captions.tsv", "\ufefffile\tcaption\tsource\n" + rows)
    make_video(folder / "a.mp4", 100, rate=5)
    write(folder / "b.mp4", "not a video")
    return folder


def shown(dataset: DataSet) -> list[tuple[str, tuple[str, ...]]]:
    return [(item.name, item.captions) for item in dataset.items]


def test_stills(tmp_path):
    dataset = read_dataset(stills(tmp_path / "msrvtt-train"))
    assert (dataset.name, dataset.split, dataset.missing) == ("msrvtt", "train", ("video3",))
    assert dataset.items == (
        Item("video1", ("a cat",), stills=("video1_0.png",)),
        Item("video2", ("a dog", "a pet"), stills=("video2_0.png", "video2_1.png")),
    )
    found = list(dataset.frames(dataset.items[::-1], SQUASH, 12))
    assert [item.name for item, _ in found] == ["video2", "video1"]
    assert [[number_of(f) for f in frames] for _, frames in found] == [[1, 0], [2]]


def test_one_picture_each(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    write_tar(folder / "images.tar", {"b.png": make_still(1), "a.png": b"no picture"})
    write(folder / "captions.json", {"b.png": ["a dog"], "a.png": ["a cat", "a pet"]})
    dataset = read_dataset(folder)
    assert (dataset.name, dataset.split) == ("photos", "all")
    assert shown(dataset) == [("a.png", ("a cat", "a pet")), ("b.png", ("a dog",))]
    failed: list[str] = []
    frames = dataset.frames(dataset.items, SQUASH, 1, lambda item, error: failed.append(str(error)))
    assert [(item.name, pictures.shape) for item, pictures in frames] == [("b.png", (1, 48, 64, 3))]
    assert len(failed) == 1
    assert failed[0].startswith("a.png: not a picture")


def test_msrvtt(tmp_path):
    folder = msrvtt(tmp_path)
    test = read_dataset(folder)
    assert (test.name, test.split, test.missing) == ("msrvtt", "1k-A", ("video8",))
    assert shown(test) == [("video7", ("a dog",)), ("video9", ("a man, talking",))]
    assert [item.video for item in test.items] == [
        folder / "videos/video7.webm",
        folder / "videos/all/video9.mp4",
    ]
    assert read_dataset(folder, "test") == test
    train = read_dataset(folder, "train-9k")
    assert shown(train) == [("video0", ("a",)), ("video1", ("b", "c"))]
    assert shown(read_dataset(folder, "train-7k")) == [("video1", ("b", "c"))]


def test_didemo_joins_sentences_and_finds_any_extension(tmp_path):
    dataset = read_dataset(didemo(tmp_path))
    assert (dataset.name, dataset.split, dataset.frame_count) == ("didemo", "test", 32)
    assert dataset.missing == ("1@N1_8_ab.mov",)
    assert {i.name: i.video.name for i in dataset.items if i.video} == DIDEMO
    assert {item.captions for item in dataset.items} == {("first part. then that",)}
    assert {(item.start_s, item.end_s) for item in dataset.items} == {(0.0, 30.0)}
    assert shown(read_dataset(tmp_path, "val")) == [("1@N1_2_ab.mov", ("first part.",))]


@pytest.mark.parametrize("below", [False, True])
@pytest.mark.parametrize("as_json", [False, True])
def test_msvd(tmp_path, as_json, below):
    msvd(tmp_path / "msvd_data" if below else tmp_path, as_json)
    dataset = read_dataset(tmp_path)
    assert (dataset.name, dataset.split, dataset.missing) == ("msvd", "test", ())
    assert shown(dataset) == [
        ("-4ws_5_15", ("a squirrel\teats", "a peanut")),
        ("_x_1_2", ("a man runs",)),
    ]
    assert shown(read_dataset(tmp_path, "train")) == [("_x_1_2", ("a man runs",))]


def test_what_is_no_file_is_missing(tmp_path):
    folder = msrvtt(tmp_path / "msrvtt")
    (folder / "videos" / "video8.mp4").symlink_to(folder / "gone.mp4")
    (folder / "video8.webm").mkdir()
    assert read_dataset(folder).missing == ("video8",)
    sentence = "a very long sentence in the wrong column, " * 9
    write(clips(tmp_path / "clips") / "captions.tsv", f"file\tcaption\n{sentence}\tx\na.mp4\ty\n")
    assert read_dataset(tmp_path / "clips").missing == (sentence,)


def test_stills_of_the_same_name_are_told_apart_by_their_folders(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    write_tar(folder / "x.tar", {f"./{v}/0.png": make_still(i) for i, v in enumerate("abc")})
    rows = {v: {"frames": [f"{v}/0.png"], "captions": [v]} for v in "cb"}
    write(folder / "captions.json", rows)
    dataset = read_dataset(folder)
    found = dataset.frames(dataset.items, SQUASH, 1)
    assert [(item.name, number_of(frames[0])) for item, frames in found] == [("b", 1), ("c", 2)]
    write(folder / "captions.json", {"0.png": ["x"]})
    with pytest.raises(UsageError, match=r"3 files named 0\.png, such as .*/a/0\.png; name them"):
        read_dataset(folder)


def test_clips_count_what_is_broken(tmp_path):
    dataset = read_dataset(clips(tmp_path))
    assert shown(dataset) == [("a.mp4", ("a cat",)), ("b.mp4", ('a "dog', "a pet"))]
    assert dataset.missing == ("none.mp4",)
    failed: list[str] = []
    found = dataset.frames(dataset.items, SQUASH, 4, lambda item, _: failed.append(item.name))
    ((item, frames),) = found
    # 20 seconds: candidates at 0.5, 1.5, ... of which the first, 7th, 13th and last.
    assert (item.name, [number_of(f) for f in frames]) == ("a.mp4", [2, 32, 62, 97])
    assert failed == ["b.mp4"]
    with pytest.raises(MediaError, match=r"^b\.mp4: not a video"):
        list(dataset.frames(dataset.items[1:], SQUASH, 4))


def decoded(frames: int) -> Iterator[Event]:
    """What decoding a video gives, one numbered picture a second."""
    facts = VideoFacts(None, 64, 48, "h264", None, None)
    yield Started(facts, float(frames))
    pictures = np.stack([picture(number) for number in range(frames)])
    for start in range(0, frames, 16):
        part = slice(start, start + 16)
        yield Batch(np.arange(frames)[part] + 0.5, pictures[part])
    yield Finished("")


def test_frames_are_those_of_the_span():
    def numbers(start_s: float, end_s: float, count: int = 32) -> list[int]:
        span = Span(Path("a.mp4"), start_s, end_s)
        return [number_of(frame) for frame in choose_frames(decoded(60), span, count)]

    assert numbers(0.0, 30.0) == list(range(30))
    assert numbers(0.0, 30.0, count=4) == [0, 9, 19, 29]
    assert numbers(20.0, 23.0) == [20, 21, 22]
    assert numbers(57.0, math.inf) == [57, 58, 59]
    with pytest.raises(MediaError, match="no picture between 90 and 95 s"):
        numbers(90.0, 95.0)


def test_nothing_is_decoded_behind_the_span():
    events = decoded(60)
    choose_frames(events, Span(Path("a.mp4"), 0.0, 20.0), 32)
    following = next(events)
    assert isinstance(following, Batch)
    assert following.times_s[0] == 32.5


def test_long_videos_are_thinned(monkeypatch):
    monkeypatch.setattr("unify.encoders.datasets_frames.CANDIDATES", 10)
    frames = choose_frames(decoded(40), Span(Path("a.mp4"), 0.0, math.inf), 32)
    assert [number_of(frame) for frame in frames] == [0, 5, 10, 15, 20, 25, 30, 35]


@pytest.mark.parametrize(
    ("make", "file", "content", "complaint"),
    [
        (stills, "captions.json", "{", r"captions\.json cannot be read as JSON"),
        (stills, "captions.json", '{"a": ["x"], "a": ["y"]}', r"JSON \('a' stands twice\)"),
        (stills, "captions.json", "[]", r"captions\.json is not a JSON object"),
        (stills, "captions.json", {"a": ["", 1]}, r"'a' has no list of captions"),
        (stills, "captions.json", {"a": {"captions": ["x"]}}, r"'a' has no list of frames"),
        (stills, "frames.tar", "x" * 2000, r"frames\.tar cannot be read .*must be a tar file"),
        (stills, "second.tar", "", r"captions\.json and 2 \.tar files"),
        (stills, "captions.json", {"a.png": ["x"]}, r"none of the 1 items .* such as a\.png"),
        (msrvtt, "data/MSRVTT_JSFUSION_test.csv", "key,sentence\n", r"no column 'video_id'"),
        (msrvtt, "data/MSRVTT_JSFUSION_test.csv", "video_id,sentence\na\n", r"line 2: columns"),
        (msrvtt, "data/MSRVTT_JSFUSION_test.csv", "video_id,sentence\n", r"holds no captions"),
        (didemo, "test_data.json", {}, r"test_data\.json holds no list of objects"),
        (didemo, "test_data.json", [{"video": "a"}], r"entry 0 lacks one of video, description"),
        (msvd, "test_list.txt", "other\n", r"test_list\.txt names 1 videos without .*\(other\)"),
        (msvd, "test_list.txt", "\n", r"test_list\.txt names no videos"),
        (msvd, "AllVideoDescriptions.txt", "a_1_2\n", r"'a_1_2' is a name without a sentence"),
        (clips, "captions.tsv", "file\ttext\n", r"captions\.tsv has no column 'caption'"),
    ],
)
def test_malformed_files_are_told_in_one_line(
    tmp_path: Path, make: Callable[[Path], Path], file: str, content: object, complaint: str
):
    write(make(tmp_path) / file, content)
    with pytest.raises(UsageError, match=complaint) as error:
        read_dataset(tmp_path)
    assert "\n" not in str(error.value)


def test_bytes_that_are_not_text(tmp_path):
    (tmp_path / "captions.tsv").write_bytes(b"file\tcaption\na.mp4\t\xff\n")
    with pytest.raises(UsageError, match=r"captions\.tsv is not text in UTF-8"):
        read_dataset(tmp_path)


def test_training_splits_name_captions_that_lack(tmp_path):
    write(msrvtt(tmp_path) / "data/MSRVTT_train.9k.csv", "video_id\nvideo1\nvideo5\n")
    with pytest.raises(UsageError, match=r"1 videos without captions \(video5\)"):
        read_dataset(tmp_path, "train-9k")
    (tmp_path / "data/MSRVTT_data.json").unlink()
    with pytest.raises(UsageError, match=r"MSRVTT_data\.json: No such file"):
        read_dataset(tmp_path, "train-9k")
    assert read_dataset(tmp_path).split == "1k-A"


def test_what_is_no_data_set(tmp_path):
    with pytest.raises(UsageError, match="nowhere is not a folder"):
        read_dataset(tmp_path / "nowhere")
    with pytest.raises(UsageError, match=r"no data set \(looked for MSRVTT_data\.json"):
        read_dataset(tmp_path)
    write(tmp_path / "msvd_data" / "raw-captions.pkl", "")
    with pytest.raises(UsageError, match="pickles are never read"):
        read_dataset(tmp_path)


def test_unknown_splits_list_what_there_is(tmp_path):
    with pytest.raises(UsageError, match="no split 'full'; it has 1k-A, train-9k, train-7k"):
        read_dataset(msrvtt(tmp_path / "a"), "full")
    with pytest.raises(UsageError, match="no split 'test'; it has train"):
        read_dataset(stills(tmp_path / "b-train"), "test")


def test_the_published_split_is_a_fixed_share():
    names = [f"video{i}" for i in range(20_000)]
    held = [name for name in names if held_out("msrvtt", name)]
    assert abs(len(held) / len(names) - HELD_OUT["msrvtt"]) < 0.01
    # Another hash, or another spelling of the name, would publish another split.
    assert held[:5] == ["video3", "video4", "video9", "video14", "video38"]
    assert split_position("flickr8k", "video1") != split_position("msrvtt", "video1")
    assert abs(sum(held_out("clips", name) for name in names) / len(names) - 0.1) < 0.01


def test_the_hold_out_says_so():
    items = tuple(Item(f"video{i}", ("x",)) for i in range(10))
    whole = DataSet("msrvtt", "train", items, ("video14", "video15"))
    part = hold_out(whole)
    assert [item.name for item in part.items] == ["video3", "video4", "video9"]
    assert (part.split, part.missing) == ("train-held-out", ("video14",))
    with pytest.raises(UsageError, match="none of the 1 items"):
        hold_out(DataSet("msrvtt", "train", items[:1], ()))
