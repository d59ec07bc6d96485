"""The application on the samples' index: in this process, as a real server, in a browser."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[3]
MISSING = [
    name
    for name in ("fastapi", "uvicorn", "prometheus_client", "httpx2")
    if importlib.util.find_spec(name) is None
]


class Left(pytest.Module):
    """A module of tests that is not run."""

    def collect(self):
        pytest.skip(f"needs the extra `serve` ({', '.join(MISSING)})", allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector):
    """Leave out what cannot be imported here, and say why."""
    return Left.from_parent(parent, path=module_path) if MISSING else None


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory) -> Iterator[None]:
    """Keep thumbnails out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def library(samples_index):
    from unify.cli.web.library import Library

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return Library(samples_index)


@pytest.fixture(scope="session")
def client(library):
    from starlette.testclient import TestClient

    from unify.cli.web.app import make_app
    from unify.cli.web.guard import Door

    with TestClient(make_app(library, Door("127.0.0.1")), base_url="http://127.0.0.1") as client:
        yield client


@dataclass(frozen=True)
class Server:
    """A running `unify serve`."""

    url: str
    port: int
    process: subprocess.Popen
    errors: Path

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """Ask it to end, and return its exit code."""
        self.process.send_signal(how)
        return self.process.wait(20)


@contextmanager
def serving(
    index: Path, *arguments: str, program: str = "", **environment: str
) -> Iterator[Server]:
    """Run `unify serve`, by another program where one is given, on a free port."""
    env = {k: v for k, v in os.environ.items() if k not in ("UNIFY_INDEX", "UNIFY_TOKEN")}
    start = ["-c", program] if program else ["-m", "unify"]
    command = [sys.executable, *start, "serve", "--port", "0", "--index", str(index)]
    with tempfile.NamedTemporaryFile() as errors:
        process = subprocess.Popen(
            [*command, *arguments],
            cwd=ROOT, env={**env, "PYTHONPATH": str(ROOT), **environment},
            stdout=subprocess.PIPE, stderr=errors, text=True,
        )  # fmt: skip
        try:
            url = process.stdout.readline().strip()
            assert url.startswith("http://"), Path(errors.name).read_text()
            port = int(url.split("/")[2].rpartition(":")[2])
            yield Server(url, port, process, Path(errors.name))
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


@pytest.fixture(scope="session")
def server(samples_index) -> Iterator[Server]:
    with serving(samples_index) as server:
        yield server


@pytest.fixture
def video_id(client) -> Callable[[str], int]:
    """Return the id of a sample by its file name."""
    videos = client.get("/api/v1/videos", params={"limit": 200}).json()["videos"]
    ids = {video["name"]: video["video_id"] for video in videos}
    return ids.__getitem__


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium."""
    driving = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip("needs a browser: apt-get install chromium")
    with driving.sync_playwright() as driver:
        flags = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--mute-audio"]
        browser = driver.chromium.launch(executable_path=program, args=flags)
        yield browser
        browser.close()


@pytest.fixture(params=[(1280, 900)])
def page(request, browser, server):
    """A page whose every request stays on the host, and which logs no error."""
    width, height = request.param
    context = browser.new_context(
        viewport={"width": width, "height": height},
        base_url=server.url,
        reduced_motion="no-preference",
    )
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.complaints = []
    page.on(
        "console",
        lambda m: page.complaints.append(m.text) if m.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    yield page
    context.close()
    assert page.complaints == []
    assert asked and {urlsplit(url).netloc for url in asked} == {urlsplit(server.url).netloc}
