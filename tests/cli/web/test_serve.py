"""A real `unify serve`, asked over real sockets."""

from __future__ import annotations

import email
import http.client
import json
import random
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cli.conftest import run_unify
from tests.cli.web.conftest import ROOT, Server, serving

TOUR = ROOT / "samples" / "tour.mp4"


def ask(server: Server, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    try:
        connection.request(
            "GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def raw(server: Server, data: bytes, wait_s: float = 10.0) -> bytes:
    """Send bytes and return all that comes back until the server closes, or nothing more comes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=wait_s) as line:
        line.sendall(data)
        got = b""
        try:
            while chunk := line.recv(65536):
                got += chunk
        except (TimeoutError, ConnectionResetError):
            pass
        return got


@pytest.fixture(scope="module")
def tour(server) -> str:
    _, _, body = ask(server, "/api/v1/videos?limit=200")
    ids = {video["name"]: video["video_id"] for video in json.loads(body)["videos"]}
    return f"/api/v1/videos/{ids['tour.mp4']}/stream"


def test_served_bytes_are_the_files_for_any_range(server, tour):
    data = TOUR.read_bytes()
    rng = random.Random(12)
    status, headers, body = ask(server, tour)
    assert (status, body) == (200, data) and headers["accept-ranges"] == "bytes"
    assert headers["content-type"] == "video/mp4"
    for _ in range(60):
        first = rng.randrange(len(data))
        last = rng.choice([rng.randrange(first, len(data)), first, len(data) + 5, None])
        status, headers, body = ask(
            server, tour, range=f"bytes={first}-{'' if last is None else last}"
        )
        stop = len(data) if last is None else min(last + 1, len(data))
        assert (status, body) == (206, data[first:stop])
        assert headers["content-range"] == f"bytes {first}-{stop - 1}/{len(data)}"
    status, _, body = ask(server, tour, range="bytes=-500")
    assert (status, body) == (206, data[-500:])
    status, _, body = ask(server, tour, range="bytes=-99999999999")
    assert (status, body) == (206, data)
    status, headers, body = ask(server, tour, range="bytes=3-40,900-950")
    assert status == 206 and int(headers["content-length"]) == len(body)
    given = b"Content-Type: %b\n\n" % headers["content-type"].encode()
    parts = list(email.message_from_bytes(given + body).walk())[1:]
    ranges = [f"bytes {place}/{len(data)}" for place in ("3-40", "900-950")]
    assert [part["content-range"] for part in parts] == ranges
    assert data[3:41] in body and data[900:951] in body


@pytest.mark.parametrize(
    ("given", "statuses"),
    [
        ("bytes=99999999999-", {416}),
        ("bytes=9-3", {200, 400, 416}),
        ("bytes=x-", {200, 400, 416}),
        ("lines=1-2", {200, 400}),
        ("bytes=" + ",".join(f"{i}-{i}" for i in range(5000)), {200, 206, 400, 431}),
    ],
)
def test_ranges_that_cannot_be_do_no_harm(server, tour, given, statuses):
    status, _, body = ask(server, tour, range=given)
    assert status in statuses and len(body) <= len(TOUR.read_bytes()) * 2


def test_a_download_carries_its_name(server, tour):
    _, headers, _ = ask(server, tour + "?download=true", range="bytes=0-0")
    assert headers["content-disposition"] == 'attachment; filename="tour.mp4"'


def test_two_hundred_clients_at_once_are_all_answered(server):
    words = ["dog", "lake", "horse", "flower", "rocket", "coffee"]
    start = threading.Barrier(200)

    def one(number: int) -> int:
        start.wait(60)
        status, _, body = ask(server, f"/api/v1/search?q=a+{words[number % 6]}&k=3")
        return status if json.loads(body).get("hits") else 0

    with ThreadPoolExecutor(200) as clients:
        assert set(clients.map(one, range(200))) == {200}


def test_slow_clients_hold_up_nobody(server, tour):
    lines = []
    try:
        for number in range(60):
            line = socket.create_connection(("127.0.0.1", server.port), timeout=10)
            lines.append(line)
            path = tour if number % 2 else "/api/v1/search?q=a+dog"
            ends = "\r\n\r\n" if number % 2 else ""  # half never finish their request
            line.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost{ends}".encode())
        began = time.monotonic()
        status, _, _ = ask(server, "/api/v1/search?q=a+horse")
        assert status == 200 and time.monotonic() - began < 5
    finally:
        for line in lines:
            line.close()


@pytest.mark.soak
def test_a_request_that_does_not_end_is_dropped(samples_index):
    code = (
        "import unify.cli.web.protocol as p; p.HEAD_S = 0.5\n"
        "from unify.cli.main import app; app()\n"
    )
    with serving(samples_index, program=code) as server:
        began = time.monotonic()
        assert raw(server, b"GET / HTTP/1.1\r\nHost: loc", 15) == b""
        assert raw(server, b"", 15) == b""
        whole = b"GET /icon.svg HTTP/1.1\r\nHost: localhost\r\n\r\n"
        assert raw(server, whole + whole[:20], 15).count(b"HTTP/1.1 200") == 1
        assert time.monotonic() - began < 12


@pytest.mark.parametrize(
    "data",
    [
        b"POST /api/v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
        b"GET /" + b"z" * 200_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00nonsense\r\n\r\n",
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET http://elsewhere/ HTTP/1.1\r\nHost: elsewhere\r\nConnection: close\r\n\r\n",
    ],
    ids=["body", "header", "target", "no-host", "tls", "traversal", "proxy"],
)
def test_what_is_no_decent_request_is_refused(server, data):
    answer = raw(server, data)
    assert answer[:12] in (
        b"HTTP/1.1 400",
        b"HTTP/1.1 404",
        b"HTTP/1.1 413",
        b"HTTP/1.1 421",
        b"HTTP/1.1 431",
        b"",
    )
    assert b"root:" not in answer
    assert ask(server, "/api/v1/status")[0] == 200


def test_a_body_that_trickles_holds_no_connection(server):
    head = b"POST /api/v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n"
    assert b"connection: close" in raw(server, head, 5).lower()
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as line:
        line.sendall(head)
        try:
            while line.recv(65536):  # until the server ends it; else, this times out
                line.sendall(b"x")
        except ConnectionError:
            pass


def test_a_chunked_flood_is_not_read(server):
    head = b"POST /api/v1/search HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
        line.sendall(head)
        sent = 0
        try:
            for _ in range(4000):
                line.sendall(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
                sent += 0x4000
        except OSError:
            pass
    assert sent < 2000 * 0x4000
    assert ask(server, "/api/v1/status")[0] == 200


@pytest.mark.parametrize(
    ("how", "code"),
    [
        (signal.SIGINT, 130),
        pytest.param(signal.SIGTERM, -signal.SIGTERM, marks=pytest.mark.soak),
    ],
)
def test_it_ends_gracefully_and_says_so(samples_index, how, code):
    with serving(samples_index) as server:
        ids = json.loads(ask(server, "/api/v1/videos")[2])["videos"]
        path = f"/api/v1/videos/{ids[0]['video_id']}/thumbnail?t=1"
        assert ask(server, path)[0] == 200  # its decoder must end, too
        with socket.create_connection(("127.0.0.1", server.port)):  # idle
            began = time.monotonic()
            assert server.stop(how) == code
        assert time.monotonic() - began < 8
        text = server.errors.read_text()
        assert "Traceback" not in text and text.splitlines()[0].startswith("serving 11 videos")


@pytest.fixture(scope="module")
def long_file(tmp_path_factory):
    """An index of one video, whose file no client takes at once."""
    home = tmp_path_factory.mktemp("long")
    padding = 40 << 20
    box = padding.to_bytes(4, "big") + b"free" + bytes(padding - 8)
    (home / "cat.mp4").write_bytes((ROOT / "samples" / "cat.mp4").read_bytes() + box)
    done = run_unify("index", "build", home / "cat.mp4", "--index", home / "index")
    assert done.code == 0, done.err
    return home / "index"


@pytest.mark.parametrize("times", [1, 2])
def test_a_held_video_and_a_second_ctrl_c_leave_no_traceback(long_file, times):
    code = (
        "import unify.cli.web.ending as ending; ending.GRACE_S = 0.5\n"
        "from unify.cli.main import app; app()\n"
    )
    with serving(long_file, program=code) as server:
        (video,) = json.loads(ask(server, "/api/v1/videos")[2])["videos"]
        with socket.create_connection(("127.0.0.1", server.port)) as line:
            path = f"/api/v1/videos/{video['video_id']}/stream"
            line.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert line.recv(15) == b"HTTP/1.1 200 OK"  # and no more, as a paused player
            for _ in range(times - 1):
                server.process.send_signal(signal.SIGINT)
                time.sleep(0.1)
            assert server.stop() == 130
        told = server.errors.read_text().splitlines()
        assert [line.split()[0] for line in told] == ["serving", "ended"], told


@pytest.mark.soak
def test_beyond_this_machine_a_token_is_made_or_taken(samples_index):
    with serving(samples_index, "--host", "0.0.0.0") as server:
        token = server.url.partition("?token=")[2]
        assert len(token) >= 24
        assert ask(server, "/api/v1/status")[0] == 401
        assert ask(server, "/api/v1/status", authorization=f"Bearer {token}")[0] == 200
    with serving(samples_index, UNIFY_TOKEN="mine") as server:
        assert ask(server, "/api/v1/status")[0] == 401
        assert ask(server, "/api/v1/status", authorization="Bearer mine")[0] == 200


@pytest.mark.soak
def test_a_port_that_is_taken_and_no_index_are_one_clear_line(server, samples_index, tmp_path):
    taken = run_unify("serve", "--port", server.port, "--index", samples_index)
    assert taken.code == 2 and "choose another --port" in taken.complaint
    none = run_unify("serve", "--index", tmp_path)
    assert none.code == 3 and "make one: unify index build" in none.complaint
    nowhere = run_unify("serve", "--host", "no.such.host.invalid", "--index", samples_index)
    assert nowhere.code == 2 and "cannot listen on no.such.host.invalid" in nowhere.complaint


def test_without_its_packages_the_pip_line_is_said(samples_index, tmp_path: Path):
    (tmp_path / "fastapi.py").write_text("raise ImportError(name='fastapi')")
    done = run_unify(
        "serve", "--index", samples_index, PYTHONPATH=f"{tmp_path}:{ROOT}", cwd=ROOT
    )  # fmt: skip
    assert done.code == 2 and "pip install 'unify-search[serve]'" in done.complaint
