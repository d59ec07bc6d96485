"""Rows, there and back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.engine.milvus.sides import SHOWS
from unify.engine.errors import DamagedIndex, UsageError
from unify.engine.local import open_snapshot
from unify.engine.milvus.rows import Row, decode, encode, local_rows


@pytest.mark.parametrize("half", [False, True])
def test_a_row_comes_back_bit_for_bit(corpus, half):
    for row in local_rows(open_snapshot(corpus.directory), "acme"):
        odd = replace(row, places=(("clips", "/abs", "a\udcff\n%.mp4"), ("x", "/y", "ü\U0001f600")))
        for one in (row, odd):
            sent = encode(one, 20, SHOWS, half)
            assert sent["latent"].dtype == (np.float16 if half else np.float32)
            assert sent["lexicon"]  # the server takes no empty one
            if half:  # as the client gives them back
                sent["latent"] = [sent["latent"].tobytes()]
            back = decode(sent, 20)
            assert back.id == one.id
            assert back.paths() == one.paths()
            assert np.array_equal(back.latent, one.latent)
            assert np.array_equal(back.weights, one.weights)
            assert all(map(np.array_equal, back.tracks, one.tracks))


def test_a_row_is_known_by_all_that_it_says(corpus):
    row = next(local_rows(open_snapshot(corpus.directory), "acme"))
    others = [
        replace(row, end_s=row.end_s + 1e-9),
        replace(row, places=(("clips", "/abs", "renamed.mp4"),)),
        replace(row, latent=-row.latent),
        replace(row, times_s=row.times_s + 1e-6),
        replace(row, part=row.part + 1),
        replace(row, tenant="other"),
    ]
    assert len({one.id for one in (row, *others)}) == len(others) + 1
    altered = encode(row, 20, SHOWS, False)
    altered["start_s"] += 1.0
    for one in (altered, altered | {"tracks": "A"}, altered | {"places": "[]]"}):
        with pytest.raises(DamagedIndex, match="is not what was pushed"):
            decode(one, 20)


def test_a_row_that_is_too_large_is_refused(corpus):
    row = next(local_rows(open_snapshot(corpus.directory), "acme"))
    large = replace(row, places=tuple(("r", "/r", "x" * 200) for _ in range(400)))
    with pytest.raises(UsageError, match="than a row holds"):
        encode(large, 20, SHOWS, False)


def test_local_rows_are_those_that_live(corpus):
    rows: list[Row] = list(local_rows(open_snapshot(corpus.directory), "acme"))
    assert {row.video for row in rows} == {video.id for video in corpus.videos}
    assert len({row.id for row in rows}) == len(rows)
