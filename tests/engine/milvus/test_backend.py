"""What a search fetches."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest import mock

import numpy as np

from tests.engine.backends import NEEDS_LITE
from tests.engine.milvus.sides import SHOWS
from unify.engine import candidates
from unify.engine.local import open_snapshot
from unify.engine.milvus import store
from unify.engine.milvus.collection import LatentIndex
from unify.engine.milvus.link import Link
from unify.engine.milvus.push import Wish, push
from unify.engine.opening import open_backend
from unify.engine.query import Filters


@NEEDS_LITE
def test_only_what_is_asked_for_is_fetched(corpus, link):
    push(open_snapshot(corpus.directory), link, SHOWS, Wish())
    backend = open_backend(str(link.place))
    fetched: list[list[str]] = []

    def noted(method: str, *args: Any, **kwargs: Any) -> Any:
        fetched.append(kwargs.get("output_fields", []))
        return Link.read(backend.collection.link, method, *args, **kwargs)

    with mock.patch.object(backend.collection.link, "read", noted):
        allowed = backend.allowed(Filters(("od_",)), [], SHOWS)
        assert not len(backend.video_ids(backend.every(allowed)))
        every = backend.every(backend.allowed(Filters(), [], SHOWS))
        videos = backend.video_ids(every).tolist()
    assert fetched
    assert not any("latent" in fields for fields in fetched)
    assert videos == [row.video for row in backend.store.rows(every)]


@NEEDS_LITE
def test_no_row_is_fetched_twice_where_there_are_more_than_are_remembered(corpus, link):
    push(open_snapshot(corpus.directory), link, SHOWS, Wish())
    backend = open_backend(str(link.place))
    fetched: list[int] = []

    def noted(method: str, *args: Any, **kwargs: Any) -> Any:
        if "latent" in kwargs.get("output_fields", []):
            fetched.extend(kwargs["ids"])
        return Link.read(backend.collection.link, method, *args, **kwargs)

    every = backend.every(backend.allowed(Filters(), [], SHOWS))
    with (
        mock.patch.object(store, "REMEMBERED", 10),
        mock.patch.object(candidates, "BLOCK", 10),
        mock.patch.object(backend.collection.link, "read", noted),
    ):
        rows = candidates.Candidates(backend, corpus.pack.encode_query("w1 w2"))
        rows.add(every)
    assert rows.latent.all() and rows.lexicon.any()
    assert sorted(fetched) == every.tolist()


@NEEDS_LITE
def test_a_graph_on_a_gpu_is_asked_for_what_it_can_return(corpus, link):
    push(open_snapshot(corpus.directory), link, SHOWS, Wish())
    backend = open_backend(str(link.place))
    backend.about = replace(backend.about, latent_index=LatentIndex.CAGRA)
    everything = backend.allowed(Filters(), [], SHOWS)
    with mock.patch.object(backend.collection.link, "read", return_value=[[]]) as read:
        backend.latent_topk(np.ones((1, 8), "f4"), 5_000, everything, False, 1)
        backend.fused_topk(corpus.pack.encode_query("w1"), 5_000, everything)
    assert [call.kwargs["limit"] for call in read.call_args_list] == [1_024, 1_024]
