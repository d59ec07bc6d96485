from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
from huggingface_hub.errors import HFValidationError, HTTPError, RepositoryNotFoundError

from unify.encoders import hub
from unify.engine.errors import MissingPackage, UsageError

THERE = [
    "README.md", "LICENSE", "config.json", "flax_model.msgpack", "merges.txt", "model.safetensors",
    "onnx/model.onnx", "preprocessor_config.json", "pytorch_model.bin", "tokenizer.json",
]  # fmt: skip
WANTED = [
    "config.json", "merges.txt", "preprocessor_config.json", "tokenizer.json", "model.safetensors",
    "README.md", "LICENSE",
]  # fmt: skip


class Hub:
    """Stands for the model hub: what it was asked, and what it answers."""

    def __init__(self) -> None:
        self.names = list(THERE)
        self.config: dict[str, str] | None = {"model_type": "clip"}
        self.error: Exception | None = None
        self.asked: list[list[str]] = []
        self.bars = ""

    def model_info(self, model_id: str) -> SimpleNamespace:
        if self.error:
            raise self.error
        siblings = [SimpleNamespace(rfilename=name) for name in self.names]
        return SimpleNamespace(sha="1a2b", siblings=siblings, config=self.config)

    def snapshot_download(
        self, model_id: str, *, revision: str, local_dir: Path, allow_patterns: list[str]
    ) -> None:
        assert revision == "1a2b", "what was looked at is what is fetched"
        self.asked.append(allow_patterns)
        local_dir.mkdir(parents=True, exist_ok=True)
        (local_dir / ".cache").mkdir(exist_ok=True)
        for name in allow_patterns:
            (local_dir / name).write_text(name)


@pytest.fixture
def far(monkeypatch) -> Hub:
    made = Hub()
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: made)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", made.snapshot_download)
    for name in ("enable_progress_bars", "disable_progress_bars"):
        monkeypatch.setattr(
            huggingface_hub.utils, name, lambda name=name: setattr(made, "bars", name)
        )
    return made


def test_only_what_is_needed_is_fetched(tmp_path, far):
    assert hub.download("owner/name", tmp_path / "checkpoint", bars=False) == "1a2b"
    assert sorted(far.asked[0]) == sorted(WANTED)
    assert far.bars == "disable_progress_bars"
    hub.download("owner/name", tmp_path / "checkpoint", bars=True)
    assert far.bars == "enable_progress_bars"


def test_licences_in_a_folder_are_left_out(tmp_path, far):
    far.names = [*THERE, "LICENSES/MIT.txt"]
    hub.download("owner/name", tmp_path, bars=False)
    assert sorted(far.asked[0]) == sorted(WANTED)


def test_files_of_another_revision_go(tmp_path, far):
    hub.download("owner/name", tmp_path, bars=False)
    shards = ["model.safetensors.index.json", "model-00001-of-00001.safetensors"]
    far.names = [name for name in THERE if name != "model.safetensors"] + shards
    hub.download("owner/name", tmp_path, bars=False)
    assert not (tmp_path / "model.safetensors").exists()
    assert (tmp_path / shards[1]).is_file() and (tmp_path / ".cache").is_dir()


def test_weights_are_the_safest_there_are():
    bins = ["pytorch_model.bin", "config.json"]
    assert hub.checkpoint_files(bins) == ["config.json", "pytorch_model.bin"]
    shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    index = "model.safetensors.index.json"
    assert hub.checkpoint_files([*bins, *shards, index]) == ["config.json", *shards, index]
    assert hub.checkpoint_files([*bins, *shards, "model.safetensors"])[1:] == ["model.safetensors"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"config": {"model_type": "llama"}}, "type 'llama', .*; choose a model of type clip"),
        ({"names": ["config.json", "tf_model.h5"]}, "has no config.json with safetensors or .bin"),
        ({"names": ["model.safetensors"], "config": None}, "has no config.json"),
        ({"error": HTTPError("no route to host")}, r"\(no route to host\); check network"),
        ({"error": HFValidationError("no such\nname")}, r"\(no such name\); check network"),
        ({"error": OSError(28, "No space left on device")}, "No space left.*; check network and"),
    ],
)
def test_what_cannot_be_downloaded_is_one_line(tmp_path, far, change, complaint):
    vars(far).update(change)
    with pytest.raises(UsageError, match=complaint) as caught:
        hub.download("owner/name", tmp_path / "checkpoint", bars=False)
    assert "owner/name" in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "checkpoint").exists()


def test_a_model_that_is_not_there(tmp_path, far):
    far.error = RepositoryNotFoundError(
        "404\nNot found", response=SimpleNamespace(request=None, headers={})
    )
    with pytest.raises(UsageError, match="no owner/name that is open to you; check its name"):
        hub.download("owner/name", tmp_path, bars=False)


def test_without_the_hubs_library_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingPackage, match=r"pip install 'unify-search\[hf\]'"):
        hub.download("owner/name", tmp_path, bars=False)


def test_models_lie_in_the_data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert hub.pulled_folder("owner/my-model.v2") == tmp_path / "unify/models/owner--my-model.v2"
    assert hub.pulled_ids() == []
    for name in ("owner--my-model.v2", "other--half", "local/clip-0123"):
        (tmp_path / "unify/models" / name).mkdir(parents=True)
    for name in ("owner--my-model.v2", "local/clip-0123"):
        (tmp_path / "unify/models" / name / "pack.json").touch()
    assert hub.pulled_ids() == ["owner/my-model.v2"], "not what was cut off"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert hub.models_folder() == tmp_path / ".local/share/unify/models"


@pytest.mark.parametrize(
    "name", ["", "clip", "../x", "a/../b", "a/b/c", "/etc/x", "a--b/c", "a/.b"]
)
def test_names_that_cannot_be_a_models(name):
    with pytest.raises(UsageError, match="names no model; give OWNER/NAME"):
        hub.pulled_folder(name)
