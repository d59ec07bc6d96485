from __future__ import annotations

import json
import shutil
import socket
import sys
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import AutoImageProcessor, AutoTokenizer

from tests.encoders.checkpoints import FAMILIES, SIDE, save_clip
from unify.encoders.hf import INSTALL, Towers, load_torch, read_config
from unify.encoders.hf_pixels import read_pixels
from unify.engine.errors import MissingPackage, UsageError
from unify.indexer.ports import FrameShape
from unify.indexer.scaling import scale_picture

ROOT = Path(__file__).resolve().parents[2]
TEXTS = ["a cat", "An ox, and a very long dog!", "", "cat", "dog dog", "Zxqv \U0001f408"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    top = tmp_path_factory.mktemp("checkpoints")
    return {kind: make(top / kind) for kind, make in FAMILIES.items()}


@pytest.fixture(scope="module")
def opened(folders: dict[str, Path]) -> dict[str, Towers]:
    return {kind: Towers(folder, "cpu") for kind, folder in folders.items()}


@pytest.fixture
def clip(folders: dict[str, Path], tmp_path: Path) -> Path:
    """A CLIP of its own, to be spoilt."""
    shutil.copytree(folders["clip"], tmp_path / "clip")
    return tmp_path / "clip"


def test_words_of_one_token_are_known(opened):
    assert [opened["clip"].knows(word) for word in ("cat", "dog", "catt", "do")] == [
        True, True, False, False,
    ]  # fmt: skip
    assert not opened["siglip2"].knows("cat")  # its tokenizer has letters alone
    for towers in opened.values():
        towers.tokens(["cat"])
        tokenizer = towers._tokenizer.backend_tokenizer
        settings = (tokenizer.padding, tokenizer.truncation)  # other threads may be encoding
        towers.knows("dog")
        assert (tokenizer.padding, tokenizer.truncation) == settings != (None, None)


def noise(shape: FrameShape, count: int = 3) -> np.ndarray:
    size = (count, shape.height, shape.width, 3)
    return np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)


def by_processor(towers: Towers, folder: Path, frames: np.ndarray) -> np.ndarray:
    inputs = AutoImageProcessor.from_pretrained(folder)(images=[*frames], return_tensors="pt")
    with torch.no_grad():
        return towers.model.get_image_features(**inputs).pooler_output.numpy()


def change_pixels(folder: Path, **settings: object) -> None:
    path = folder / "preprocessor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


@pytest.mark.parametrize("kind", FAMILIES)
def test_frames_come_out_as_from_the_checkpoints_own_processor(folders, opened, kind):
    towers = opened[kind]
    frames = noise(towers.pixels.shape)
    mine = towers.encode_frames(frames)
    assert mine.dtype == np.float32 and mine.shape == (3, towers.dim)
    assert np.abs(mine - by_processor(towers, folders[kind], frames)).max() < 1e-5
    assert np.abs(mine[0] - mine[1]).max() > 0.1, "features differ"
    alone = np.concatenate([towers.encode_frames(frame[None]) for frame in frames])
    assert np.abs(mine - alone).max() < 1e-5


@pytest.mark.parametrize("kind", FAMILIES)
def test_texts_come_out_as_the_model_documents_it(folders, opened, kind):
    towers, tokenizer = opened[kind], AutoTokenizer.from_pretrained(folders[kind])
    if kind.startswith("siglip"):
        texts, how = [text.lower() for text in TEXTS], {"padding": "max_length"}
    else:
        texts, how = TEXTS, {"padding": True}
    inputs = tokenizer(
        texts, truncation=True, max_length=towers.context, return_tensors="pt", **how
    )
    if kind.startswith("siglip"):
        inputs = {"input_ids": inputs["input_ids"]}  # trained without a mask
    with torch.no_grad():
        expected = towers.model.get_text_features(**inputs).pooler_output.numpy()
    mine = towers.encode_texts(TEXTS)
    assert mine.dtype == np.float32 and mine.shape == (len(TEXTS), towers.dim)
    assert np.abs(mine - expected).max() < 1e-5
    assert np.abs(mine[3] - mine[4]).max() > 0.1, "features differ"


@pytest.mark.parametrize("kind", FAMILIES)
def test_padding_never_changes_a_vector(opened, kind):
    together = opened[kind].encode_texts(TEXTS)
    alone = np.concatenate([opened[kind].encode_texts([text]) for text in TEXTS])
    assert np.abs(together - alone).max() < 1e-5


def test_no_text_is_no_feature(opened):
    assert opened["clip"].encode_texts([]).shape == (0, opened["clip"].dim)


@pytest.mark.parametrize("kind", FAMILIES)
def test_capitals_mean_nothing(opened, kind):
    small, capital = opened[kind].encode_texts(["a cat", "A CAT"])
    assert np.abs(small - capital).max() < 1e-5


@pytest.mark.parametrize("kind", FAMILIES)
def test_token_states_are_those_of_the_words(opened, kind):
    towers = opened[kind]
    tokens = towers.tokens(["a cat", "dog"])
    found = towers.token_states(tokens)
    assert found.states.shape == (*tokens["input_ids"].shape, towers.dim)
    assert (
        np.abs(found.pooled.detach().numpy() - towers.encode_texts(["a cat", "dog"])).max() < 1e-5
    )
    pairs = zip(tokens["input_ids"], found.words, strict=True)
    words = [towers._tokenizer.convert_ids_to_tokens(ids[mask]) for ids, mask in pairs]
    spelt = ["".join(some).replace("</w>", " ").replace("▁", " ").strip() for some in words]
    assert spelt == ["a cat", "dog"]
    if kind.startswith("siglip"):
        assert torch.allclose(found.states[:, -1], found.pooled, atol=1e-5)
    else:
        assert torch.allclose(found.states[0, found.words[0].sum() + 1], found.pooled[0], atol=1e-5)
        short = towers.token_states(towers.tokens(["dog"])).states
        assert torch.allclose(found.states[1, : short.shape[1]], short[0], atol=1e-5)


@pytest.mark.parametrize("kind", FAMILIES)
def test_training_reaches_both_towers_and_the_temperature(opened, kind):
    towers = opened[kind]
    assert (towers.logit_bias is not None) == kind.startswith("siglip")
    assert towers.logit_scale.numel() == 1
    frames = torch.from_numpy(noise(towers.pixels.shape))
    texts = towers.token_states(towers.tokens(["a cat"])).pooled
    (towers.logit_scale.exp() * towers.frame_features(frames) @ texts.T).sum().backward()
    reached = {name for name, p in towers.model.named_parameters() if p.grad is not None}
    towers.model.zero_grad()
    assert any(name.startswith("vision_model") for name in reached)
    assert any(name.startswith("text_model") for name in reached)


def test_a_crop_smaller_than_the_size_is_cut_from_the_middle(clip):
    change_pixels(clip, size={"shortest_edge": SIDE + 8})
    towers = Towers(clip, "cpu")
    assert towers.pixels.shape == FrameShape(SIDE + 8, SIDE + 8, "crop")
    frames = noise(towers.pixels.shape)
    assert np.abs(towers.encode_frames(frames) - by_processor(towers, clip, frames)).max() < 1e-5


def test_naflex_looks_at_squares(opened):
    assert opened["siglip2"].pixels.shape == FrameShape(SIDE, SIDE, "squash")
    assert opened["siglip2"].pixels.patch == 8


@pytest.mark.parametrize(
    ("settings", "shape"),
    [
        ({"size": SIDE, "crop_size": SIDE}, FrameShape(SIDE, SIDE, "crop")),
        ({"size": {"height": SIDE, "width": SIDE}}, FrameShape(SIDE, SIDE, "squash")),
        ({"size": SIDE, "do_center_crop": False}, FrameShape(SIDE, SIDE, "squash")),
    ],
)
def test_the_ways_in_which_a_size_is_written(clip, opened, settings, shape):
    change_pixels(clip, **settings)
    pixels = read_pixels(clip, "clip", opened["clip"].model.config)
    assert (pixels.shape, pixels.height, pixels.width) == (shape, SIDE, SIDE)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"do_center_crop": False}, "makes pictures of many sizes"),
        ({"size": {"longest_edge": SIDE}}, "makes pictures of many sizes"),
        ({"crop_size": 48}, "makes pictures of 48x48, the model takes 32x32"),
        ({"size": {"shortest_edge": 24}}, "of one checkpoint"),
        ({"size": "large"}, r"preprocessor_config\.json: size large makes|cannot be used"),
        ({"crop_size": {"shortest_edge": SIDE}}, r"cannot be used \(KeyError: 'height'\); copy"),
        ({"image_mean": 0.5}, r"cannot be used \(TypeError: .*; copy it again"),
    ],
)
def test_preprocessing_that_cannot_be_done_is_refused(clip, opened, settings, complaint):
    change_pixels(clip, **settings)
    with pytest.raises(UsageError, match=complaint):
        read_pixels(clip, "clip", opened["clip"].model.config)


@pytest.mark.parametrize("content", ["[]", "{", "3"])
def test_preprocessing_that_is_broken_is_named(clip, opened, content):
    (clip / "preprocessor_config.json").write_text(content)
    with pytest.raises(UsageError, match=r"preprocessor_config\.json cannot be read \(.*; copy"):
        read_pixels(clip, "clip", opened["clip"].model.config)


def test_a_processor_saved_as_a_whole_is_read_too(clip, opened):
    path = clip / "preprocessor_config.json"
    inner = json.loads(path.read_text())
    path.unlink()
    with pytest.raises(UsageError, match=r"holds no preprocessor_config\.json"):
        read_pixels(clip, "clip", opened["clip"].model.config)
    (clip / "processor_config.json").write_text(json.dumps({"image_processor": inner}))
    assert read_pixels(clip, "clip", opened["clip"].model.config) == opened["clip"].pixels


def test_a_model_of_another_kind_is_refused_by_name(clip):
    (clip / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(UsageError, match=r"'bert'.*use a checkpoint of type clip, .*siglip2"):
        read_config(clip)
    (clip / "config.json").write_text("[]")
    with pytest.raises(UsageError, match=r"config\.json cannot be read"):
        read_config(clip)


def test_weights_that_lack_a_tensor_are_refused(clip):
    weights = load_file(clip / "model.safetensors")
    del weights["visual_projection.weight"]
    save_file(weights, clip / "model.safetensors", {"format": "pt"})
    with pytest.raises(UsageError, match=r"lack 1 tensors, such as visual_projection\.weight"):
        Towers(clip, "cpu")
    (clip / "model.safetensors").write_bytes(b"nonsense")
    with pytest.raises(UsageError, match=r"weights in .* cannot be loaded"):
        Towers(clip, "cpu")


def test_a_bin_is_read_as_tensors_and_as_nothing_else(clip, opened):
    weights = load_file(clip / "model.safetensors")
    (clip / "model.safetensors").unlink()
    torch.save(weights, clip / "pytorch_model.bin")
    frames = noise(opened["clip"].pixels.shape)
    same = Towers(clip, "cpu").encode_frames(frames)
    assert np.array_equal(same, opened["clip"].encode_frames(frames))
    torch.save({**weights, "x": Path("code")}, clip / "pytorch_model.bin")
    with pytest.raises(UsageError, match=r"weights in .* cannot be loaded"):
        Towers(clip, "cpu")


def test_nothing_is_asked_of_the_network(folders, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    Towers(folders["siglip"], "cpu").encode_texts(["a cat"])


def test_without_torch_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingPackage) as caught:
        load_torch()
    assert caught.value.hint == INSTALL


@pytest.mark.parametrize("video", ["cat", "temple", "galaxies"])
def test_the_indexers_scaling_is_close_to_that_of_processors(video):
    with av.open(str(ROOT / "samples" / f"{video}.mp4")) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="rgb24")
    mine = scale_picture(picture, FrameShape(224, 224, "squash")).astype(int)
    theirs = Image.fromarray(picture).resize((224, 224), Image.Resampling.BICUBIC)
    assert np.abs(mine - np.asarray(theirs, int)).mean() < 0.3


def test_the_fixture_is_what_it_says(tmp_path):
    one, two = save_clip(tmp_path / "a", seed=1), save_clip(tmp_path / "b", seed=1)
    assert (one / "model.safetensors").read_bytes() == (two / "model.safetensors").read_bytes()
