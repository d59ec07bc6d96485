"""Clips, timelines and chapters over REST: the same as of the command line."""

from __future__ import annotations

import asyncio
import gc
import http.client
import itertools
import json
import shutil
import stat
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from fastapi import HTTPException
from starlette.requests import ClientDisconnect
from starlette.testclient import TestClient

from tests.cli.conftest import run_unify
from tests.cli.web.conftest import ROOT, serving
from tests.indexer.sound import beeps_in, make_sounding, numbers_in
from unify.cli.web import cutting
from unify.cli.web.app import make_app
from unify.cli.web.desk import Desk
from unify.cli.web.guard import Door
from unify.cli.web.library import Library
from unify.engine.errors import MediaError, UsageError
from unify.indexer.cut import CutMode

API = "/api/v1"
QUERY = "a man"
FOLD = {"duplicates": False, "k": 3}


def get(client, path, code=200, **params):
    answer = client.get(API + path, params=params)
    assert answer.status_code == code, answer.text
    return answer


@pytest.fixture(scope="module")
def last(samples_index, tmp_path_factory):
    """Run `unify` after a search for `QUERY`, with hit 2 cut and all hits exported."""
    home = tmp_path_factory.mktemp("last")
    state = {"UNIFY_INDEX": str(samples_index), "XDG_STATE_HOME": str(home)}
    assert run_unify("search", *QUERY.split(), "-k", 3, **state).code == 0

    def run(*arguments):
        done = run_unify(*arguments, cwd=home, **state)
        assert done.code == 0, done.err
        return done

    run.home = home
    return run


@pytest.fixture(scope="module")
def hits(client):
    return get(client, "/search", q=QUERY, **FOLD).json()["hits"]


@pytest.mark.parametrize("mode", ["exact", "fast"])
def test_a_cut_is_what_the_command_line_writes(client, last, hits, mode):
    hit = hits[1]
    answer = get(
        client, f"/videos/{hit['video_id']}/cut",
        start_s=hit["start_s"], end_s=hit["end_s"], mode=mode,
    )  # fmt: skip
    name = last("cut", 2, f"--{mode}", "--force").out.strip()
    manifest = json.loads((last.home / f"{name}.json").read_text())
    assert answer.content == (last.home / name).read_bytes()
    assert json.loads(answer.headers["unify-cut"]) == manifest["got"]
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["cache-control"] == "no-store"


def test_a_fast_cut_tells_where_it_begins(client, video_id):
    path = f"/videos/{video_id('tour.mp4')}/cut"
    got = json.loads(get(client, path, start_s=5.3, end_s=8.0, mode="fast").headers["unify-cut"])
    assert got["start_s"] < 5.3 and got["end_s"] >= 8.0
    exact = json.loads(get(client, path, start_s=5.3, end_s=8.0).headers["unify-cut"])
    assert exact["start_s"] == pytest.approx(5.3, abs=0.05) and exact["pictures"] == 68


@pytest.mark.parametrize(
    ("params", "code", "says"),
    [
        ({"start_s": 3}, 422, "end_s: Field required"),
        ({"start_s": -1, "end_s": 3}, 422, "start_s: "),
        ({"start_s": "nan", "end_s": 3}, 422, "start_s: "),
        ({"start_s": 0, "end_s": 3, "mode": "quick"}, 422, "mode: "),
        ({"start_s": 3, "end_s": 3}, 400, "the range ends at 3 s and begins at 3 s"),
        ({"start_s": 0, "end_s": 601}, 400, "a clip at most 600 s"),
        ({"start_s": 99, "end_s": 100}, 400, "begins at 99 s and the video ends at 30 s"),
    ],
)
def test_what_cannot_be_cut(client, video_id, params, code, says):
    body = get(client, f"/videos/{video_id('tour.mp4')}/cut", code, **params).json()
    assert says in body["message"] and (code == 422 or body["hint"])


@pytest.mark.parametrize(
    ("params", "code", "says"),
    [
        ({"q": QUERY}, 422, "format: "),
        ({"q": QUERY, "format": "aaf"}, 422, "format: "),
        ({"q": QUERY, "format": "edl", "ranks": "9-x"}, 400, "cannot read the hit '9-x'"),
        ({"q": QUERY, "format": "edl", "ranks": "99"}, 400, "there is no hit 99 of the search"),
        ({"q": QUERY, "format": "edl", "rate": "1e9999999"}, 422, "rate: "),
        ({"q": QUERY, "format": "edl", "rate": "1/0"}, 400, "cannot read the frame rate"),
        ({"q": f"{QUERY} len:>999999", "format": "edl"}, 400, "found nothing"),
        ({"q": QUERY, "format": "edl", "generation": 999}, 400, "the index has changed"),
        ({"format": "edl"}, 400, "the query is empty"),
    ],
)
def test_what_cannot_be_exported(client, params, code, says):
    assert says in get(client, "/export", code, **params).json()["message"]


@pytest.mark.parametrize(("ranks", "words"), [("all", ["all"]), ("3,1", ["3,1"])])
@pytest.mark.parametrize(("form", "rate"), [("edl", ""), ("fcpxml", ""), ("edl", "29.97")])
def test_an_export_is_what_the_command_line_writes(client, last, ranks, words, form, rate):
    more = ("--rate", rate) if rate else ()
    expected = last("export", *words, f"--{form}", "-", *more).out
    answer = get(client, "/export", q=QUERY, format=form, ranks=ranks, rate=rate, **FOLD)
    assert answer.text == expected
    facts = json.loads(answer.headers["unify-timeline"])
    count = 2 if ranks != "all" else 3
    assert facts == {
        "events": count,
        "rate": "29.97 drop-frame" if rate else "25",
        "rounded": count if rate else 0,
    }
    assert f"a-man.{form}" in answer.headers["content-disposition"]


def test_what_was_exported_is_read_back(client, hits):
    otio = pytest.importorskip("opentimelineio")
    edl, fcpxml = (
        get(client, "/export", q=QUERY, format=form, **FOLD).text for form in ("edl", "fcpxml")
    )
    read = otio.adapters.read_from_string
    timelines = read(edl, "cmx_3600", rate=25), read(fcpxml, "fcpx_xml")[0]
    first, second = ([c.source_range for c in one.find_clips()] for one in timelines)
    assert first == second and len(first) == 3
    assert [clip.duration.to_seconds() for clip in first] == pytest.approx(
        [hit["end_s"] - hit["start_s"] for hit in hits], abs=0.1
    )


def test_the_title_of_an_export_says_what_it_is_like(client, video_id):
    like = f"{video_id('horse.mp4')}@2.0"
    text = get(client, "/export", q="len:>1", like=like, format="edl", k=2).text
    assert text.startswith("TITLE: len:>1 samples/horse.mp4@2.0\n")


def test_others_are_told_no_absolute_path(library):
    otio = pytest.importorskip("opentimelineio")
    app = make_app(library, Door("192.0.2.7", "secret"))
    headers = {"authorization": "Bearer secret"}
    with TestClient(app, base_url="http://192.0.2.7", headers=headers) as client:
        edl, fcpxml = (
            get(client, "/export", q=QUERY, format=form, **FOLD).text for form in ("edl", "fcpxml")
        )
    assert str(ROOT) not in edl + fcpxml
    assert "* SOURCE FILE: samples/" in edl and 'src="samples/' in fcpxml
    for timeline in (
        otio.adapters.read_from_string(edl, "cmx_3600", rate=25),
        otio.adapters.read_from_string(fcpxml, "fcpx_xml")[0],
    ):
        assert len(list(timeline.find_clips())) == 3


@pytest.mark.parametrize(
    ("form", "kind", "suffix"),
    [
        ("list", "text/plain; charset=utf-8", "txt"),
        ("webvtt", "text/vtt; charset=utf-8", "vtt"),
        ("ffmetadata", "text/plain; charset=utf-8", "ffmeta"),
    ],
)
@pytest.mark.parametrize("queries", [[], ["a cat", "a rocket"]])
def test_chapters_are_those_of_the_command_line(
    client, samples_index, video_id, form, kind, suffix, queries
):
    answer = get(
        client, f"/videos/{video_id('tour.mp4')}/chapters", format=form, q=queries, shortest=2
    )
    words = [word for query in queries for word in ("-q", query)]
    done = run_unify(
        "chapters", "samples/tour.mp4", *words, "--format", form, "--shortest", 2,
        "--index", samples_index,
    )  # fmt: skip
    assert answer.text == done.out and done.code == 0
    assert answer.headers["content-type"] == kind
    assert f"tour.{suffix}" in answer.headers["content-disposition"]


def test_chapters_as_a_model(client, video_id):
    path = f"/videos/{video_id('tour.mp4')}/chapters"
    body = get(client, path, shortest=2).json()
    found = body["chapters"]
    assert body["video_id"] == video_id("tour.mp4") and len(found) > 1
    assert found[0]["start_s"] == 0 and found[-1]["end_s"] == pytest.approx(30, abs=0.1)
    assert all(a["end_s"] == b["start_s"] for a, b in itertools.pairwise(found))
    assert "the query is empty" in get(client, path, 400, q="").json()["message"]
    assert "format: " in get(client, path, 422, format="opml").json()["message"]
    assert "no video 999" in get(client, "/videos/999/chapters", 404).json()["message"]


@pytest.fixture
def lonely(tmp_path):
    """A client of two videos, one with sound, whose files may go."""
    films = tmp_path / "films"
    films.mkdir()
    make_sounding(films / "beeps.mp4")
    shutil.copy(ROOT / "samples" / "cat.mp4", films)
    done = run_unify("index", "build", films, "--index", tmp_path / "index")
    assert done.code == 0, done.err
    with TestClient(
        make_app(Library(tmp_path / "index"), Door("127.0.0.1")), base_url="http://127.0.0.1"
    ) as client:
        yield client, films


def test_a_cut_has_its_sound_and_opens(lonely, tmp_path):
    client, _ = lonely
    number = next(
        video["video_id"] for video in get(client, "/videos").json()["videos"]
        if video["name"] == "beeps.mp4"
    )  # fmt: skip
    out = tmp_path / "clip.mp4"
    out.write_bytes(get(client, f"/videos/{number}/cut", start_s=2, end_s=5).content)
    assert numbers_in(out) == list(range(50, 125))
    assert beeps_in(out) == pytest.approx([0, 1, 2], abs=0.06)


def test_what_has_gone_is_named_and_no_path_is_told(lonely):
    client, films = lonely
    cat = get(client, "/search", q="a cat", k=1).json()["hits"][0]
    shutil.rmtree(films)
    number = cat["video_id"]
    body = get(client, f"/videos/{number}/cut", 404, start_s=0, end_s=2).json()
    assert "cat.mp4 is gone" in body["message"] and "connect its disk" in body["hint"]
    body = get(client, "/export", 404, q="a cat", format="edl").json()
    assert ".mp4 is gone" in body["message"]
    assert get(client, f"/videos/{number}/chapters").json()["chapters"]
    films.mkdir()
    (films / "cat.mp4").write_bytes(b"no video")
    body = get(client, f"/videos/{number}/cut", 404, start_s=0, end_s=2, mode="fast").json()
    assert "cat.mp4: " in body["message"] and "mode=exact" in body["hint"]
    body = get(client, "/export", 404, q="cat", format="edl", ranks="1", k=1).json()
    assert "cat.mp4: " in body["message"] or "beeps.mp4 is gone" in body["message"]


@pytest.fixture(scope="module")
def bounded(samples_index, tmp_path_factory):
    """A server with a temporary folder of its own, and the path of cuts of the tour."""
    temporary = tmp_path_factory.mktemp("temporary")
    with serving(samples_index, TMPDIR=str(temporary)) as server:
        with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as line:
            line.request("GET", f"{API}/videos?limit=200")
            videos = json.loads(line.getresponse().read())["videos"]
        (number,) = (video["video_id"] for video in videos if video["name"] == "tour.mp4")
        yield server, temporary, f"{API}/videos/{number}/cut"


def emptied(folder: Path, wait_s: float = 20.0) -> bool:
    """Whether a folder holds nothing, at last."""
    ends_s = time.monotonic() + wait_s
    while any(folder.iterdir()) and time.monotonic() < ends_s:
        time.sleep(0.05)
    return not any(folder.iterdir())


def test_thirty_at_once_are_all_cut(bounded):
    server, temporary, path = bounded

    def one(number: int) -> tuple[int, bytes]:
        with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)) as line:
            line.request("GET", f"{path}?start_s={number % 3}&end_s={number % 3 + 1}&mode=fast")
            answer = line.getresponse()
            return answer.status, answer.read()

    with ThreadPoolExecutor(30) as clients:
        answers = list(clients.map(one, range(30)))
    assert {status for status, _ in answers} == {200}
    assert len({body for _, body in answers}) <= 3 and emptied(temporary)


@pytest.mark.parametrize("wait_s", [0.0, 0.3, 1.0])
def test_who_leaves_leaves_nothing(bounded, wait_s):
    server, temporary, path = bounded
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    line.request("GET", f"{path}?start_s=0&end_s=30")
    time.sleep(wait_s)
    line.close()
    assert emptied(temporary)


class Held:
    """Stands for a decoder that works until it is interrupted."""

    def __init__(self, limits):
        assert limits.behind  # searches go first
        self.ended = threading.Event()
        self.interrupt = self.ended.set

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def cut(self, request):
        out = Path(request.out)
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (out, out.parent)]
        assert modes == [0o600, 0o700]
        assert self.ended.wait(30)
        raise MediaError("the decoder crashed (signal 9)")


class Leaving:
    """Stands for the request of one who leaves once his cut has begun."""

    async def receive(self):
        await asyncio.sleep(0.2)
        return {"type": "http.disconnect"}


async def forever(*_):
    await asyncio.sleep(60)


class Staying:
    """Stands for the request of one who waits."""

    receive = forever


def test_a_cut_ends_once_nobody_waits_for_it(library, video_id, monkeypatch, tmp_path):
    monkeypatch.setattr(cutting, "JobProcess", Held)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    desk = Desk(library, paths=True)
    cut = cutting.clip(desk, Leaving(), video_id("tour.mp4"), 0.0, 30.0, CutMode.EXACT)
    with pytest.raises(MediaError, match=r"samples/tour.mp4: the decoder crashed"):
        asyncio.run(cut)
    assert not list(tmp_path.iterdir())
    desk.close()


def test_who_leaves_before_his_turn_leaves_his_place(library, video_id, monkeypatch, tmp_path):
    monkeypatch.setattr(cutting, "JobProcess", Held)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    desk = Desk(library, paths=True, threads=1)
    ended = threading.Event()

    async def one_waits():
        long = asyncio.create_task(desk.cut(lambda: ended.wait(30)))
        await asyncio.sleep(0.1)
        cut = cutting.clip(desk, Leaving(), video_id("tour.mp4"), 0.0, 30.0, CutMode.EXACT)
        with pytest.raises(ClientDisconnect):
            await cut
        assert not long.done() and not list(tmp_path.iterdir())
        ended.set()
        assert await long

    asyncio.run(one_waits())
    desk.close()


def test_who_does_not_take_his_clip_is_left(library, video_id, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(cutting, "LATE_S", 0.2)
    desk = Desk(library, paths=True)

    async def taken_by_nobody():
        clip = await cutting.clip(desk, Staying(), video_id("tour.mp4"), 0.0, 0.5, CutMode.FAST)
        assert len(list(tmp_path.iterdir())) == 1
        await clip({"type": "http", "method": "GET", "headers": []}, forever, forever)

    asyncio.run(taken_by_nobody())
    assert not list(tmp_path.iterdir())
    desk.close()


def test_too_many_clips_are_refused_until_one_is_taken(library, video_id, monkeypatch, tmp_path):
    monkeypatch.setattr("unify.cli.web.desk.MAX_CLIPS", 1)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    desk = Desk(library, paths=True)

    async def some():
        def cut():
            return cutting.clip(desk, Staying(), video_id("tour.mp4"), 0.0, 0.5, CutMode.FAST)

        with pytest.raises(UsageError):
            await cutting.clip(desk, Staying(), video_id("tour.mp4"), 5.0, 1.0, CutMode.FAST)
        clip = await cut()
        with pytest.raises(HTTPException, match="too many clips") as refused:
            await cut()
        assert refused.value.status_code == 503 and refused.value.headers == {"retry-after": "1"}
        del clip  # it is never sent: its client had gone
        gc.collect()
        await cut()

    asyncio.run(some())
    gc.collect()
    assert not list(tmp_path.iterdir())
    desk.close()
