import os
import threading

import pytest

from tests.indexer.media import make_video
from unify.engine.errors import MediaError
from unify.indexer.thumbnails import Thumbnails, cache_folder, sweep, thumbnail


def kept_in(folder):
    return sorted(path for path in folder.glob("*/*") if path.is_file())


def test_made_once_and_known_again_under_another_name(tmp_path, monkeypatch):
    path = make_video(tmp_path / "a.mp4", 50)
    with Thumbnails(tmp_path / "cache") as thumbnails:
        first = thumbnails.thumbnail(str(path), 1.0, 64)
        assert first[:2] == b"\xff\xd8"
        (kept,) = kept_in(tmp_path / "cache")
        assert kept.read_bytes() == first
        monkeypatch.setattr(thumbnails, "_make", None)  # nothing may be made any more
        path.rename(tmp_path / "b.mp4")
        assert thumbnails.thumbnail(str(tmp_path / "b.mp4"), 1.0, 64) == first


def test_other_content_times_and_widths_are_others(tmp_path):
    path = make_video(tmp_path / "a.mp4", 50)
    with Thumbnails(tmp_path / "cache") as thumbnails:
        asked = [(0.0, 64), (1.0, 64), (1.0, 32)]
        found = {thumbnails.thumbnail(str(path), *what) for what in asked}
        make_video(path, range(100, 150))
        found.add(thumbnails.thumbnail(str(path), 1.0, 64))
    assert len(found) == len(kept_in(tmp_path / "cache")) == 4


def test_without_a_folder_and_in_one_that_cannot_be_written(tmp_path):
    path = make_video(tmp_path / "a.mp4", 10)
    (tmp_path / "file").write_bytes(b"")
    for folder in (None, tmp_path / "file" / "cache"):
        with Thumbnails(folder) as thumbnails:
            assert thumbnails.thumbnail(str(path), 0.0, 64)


def test_several_threads_share_the_decoders(tmp_path):
    path = make_video(tmp_path / "a.mp4", 50)
    found = {}
    with Thumbnails(tmp_path / "cache", processes=2) as thumbnails:

        def ask(number):
            found[number] = thumbnails.thumbnail(str(path), number / 25, 64)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(set(found.values())) == 8


def test_what_was_not_asked_for_longest_goes_first(tmp_path):
    for number in range(5):
        file = tmp_path / "ab" / f"{number}.jpg"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(bytes(100))
        os.utime(file, (number, number))
    sweep(tmp_path, 250)
    assert [path.name for path in kept_in(tmp_path)] == ["3.jpg", "4.jpg"]


def test_a_video_that_is_gone_or_none(tmp_path):
    (tmp_path / "junk.mp4").write_bytes(b"junk" * 100)
    with Thumbnails(tmp_path / "cache") as thumbnails:
        for name in ("none.mp4", "junk.mp4"):
            with pytest.raises(MediaError):
                thumbnails.thumbnail(str(tmp_path / name), 0.0, 64)
    assert kept_in(tmp_path / "cache") == []


def test_the_default_place(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "unify" / "thumbnails"
    assert thumbnail(str(make_video(tmp_path / "a.mp4", 10)), 0.0, 64)
    assert len(kept_in(cache_folder())) == 1
