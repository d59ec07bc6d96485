import fcntl
import shutil

import pytest

from tests.cli.conftest import ROOT, run_unify
from unify.cli import checks
from unify.cli.checks import State


def test_version():
    done = run_unify("--version")
    assert (done.code, done.out) == (0, "unify 0.1.0\n")


def test_doctor_is_well(unify):
    done = unify("doctor", "--json")
    assert done.code == 0, done.out + done.err
    found = {row["check"]: row for row in done.rows}
    always = ("python", "unify", "faiss", "openvino", "decoder", "kernels", "pack mini", "index",
              "lock", "disk", "thumbnails", "player", "words")  # fmt: skip
    assert tuple(found) == (*always, *checks.EXTRAS)
    assert {name for name, row in found.items() if row["state"] != "ok"} <= {
        "disk", "player", *checks.EXTRAS,
    }  # fmt: skip
    assert all(bool(row["remedy"]) == (row["state"] != "ok") for row in done.rows)
    assert "11 videos" in found["index"]["text"]
    assert all(codec in found["decoder"]["text"] for codec in ("h264", "hevc", "av1", "vp9"))


def test_doctor_names_what_is_broken(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import sys; sys.modules['faiss'] = sys.modules['PIL'] = None\n"
    )
    (tmp_path / ".unify").mkdir()
    (tmp_path / ".unify" / "manifest.json").write_text("{")
    done = run_unify(
        "doctor", "--index", tmp_path / ".unify", PYTHONPATH=f"{tmp_path}:{ROOT}",
        XDG_CACHE_HOME="/proc/none",
    )  # fmt: skip
    assert done.code == 1
    lines = {line.split()[1]: line for line in done.out.splitlines()}
    broken = {name for name, line in lines.items() if line.startswith("FAIL ")}
    assert broken == {"faiss", "index"}
    assert "pip install 'unify-search[cpu]'" in lines["faiss"]
    assert "set XDG_CACHE_HOME" in lines["kernels"]
    assert "set XDG_CACHE_HOME" in lines["thumbnails"]
    assert lines["sheet"].startswith("note ")
    assert "pip install 'unify-search[sheet]'" in lines["sheet"]


def test_doctor_sees_who_holds_the_lock(samples_index, tmp_path):
    index = shutil.copytree(samples_index, tmp_path / "index")
    assert checks.lock(index).state is State.ok
    with (index / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert checks.lock(index).state is State.note
    assert checks.lock(index).state is State.ok


def test_doctor_says_when_there_is_little_room(tmp_path, monkeypatch):
    assert checks.disk(tmp_path / "not" / "yet").state is State.ok
    monkeypatch.setattr(checks, "ROOM_BYTES", 1 << 62)
    found = checks.disk(tmp_path / "not" / "yet")
    assert (found.state, str(tmp_path) in found.text) == (State.note, True)


def test_a_codec_that_decodes_wrongly_is_named(monkeypatch):
    from unify.indexer import trial

    monkeypatch.setattr(trial, "_OFF", -1.0)
    found = checks.decoder()
    assert found.state is State.fail
    assert "h264: its pictures are wrong by" in found.text


@pytest.mark.parametrize(
    ("arguments", "environment", "source", "detail"),
    [
        (("--index", "a"), {"UNIFY_INDEX": "b"}, "option", "--index"),
        ((), {"UNIFY_INDEX": "b"}, "environment", "UNIFY_INDEX"),
        ((), {}, "default", "no .unify from here upwards; unify index build makes it"),
    ],
)
def test_config_says_how_the_index_was_found(arguments, environment, source, detail, tmp_path):
    done = run_unify("config", "--json", *arguments, cwd=tmp_path, **environment)
    row = done.rows[0]
    assert (row["name"], row["source"], row["detail"]) == ("index", source, detail)


def test_config_takes_the_nearest_index_and_its_settings(samples_index, tmp_path):
    shutil.copytree(samples_index, tmp_path / ".unify")
    (tmp_path / "deep").mkdir()
    rows = {row["name"]: row for row in run_unify("config", "--json", cwd=tmp_path / "deep").rows}
    assert (rows["index"]["value"], rows["index"]["source"]) == (f"{tmp_path}/.unify", "file")
    assert (rows["pack"]["value"], rows["pack"]["source"]) == ("mini", "file")
    assert rows["fps"]["detail"] == f"{tmp_path}/.unify/manifest.json"


def test_config_of_a_collection_and_its_secrets():
    done = run_unify(
        "config", "--index", "milvus://db:19530/clips", UNIFY_TOKEN="hush",
        UNIFY_MILVUS_TOKEN="hush", UNIFY_MILVUS_TLS="1", OMP_NUM_THREADS="3",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "hush" not in done.out
    values = {line[:18].strip(): line[19:].split("  (")[0] for line in done.out.splitlines()}
    assert values["index"] == "milvus://db:19530/clips"
    assert (values["UNIFY_TOKEN"], values["UNIFY_MILVUS_TLS"]) == ("set", "1")
    assert values["encoding threads"] == "3"


def test_models(unify):
    listed = unify("models", "list")
    assert listed.code == 0
    assert "mini" in listed.out
    shown = unify("models", "show", "mini")
    assert shown.code == 0
    for part in ("Apache License 2.0", "MSR-VTT", "Flickr8k"):
        assert part in shown.out
    unknown = unify("models", "show", "nothing")
    assert unknown.code == 2
    assert "mini" in unknown.complaint
