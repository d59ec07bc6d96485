from __future__ import annotations

from dataclasses import replace

import pytest
import scale
from constants import Constants

KNOWN = Constants(
    {"latents": 1024.0, "forward": 500.0}, 8.0, 3000.0, 900.0, 180.0, 2e-5, 4e-5, 2000.0, 5e-6,
    72.0, 165.0, 978.0, 0.003, (1.0, 0.0), (0.98, 0.99, 0.99), 1e-4, 600.0,
)  # fmt: skip
IT = scale.Library(KNOWN, scale.Assumed())


def test_a_machine_of_two_processors():
    assert IT.rate == pytest.approx(2 / 180 * 900)
    assert IT.wall_h(1) == pytest.approx(1e6 * 180 / 3600 / 2)
    assert IT.wall_h(10) == pytest.approx(IT.wall_h(1) / 10)
    assert IT.read_gbit(1) == pytest.approx(40 * 1.2 / 1000)


def test_a_full_store_is_as_fast_as_it_is():
    least_h = 1e6 * 3600 * 1.2e6 / 100e9 / 3600
    assert IT.wall_h(10_000) == IT.wall_h(100_000) == pytest.approx(least_h)


def test_publishing_grows_with_the_square_of_an_index():
    one, ten = IT.builder_s(1e6), IT.builder_s(1e7)
    for what in ("publishing: videos", "publishing: segments"):
        assert ten[what] == pytest.approx(100 * one[what])
    assert ten["writing"] == pytest.approx(10 * one["writing"])


def test_few_machines_make_more_publishes_than_many():
    many, one = IT.builder_s(1e7), IT.builder_s(1e7, machines=1)
    more = scale.PUBLISHED / (IT.rate * scale.PUBLISH_S)
    assert more > 10
    assert one["publishing: videos"] == pytest.approx(more * many["publishing: videos"])
    assert one["publishing: segments"] == pytest.approx(more**2 * many["publishing: segments"])
    assert IT.builder_s(1e7, machines=100) == many


def test_without_ray_its_driver_costs_nothing_that_is_known():
    alone = scale.Library(replace(KNOWN, driver=None), scale.Assumed())
    assert alone.builder_s(1e6)["Ray's driver"] == 0
    assert "not measured" in scale.table(*scale.measured(alone.known))


@pytest.mark.parametrize(
    "rows",
    [
        scale.measured(KNOWN), scale.library(IT), scale.fleets(IT), scale.builder(IT),
        scale.limits(IT), scale.shards(KNOWN),
    ],
)  # fmt: skip
def test_every_table_is_one(rows):
    lines = scale.table(*rows).splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert len(lines) > 3
