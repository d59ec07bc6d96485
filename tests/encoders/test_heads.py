from __future__ import annotations

import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from unify.encoders import heads
from unify.encoders.heads import HeadsFile, VideoHead, lengths, normalised, save_heads, unit
from unify.engine.types import Calibration, SparseRows


def test_normalised_rows_have_unit_length_and_empty_rows_stay_empty():
    dense = np.array([[3, 4, 0], [0, 0, 0], [0, 0, 0.5]], np.float32)
    rows = normalised(SparseRows.from_dense(dense, 3))
    assert rows.indptr.tolist() == [0, 2, 2, 3]
    assert np.allclose(rows.weights, [0.6, 0.8, 1.0])
    assert np.allclose(lengths(rows), [1, 1e-6, 1])


def test_a_calibration_survives_the_file(tmp_path):
    vector, matrix = np.arange(3, dtype=np.float32), np.eye(3, dtype=np.float32) / 3
    written = Calibration(vector, matrix, vector + 1, vector + 2, 0.1, 0.2, 0.75, 0.3, -1.5)
    save_heads(tmp_path / "heads.safetensors", {"text_bias": vector}, written)
    read = HeadsFile(tmp_path / "heads.safetensors").calibration()
    assert np.array_equal(read.latent_cov, matrix), "statistics are not halved"
    assert np.array_equal(read.term_var, vector + 2)
    assert (read.lexicon_weight, read.weak) == (0.75, -1.5)
    assert np.float32(read.shows) == np.float32(0.3)


def test_tensors_below_a_prefix_lose_it(tmp_path):
    save_heads(
        tmp_path / "heads.safetensors",
        {"text.a.weight": np.eye(2, dtype=np.float32), "text_bias": np.zeros(2, np.float32)},
    )
    found = HeadsFile(tmp_path / "heads.safetensors").below("text.")
    assert list(found) == ["a.weight"]
    assert found["a.weight"].dtype == np.float32


def make_video_head(folder: Path) -> VideoHead:
    """A head of 6 features, 4 latent numbers and 9 terms."""
    rng = np.random.default_rng(0)
    shapes = {"mean": 6, "scale": 6, "direct.weight": (4, 6), "direct.bias": 4,
              "up.weight": (5, 6), "up.bias": 5, "down.weight": (4, 5)}  # fmt: skip
    names = {f"video_{side}.{name}": shape for side in ("latent", "lexicon")
             for name, shape in shapes.items()}  # fmt: skip
    names |= {"dictionary": (9, 4), "video_bias": 9}
    tensors = {name: rng.normal(size=shape).astype("f4") for name, shape in names.items()}
    save_heads(folder / "heads.safetensors", tensors | {"video_scale": np.float32(2)})
    return VideoHead(HeadsFile(folder / "heads.safetensors"))


@given(st.integers(1, 40), st.integers(1, 12), st.randoms())
@settings(max_examples=40, deadline=None)
def test_moments_do_not_depend_on_how_many_frames_are_held_at_once(frames, chunk, random):
    with tempfile.TemporaryDirectory() as folder:
        head = make_video_head(Path(folder))
    features = np.random.default_rng(frames).normal(size=(frames, 6)).astype("f4")
    firsts = [random.randrange(frames) for _ in range(7)]  # in any order, of any length
    spans = np.array([[first, random.randint(first + 1, frames)] for first in firsts])
    weights = head._weights(features)
    best = np.stack([weights[first:last].max(axis=0) for first, last in spans])
    moments = normalised(SparseRows.from_dense(best, 9))
    tracks = normalised(SparseRows.from_dense(weights, 9))
    means = np.stack([features[first:last].mean(axis=0) for first, last in spans])
    small = {"FRAME_CHUNK": chunk, "MOMENT_CHUNK": 3, "SORT_CHUNK": 2}
    with mock.patch.multiple(heads, **small):
        codes = head.encode(features, spans)
    np.testing.assert_allclose(codes.latents, unit(head._latent(means)), atol=1e-6)
    for rows, right in ((codes.lexicon, moments), (codes.tracks, tracks)):
        np.testing.assert_array_equal(rows.indptr, right.indptr)
        np.testing.assert_array_equal(rows.terms, right.terms)
        np.testing.assert_allclose(rows.weights, right.weights, rtol=1e-4, atol=1e-5)
