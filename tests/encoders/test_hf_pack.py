from __future__ import annotations

import logging
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.encoders.checkpoints import save_clip, save_siglip
from tests.indexer.media import make_video
from unify.encoders import hf_prepare, hub, zeroshot
from unify.encoders.calibrate import LEXICON_WEIGHTS
from unify.encoders.calibration_set import LEAST_MOMENTS
from unify.encoders.evaluate import to_dense
from unify.encoders.heads import unit
from unify.encoders.hf import Towers
from unify.encoders.hf_pack import HfPack
from unify.encoders.hf_prepare import calibrate_pack, pull
from unify.encoders.library import BuildOptions, build_index, open_index
from unify.encoders.packs import list_packs, open_pack
from unify.encoders.zeroshot import LEXICON_WEIGHT
from unify.engine.errors import IncompatibleIndex, MissingPackage, UsageError
from unify.indexer.decoding import Batch, DecodeProcess
from unify.indexer.worker import Decoder, Request

WORDS = "cat\tcats\ndog\tdogs\nwoman\nred\ncook\tcooks cooking\nsnow\nhorse\nstreet\nplay\nwater\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint, a word list, some videos: made once, copied by `place`."""
    top = tmp_path_factory.mktemp("made")
    save_clip(top / "clip")
    (top / "words.txt").write_text(WORDS)
    (top / "videos").mkdir()
    for i in range(LEAST_MOMENTS + 2):
        make_video(top / "videos" / f"{i:02}.mp4", range(300 * i, 300 * i + 50))
    return top


@pytest.fixture
def place(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with `clip` and `videos`, and a data folder that is empty."""
    shutil.copytree(made / "clip", tmp_path / "clip")
    (tmp_path / "videos").symlink_to(made / "videos")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(hf_prepare, "LEXICON", made / "words.txt")
    return tmp_path


@pytest.fixture
def pack(place: Path) -> HfPack:
    return opened(place)


def opened(place: Path) -> HfPack:
    pack = open_pack(f"hf:{place / 'clip'}")
    assert isinstance(pack, HfPack)
    return pack


def never(*_: object, **__: object) -> None:
    raise AssertionError("prepared again")


def test_a_folder_is_prepared_once_without_copying_its_weights(place, pack, monkeypatch):
    assert pack.name == f"hf:{place / 'clip'}"
    assert (pack.latent_dim, len(pack.lexicon), pack.manifest.calibrated) == (16, 10, False)
    assert pack.folder.is_relative_to(place / "data/unify/models/local")
    assert (pack.folder / "checkpoint").is_symlink()
    monkeypatch.setattr(hf_prepare, "prepare", never)
    assert opened(place).fingerprint == pack.fingerprint
    monkeypatch.chdir(place)
    assert open_pack("hf:clip").fingerprint == pack.fingerprint
    assert open_pack(str(pack.folder)).fingerprint == pack.fingerprint
    pack.verify()


def test_preparing_that_was_cut_off_goes_on(place, monkeypatch):
    whole = opened(place)
    shutil.rmtree(place / "data")
    monkeypatch.setattr(zeroshot, "TERM_CHUNK", 4)
    encode, asked = Towers.encode_texts, []

    def dies(towers: Towers, texts: list[str]) -> np.ndarray:
        asked.append(texts)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return encode(towers, texts)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Towers, "encode_texts", dies)
        opened(place)
    monkeypatch.setattr(Towers, "encode_texts", dies)
    again = opened(place)
    assert len(asked) == 4 and asked[3] == asked[2], "what was encoded is not encoded again"
    assert np.abs(again.space.dictionary - whole.space.dictionary).max() < 1e-3
    assert not list((place / "data/unify/models/unfinished").iterdir()), "nothing is left"


def test_touched_files_are_the_same_and_changed_ones_another_pack(place, pack, monkeypatch):
    calibrate_pack(pack, place / "videos")
    calibrated = opened(place).fingerprint
    weights = place / "clip" / "model.safetensors"
    before = weights.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(hf_prepare, "prepare", never)
        os.utime(weights, ns=(1, 1))
        assert opened(place).fingerprint == calibrated
    weights.write_bytes(before[:-4] + before[-8:-4])  # as long as it was
    changed = opened(place)
    assert changed.fingerprint not in (calibrated, pack.fingerprint)
    assert not changed.manifest.calibrated, "what was measured is of other weights"
    weights.write_bytes(before)
    assert opened(place).fingerprint == pack.fingerprint
    (place / "clip" / "added_tokens.json").write_text("{}")
    assert opened(place).fingerprint != pack.fingerprint


def test_a_folder_that_is_no_checkpoint(place):
    for spec in (f"hf:{place}", "hf:./nowhere"):
        with pytest.raises(UsageError, match=r"holds no config\.json; give the folder of a"):
            open_pack(spec)
    assert not (place / "data").exists()


def test_a_model_that_was_not_pulled_says_how(place):
    with pytest.raises(UsageError, match="owner/name has not been pulled; run: unify models pull"):
        open_pack("hf:owner/name")
    with pytest.raises(UsageError, match=r"no pack 'maxi'; use one of .*hf:FOLDER"):
        open_pack("maxi")


def test_preparing_without_torch_says_what_to_install(place, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingPackage, match=r"pip install 'unify-search\[hf\]'"):
        opened(place)
    folders = (place / "data/unify/models/local").iterdir()
    assert not list(folders), "nothing half made stays"


def test_queries(pack):
    texts = ["two dogs cooking", "", "the Zebrafish cats", "\U0001f408 日本語", "dog " * 500]
    together = pack.encode_queries(texts)
    for text, query in zip(texts, together, strict=True):
        alone = pack.encode_query(text)
        assert np.abs(alone.latent - query.latent).max() < 1e-5
        assert np.array_equal(alone.terms, query.terms)
        assert np.linalg.norm(query.latent) == pytest.approx(1, abs=1e-5)
        assert set(pack.lexicon.term_ids(text)) <= set(query.terms.tolist())
    known, unknown = (pack.encode_query(text).weights.sum() for text in ("the cats", texts[2]))
    assert unknown > known + 1, "a word that the lexicon lacks counts too"


def test_moments_are_the_mean_of_unit_features(pack):
    rng = np.random.default_rng(0)
    shape = pack.frame_shape
    frames = rng.integers(0, 256, (5, shape.height, shape.width, 3), dtype=np.uint8)
    features = pack.encode_frames(frames)
    codes = pack.encode_moments(features, np.array([[0, 5], [3, 5]]))
    mean = unit(unit(features)[3:].mean(axis=0)[None])[0]
    assert np.abs(codes.latents[1] - mean).max() < 1e-6
    assert len(codes.lexicon) == 2 and len(codes.tracks) == 5


def test_calibrating_changes_the_fingerprint_and_what_is_said(place, pack, caplog):
    spans = np.array([[0, 1]])
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            pack.encode_moments(np.ones((1, 16), np.float32), spans)
    (said,) = [r.getMessage() for r in caplog.records if "not calibrated" in r.getMessage()]
    assert "unify models calibrate hf:" in said
    done = calibrate_pack(pack, place / "videos")
    assert (done.moments, done.captions, done.failed) == (LEAST_MOMENTS + 2, 0, ())
    assert done.calibration.lexicon_weight == LEXICON_WEIGHT
    after = opened(place)
    assert after.manifest.calibrated and after.remark == ""
    assert after.fingerprint != pack.fingerprint
    assert np.abs(after.space.frame_mean).max() > 0.01
    assert np.array_equal(after.space.text_mean, after.space.word_mean)
    assert after.calibration.weak == 0.0
    after.verify()
    again = calibrate_pack(after, place / "videos")
    assert np.array_equal(again.calibration.latent_cov, done.calibration.latent_cov)
    assert opened(place).fingerprint == after.fingerprint, "it is the same work twice"


def test_captions_choose_what_they_can(place, pack, made):
    shutil.copytree(made / "videos", place / "set")
    rows = [f"{i:02}.mp4\t{'cat' if i % 2 else 'dogs in snow'}" for i in range(LEAST_MOMENTS + 2)]
    (place / "set" / "captions.tsv").write_text("\n".join(["file\tcaption", *rows]) + "\n")
    (place / "set" / "01.mp4").write_bytes(b"")
    done = calibrate_pack(pack, place / "set")
    assert (done.moments, done.captions) == (LEAST_MOMENTS + 1, LEAST_MOMENTS + 1)
    assert [name for name, _ in done.failed] == ["01.mp4"]
    after = opened(place)
    assert after.calibration.lexicon_weight in LEXICON_WEIGHTS
    assert np.isfinite(after.calibration.weak) and after.calibration.weak != 0
    assert not np.array_equal(after.space.text_mean, after.space.word_mean)


def test_too_little_to_calibrate_on(place, pack, tmp_path):
    (tmp_path / "few").mkdir()
    shutil.copy(place / "videos" / "00.mp4", tmp_path / "few")
    (tmp_path / "few" / "broken.jpg").write_bytes(b"not a picture")
    with pytest.raises(UsageError, match=r"makes 1 moments, too few .* 1 cannot .*broken\.jpg"):
        calibrate_pack(pack, tmp_path / "few")
    with pytest.raises(UsageError, match="nowhere"):
        calibrate_pack(pack, tmp_path / "nowhere")
    assert opened(place).fingerprint == pack.fingerprint


def test_pictures_will_do(place, pack, tmp_path):
    from PIL import Image

    (tmp_path / "photos").mkdir()
    rng = np.random.default_rng(3)
    for i in range(LEAST_MOMENTS):
        picture = rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)
        Image.fromarray(picture).save(tmp_path / "photos" / f"{i}.png")
    assert calibrate_pack(pack, tmp_path / "photos").moments == LEAST_MOMENTS


def test_a_calibration_that_was_cut_off_leaves_no_mixed_pack(place, pack, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(hf_prepare, "describe_files", never)
        with pytest.raises(AssertionError):
            calibrate_pack(pack, place / "videos")
    again = opened(place)
    again.verify()
    assert again.fingerprint == pack.fingerprint


def fetch(source: Path):
    def download(model_id: str, folder: Path, bars: bool) -> str:
        shutil.copytree(source, folder, dirs_exist_ok=True)
        (folder / "README.md").write_text(f"card of {model_id}")
        (folder / "LICENSE").write_text("licence text")
        (folder / "LICENSES").mkdir(exist_ok=True)
        return "1a2b"

    return download


def test_a_pulled_model_is_a_pack(place, monkeypatch):
    monkeypatch.setattr(hf_prepare, "download", fetch(place / "clip"))
    told: list[tuple[int, int]] = []
    folder = pull("hf:owner/name", False, lambda done, total: told.append((done, total)))
    assert told[-1] == (40, 40)
    assert folder == hub.pulled_folder("owner/name")
    assert list_packs() == ["mini", "hf:owner/name"]
    pack = open_pack("hf:owner/name")
    facts = pack.facts()
    assert (facts.card, facts.licence) == ("card of owner/name", "licence text")
    assert facts.manifest.source == "owner/name 1a2b"
    assert {f.path for f in facts.manifest.files} == {
        "checkpoint/config.json",
        "checkpoint/model.safetensors",
        "checkpoint/preprocessor_config.json",
        "checkpoint/tokenizer.json",
        "checkpoint/tokenizer_config.json",
        "heads.safetensors",
        "lexicon.txt",
    }
    assert pack.fingerprint == opened(place).fingerprint, "wherever the same files lie"
    calibrate_pack(pack, place / "videos")
    with monkeypatch.context() as patched:
        patched.setattr(hf_prepare, "prepare", never)
        pull("owner/name", False)
    assert open_pack("hf:owner/name").facts().manifest.calibrated, "pulling again keeps that"
    monkeypatch.setattr(hf_prepare, "download", fetch(save_siglip(place / "siglip")))
    shutil.rmtree(folder / "checkpoint")
    pull("owner/name", False)
    assert open_pack("hf:owner/name").latent_dim == 32
    (folder / "checkpoint" / "model.safetensors").write_bytes(b"x")
    with pytest.raises(
        UsageError, match=r"has 1 bytes instead of .*; pull or build the pack again"
    ):
        open_pack("hf:owner/name")


def test_from_videos_to_hits_and_another_fingerprint_is_refused(place, pack):
    options = BuildOptions(pack=pack.name)
    report = build_index([place / "videos"], place / "index", options)
    assert (report.indexed, report.failed) == (LEAST_MOMENTS + 2, [])
    searcher = open_index(place / "index")
    text = "a red cat in the snow"
    found = searcher.search(text, 5)
    assert len(found) == 5
    query = pack.encode_query(text)
    for hit in found:
        products = sum(match.product for match in hit.terms)
        assert hit.lexicon == pytest.approx(products, abs=1e-5)
        assert {match.term for match in hit.terms} <= {pack.lexicon.terms[i] for i in query.terms}
        assert not hit.weak
    calibrate_pack(pack, place / "videos")
    with pytest.raises(IncompatibleIndex, match="build the index again"):
        open_index(place / "index")
    with pytest.raises(IncompatibleIndex):
        build_index([place / "videos"], place / "index", options)


def test_an_index_scores_what_the_moments_hold(place, pack):
    build_index([place / "videos" / "03.mp4"], place / "index", BuildOptions(pack=pack.name))
    (hit,) = open_index(place / "index").search("a red cat in the snow", 1)
    request = Request(str(place / "videos" / "03.mp4"), 1.0, pack.frame_shape, Decoder.PYAV)
    process = DecodeProcess()
    frames = np.concatenate([e.frames for e in process.decode(request) if isinstance(e, Batch)])
    process.close()
    codes = pack.encode_moments(pack.encode_frames(frames), np.array([[0, len(frames)]]))
    query = pack.encode_query("a red cat in the snow")
    shown = to_dense(codes.lexicon, len(pack.lexicon))[0]
    assert np.linalg.norm(shown) == pytest.approx(1, abs=1e-5)
    assert hit.lexicon == pytest.approx(float(query.weights @ shown[query.terms]), rel=0.01)
    assert hit.latent == pytest.approx(float(query.latent @ codes.latents[0]), abs=1e-3)
