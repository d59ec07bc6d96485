import os

import pytest

from unify.indexer.sidecars import NONE, Beside


@pytest.mark.parametrize(
    ("name", "belongs"),
    [
        ("clip.srt", True), ("clip.VTT", True), ("clip.en.srt", True), ("clip.eng.vtt", True),
        ("clip.en-US.vtt", True), ("clip.en-orig.vtt", True), ("clip.en.sdh.srt", True),
        ("clip.forced.srt", True), ("clip.english.srt", True), ("clip.de.srt", False),
        ("clip.hi.srt", False), ("clip.mp4.srt", False), ("clip2.srt", False),
        ("clip.txt", False), ("clip.en.ass", False), (".srt", False), ("clipsrt", False),
    ],
)  # fmt: skip
def test_names(tmp_path, name, belongs):
    (tmp_path / name).write_text("1")
    found = Beside().of(str(tmp_path / "clip.mp4"))
    assert found.paths == ((str(tmp_path / name),) if belongs else ())
    assert bool(found.stamp) == belongs


def test_a_stem_with_dots_has_its_own(tmp_path):
    for name in ("a.en.srt", "a.b.srt"):
        (tmp_path / name).write_text("1")
    beside = Beside()
    assert beside.of(str(tmp_path / "a.mp4")).paths == (str(tmp_path / "a.en.srt"),)
    assert beside.of(str(tmp_path / "a.b.mp4")).paths == (str(tmp_path / "a.b.srt"),)
    assert beside.of(str(tmp_path / "a.en.mp4")).paths == (str(tmp_path / "a.en.srt"),)


def test_the_stamp_tells_what_changed_and_survives_a_rename(tmp_path):
    def stamp(video="a.mp4"):
        return Beside().of(str(tmp_path / video)).stamp

    (tmp_path / "a.srt").write_text("one")
    first = stamp()
    assert stamp() == first
    (tmp_path / "a.en.vtt").write_text("two")
    both = stamp()
    assert both != first
    os.utime(tmp_path / "a.srt", ns=(1, 1))
    assert stamp() not in (first, both)
    (tmp_path / "a.en.vtt").unlink()
    before = stamp()
    (tmp_path / "a.srt").rename(tmp_path / "b.srt")
    assert stamp("b.mp4") == before
    assert stamp() == ""


def test_a_folder_that_is_gone_or_a_link_to_nothing(tmp_path):
    assert Beside().of(str(tmp_path / "no" / "a.mp4")) == NONE
    (tmp_path / "a.srt").symlink_to(tmp_path / "nothing")
    assert Beside().of(str(tmp_path / "a.mp4")).stamp == ".srt:?"
