from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

pytest.importorskip("torch")

from tests.encoders.tiny import recipe, write_towers, write_world
from unify.encoders.corpus import Corpus, read_corpus
from unify.encoders.mlm import FILE
from unify.encoders.recipe import Recipe
from unify.encoders.start import open_start
from unify.encoders.train import run_config
from unify.engine.lexicon import Lexicon


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return write_world(tmp_path_factory.mktemp("world"))


@pytest.fixture
def config(world):
    """What a checkpoint must agree with."""
    made = recipe(world)
    return run_config(made, corpus_of(made).contents)


def corpus_of(made: Recipe) -> Corpus:
    return read_corpus(made, open_start(made), Lexicon.read(made.lexicon))


def test_a_run_that_was_moved_is_the_same_run(world, config, tmp_path):
    made = recipe(shutil.copytree(world, tmp_path / "elsewhere"))
    assert run_config(made, corpus_of(made).contents) == config
    assert config["model.sharing"] == "stem" and config["schedule.batch"] == 12
    assert json.loads(json.dumps(config)) == config


@pytest.mark.parametrize(
    ("name", "alter"),
    [
        ("lexicon", lambda top: (top / "lexicon.txt").write_text("apple\nzebra\n")),
        ("towers", lambda top: write_towers(top / "towers", seed=1)),
        ("pictures", lambda top: os.utime(top / "world-train" / "frames.tar", (0, 0))),
        ("captions", lambda top: edit(top / "world-train" / "captions.json", "picture", "plum")),
    ],
)
def test_other_content_under_the_same_name_is_another_run(world, config, tmp_path, name, alter):
    made = recipe(shutil.copytree(world, tmp_path / "elsewhere"))
    alter(tmp_path / "elsewhere")
    found = run_config(made, corpus_of(made).contents)
    differs = {key for key in config if found[key] != config[key]}
    assert differs == {name} | ({"pictures"} if name == "towers" else set())


def edit(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text().replace(old, new))


def test_another_text_tower_is_another_run_with_the_same_pictures(world, config, tmp_path):
    made = recipe(shutil.copytree(world, tmp_path / "elsewhere"))
    edit(tmp_path / "elsewhere" / "towers" / "tokenizer.json", '"##"', '"@@"')
    found = corpus_of(made).contents
    assert found["pictures"] == config["pictures"] and found["towers"] != config["towers"]


def test_another_language_head_is_another_run(world, config, tmp_path):
    made = recipe(shutil.copytree(world, tmp_path / "elsewhere"))
    head = tmp_path / "elsewhere" / "towers" / FILE
    seen = []
    for content in (b"one", b"other"):
        head.write_bytes(content)
        found = run_config(made, corpus_of(made).contents)
        assert {key for key in config if found[key] != config[key]} == {"towers"}
        seen.append(found["towers"])
    assert seen[0] != seen[1]


def test_as_many_pictures_of_an_item_are_kept_as_the_recipe_says(world):
    for frames in (1, 2):
        places = corpus_of(recipe(world, frames=frames)).data.places
        assert max(len(rows) for _, rows in places) == frames
