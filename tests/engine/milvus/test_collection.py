"""Collections: their names, and when a new one takes the name."""

from __future__ import annotations

from dataclasses import replace
from unittest import mock

import pytest

from tests.engine.backends import NEEDS_LITE
from tests.engine.corpus import Corpus
from tests.engine.milvus.sides import SHOWS, ids_of, ids_there
from unify.engine.errors import IncompatibleIndex, IndexUnavailable, UsageError
from unify.engine.local import open_snapshot
from unify.engine.milvus import push as milvus_push
from unify.engine.milvus.collection import Collection, LatentIndex, named
from unify.engine.milvus.link import Link
from unify.engine.milvus.push import Wish, push
from unify.engine.opening import open_backend
from unify.engine.search import Searcher


@NEEDS_LITE
def test_a_new_collection_takes_the_name_when_it_is_whole(corpus, link):
    push(open_snapshot(corpus.directory), link, SHOWS, Wish())
    wish = Wish(LatentIndex.HNSW, anew=True)
    with (
        mock.patch.object(milvus_push, "_verify", side_effect=IndexUnavailable("away")),
        pytest.raises(IndexUnavailable, match="away"),
    ):
        push(open_snapshot(corpus.directory), link, SHOWS, wish)
    found = named(link)
    assert found is not None
    assert (found.name, found.about.latent_index) == ("clips__1", LatentIndex.FLAT)
    done = push(open_snapshot(corpus.directory), link, SHOWS, wish)
    found = named(link)
    assert found is not None
    assert (found.name, found.about.latent_index) == (done.collection, LatentIndex.HNSW)
    assert done.collection == "clips__2"
    assert done.sent == 0  # all had been sent
    assert not link.read("has_collection", "clips__1")
    with pytest.raises(UsageError, match="looked for by hnsw"):
        push(open_snapshot(corpus.directory), link, SHOWS, Wish(LatentIndex.FLAT))
    searcher = Searcher(open_backend(str(link.place)), corpus.pack)
    with (
        mock.patch("unify.engine.planner.SCAN_ROWS", 0),
        pytest.raises(UsageError, match="leave --exact out"),
    ):
        searcher.search("w1", exact=True)


@NEEDS_LITE
def test_what_a_stopped_push_left_beside_the_new_collection_goes(corpus, link):
    push(open_snapshot(corpus.directory), link, SHOWS, Wish())
    with (
        mock.patch.object(Collection, "drop", side_effect=IndexUnavailable("away")),
        pytest.raises(IndexUnavailable, match="away"),
    ):
        push(open_snapshot(corpus.directory), link, SHOWS, Wish(anew=True))
    assert link.read("has_collection", "clips__1")
    push(open_snapshot(corpus.directory), link, SHOWS, Wish())
    assert not link.read("has_collection", "clips__1")
    assert ids_there(link) == ids_of(corpus.directory)


@NEEDS_LITE
def test_a_library_whose_name_ends_in_a_number_is_left_alone(corpus, link, tmp_path):
    other = Corpus.make(tmp_path / "other", 9, videos=3)
    others = [Link(replace(link.place, collection=f"clips_{number}")) for number in (1, 2)]
    for one in others:
        push(open_snapshot(other.directory), one, SHOWS, Wish())
    for anew in (False, True):
        push(open_snapshot(corpus.directory), link, SHOWS, Wish(anew=anew))
    for one in others:
        assert ids_there(one) == ids_of(other.directory)


@NEEDS_LITE
def test_a_collection_of_somebody_else_is_refused(link):
    link.write("create_collection", "clips", dimension=4)
    with pytest.raises(IncompatibleIndex, match="choose another name"):
        open_backend(str(link.place))
