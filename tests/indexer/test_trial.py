import numpy as np

from unify.engine.errors import MediaError
from unify.indexer import trial


def test_every_common_codec_gives_its_pictures_back():
    assert trial.tried() == dict.fromkeys(("h264", "hevc", "av1", "vp9", "mpeg4"), "")


def test_a_decoder_that_fails_or_is_wrong_is_told(monkeypatch):
    monkeypatch.setattr(
        trial.VideoFile, "frames", lambda *_: iter([(0.0, np.zeros((64, 64, 3), np.uint8))] * 4)
    )
    assert "its pictures are wrong by" in trial.tried()["h264"]

    def broken(*_: object) -> None:
        raise MediaError("no picture in it decodes")

    monkeypatch.setattr(trial.VideoFile, "timeline", broken)
    assert trial.tried()["mpeg4"] == "no picture in it decodes"


def test_a_codec_without_a_decoder_is_told(monkeypatch):
    monkeypatch.setattr(trial, "codecs_available", {"mpeg4"})
    found = trial.tried()
    assert (found["av1"], found["mpeg4"]) == ("there is no decoder", "")
