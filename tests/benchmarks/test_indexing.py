from __future__ import annotations

from pathlib import Path

import footage
import indexing
import pytest

from unify.indexer.decode import VideoFile

SAMPLES = Path(__file__).resolve().parents[2] / "samples"


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(footage, "SCENE_S", {360: 2.0})


@pytest.mark.parametrize("codec", ["h264", "mpeg4"])
def test_footage_is_as_long_as_asked_and_runs_through(tmp_path, short, codec):
    path = footage.make(SAMPLES, tmp_path, codec, 360, 6.0, gop=20)
    video = VideoFile(str(path))
    timeline = video.timeline()
    assert timeline.duration_s == pytest.approx(6.0, abs=0.1)
    assert len(timeline.ticks) == 180
    assert timeline.times_s.tolist() == pytest.approx([n / 30 for n in range(180)], abs=2e-3)
    facts = video.facts()
    assert (facts.width, facts.height) == (640, 360)
    made = path.stat().st_mtime_ns
    assert footage.make(SAMPLES, tmp_path, codec, 360, 6.0, gop=20).stat().st_mtime_ns == made


def test_the_figures_of_one_video(tmp_path, short):
    path = footage.make(SAMPLES, tmp_path, "h264", 360, 10.0)
    row = indexing.measure(path, indexing.Options(1.0, 1, None), 1)
    assert row["video_s"] == pytest.approx(10.0, abs=0.1)
    assert not row["failed"]
    assert row["peak_mb"] > 50
    assert sum(row["stages_percent"].values()) == pytest.approx(100, abs=3)
    assert all(value > 0 for value in row["stages_times_real_time"].values())
    text = indexing.table([row])
    assert path.name in text
    assert len({line.count("|") for line in text.splitlines()}) == 1
