"""Costs are measured once, kept, and never trusted blindly."""

import json
from dataclasses import asdict

import pytest

from unify.engine import costs


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    costs.machine_costs.cache_clear()
    yield tmp_path / "unify" / "costs.json"
    costs.machine_costs.cache_clear()


def test_measured_once_and_read_again(cache, monkeypatch):
    measured = costs.machine_costs()
    assert all(value > 0 for value in asdict(measured).values())
    assert json.loads(cache.read_text())["costs"] == asdict(measured)
    costs.machine_costs.cache_clear()
    monkeypatch.setattr(costs, "measure", lambda: pytest.fail("measured again"))
    assert costs.machine_costs() == measured


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"machine": {}, "costs": {}}'])
def test_a_file_that_is_not_ours_is_measured_again(cache, monkeypatch, text):
    monkeypatch.setattr(costs, "measure", lambda: costs.USUAL)
    cache.parent.mkdir(parents=True)
    cache.write_text(text)
    assert costs.machine_costs() == costs.USUAL
    assert json.loads(cache.read_text())["costs"] == asdict(costs.USUAL)


def test_a_cache_that_cannot_be_written_costs_time_alone(cache, monkeypatch):
    monkeypatch.setattr(costs, "measure", lambda: costs.USUAL)
    cache.parent.write_text("a file where the folder should be")
    assert costs.machine_costs() == costs.USUAL
