from __future__ import annotations

import numpy as np

from unify.encoders.heads import HeadsFile, lengths, normalised, save_heads
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
