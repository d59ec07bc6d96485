"""What a server leaves when it is killed, and who takes it away."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path

import pytest

from tests.cli.web.conftest import serving
from tests.cli.web.test_pictures import head, until_held
from unify.cli.web import scratch


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def age(path: Path) -> Path:
    os.utime(path, (time.time() - 3600,) * 2)
    return path


def test_a_folder_is_for_its_user_alone_and_goes(place):
    with scratch.folder() as folder:
        assert folder.parent == place and folder.stat().st_mode & 0o777 == 0o700
        (folder / "a").write_bytes(b"a")
        scratch.sweep()
        age(folder)
        scratch.sweep()
        assert (folder / "a").exists()
    assert not list(place.iterdir())


def test_no_room_is_said(client, place, video_id, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(place / "nowhere"))
    sent = client.post("/api/v1/pictures", content=b"a", headers={"content-type": "image/png"})
    cut = client.get(f"/api/v1/videos/{video_id('cat.mp4')}/cut?start_s=0&end_s=1")
    for answer in (sent, cut):
        assert answer.status_code == 507 and "there is no room" in answer.json()["message"]
    assert str(place) not in sent.text + cut.text


def test_only_what_nobody_holds_is_taken_away(place):
    left = place / "unify-serve-left"
    for path in (left, place / "unify-serve-young", place / "unify-other", place / "target"):
        path.mkdir()
        (path / "sent").write_bytes(b"a")
    (place / "unify-serve-file").write_bytes(b"a")
    (place / "unify-serve-link").symlink_to(place / "target")
    for name in ("unify-serve-left", "unify-other", "target", "unify-serve-file"):
        age(place / name)
    scratch.sweep()
    names = {path.name for path in place.iterdir()}
    assert not left.exists() and len(names) == 5
    assert (place / "target" / "sent").exists()


def test_what_a_killed_server_left_goes_at_the_next_start(samples_index, tmp_path):
    with (
        serving(samples_index, TMPDIR=str(tmp_path)) as killed,
        socket.create_connection(("127.0.0.1", killed.port), timeout=10) as line,
    ):
        line.sendall(head(10_000) + bytes(1000))
        until_held(tmp_path, 1)
        (folder,) = tmp_path.iterdir()
        age(folder)
        with serving(samples_index, TMPDIR=str(tmp_path)):
            assert folder.exists()  # its server lives
        killed.stop(signal.SIGKILL)
        assert (folder / "sent").exists()
    with serving(samples_index, TMPDIR=str(tmp_path)) as server:
        until_held(tmp_path, 0)
        assert server.stop() == 130
