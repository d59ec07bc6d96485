"""A whole run on two processes; torch's launcher starts this file itself, which then trains."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

from tests.encoders.processes import on_two_processes
from tests.encoders.tiny import recipe, write_world
from unify.encoders.packs import open_pack
from unify.encoders.train import train_pack


def test_two_processes_train_one_pack_and_one_of_them_tells(tmp_path):
    write_world(tmp_path)
    told = on_two_processes(__file__, tmp_path)
    told = [line for line in told.splitlines() if line.startswith("told:")]
    assert told[:2] == [
        "told:0 world: encoding the pictures of 120 items",
        "told:0 epoch 1 of 1",
    ]
    assert len(told) == 3 and told[2].startswith("told:0   recall/world/latent ")
    assert len(list((tmp_path / "cache").iterdir())) == 2, "features and their index"
    open_pack(str(tmp_path / "pack")).verify()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format=f"told:{os.environ['RANK']} %(message)s")
    train_pack(recipe(Path(sys.argv[1]), epochs=1))
