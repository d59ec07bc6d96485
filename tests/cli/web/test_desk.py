"""Whose turn it is: what takes long, or for ever, keeps no search waiting."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.testclient import TestClient

from unify.cli.web import library as libraries
from unify.cli.web.app import make_app
from unify.cli.web.guard import Door
from unify.cli.web.library import Library, View
from unify.indexer import jobs

API = "/api/v1"


@pytest.fixture
def fresh(samples_index):
    """A client of a library that nobody has asked yet."""
    app = make_app(Library(samples_index), Door("127.0.0.1"))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client


@pytest.mark.parametrize(
    ("held", "path"),
    [
        ((View, "file"), "/videos/{}/stream"),
        ((View, "file"), "/videos/{}/cut?start_s=0&end_s=1"),
        ((libraries, "status"), "/status"),
    ],
)
def test_a_disk_that_does_not_answer_keeps_no_search_waiting(
    fresh, video_id, monkeypatch, held, path
):
    path = path.format(video_id("cat.mp4"))
    answers, asked, real = threading.Event(), threading.Event(), getattr(*held)

    def stuck(*arguments):
        asked.set()
        assert answers.wait(60)
        return real(*arguments)

    monkeypatch.setattr(*held, stuck)
    with ThreadPoolExecutor(60) as clients:
        waiting = [clients.submit(fresh.get, API + path) for _ in range(60)]
        try:
            assert asked.wait(20)
            for place in ("/search?q=a+cat", "/facets?q=a+cat", "/videos", "/moments/4294967296"):
                answer = answered(fresh, API + place)
                assert answer.status_code == 200, place
            assert not any(one.done() for one in waiting)
        finally:
            answers.set()
        assert {one.result().status_code for one in waiting} == {200}


def answered(client, path):
    """Ask on a thread of its own: where there is no answer, the test must end nevertheless."""
    found = []
    thread = threading.Thread(target=lambda: found.append(client.get(path)), daemon=True)
    thread.start()
    thread.join(20)
    assert found, f"{path} is not answered"
    return found[0]


def test_the_index_is_looked_at_by_one_at_a_time(samples_index, monkeypatch):
    library = Library(samples_index)
    known = library.status()
    monkeypatch.setattr(libraries, "_STATUS_EVERY_S", -1.0)
    answers, asked = threading.Event(), threading.Event()

    def stuck(directory):
        asked.set()
        assert answers.wait(60)

    monkeypatch.setattr(libraries, "status", stuck)
    looking = threading.Thread(target=library.status)
    looking.start()
    assert asked.wait(20)
    assert library.status() is known
    answers.set()
    looking.join()


def test_an_export_waits_for_no_cut(fresh, video_id, monkeypatch):
    answers, begun, real = threading.Event(), threading.Semaphore(0), jobs.JobProcess.cut

    def stuck(*arguments):
        begun.release()
        assert answers.wait(60)
        return real(*arguments)

    monkeypatch.setattr(jobs.JobProcess, "cut", stuck)
    path = f"{API}/videos/{video_id('cat.mp4')}/cut?start_s=0&end_s=1"
    with ThreadPoolExecutor(3) as clients:
        waiting = [clients.submit(fresh.get, path) for _ in range(3)]
        try:
            assert begun.acquire(timeout=20) and begun.acquire(timeout=20)
            answer = answered(fresh, f"{API}/export?q=a+cat&format=edl")
            assert answer.status_code == 200
        finally:
            answers.set()
        assert {one.result().status_code for one in waiting} == {200}
