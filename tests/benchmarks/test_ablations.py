from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from benchmarks import ablations  # noqa: E402
from benchmarks.ablations import MODES, NONE, RECIPE, VARIANTS, measure, vocabulary  # noqa: E402
from tests.encoders.tiny import recipe, write_world  # noqa: E402
from unify.encoders.recipe import changed, read_recipe  # noqa: E402
from unify.engine.errors import UsageError  # noqa: E402
from unify.engine.fusion import Mode  # noqa: E402

NAMES = ("base", "latent-only", "lexicon-only")
CHOSEN = [variant for variant in VARIANTS if variant.name in NAMES]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    world = write_world(tmp_path_factory.mktemp("world"))
    made = recipe(world, epochs=1, views=1, batch=50)
    return replace(changed(made, {"model": {"train_video": False}}), out=world / "runs")


@pytest.fixture(scope="module")
def reports(base):
    """Every report of a start that runs two of three variants, then one that runs the third."""
    return [*measure(base, CHOSEN, 1, NAMES[:2]), *measure(base, CHOSEN, 1)]


def rows(text: str) -> dict[str, list[str]]:
    """Return the cells of the first table by variant."""
    table = text.split("R@10\n\n")[1].split("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    return {name: rest for name, *rest in cells}


def figures(base, name: str) -> dict[str, object]:
    text = (base.out / name / "seed-0" / "training.json").read_text("utf-8")
    return json.loads(text)["held_out"]


def test_each_run_is_reported_when_it_is_finished(reports):
    assert [tuple(rows(text)) for text in reports] == [
        NAMES[:1], NAMES[:2], NAMES[:2], NAMES,
    ]  # fmt: skip


def test_the_table_has_the_figures_of_the_runs(base, reports):
    found = figures(base, "base")["recall"]["world"]
    cells = [
        " / ".join(f"{found[mode][rank]:.1f}" for rank in ("at_1", "at_5", "at_10"))
        for mode in MODES
    ]
    assert rows(reports[-1])["base"] == ["1", *cells]
    assert found["fused"]["at_10"] > 0


def test_a_branch_alone_has_no_figures_for_the_other(base, reports):
    table = rows(reports[-1])
    assert [cell == NONE for cell in table["latent-only"]] == [False, False, True, True]
    assert [cell == NONE for cell in table["lexicon-only"]] == [False, True, False, True]
    lexicon = reports[-1].split("The lexicon side")[1]
    assert "| latent-only |" not in lexicon
    terms = figures(base, "lexicon-only")["moment_terms"]
    assert f"| lexicon-only | {terms:.1f} |" in lexicon


def test_what_is_finished_is_not_run_again(base, reports, monkeypatch):
    monkeypatch.setattr(ablations, "train_pack", lambda _: pytest.fail("trained again"))
    assert list(measure(base, CHOSEN, 1)) == [reports[-1]]


def test_a_finished_run_keeps_only_what_is_small(base, reports):
    folder = base.out / "base" / "seed-0"
    kept = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert kept == {
        "run.json", "training.json", "training/curves.png", "training/metrics.jsonl",
    }  # fmt: skip


def test_an_interrupted_run_is_not_finished(base, reports, monkeypatch):
    def killed(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ablations, "train_pack", killed)
    with pytest.raises(KeyboardInterrupt):
        list(measure(base, CHOSEN, 2))
    assert rows(next(measure(base, CHOSEN, 2)))["base"][0] == "1"


def test_runs_of_another_recipe_are_refused(base, reports, tmp_path):
    other = changed(base, {"schedule": {"epochs": 2}})
    with pytest.raises(UsageError, match="another recipe"):
        next(measure(other, CHOSEN, 1))
    lexicon = tmp_path / "lexicon.txt"
    lexicon.write_text("apple\n")
    with pytest.raises(UsageError, match="another recipe"):
        next(measure(replace(base, lexicon=lexicon), CHOSEN, 1))


def test_an_unknown_variant_is_refused(base):
    with pytest.raises(UsageError, match="no variant nothing; use one of base, "):
        next(measure(base, VARIANTS, 1, ["nothing"]))


def test_seeds_are_summed_up_as_mean_and_sample_deviation():
    runs = [
        ablations.Run(
            {"recall": {"x": {m: dict.fromkeys(ablations.RANKS, value) for m in MODES}}}, None, ""
        )
        for value in (10.0, 12.0, 14.0)
    ]
    *_, line = ablations.recall_table("x", [(VARIANTS[0], runs)])
    cell = " / ".join(["12.0 ± 2.0"] * 3)
    assert line == f"| base | 3 | {cell} | {cell} | {cell} |"


def test_every_variant_is_one_change_of_the_committed_recipe(tmp_path):
    given = {"towers": "t", "data": (tmp_path,), "out": tmp_path, "cache": tmp_path}
    base = read_recipe(RECIPE, given)
    assert base.lexicon.is_file() and not base.model.train_video
    by_recipe = [variant for variant in VARIANTS if not variant.averaged]
    made = [replace(variant.recipe(base, 0), out=base.out) for variant in by_recipe]
    assert made[0] == base
    assert all(made.count(one) == 1 for one in made)
    assert len({variant.name for variant in VARIANTS}) == len(VARIANTS)


def test_another_lexicon_is_a_variant(base, tmp_path):
    file = tmp_path / "small.txt"
    file.write_text("apple\n")
    variant = vocabulary(f"small={file}")
    made = variant.recipe(base, 2)
    assert (made.lexicon, made.seed) == (file, 2)
    assert made.out == base.out / "lexicon-small" / "seed-2"
    assert Mode.LATENT in variant.modes
    for bad in ("small", "=x", f"a/b={file}", "small=missing.txt"):
        with pytest.raises(argparse.ArgumentTypeError):
            vocabulary(bad)


def test_a_wrong_call_ends_in_one_line(tmp_path):
    command = [sys.executable, ablations.__file__, "--towers", "t", "--data", str(tmp_path)]
    options = ["--out", str(tmp_path / "out"), "--only", "nothing"]
    found = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert found.returncode == 2
    assert found.stderr.startswith("there is no variant nothing; use one of")
    assert len(found.stderr.splitlines()) == 1
