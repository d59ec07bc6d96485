from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from unify.encoders.losses import Teacher
from unify.encoders.recipe import read_recipe
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


def test_a_missing_recipe_is_named(tmp_path):
    with pytest.raises(UsageError, match="does not exist; give a recipe"):
        read_recipe(tmp_path / "no.toml")
