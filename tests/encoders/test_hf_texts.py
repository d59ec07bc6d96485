from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from unify.encoders import hf_texts
from unify.encoders.hf_texts import KeptTexts, ToldSometimes


class Encoder:
    """Counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        self.asked.append(list(texts))
        return np.array([[len(text), 0.1] for text in texts], np.float32)


def test_the_same_call_is_computed_once_for_all_processes(tmp_path):
    encoder, texts = Encoder(), ["a", "日本語"]
    first = KeptTexts(tmp_path / "kept", encoder)(texts)
    kept = KeptTexts(tmp_path / "kept", encoder)
    assert np.array_equal(kept(texts), first) and kept(texts).dtype == np.float32
    assert len(encoder.asked) == 1
    kept(["日本語", "a"])
    assert encoder.asked[1:] == [["日本語", "a"]], "order counts"
    kept.drop()
    assert not (tmp_path / "kept").exists()
    assert np.array_equal(kept(texts), first)


@pytest.mark.parametrize("left", [b"", b"\x93NUMPY", None])
def test_what_was_cut_short_is_computed_again(tmp_path, left):
    encoder = Encoder()
    kept = KeptTexts(tmp_path, encoder)
    first = kept(["a"])
    (path,) = Path(tmp_path).iterdir()
    path.write_bytes(path.read_bytes()[:-1] if left is None else left)
    assert np.array_equal(kept(["a"]), first)
    assert len(encoder.asked) == 2 and [path] == list(Path(tmp_path).iterdir())


def test_it_is_not_told_every_time(monkeypatch, caplog):
    monkeypatch.setattr(hf_texts, "TELL_EVERY_S", 0.0)
    with caplog.at_level(logging.INFO):
        told = ToldSometimes(logging.INFO)
        told(1000, 2000)
        monkeypatch.setattr(hf_texts, "TELL_EVERY_S", 60.0)
        told(2000, 2000)
    assert [r.getMessage() for r in caplog.records] == [
        "words of the lexicon: 1,000 of 2,000 texts"
    ]
