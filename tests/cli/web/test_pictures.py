"""A picture or clip that is sent: found by as the command line does, and no harm from a bad one."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import struct
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cli.conftest import run_unify
from tests.cli.web.conftest import ROOT, Server, serving
from tests.indexer.media import make_audio, make_still, make_video
from unify.cli.web import pictures
from unify.indexer.jobs import JobProcess

API = "/api/v1"
COFFEE = ROOT / "samples" / "coffee.mp4"


@pytest.fixture(scope="module")
def frame(tmp_path_factory) -> Path:
    """A picture out of an indexed video, in another size."""
    path = tmp_path_factory.mktemp("shown") / "frame.jpg"
    with JobProcess() as process:
        path.write_bytes(process.picture(str(COFFEE), 3.0, 200)[1])
    return path


def send(client, data: bytes, kind: str = "image/jpeg", code: int = 201):
    answer = client.post(f"{API}/pictures", content=data, headers={"content-type": kind})
    assert answer.status_code == code, answer.text
    return answer.json()


def search(client, code: int = 200, **params):
    answer = client.get(f"{API}/search", params=params)
    assert answer.status_code == code, answer.text
    return answer.json()


def facts(hit: dict) -> tuple:
    """What both interfaces say of a hit, exactly."""
    names = ("rank", "video", "start_s", "end_s", "score", "latent", "lexicon", "weak")
    terms = [(match["term"], match["part"]) for match in hit["terms"]]
    return *(hit[name] for name in names), terms


@pytest.mark.parametrize("words", [[], ["outdoors", "-horse", "--like-weight", "0.5"]])
@pytest.mark.parametrize("option", ["--image", "--clip"])
def test_it_finds_what_the_command_line_finds(client, samples_index, frame, option, words):
    path, kind = (frame, "image/jpeg") if option == "--image" else (COFFEE, "video/mp4")
    sent = send(client, path.read_bytes(), kind)
    assert sent["kind"] == {"--image": "picture", "--clip": "clip"}[option]
    said = {"q": " ".join(words[:2]), "like_weight": words[3]} if words else {}
    body = search(client, picture=sent["picture"], k=8, **said)
    done = run_unify(
        "search", option, path, *words, "-k", 8, "--json", "--index", samples_index
    )  # fmt: skip
    assert [facts(hit) for hit in body["hits"]] == [facts(hit) for hit in done.rows]
    assert len(done.rows) == 8
    assert not any(hit["weak"] for hit in body["hits"])
    if not words:
        assert body["hits"][0]["video"] == "samples/coffee.mp4"
        assert len(body["query"]["terms"]) <= 24


def test_facets_are_of_its_hits(client, frame):
    name = send(client, frame.read_bytes())["picture"]
    found = client.get(f"{API}/facets", params={"picture": name, "top": 5}).json()
    assert len(found["facets"]) == 5 and found["moments"] > 1


def test_the_same_file_has_the_same_name_and_is_looked_at_once(client, frame, monkeypatch):
    first = send(client, frame.read_bytes())
    monkeypatch.setattr(pictures, "encode_shown", None)
    assert send(client, frame.read_bytes()) == first
    thumbnail = client.get(f"{API}/pictures/{first['picture']}/thumbnail")
    assert thumbnail.headers["content-type"] == "image/jpeg"
    assert thumbnail.content[:2] == b"\xff\xd8"


def test_those_used_last_are_kept(client, monkeypatch):
    monkeypatch.setattr(pictures, "KEPT", 2)
    stills = [make_still(number, "png") for number in range(1, 4)]
    one, two = (send(client, still, "image/png")["picture"] for still in stills[:2])
    search(client, picture=one)
    three = send(client, stills[2], "image/png")["picture"]
    for name in (one, three):
        search(client, picture=name)
    error = search(client, 404, picture=two)
    assert two in error["message"] and "send it again" in error["hint"]
    assert client.get(f"{API}/pictures/{two}/thumbnail").status_code == 404
    assert send(client, stills[1], "image/png")["picture"] == two
    search(client, picture=two)


@pytest.mark.parametrize(
    ("params", "code", "said"),
    [
        ({"picture": "0" * 32}, 404, "no picture"),
        ({"picture": "../../etc/passwd"}, 404, "no picture"),
        ({"picture": "0" * 65}, 422, "picture"),
        ({"picture": "a", "like": "1@1"}, 400, "more than one picture"),
        ({"picture": "a", "expand": False}, 400, "no words to expand"),
        ({"picture": "a", "like_weight": 2}, 400, "like_weight weighs a picture"),
    ],
)
def test_a_question_that_cannot_be_is_refused(client, params, code, said):
    assert said in search(client, code, **params)["message"]


def bomb(side: int) -> bytes:
    """A PNG of some bytes that says it has so many black pixels a side."""
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = (b"IHDR", head), (b"IDAT", zlib.compress(bytes(1 << 20))), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def bad(tmp_path: Path) -> dict[str, tuple[bytes, str, int, str]]:
    """What is sent, its type, and what is answered."""
    jpeg = make_still(3, "mjpeg", (640, 480))
    film = make_video(tmp_path / "film.mp4", 121, ticks=range(0, 7_200_001, 60_000))
    listed = b"ffconcat version 1.0\nfile sent\n"
    clip = make_video(tmp_path / "clip.mp4", 75).read_bytes()
    return {
        "nothing": (b"", "image/png", 400, "nothing was sent"),
        "no type": (jpeg, "", 415, "Content-Type"),
        "text": (b"no picture\n" * 20, "image/png", 400, "what was sent cannot be used as a pict"),
        "json": (b"{}", "application/json", 415, "Content-Type"),
        "form": (jpeg, "multipart/form-data; boundary=x", 415, "Content-Type"),
        "half": (jpeg[: len(jpeg) // 2], "image/jpeg", 400, "no picture in it decodes"),
        "bomb": (bomb(60_000), "image/png", 400, "no picture in it decodes"),
        "film": (film.read_bytes(), "video/mp4", 400, "it lasts 12"),
        "clip": (clip, "image/png", 400, "it is a video, so give it as a clip"),
        "sound": (make_audio(tmp_path / "a.mp4").read_bytes(), "video/mp4", 400, "no video str"),
        "list": (listed, "video/mp4", 400, "not a video"),
        "large": (bytes((32 << 20) + 1), "image/png", 413, "at most 33,554,432 bytes"),
    }


def test_what_is_no_picture_is_refused_and_leaves_nothing(client, tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(home))
    for name, (data, kind, code, said) in bad(tmp_path).items():
        error = send(client, data, kind, code)
        assert said in error["message"] and str(home) not in error["message"], name
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("path", ["/pictures", "/pictures/", "/search"])
def test_only_its_route_takes_a_large_body(client, path):
    def refused(length: int, at: str = path) -> str:
        head = {"content-length": str(length), "content-type": "video/mp4"}
        answer = client.post(API + at, headers=head, content=b"")
        return f"{answer.status_code} {answer.json()['hint']}"

    most = "268,435,456" if path == "/pictures" else "65,536"
    assert refused((256 << 20) + 1) == f"413 at most {most} bytes"
    if path != "/pictures":
        assert refused((64 << 10) + 1) == "413 at most 65,536 bytes"
    answer = client.request("PUT", f"{API}/pictures", headers={"content-length": "70000"})
    assert answer.status_code == 413


def test_another_site_sends_nothing(client, frame):
    for headers, code in (
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"host": "evil.example"}, 421),
        ({"transfer-encoding": "chunked"}, 413),
    ):
        given = {"content-type": "image/jpeg", **headers}
        answer = client.post(f"{API}/pictures", content=frame.read_bytes(), headers=given)
        assert answer.status_code == code
    assert client.options(f"{API}/pictures").status_code == 405  # no site is told it may


@pytest.fixture
def held(samples_index, tmp_path) -> tuple[Server, Path]:
    """A server that waits for nobody, and the folder that it writes to."""
    home = tmp_path / "home"
    home.mkdir()
    code = (
        "import unify.cli.web.receiving as r; r.LATE_S = 3.0\n"
        "import unify.cli.web.ending as ending; ending.GRACE_S = 0.5\n"
        "from unify.cli.main import app; app()\n"
    )
    with serving(samples_index, program=code, TMPDIR=str(home)) as server:
        yield server, home
        assert "Traceback" not in server.errors.read_text()


def post(server: Server, data: bytes, kind: str = "image/png") -> tuple[int, dict]:
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        line.request("POST", f"{API}/pictures", data, {"content-type": kind})
        answer = line.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        line.close()


def head(length: int) -> bytes:
    return (
        f"POST {API}/pictures HTTP/1.1\r\nHost: localhost\r\nContent-Type: video/mp4\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


def until_held(folder: Path, number: int) -> None:
    ends_s = time.monotonic() + 20
    while len(list(folder.iterdir())) != number:
        assert time.monotonic() < ends_s, list(folder.rglob("*"))
        time.sleep(0.02)


def test_fifty_at_once_are_taken_or_told_to_wait(held):
    server, home = held
    stills = [make_still(number, "png") for number in range(50)]
    with ThreadPoolExecutor(50) as clients:
        answers = list(clients.map(lambda still: post(server, still), stills))
    codes = [code for code, _ in answers]
    assert set(codes) <= {201, 429} and codes.count(201) >= 1
    assert post(server, stills[0])[0] == 201
    until_held(home, 0)


def test_who_goes_or_dawdles_leaves_nothing(held):
    server, home = held
    clip = COFFEE.read_bytes()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
        line.sendall(head(len(clip)) + clip[:1000])
        until_held(home, 1)  # and now it goes
    until_held(home, 0)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
        line.sendall(head(len(clip)) + clip)  # it goes before the answer
    until_held(home, 0)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
        line.sendall(head(len(clip)) + clip[:1000])
        assert line.recv(12) == b"HTTP/1.1 408"
    until_held(home, 0)
    dawdlers = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(8)]
    for line in dawdlers:
        line.sendall(head(10 << 20) + bytes(1 << 20))  # this much may take a while
    until_held(home, 8)
    assert post(server, make_still(1))[0] == 429
    for line in dawdlers:
        line.close()
    until_held(home, 0)
    assert post(server, make_still(1))[0] == 201


def test_a_stop_waits_for_no_sender(held):
    server, home = held
    clip = COFFEE.read_bytes()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
        line.sendall(head(len(clip)) + clip[:1000])
        until_held(home, 1)
        assert server.stop(signal.SIGINT) == 130
    assert list(home.iterdir()) == []
