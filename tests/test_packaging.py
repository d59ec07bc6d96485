"""The wheel: what is in it, and that it works in a clean environment far from the checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
WHEEL_LIMIT_BYTES = 80_000_000
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FOLDER_OF: dict[str, str] = PROJECT["tool"]["setuptools"]["package-dir"]
TOP_FOLDERS = ("unify", "engine", "indexer", "encoders", "cli")


# Put before everything in an environment: writes down each host that is asked for, and refuses.
NETWORK_SPY = """
import pathlib, socket
def refuse(host, *rest, **options):
    with pathlib.Path({log!r}).open("a") as log:
        log.write(f"{{host}}\\n")
    raise OSError("no network in this test")
socket.getaddrinfo = refuse
"""


def run(*command: str | Path, cwd: Path, **more: str) -> str:
    """Run a command that must succeed, `more` added to its environment; return its stdout."""
    # Nothing of the checkout or of the user's settings may help, nor a hint that this is CI:
    # libraries behave better there.
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "UNIFY_", "CI"))}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=kept | more,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stderr[-3000:]}"
    return done.stdout


def disk_files() -> set[str]:
    """Paths in the wheel of all that must be in it: modules, py.typed, files of packs and page."""
    found = {"unify/py.typed"}
    for folder in TOP_FOLDERS:
        inside = "unify" if folder == "unify" else f"unify/{folder}"
        for path in (ROOT / folder).rglob("*"):
            name = path.relative_to(ROOT / folder).as_posix()
            is_data = f"{folder}/{name}".startswith(("encoders/packs/", "cli/web/static/"))
            if path.is_file() and "__pycache__" not in name and (path.suffix == ".py" or is_data):
                found.add(f"{inside}/{name}")
    return found


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy of the sources, so that the checkout stays as it is."""
    work = tmp_path_factory.mktemp("wheel")
    copy = work / "source"
    copy.mkdir()
    for folder in TOP_FOLDERS:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, copy / folder, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, copy)
    run(sys.executable, "-m", "build", "--wheel", "--outdir", work, copy, cwd=work)
    (built,) = work.glob("*.whl")
    return built


def test_the_package_list_is_the_folders_on_disk():
    on_disk = {
        path.parent.relative_to(ROOT).as_posix()
        for folder in TOP_FOLDERS
        for path in (ROOT / folder).rglob("*.py")
    }
    assert set(FOLDER_OF.values()) == on_disk
    assert sorted(FOLDER_OF) == sorted(PROJECT["tool"]["setuptools"]["packages"])
    for package, folder in FOLDER_OF.items():
        expected = "unify" if folder == "unify" else "unify." + folder.replace("/", ".")
        assert package == expected


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path):
    names = {name for name in zipfile.ZipFile(wheel).namelist() if not name.endswith("/")}
    packaged = {name for name in names if name.startswith("unify/")}
    assert packaged == disk_files()
    assert all(name.split("/")[0].endswith(".dist-info") for name in names - packaged)
    assert {Path(name).name for name in names - packaged} >= {"LICENSE", "NOTICE"}


def test_the_wheel_is_small_enough(wheel: Path):
    assert wheel.stat().st_size <= WHEEL_LIMIT_BYTES


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of a clean environment that holds the wheel and the CPU FAISS."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home / "env", with_pip=True)
    requirement = f"unify-search[cpu] @ {wheel.as_uri()}"
    python = home / "env" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", requirement, cwd=home)
    return python.parent


def test_no_torch_is_installed(installed: Path, tmp_path: Path):
    code = "import importlib.util as u; print([m for m in ('torch', 'scipy') if u.find_spec(m)])"
    assert run(installed / "python", "-c", code, cwd=tmp_path).strip() == "[]"


def test_the_installed_wheel_indexes_and_searches_offline(installed: Path, tmp_path: Path):
    home, spy, log = tmp_path / "home", tmp_path / "spy", tmp_path / "hosts.txt"
    home.mkdir()
    spy.mkdir()
    (spy / "sitecustomize.py").write_text(NETWORK_SPY.format(log=str(log)), encoding="utf-8")
    shutil.copytree(ROOT / "samples", tmp_path / "videos", ignore=shutil.ignore_patterns("*.py"))
    within = {
        "HOME": str(home),
        "PYTHONPATH": str(spy),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local"),
    }

    def unify(*arguments: str) -> str:
        return run(installed / "unify", *arguments, cwd=tmp_path, **within)

    asks = "import socket\ntry: socket.getaddrinfo('example.invalid', 80)\nexcept OSError: pass"
    run(installed / "python", "-c", asks, cwd=tmp_path, **within)
    assert log.read_text(encoding="utf-8") == "example.invalid\n"  # the spy works
    log.unlink()

    assert PROJECT["project"]["version"] in unify("--version")
    unify("index", "build", "videos", "--index", "index")
    for query, expected in (
        ("a red flower", "flower.mp4"),
        ("a man with a camera", "photographer.mp4"),
        ("a temple by a lake", "temple.mp4"),
    ):
        out = unify("search", query, "--json", "--index", "index")
        assert Path(json.loads(out.splitlines()[0])["video"]).name == expected

    assert not log.exists(), "asked for " + log.read_text(encoding="utf-8")
    assert not [path for path in home.iterdir() if not path.name.startswith(".")]
