from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from unify.encoders.packs import SHIPPED, Pack, lasting_name, list_packs, open_pack
from unify.engine.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def mini() -> Pack:
    return open_pack("mini")


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, 260, 260, 3), dtype=np.uint8)


def python(code: str, **environment: str) -> str:
    """Run code in a process of its own, from the checkout."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_names_and_their_errors():
    assert list_packs() == ["mini"]
    with pytest.raises(UsageError, match="no pack 'maxi'; use one of mini"):
        open_pack("maxi")
    with pytest.raises(UsageError, match="has not been pulled; run: unify models pull"):
        open_pack("hf:openai/clip-vit-base-patch32")


def test_a_folder_is_a_pack_and_a_changed_file_is_noticed(tmp_path, mini):
    folder = tmp_path / "mine"
    shutil.copytree(SHIPPED / "mini", folder)
    mine = open_pack(str(folder))
    assert mine.fingerprint == mini.fingerprint
    mine.verify()
    heads = folder / "heads.safetensors"
    damaged = bytearray(heads.read_bytes())
    damaged[-1] ^= 1
    heads.write_bytes(damaged)
    with pytest.raises(UsageError, match=r"heads\.safetensors was altered"):
        open_pack(str(folder)).verify()
    heads.write_bytes(damaged[:-1])
    with pytest.raises(UsageError, match=r"heads\.safetensors has"):
        open_pack(str(folder))


def test_facts(mini):
    facts = mini.facts()
    assert facts.size_bytes < 85e6
    assert facts.manifest.latent_dim == mini.latent_dim
    assert facts.manifest.terms == len(mini.lexicon)
    assert "Apache" in facts.licence
    assert "hold-out" in facts.card or "held-out" in facts.card


def test_a_query_needs_neither_torch_nor_the_picture_tower():
    code = """
import sys
from unify.encoders.packs import open_pack
open_pack("mini").encode_query("a dog")
print(sorted({"torch", "openvino", "onnxruntime", "transformers", "av"} & set(sys.modules)))
"""
    assert python(code).strip() == "[]"


@pytest.mark.parametrize("query", ["cat", "a man cooking pasta", "Dogs running!", "drums"])
def test_own_words_are_always_terms_and_lead(mini, query):
    encoded = mini.encode_query(query)
    own = set(mini.lexicon.term_ids(query))
    assert own and own <= set(encoded.terms.tolist())
    weights = dict(zip(encoded.terms.tolist(), encoded.weights.tolist(), strict=True))
    others = [weight for term, weight in weights.items() if term not in own]
    assert max(weights[term] for term in own) > max(others, default=0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "zxqv",
        "\U0001f600\U0001f408",
        "日本語",
        "\u0000\ufffd",
        "é" * 50,
        "dog " * 1024,
        "a" * 4096,
    ],
)
def test_any_text_is_encoded(mini, text):
    encoded = mini.encode_query(text)
    assert encoded.latent is not None
    assert encoded.latent.dtype == np.float32 and encoded.latent.shape == (mini.latent_dim,)
    assert np.linalg.norm(encoded.latent) == pytest.approx(1, abs=1e-5)
    assert encoded.terms.dtype == np.uint16 and encoded.weights.dtype == np.float32
    assert len(encoded.terms) == len(encoded.weights) <= 64
    assert (np.diff(encoded.terms.astype(int)) > 0).all()
    assert (encoded.weights > 0).all()
    again = mini.encode_query(text)
    assert np.array_equal(encoded.latent, again.latent)


def test_a_frame_does_not_depend_on_its_neighbours(mini, frames):
    together = mini.encode_frames(frames)
    alone = np.concatenate([mini.encode_frames(frame[None]) for frame in frames])
    assert together.dtype == np.float32
    assert np.abs(together - alone).max() < 1e-3


def test_moments_are_well_formed(mini, frames):
    features = mini.encode_frames(frames)
    spans = np.array([[0, 5], [0, 1], [3, 5]])
    codes = mini.encode_moments(features, spans)
    assert codes.latents.dtype == np.float32 and codes.latents.shape == (3, mini.latent_dim)
    assert np.allclose(np.linalg.norm(codes.latents, axis=1), 1, atol=1e-5)
    for rows, count, top in ((codes.lexicon, 3, 128), (codes.tracks, 5, 16)):
        assert len(rows) == count
        assert np.diff(rows.indptr).max() <= top
        assert rows.terms.dtype == np.uint16 and rows.weights.dtype == np.float32
        assert (rows.weights > 0).all()
        for i in range(count):
            assert (np.diff(rows.row(i)[0].astype(int)) > 0).all()
    one = mini.encode_moments(features[:1], np.array([[0, 1]]))
    assert np.abs(one.latents[0] - codes.latents[1]).max() < 1e-3


def test_a_moment_of_repeated_frames_is_the_moment_of_one(mini, frames):
    features = mini.encode_frames(frames[:1])
    long = mini.encode_moments(np.repeat(features, 9, axis=0), np.array([[0, 1], [0, 9]]))
    assert np.abs(long.latents[0] - long.latents[1]).max() < 1e-5
    assert np.array_equal(long.lexicon.row(0)[0], long.lexicon.row(1)[0])


VECTORS = """
import numpy as np
from unify.encoders.packs import open_pack
from unify.encoders.evaluate import to_dense
pack = open_pack("mini")
query = pack.encode_query("two dogs playing in the snow")
frames = np.random.default_rng(0).integers(0, 256, (3, 260, 260, 3), dtype=np.uint8)
codes = pack.encode_moments(pack.encode_frames(frames), np.array([[0, 3]]))
words = np.zeros(len(pack.lexicon), "f4")
words[query.terms] = query.weights
shown = to_dense(codes.lexicon, len(pack.lexicon))[0]
np.save(OUT, np.concatenate([query.latent, words, codes.latents[0], shown]))
"""


def test_other_threads_and_older_processors_give_the_same_vectors(tmp_path):
    here, there = tmp_path / "here.npy", tmp_path / "there.npy"
    python(f"OUT = {str(here)!r}\n{VECTORS}")
    python(
        f"OUT = {str(there)!r}\n{VECTORS}",
        ONEDNN_MAX_CPU_ISA="AVX2",
        OPENBLAS_CORETYPE="Haswell",
        OPENBLAS_NUM_THREADS="1",
        OMP_NUM_THREADS="1",
        TBB_NUM_THREADS="1",
    )
    assert np.abs(np.load(here) - np.load(there)).max() < 1e-3


def test_a_lasting_name_opens_the_same_from_anywhere(tmp_path, monkeypatch):
    for name in ("mini", "mine"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pack.json").touch()
    monkeypatch.chdir(tmp_path)
    assert lasting_name("mini") == "mini", "the pack that ships comes first, as in opening"
    assert lasting_name("mine") == lasting_name("./mine/") == str(tmp_path / "mine")
    for other in ("hf:owner/name", "maxi", "hf:nowhere", "./nowhere"):
        assert lasting_name(other) == other
