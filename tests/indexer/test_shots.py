from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.indexer.building import TERMS, NumberEncoder, contents, run_build
from tests.indexer.media import make_video, number_of
from unify.engine.types import Float32, Int64, MomentCodes, UInt8
from unify.indexer import shots
from unify.indexer.shots import find_shots

SCENES = np.linalg.qr(np.random.default_rng(0).normal(size=(32, 32)))[0].astype(np.float32)


def scene(number: int, count: int, noise: float = 0.1, seed: int = 0) -> Float32:
    """Frames of one shot: all much alike."""
    random = np.random.default_rng([number, seed])
    return (SCENES[number] + noise * random.normal(size=(count, 32)) / 6).astype(np.float32)


def worth(units: np.ndarray, firsts: list[int]) -> float:
    ends = [*firsts[1:], len(units)]
    sums = (units[a:b].sum(axis=0) for a, b in zip(firsts, ends, strict=True))
    parts = (s @ s / (b - a) for s, a, b in zip(sums, firsts, ends, strict=True))
    return float(sum(parts)) - shots.PRICE * len(firsts)


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.floats(0.05, 2.0))
def test_no_way_to_cut_is_better(seed: int, count: int, spread: float):
    random = np.random.default_rng(seed)
    middles = np.repeat(random.normal(size=(3, 6)), 3, axis=0)[:count]
    features = (middles + spread * random.normal(size=(count, 6))).astype(np.float32)
    found = find_shots(features, float(count), jump=-1.0).tolist()
    units = features / np.linalg.norm(features.astype(np.float64), axis=1, keepdims=True)
    ways = (
        [0, *way] for size in range(count) for way in itertools.combinations(range(1, count), size)
    )
    assert worth(units, found) == pytest.approx(max(worth(units, way) for way in ways), abs=1e-5)


def test_hard_cuts_are_found_where_they_are():
    lengths = [9, 3, 20, 2, 6, 40]
    features = np.concatenate([scene(i, count) for i, count in enumerate(lengths)])
    expected = [0, *np.cumsum(lengths)[:-1].tolist()]
    assert find_shots(features, float(len(features))).tolist() == expected


@pytest.mark.parametrize("per_s", [1, 4])
def test_more_pictures_a_second_find_the_same_cuts(per_s: int):
    features = np.concatenate([scene(i, 5 * per_s, noise=0.4) for i in range(8)])
    found = find_shots(features, 40.0)
    assert (found / per_s).tolist() == [0, 5, 10, 15, 20, 25, 30, 35]


def test_a_fade_is_one_cut():
    mixed = (0.5 * SCENES[0] + 0.5 * SCENES[1])[None]
    features = np.concatenate([scene(0, 6), mixed, scene(1, 6)])
    found = find_shots(features, 13.0).tolist()
    assert found in ([0, 6], [0, 7])


@pytest.mark.parametrize("count", [1, 2, 8, 300])
def test_a_video_without_cuts_is_one_shot(count: int):
    assert find_shots(scene(0, count, noise=0.6), float(count)).tolist() == [0]


def test_a_camera_that_wanders_makes_no_cut():
    angles = np.linspace(0, np.pi / 2, 40)[:, None]
    features = (np.cos(angles) * SCENES[0] + np.sin(angles) * SCENES[1]).astype(np.float32)
    assert len(find_shots(features, 40.0, jump=-1.0)) > 1  # it does pay the price
    assert find_shots(features, 40.0).tolist() == [0]


def test_a_flash_is_no_cut():
    features = scene(0, 20)
    features[9] = 0.3 * SCENES[0] + 0.95 * SCENES[5]
    assert find_shots(features, 20.0).tolist() == [0]


def test_a_shot_longer_than_the_search_looks_back_is_one(monkeypatch):
    monkeypatch.setattr(shots, "LONGEST_S", 10.0)
    features = np.concatenate([scene(0, 95), scene(1, 33)])
    assert find_shots(features, 128.0).tolist() == [0, 95]


def test_features_without_length_make_no_cut():
    features = scene(0, 12)
    features[4:6] = 0
    assert find_shots(features, 12.0).tolist() == [0]
    assert find_shots(np.zeros((12, 32), np.float32), 12.0).tolist() == [0]


class SceneEncoder(NumberEncoder):
    """A frame shows the scene that the hundreds of its number tell."""

    def encode_frames(self, frames: UInt8) -> Float32:
        numbers = np.array([number_of(frame) for frame in frames])
        ones = np.eye(41, dtype=np.float32)[numbers // 100]
        return np.concatenate([ones, numbers[:, None] * np.float32(1e-5)], axis=1)

    def encode_moments(self, features: Float32, spans: Int64) -> MomentCodes:
        numbers = np.round(features[:, -1:] * 1e5).astype(np.float32)
        return super().encode_moments(numbers, spans)


def test_a_build_cuts_moments_at_shots(tmp_path):
    # 5 s of scene 0, 12 s of scene 3, 1 s of scene 7 and 6 s of scene 9, four frames a second.
    scenes = ((0, 20), (300, 48), (700, 4), (900, 24))
    frames = [first + i for first, count in scenes for i in range(count)]
    path = make_video(tmp_path / "cuts.mp4", frames, rate=4)
    run_build([path], tmp_path / "index", SceneEncoder())
    moments = contents(tmp_path / "index")[str(path)]
    assert [(start_s, end_s) for start_s, end_s, _ in moments] == [
        (0.0, 5.0), (5.0, 13.0), (9.0, 17.0), (17.0, 18.0), (18.0, 24.0),
    ]  # fmt: skip
    assert [len(numbers) for *_, numbers in moments] == [5, 8, 8, 1, 6]
    assert moments[0][2] == [(4 * second + 2) % TERMS for second in range(5)]
    assert moments[3][2] == [702 % TERMS]
