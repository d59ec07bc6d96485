"""Several tenants of one library name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.backends import NEEDS_LITE
from tests.engine.corpus import Corpus
from tests.engine.milvus.sides import SHOWS, ids_of
from unify.engine.errors import NoIndex, UsageError
from unify.engine.local import open_snapshot
from unify.engine.milvus.link import Link
from unify.engine.milvus.push import Wish, push
from unify.engine.opening import open_backend
from unify.engine.query import Filters
from unify.engine.search import Searcher


@NEEDS_LITE
def test_tenants_may_have_the_same_videos(corpus, link):
    places = [link.place, replace(link.place, tenant="acme"), replace(link.place, tenant="b")]
    for place in places:
        push(open_snapshot(corpus.directory), Link(place), SHOWS, Wish())
    for place in places:
        backend = open_backend(str(place))
        everything = backend.every(backend.allowed(Filters(), [], SHOWS))
        assert everything.tolist() == ids_of(corpus.directory, place.tenant)
    with pytest.raises(NoIndex, match="no collection clips"):
        open_backend(str(replace(link.place, tenant="nobody"))).statistics()


@NEEDS_LITE
def test_tenants_do_not_see_each_other(corpus, link, tmp_path):
    other = Corpus.make(tmp_path / "other", 9, videos=3)
    theirs = Link(replace(link.place, tenant="acme"))
    push(open_snapshot(corpus.directory), link, SHOWS, Wish())
    done = push(open_snapshot(other.directory), theirs, SHOWS, Wish())
    assert (done.collection, done.deleted) == ("clips__1", 0)
    for directory, place in ((corpus.directory, link.place), (other.directory, theirs.place)):
        backend = open_backend(str(place))
        ours = ids_of(directory, place.tenant)
        assert backend.statistics().moments == len(ours)
        hits = Searcher(backend, corpus.pack).search("w1 w2", 500, moments=True)
        assert sorted(hit.moment for hit in hits) == ours


@NEEDS_LITE
def test_a_library_is_replaced_beside_other_tenants(corpus, link, tmp_path):
    theirs = Link(replace(link.place, tenant="acme"))
    before = Corpus.make(tmp_path / "before", 9, videos=3)
    after = Corpus.make(tmp_path / "after", 77, videos=3)
    push(open_snapshot(corpus.directory), link, SHOWS, Wish())
    push(open_snapshot(before.directory), theirs, SHOWS, Wish())
    with pytest.raises(UsageError, match="another library"):
        push(open_snapshot(after.directory), theirs, SHOWS, Wish())
    push(open_snapshot(after.directory), theirs, SHOWS, Wish(anew=True))
    for directory, place in ((corpus.directory, link.place), (after.directory, theirs.place)):
        backend = open_backend(str(place))
        everything = backend.every(backend.allowed(Filters(), [], SHOWS))
        assert everything.tolist() == ids_of(directory, place.tenant)
