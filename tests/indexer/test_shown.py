"""A picture or a clip as a query: what is looked at, and what is refused."""

import numpy as np
import pytest

from tests.indexer.building import NumberEncoder, settings_for
from tests.indexer.media import make_audio, make_still, make_video
from unify.engine.errors import UsageError
from unify.indexer.decoding import DecodeProcess
from unify.indexer.sampling import choose_frames
from unify.indexer.shown import encode_shown


def shown(path, still, encoder=None):
    encoder = encoder or NumberEncoder()
    return encode_shown(path, still, encoder, settings_for(encoder))


@pytest.mark.parametrize("codec", ["png", "mjpeg"])
def test_a_picture_is_one_frame(tmp_path, codec):
    path = tmp_path / "photo.any"  # its content counts, not its name
    path.write_bytes(make_still(5, codec))
    encoder = NumberEncoder()
    query = shown(path, True, encoder)
    assert (query.terms.tolist(), query.weights.tolist()) == ([5], [1.0])
    assert query.latent.tolist() == [1, 0, 0, 0]
    assert encoder.frames == 1


def test_a_clip_is_sampled_as_a_video_is_and_is_one_moment(tmp_path):
    path = make_video(tmp_path / "clip.mp4", 20 * 25)  # longer than a moment
    chosen = choose_frames(np.arange(500) / 25, 20.0, 1.0)
    encoder = NumberEncoder()
    assert set(shown(path, False, encoder).terms.tolist()) == {n % 64 for n in chosen.tolist()}
    assert encoder.frames == len(chosen) == 20


def test_a_clip_that_is_too_long_is_refused_before_it_is_looked_at(tmp_path, monkeypatch):
    path = make_video(tmp_path / "film.mp4", 20 * 25)
    encoder = NumberEncoder()
    monkeypatch.setattr("unify.indexer.shown.MAX_CLIP_S", 19.0)
    with pytest.raises(UsageError, match=r"film\.mp4 cannot be used as a clip: it lasts 0\.3 minu"):
        shown(path, False, encoder)
    assert encoder.frames == 0


def test_a_picture_can_be_a_clip_but_no_clip_a_picture(tmp_path):
    still, clip = tmp_path / "a.png", make_video(tmp_path / "b.mp4", 50)
    still.write_bytes(make_still(7))
    assert shown(still, False).terms.tolist() == [7]
    encoder = NumberEncoder()
    with pytest.raises(UsageError, match=r"b\.mp4 cannot be used as a picture: it is a video"):
        shown(clip, True, encoder)
    assert encoder.frames == 0


def test_what_holds_no_picture_is_refused_by_name(tmp_path):
    text, empty = tmp_path / "notes.jpg", tmp_path / "empty.png"
    text.write_text("no picture\n" * 20)
    empty.write_bytes(b"")
    sound = make_audio(tmp_path / "sound.mp4")
    for path in (text, empty, sound, tmp_path, tmp_path / "nowhere.png"):
        for still in (True, False):
            with pytest.raises(UsageError, match=f"{path.name} cannot be used as a "):
                shown(path, still)


@pytest.mark.parametrize("codec", ["png", "mjpeg"])
def test_half_a_picture_is_refused(tmp_path, codec):
    data = make_still(5, codec, (640, 480))
    (tmp_path / "half").write_bytes(data[: len(data) // 2])
    with pytest.raises(UsageError, match="half cannot be used as a picture: no picture in it dec"):
        shown(tmp_path / "half", True)


@pytest.mark.parametrize("name", ["b.mp4", "list.mp4"])
def test_what_a_file_names_is_not_read(tmp_path, name):
    make_video(tmp_path / "b.mp4", 10)
    playlist = tmp_path / "list.mp4"
    playlist.write_text(f"ffconcat version 1.0\nfile {name}\n")
    with pytest.raises(UsageError, match="cannot be used as a clip: not a video"):
        shown(playlist, False)


def test_errors_name_it_as_they_are_told_and_an_interrupted_decoder_gives_none(tmp_path):
    path = make_video(tmp_path / "a.mp4", 10)
    process = DecodeProcess()
    process.interrupt()
    encoder = NumberEncoder()
    with pytest.raises(UsageError, match=r"^the film cannot be used as a clip: interrupted"):
        encode_shown(path, False, encoder, settings_for(encoder), "the film", process)
