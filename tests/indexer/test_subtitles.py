"""Subtitle files and streams: what is read, what is told, and what a build makes of it."""

from __future__ import annotations

import io
import os
from pathlib import Path

import av
import pytest

from tests.indexer.building import contents, ids, run_build
from tests.indexer.media import make_video
from unify.engine.manifest import read_manifest
from unify.engine.segment import Segment
from unify.indexer import subtitles
from unify.indexer.cues import Cue
from unify.indexer.status import status
from unify.indexer.subtitles import read_speech

SRT = """1
00:00:01,000 --> 00:00:02,500
<i>We cook {\\an8}pasta</i> &amp; <b>toma</b>toes
on the stove

2
00:00:04,000 --> 00:00:04,000
caf\u00e9, done
"""
VTT = """WEBVTT

NOTE nothing

STYLE
::cue { color: red }

00:01.000 --> 00:02.500 align:start position:0%
<v Bob>We <00:00:01.500><c>cook</c> pasta</v>
"""
READ = [Cue(1.0, 2.5, "We cook pasta & tomatoes on the stove"), Cue(4.0, 4.0, "caf\u00e9, done")]


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return make_video(tmp_path / "clip.mp4", 50)  # 2 s


def speech_of(video: Path, name: str, data: bytes) -> subtitles.Speech:
    path = video.with_name(name)
    path.write_bytes(data)
    return read_speech(str(video), (str(path),), 0.0)


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_every_coding_and_line_end(video, coding, ends):
    speech = speech_of(video, "clip.srt", SRT.replace("\n", ends).encode(coding))
    assert (speech.cues, speech.damage) == (READ, [])


def test_markup_of_webvtt(video):
    speech = speech_of(video, "clip.vtt", VTT.encode())
    assert (speech.cues, speech.damage) == ([Cue(1.0, 2.5, "We cook pasta")], [])


@pytest.mark.parametrize("name", ["clip.srt", "clip.vtt"])
@pytest.mark.parametrize("data", [b"", b"hello\n", bytes(range(256)) * 9, b"\0" * 500, b"\xff\xfe"])
def test_what_holds_no_line_is_told(video, name, data):
    speech = speech_of(video, name, data)
    assert speech.cues == []
    assert speech.damage == [f"subtitles {name}: cannot be read (no line of text in it)"]


def test_a_good_file_is_read_beside_a_bad_one(video, tmp_path):
    files = [tmp_path / name for name in ("clip.srt", "clip.en.srt", "clip.vtt")]
    files[1].write_text(SRT, "utf-8")
    with files[2].open("wb") as huge:
        huge.truncate(subtitles.FILE_BYTES + 1)
    speech = read_speech(str(video), tuple(map(str, files)), 0.0)
    assert speech.cues == READ
    assert speech.damage == [
        "subtitles clip.srt: cannot be read (No such file or directory)",
        "subtitles clip.vtt: cannot be read (larger than 16 MiB)",
    ]


def test_long_lines_and_too_many_are_cut_and_told(video, monkeypatch):
    monkeypatch.setattr(subtitles, "MOST_CUES", 3)
    line = "1\n00:00:0{0},000 --> 00:00:0{0},500\n{1}\n\n"
    text = "".join(line.format(i, "word " * 200) for i in range(5))
    speech = speech_of(video, "clip.srt", text.encode())
    assert [len(cue.text) for cue in speech.cues] == [500] * 3
    assert speech.damage == [
        "subtitles clip.srt: only the first 3 lines are read",
        "subtitles clip.srt: lines cut at 500 characters: 3",
    ]


def with_stream(video: Path, out: Path, language: str) -> Path:
    """Copy a video and put a text stream beside its pictures."""
    with (
        av.open(str(video)) as pictures,
        av.open(io.BytesIO(SRT.encode()), format="srt") as text,
        av.open(str(out), "w") as made,
    ):
        streams = [
            (pictures.streams.video[0], made.add_stream_from_template(pictures.streams.video[0])),
            (text.streams.subtitles[0], made.add_stream_from_template(text.streams.subtitles[0])),
        ]
        if language:
            streams[1][1].metadata["language"] = language
        for source, target in reversed(streams):
            for packet in source.container.demux(source):
                if packet.dts is not None and packet.size:
                    packet.stream = target
                    made.mux(packet)
    return out


@pytest.mark.parametrize(("language", "read"), [("eng", READ), ("", READ), ("ger", [])])
def test_text_streams_of_english_are_read(video, tmp_path, language, read):
    out = with_stream(video, tmp_path / "stream.mkv", language)
    speech = read_speech(str(out), (), 0.0)
    assert (speech.cues, speech.damage) == (read, [])
    later = read_speech(str(out), (), 0.5)
    assert [cue.start_s for cue in later.cues] == [cue.start_s - 0.5 for cue in read]


def test_a_reader_that_is_gone_is_no_damage(video, tmp_path):
    def gone() -> None:
        raise BrokenPipeError

    (tmp_path / "clip.srt").write_text(SRT, "utf-8")
    with pytest.raises(BrokenPipeError):
        read_speech(str(video), (str(tmp_path / "clip.srt"),), 0.0, gone)


def cue(start_s: float, end_s: float, text: str) -> str:
    def clock(seconds: float) -> str:
        return f"00:00:{int(seconds):02d},{round(seconds % 1 * 1000):03d}"

    return f"1\n{clock(start_s)} --> {clock(end_s)}\n{text}\n\n"


def said(index: Path) -> dict[float, set[int]]:
    """Words said at each frame of the only live video, by its time."""
    manifest = read_manifest(index)
    entry = manifest.segments[-1]
    segment = Segment(index, entry, manifest.settings)
    indptr, terms, _ = segment.tracks
    rows = (terms[indptr[i] : indptr[i + 1]].tolist() for i in range(len(segment.frames)))
    return {
        round(time_s, 2): {term - 64 for term in row if term >= 64}
        for time_s, row in zip(segment.frames.tolist(), rows, strict=True)
    }


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    folder.mkdir()
    make_video(folder / "a.mp4", 100, rate=10)  # 10 s: frames at 0.5, 1.5, ...
    return folder


def test_words_are_stored_at_the_frames_of_their_lines(clips, tmp_path):
    text = cue(0.4, 2.6, "n1 N2 xyz") + cue(4.9, 5.1, "n3") + cue(9.6, 30, "n4") + cue(50, 51, "n5")
    (clips / "a.srt").write_text(text)
    index = tmp_path / "index"
    report = run_build([clips], index)
    frames = said(index)
    assert {t: words for t, words in frames.items() if words} in (
        {0.5: {1, 2}, 1.5: {1, 2}, 2.5: {1, 2}, 4.5: {3}, 9.5: {4}},
        {0.5: {1, 2}, 1.5: {1, 2}, 2.5: {1, 2}, 5.5: {3}, 9.5: {4}},
    )
    assert report.damaged == [(str(clips / "a.mp4"), "subtitles: lines outside the video: 1 of 4")]
    assert status(index).subtitled == 1


def test_a_damaged_file_costs_the_subtitles_not_the_video(clips, tmp_path):
    (clips / "a.en.srt").write_bytes(b"\x00\x01 garbage")
    report = run_build([clips], tmp_path / "index")
    assert (report.indexed, report.failed) == (1, [])
    (note,) = status(tmp_path / "index").damaged
    assert note[1] == "subtitles a.en.srt: cannot be read (no line of text in it)"
    assert status(tmp_path / "index").subtitled == 0


def test_a_file_that_is_added_changed_or_removed_is_seen_by_the_next_build(clips, tmp_path):
    index = tmp_path / "index"
    assert run_build([clips], index).indexed == 1
    steps = [lambda: (clips / "a.srt").write_text(cue(1, 2, "n1"))]
    steps += [lambda: (clips / "a.srt").write_text(cue(1, 2, "n22"))]
    steps += [lambda: os.utime(clips / "a.srt", ns=(5, 5))]
    steps += [lambda: (clips / "a.srt").unlink()]
    expected = [{1}, {22}, {22}, set()]
    for step, words in zip(steps, expected, strict=True):
        step()
        report = run_build([clips], index)
        assert (report.indexed, report.skipped, report.removed) == (1, 0, 0)
        assert set().union(*said(index).values()) == words
        assert len(contents(index)) == 1
        assert status(index).subtitled == bool(words)
        assert run_build([clips], index).skipped == 1


def test_a_video_renamed_with_its_subtitles_is_not_read_again(clips, tmp_path):
    index = tmp_path / "index"
    (clips / "a.srt").write_text(cue(1, 2, "n1"))
    run_build([clips], index)
    before = ids(index)["a.mp4"]
    for ending in ("mp4", "srt"):
        (clips / f"a.{ending}").rename(clips / f"b.{ending}")
    report = run_build([clips], index)
    assert (report.indexed, report.renamed) == (0, 1)
    assert ids(index) == {"b.mp4": before}
    (clips / "b.mp4").rename(clips / "c.mp4")  # away from its subtitles
    assert run_build([clips], index).indexed == 1
    assert list(ids(index)) == ["c.mp4"]
    assert status(index).subtitled == 0


def test_a_copy_does_not_take_over_when_subtitles_change(clips, tmp_path):
    index = tmp_path / "index"
    run_build([clips], index)
    (clips / "0.mp4").write_bytes((clips / "a.mp4").read_bytes())
    (clips / "a.srt").write_text(cue(1, 2, "n1"))
    report = run_build([clips], index)
    assert (report.indexed, len(report.duplicates)) == (1, 1)
    assert list(ids(index)) == ["a.mp4"]
    assert status(index).subtitled == 1
