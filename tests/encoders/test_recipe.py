from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

pytest.importorskip("torch")

from unify.encoders.losses import Teacher
from unify.encoders.recipe import LossRecipe, ModelRecipe, ScheduleRecipe, read_recipe
from unify.encoders.towers import Sharing
from unify.engine.errors import UsageError

WHOLE = """
towers = "towers"
lexicon = "/words/lexicon.txt"
data = ["a-train", "/elsewhere/b-train"]
out = "pack"
cache = "cache"
seed = 3
[model]
sharing = "none"
[schedule]
epochs = 2
rate = 1
[loss]
teacher = "latent"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text(text)
    return path


def test_settings_and_paths_beside_the_recipe(tmp_path):
    made = read_recipe(write(tmp_path, WHOLE))
    assert made.towers == str(tmp_path / "towers")
    assert made.lexicon == Path("/words/lexicon.txt")
    assert made.data == (tmp_path / "a-train", Path("/elsewhere/b-train"))
    assert (made.seed, made.schedule.epochs, made.schedule.rate) == (3, 2, 1.0)
    assert isinstance(made.schedule.rate, float)
    assert made.model.sharing is Sharing.NONE and made.loss.teacher is Teacher.LATENT
    assert made.model.latent == 512, "the rest has defaults"


@pytest.mark.parametrize(
    ("written", "towers"),
    [("hf:clip", "hf:{0}/clip"), ("hf:/my/clip", "hf:/my/clip"), ("hf:~/clip", "hf:/home/me/clip")],
)
def test_a_checkpoint_lies_beside_the_recipe_too(tmp_path, monkeypatch, written, towers):
    monkeypatch.setenv("HOME", "/home/me")
    made = read_recipe(write(tmp_path, WHOLE.replace('"towers"', f'"{written}"')))
    assert made.towers == towers.format(tmp_path)
    made = read_recipe(write(tmp_path, WHOLE), {"towers": "hf:clip"})
    assert made.towers == "hf:clip", "what was typed counts from where it was typed"


def test_changes_count_instead_of_the_file(tmp_path):
    made = read_recipe(
        write(tmp_path, WHOLE),
        {"seed": 5, "out": Path("here"), "data": (Path("c"),), "cache": None, "towers": "t"},
    )
    assert (made.seed, made.out, made.data) == (5, Path("here"), (Path("c"),))
    assert made.cache == tmp_path / "cache" and made.towers == "t"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("epochs", "epoch"), r"unknown setting schedule\.epoch; use one of epochs, batch"),
        (("seed = 3", "sed = 3"), "unknown setting sed"),
        (('"none"', '"half"'), r"model\.sharing is 'half'; use one of stem, all, none"),
        (("epochs = 2", "epochs = 2.5"), r"schedule\.epochs is 2\.5; give a value of type int"),
        (("epochs = 2", "epochs = true"), r"schedule\.epochs is True"),
        (('cache = "cache"', ""), "does not say cache; add cache"),
        (("[loss]", "[loss"), "is not a recipe"),
    ],
)
def test_mistakes_are_named(tmp_path, change, message):
    with pytest.raises(UsageError, match=message):
        read_recipe(write(tmp_path, WHOLE.replace(*change)))


def with_setting(name: str, value: str) -> str:
    """The whole recipe with one setting more, or another value for one."""
    section, _, name = name.rpartition(".")
    head, mark, tail = WHOLE.partition(f"[{section}]\n") if section else ("", "", WHOLE)
    mine, rest, others = tail.partition("\n[")
    kept = [line for line in mine.splitlines() if not line.startswith(f"{name} ")]
    return "\n".join([head + mark, f"{name} = {value}", *kept]) + rest + others


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("schedule.batch", "1", "give 2 or more"),
        ("schedule.epochs", "0", "give 1 or more"),
        ("schedule.ground_share", "1.5", "give a number from 0 to 1"),
        ("schedule.warmup", "-0.1", "give a number from 0 to 1"),
        ("schedule.rate", "-0.001", "give 0 or more"),
        ("schedule.rate", "nan", "give 0 or more"),
        ("schedule.rate", "inf", "give 0 or more"),
        ("schedule.averaging", "1", "give 0 or more, below 1"),
        ("schedule.pictures", "0", "give 1 or more"),
        ("schedule.views", "0", "give 1 or more"),
        ("schedule.frames", "0", "give 1 or more"),
        ("schedule.evaluate_every", "0", "give 1 or more"),
        ("model.latent", "0", "give 1 or more"),
        ("model.hidden", "-4", "give 1 or more"),
        ("model.dropout", "1.0", "give 0 or more, below 1"),
        ("model.text_dropout", "-0.5", "give 0 or more, below 1"),
        ("model.frozen_layers", "-1", "give 0 or more"),
        ("model.sharing", "3", "use one of stem, all, none"),
        ("loss.teacher", '["latent"]', "use one of "),
        ("loss.distillation", "-1", "give 0 or more"),
        ("loss.text_terms", "0", "give a number above 0"),
        ("loss.ground_offset", "inf", "give a finite number"),
        ("seed", "-1", "give 0 or more, below 2^63"),
        ("seed", "9223372036854775808", "give 0 or more, below 2^63"),
        ("name", "3", "give a value of type str"),
        ("data", '"a-train"', "give a list of folders in quotes"),
        ("data", '["a-train", 3]', "give a list of folders in quotes"),
        ("lexicon", '["lexicon.txt"]', "give a path in quotes"),
        ("out", "3", "give a path in quotes"),
        ("towers", "[]", "give a path in quotes"),
    ],
)
def test_a_value_that_cannot_be_is_named_in_one_line(tmp_path, name, value, remedy):
    path = write(tmp_path, with_setting(name, value))
    with pytest.raises(UsageError) as caught:
        read_recipe(path)
    line = str(caught.value)
    assert line.startswith(f"{path}: {name} is ") and remedy in line and "\n" not in line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("schedule.batch", "2"),
        ("schedule.ground_share", "1"),
        ("schedule.ground_share", "0"),
        ("schedule.averaging", "0"),
        ("schedule.rate", "0"),
        ("model.frozen_layers", "0"),
        ("loss.text_terms", "0.5"),
        ("loss.ground_offset", "-2"),
    ],
)
def test_the_ends_of_a_range_belong_to_it(tmp_path, name, value):
    made = read_recipe(write(tmp_path, with_setting(name, value)))
    section, setting = name.split(".")
    assert getattr(getattr(made, section), setting) == float(value)


def test_every_number_has_a_range():
    for section in (ModelRecipe, ScheduleRecipe, LossRecipe):
        for setting in fields(section):
            number = type(setting.default) in (int, float)
            assert number == ("allowed" in setting.metadata), setting.name
            assert not number or setting.default in setting.metadata["allowed"]


def test_a_section_that_is_no_table_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"model is 3; write its settings below \[model\]"):
        read_recipe(write(tmp_path, "model = 3" + WHOLE.replace("[model]\n", "[other]\n")))


def test_an_empty_path_is_a_missing_one(tmp_path):
    with pytest.raises(UsageError, match="does not say out"):
        read_recipe(write(tmp_path, WHOLE.replace('out = "pack"', 'out = ""')))


def test_a_change_is_held_to_the_same_ranges(tmp_path):
    with pytest.raises(UsageError, match="seed is -3; give 0 or more"):
        read_recipe(write(tmp_path, WHOLE), {"seed": -3})


def test_a_recipe_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = write(tmp_path, WHOLE)
    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(UsageError, match=r"cannot be read \(Permission denied\)"):
        read_recipe(path)


def test_a_missing_recipe_is_named(tmp_path):
    with pytest.raises(UsageError, match="does not exist; give a recipe"):
        read_recipe(tmp_path / "no.toml")
