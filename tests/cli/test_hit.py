import json
import os
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, run_unify
from tests.indexer.sound import beeps_in, make_sounding, numbers_in


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    """Where what is found is noted."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def searched(samples_index, state):
    """Search once; return the hits."""
    where = {"UNIFY_INDEX": str(samples_index), "XDG_STATE_HOME": str(state)}
    done = run_unify("search", "a", "horse", "--json", "-k", 4, **where)
    assert done.code == 0, done.err
    return done.rows


@pytest.fixture
def after(unify, searched, state, tmp_path):
    """Run `unify` after that search, in a folder of its own."""
    (tmp_path / "work").mkdir()

    def run(*arguments, **environment):
        return unify(
            *arguments, cwd=tmp_path / "work", **{"XDG_STATE_HOME": str(state), **environment}
        )

    return run


@pytest.fixture
def player(tmp_path):
    """A folder with an `mpv` that writes what it was started with."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "mpv"
    script.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/started\n', "ascii")
    script.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def test_open_starts_the_player_at_the_second(after, searched, player, tmp_path):
    done = after("open", 2, PATH=player)
    assert (done.code, done.out) == (0, "")
    words = (tmp_path / "started").read_text().splitlines()
    assert words == [f"--start={searched[1]['start_s']:.3f}", "--", searched[1]["path"]]
    assert done.complaint.startswith(f"mpv: {searched[1]['video']} at ")


def test_open_can_only_say_what_it_would_start(after, searched, player, tmp_path):
    assert after("open", 1, "--dry-run", PATH=player).out.startswith("mpv --start=0.000 -- /")
    (row,) = after("open", 1, "--dry-run", "--json", PATH=player).rows
    assert (row["rank"], row["player"], row["start_s"]) == (1, "mpv", searched[0]["start_s"])
    assert not (tmp_path / "started").exists()


def test_the_system_s_player_takes_no_time_so_it_is_told(after, searched, tmp_path):
    folder = tmp_path / "system"
    folder.mkdir()
    for name in ("xdg-open", "open"):
        (folder / name).write_text(f"#!/bin/sh\nprintf x > {tmp_path}/opened\n", "ascii")
        (folder / name).chmod(0o755)
    video = searched[1]["video"]
    for options in (["--dry-run"], []):
        done = after("open", 2, *options, PATH=f"{folder}:/bin")
        assert done.code == 0 and (tmp_path / "opened").exists() is not bool(options)
        assert f"opens {video} at its beginning: go to 0:" in done.complaint
        assert "mpv, vlc or ffplay, once installed, start there" in done.complaint
        assert done.out.endswith(f"open {searched[1]['path']}\n") is bool(options)


def test_players_that_are_not_there_or_end_at_once(after, tmp_path):
    folder = str(tmp_path / "none")
    done = after("open", 1, PATH=folder)
    assert (done.code, done.complaint) == (2, "unify: no player is installed; install mpv, or vlc")
    assert "mpv is installed" not in after("open", 1, "--player", "vlc", PATH=folder).complaint
    assert "choose from mpv" in after("open", 1, "--player", "x").complaint
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "mpv").write_text("#!/bin/sh\nexit 3\n", "ascii")
    (broken / "mpv").chmod(0o755)
    done = after("open", 1, PATH=f"{broken}:{os.environ['PATH']}")
    assert (done.code, done.complaint.startswith("unify: mpv ended with code 3")) == (2, True)


def test_cut_writes_the_moment_and_a_manifest(after, searched, tmp_path):
    done = after("cut", 1)
    assert done.code == 0, done.err
    name = done.out.strip()
    assert name == "horse_0m00s-0m07s.mp4"
    out = tmp_path / "work" / name
    manifest = json.loads((tmp_path / "work" / f"{name}.json").read_text("utf-8"))
    hit = searched[0]
    assert manifest["source"]["path"] == hit["path"]
    source = Path(hit["path"]).read_bytes()
    assert manifest["source"]["sha256"] == sha256(source).hexdigest()
    assert manifest["asked"] == {"start_s": hit["start_s"], "end_s": hit["end_s"]}
    assert manifest["got"]["pictures"] == 175
    assert manifest["query"] == "a horse"
    assert manifest["hit"]["score"] == hit["score"]
    assert manifest["hit"]["terms"] == hit["terms"]
    assert (manifest["pack"], sorted(manifest["versions"])) == ("mini", ["av", "unify"])
    assert manifest["size_bytes"] == out.stat().st_size
    assert sorted(path.name for path in out.parent.iterdir()) == [name, f"{name}.json"]


def test_cut_never_loses_a_file(after, searched, tmp_path):
    work = tmp_path / "work"
    (work / "mine.mp4").write_bytes(b"mine")
    done = after("cut", 1, "--out", "mine.mp4")
    assert (done.code, done.complaint) == (
        2, "unify: mine.mp4 exists; choose another name, or replace it: --force",
    )  # fmt: skip
    assert (work / "mine.mp4").read_bytes() == b"mine"
    (work / "other.mp4.json").write_bytes(b"mine")
    assert after("cut", 1, "--out", "other.mp4").code == 2
    assert after("cut", 1, "--out", "mine.mp4", "--force").code == 0
    assert (work / "mine.mp4").stat().st_size > 1000
    done = after("cut", 1, "--out", searched[0]["path"], "--force")
    assert (done.code, "is the source itself" in done.complaint) == (2, True)


def test_several_hits_go_into_a_folder(after, tmp_path):
    done = after("cut", "1-2", "4", "--out", "picks", "--fast", "--json")
    assert done.code == 0
    assert [row["hit"]["rank"] for row in done.rows] == [1, 2, 4]
    assert all((tmp_path / "work" / "picks" / row["file"]).is_file() for row in done.rows)
    assert {row["mode"] for row in done.rows} == {"fast"}
    done = after("cut", "1-2", "--out", "one.mp4")
    assert (done.code, "name a folder" in done.complaint) == (2, True)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["9"], "there is no hit 9 of the search 'a horse'; it found hits 1 to 4"),
        (["2-1"], "cannot read the hit '2-1'"),
        (["1-999999999999"], "there is no hit 5"),
        (["x"], "write ranks (1 3 or 1,3), a range (1-5) or all"),
    ],
)
def test_hits_that_there_are_not(after, words, says):
    done = after("cut", *words)
    assert (done.code, done.out) == (2, "")
    assert says in done.complaint
    assert done.err.count("\n") == 1


def test_a_container_that_cannot_hold_it_leaves_nothing(after, tmp_path):
    done = after("cut", 1, "--out", "a.gif")
    assert done.code == 5
    assert "cannot be cut into .gif" in done.complaint
    assert not list((tmp_path / "work").iterdir())


def test_without_a_search_and_after_one_that_found_nothing(unify, tmp_path):
    state = {"XDG_STATE_HOME": str(tmp_path)}
    done = unify("open", 1, **state)
    assert (done.code, "run unify search first" in done.complaint) == (2, True)
    unify("search", "cat path:nowhere", **state)
    done = unify("cut", "all", **state)
    assert (done.code, "found nothing" in done.complaint) == (2, True)


def test_a_state_folder_that_cannot_be_written_is_told(unify, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for command in (("search",), ("sheet", "--out", tmp_path / "a.png")):
        done = unify(*command, "a cat", "-k", 1, XDG_STATE_HOME=str(tmp_path / "file"))
        assert done.code == 0
        assert "will not know these hits" in done.err


def test_what_was_searched_is_for_its_owner_alone(searched, state):
    (kept,) = (state / "unify" / "last").iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    assert kept.parent.stat().st_mode & 0o077 == 0


@pytest.fixture(scope="module")
def sounding(tmp_path_factory):
    """An index of one video with sound, searched."""
    home = tmp_path_factory.mktemp("sounding")
    make_sounding(home / "a.mp4", 12)
    index = {"UNIFY_INDEX": str(home / "index"), "XDG_STATE_HOME": str(home / "state")}
    assert run_unify("index", "build", "a.mp4", cwd=home, **index).code == 0
    assert run_unify("search", "x", "--moments", cwd=home, **index).code == 0
    return home, index


def test_a_cut_has_the_source_s_pictures_and_sound(sounding, tmp_path):
    home, index = sounding
    done = run_unify("cut", "all", "--out", tmp_path, "--json", cwd=home, **index)
    assert done.code == 0, done.err
    for row in done.rows:
        out, start_s = tmp_path / row["file"], row["asked"]["start_s"]
        assert numbers_in(out) == list(
            range(round(start_s * 25), round(row["asked"]["end_s"] * 25))
        )
        assert row["got"]["sound"]
        assert beeps_in(out)[0] == pytest.approx(0.0, abs=0.03)


def test_a_source_that_is_gone_or_has_become_junk(sounding, tmp_path):
    home, index = sounding
    (home / "a.mp4").rename(home / "kept")
    try:
        done = run_unify("cut", 1, "--out", tmp_path / "x.mp4", cwd=home, **index)
        assert (done.code, "is not there any more" in done.complaint) == (2, True)
        (home / "a.mp4").write_bytes(b"junk" * 100)
        done = run_unify("cut", 1, "--out", tmp_path / "x.mp4", cwd=home, **index)
        assert (done.code, "hit 1, a.mp4: not a video" in done.complaint) == (5, True)
        assert list(tmp_path.iterdir()) == []
    finally:
        (home / "kept").rename(home / "a.mp4")


def test_ctrl_c_leaves_no_half_file(sounding, tmp_path):
    home, index = sounding
    process = subprocess.Popen(
        [sys.executable, "-m", "unify", "cut", "all", "--out", str(tmp_path)],
        cwd=home, env={**os.environ, **index, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    until = time.monotonic() + 20
    while not list(tmp_path.iterdir()) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode in (0, 130)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert not [name for name in left if ".part" in name]
    for name in left:
        if name.endswith(".mp4"):
            assert f"{name}.json" in left
