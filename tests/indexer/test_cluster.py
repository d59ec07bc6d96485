"""A cluster's head: whether it answers, what it says, and what is wrong with it."""

from __future__ import annotations

import socket
import sys
import threading
from contextlib import closing, redirect_stdout

import pytest

from unify.engine.errors import IndexUnavailable
from unify.indexer import cluster


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1:here"])
def test_nobody_at_an_address_is_told_at_once(address):
    with pytest.raises((OSError, ValueError)):
        cluster.knock(address)


def test_somebody_else_at_an_address_is_told_at_once():
    with closing(socket.create_server(("127.0.0.1", 0))) as door:

        def answer():
            caller, _ = door.accept()
            with caller:
                caller.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(OSError, match="not Ray"):
            cluster.knock(f"127.0.0.1:{door.getsockname()[1]}")


def nothing_yet(released):
    """Rows of a cluster that are waited for."""
    yield 1
    released.wait()


def test_a_head_that_is_gone_is_told_and_one_that_comes_back_is_not(monkeypatch):
    monkeypatch.setattr(cluster, "_PULSE_S", 0.01)
    released = threading.Event()
    knocks = iter([False, False, False, True, *[False] * 4])

    def knock():
        if not next(knocks):
            raise ConnectionRefusedError("refused")

    rows = cluster.heard(nothing_yet(released), knock)
    assert next(rows) == 1
    with pytest.raises(IndexUnavailable, match=r"head .* is gone \(refused\); .* run again"):
        next(rows)
    assert next(knocks, None) is None
    released.set()


def test_rows_of_a_cluster_come_whole_and_what_it_raises_too():
    def rows():
        yield from range(50)
        raise LookupError("lost")

    got = []
    with pytest.raises(LookupError, match="lost"):
        got.extend(cluster.heard(rows(), lambda: None))
    assert list(cluster.heard(range(50), lambda: None)) == list(range(50))


def test_the_root_of_an_error_is_told_in_one_line():
    try:
        try:
            raise RuntimeError("cannot. Traceback (most recent call last):\n  File\nNoToken: none.")
        except RuntimeError as error:
            raise ConnectionError("failed to connect") from error
    except ConnectionError as error:
        assert cluster._reason(error) == "NoToken: none"
    assert cluster._reason(ValueError("Version mismatch:\n  Ray: 1\n  Ray: 2")) == (
        "Version mismatch: Ray: 1 Ray: 2"
    )


def test_what_ray_says_is_not_among_what_its_user_prints(capsys):
    with redirect_stdout(cluster._Spoken(sys.stdout)):
        sys.stdout.write("mine")
        of_ray = threading.Thread(target=lambda: sys.stdout.write("a loss"), name="ray_listener")
        of_ray.start()
        of_ray.join()
    assert capsys.readouterr() == ("mine", "a loss")
