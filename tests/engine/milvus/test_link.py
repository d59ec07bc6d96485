"""A server that is away, or goes away."""

from __future__ import annotations

import socket
from pathlib import Path
from unittest import mock

import pytest

from tests.engine.backends import NEEDS_LITE
from tests.engine.milvus.sides import SHOWS, ids_of, ids_there
from unify.engine.errors import IndexUnavailable, NoIndex
from unify.engine.local import open_snapshot
from unify.engine.milvus import link as milvus_link
from unify.engine.milvus import push as milvus_push
from unify.engine.milvus.link import Link
from unify.engine.milvus.push import Wish, push
from unify.engine.opening import open_backend
from unify.engine.query import Filters


@pytest.mark.skipif(not milvus_link.find_spec("pymilvus"), reason="pymilvus is not installed")
def test_a_server_that_is_away_is_one_clear_line():
    with socket.socket() as taken, mock.patch.object(milvus_link, "CONNECT_S", 0.5):
        taken.bind(("127.0.0.1", 0))  # nobody listens
        address = f"milvus://127.0.0.1:{taken.getsockname()[1]}/clips"
        with pytest.raises(IndexUnavailable, match="cannot be reached") as caught:
            open_backend(address)
    assert "\n" not in str(caught.value)
    assert "run the same command again" in caught.value.hint


@NEEDS_LITE
def test_what_passes_is_tried_again_and_what_does_not_is_not(link):
    from pymilvus import MilvusException

    lost = MilvusException(2, "Fail connecting")
    busy = MilvusException(1, "not ready", retriable=True)
    wrong = MilvusException(1100, "cannot parse expression")
    with (
        mock.patch.object(milvus_link, "PAUSES_S", (0.001, 0.002)),
        mock.patch.object(link, "_client") as client,
    ):
        client.upsert.side_effect = [lost, busy, "done", wrong]
        assert link.write("upsert", "clips", []) == "done"
        with pytest.raises(IndexUnavailable, match="cannot parse expression"):
            link.write("upsert", "clips", [])
        assert client.upsert.call_count == 4
        client.query.side_effect = lost
        with (
            mock.patch.object(milvus_link, "READ_S", 0.01),
            pytest.raises(IndexUnavailable, match="does not answer"),
        ):
            link.count("clips", "")
        assert client.query.call_count > 2


@NEEDS_LITE
def test_a_server_that_goes_away_loses_nothing(corpus, link):
    from milvus_lite.server_manager import server_manager_instance

    def leave(*_: int) -> None:
        server_manager_instance.release_server(link.place.uri)

    with (
        mock.patch.multiple(milvus_link, WRITE_S=0.5, READ_S=0.5),
        mock.patch.object(milvus_push, "BATCH", 10),
        pytest.raises(IndexUnavailable, match="does not take what is written"),
    ):
        push(open_snapshot(corpus.directory), link, SHOWS, Wish(), leave)
    back = Link(link.place)
    done = push(open_snapshot(corpus.directory), back, SHOWS, Wish())
    assert done.sent == done.moments - 10  # what was acknowledged is there
    assert ids_there(back) == ids_of(corpus.directory)
    back.close()


@NEEDS_LITE
def test_a_search_does_not_wait_as_long_as_a_push(corpus, link):
    from milvus_lite.server_manager import server_manager_instance

    push(open_snapshot(corpus.directory), link, SHOWS, Wish())
    backend = open_backend(str(link.place))
    server_manager_instance.release_server(link.place.uri)
    with (
        mock.patch.object(milvus_link, "READ_S", 0.5),
        pytest.raises(IndexUnavailable, match="does not answer"),
    ):
        backend.allowed(Filters(("even",)), [], SHOWS)


def test_a_file_that_is_not_there_is_not_made(place):
    with pytest.raises(NoIndex, match="unify index push"):
        open_backend(str(place))
    assert not Path(place.uri).exists()
