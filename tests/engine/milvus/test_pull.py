"""Pulls: the same rows, of one state, in portions."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.backends import NEEDS_LITE, milvus
from tests.engine.corpus import Corpus
from tests.engine.milvus.sides import ROOTS, SHOWS, ids_of
from unify.engine.errors import IndexUnavailable, UsageError
from unify.engine.local import open_snapshot
from unify.engine.milvus import pull as milvus_pull
from unify.engine.milvus import push as milvus_push
from unify.engine.milvus.pull import pull
from unify.engine.milvus.push import Wish, push
from unify.engine.opening import open_backend
from unify.engine.search import Searcher
from unify.engine.writer import IndexWriter


@NEEDS_LITE
def test_a_pull_gives_back_the_same_rows(tmp_path):
    corpus = Corpus.make(tmp_path / "index", 3, removed=0.2, said=0.1)
    videos = [replace(corpus.videos[0], copies=(corpus.videos[0].places[0],)), *corpus.videos[1:]]
    with IndexWriter.open(corpus.directory, corpus.pack.settings()) as writer:
        writer.publish(ROOTS, videos)
    with milvus(corpus) as backend, mock.patch.multiple(milvus_pull, VIDEOS=3, PUBLISHED=10):

        class Cut(Exception):
            pass

        def cut(done: int, _: int) -> None:
            if done >= 24:
                raise Cut

        with pytest.raises(Cut):
            pull(backend, tmp_path / "back", cut)
        done = pull(backend, tmp_path / "back")
        assert done.moments - done.fetched >= 24
        assert done.compared == done.moments
        assert ids_of(tmp_path / "back") == ids_of(corpus.directory)
        assert pull(backend, tmp_path / "back").fetched == 0
        one, other = (open_snapshot(at) for at in (corpus.directory, tmp_path / "back"))
        texts = ("w1 w2 w3", "+w4", "path:odd w5 w6")
        for mine, theirs in zip(*(
            Searcher(s, corpus.pack).search_many(texts, 5) for s in (one, other)
        ), strict=True):  # fmt: skip
            assert [hit.score for hit in mine] == [hit.score for hit in theirs]
        with pytest.raises(UsageError, match="pull into a new directory"):
            Corpus.make(tmp_path / "strange", 4)
            pull(backend, tmp_path / "strange")


@NEEDS_LITE
def test_a_pull_is_of_one_state(corpus, link, tmp_path):
    push(open_snapshot(corpus.directory), link, SHOWS, Wish())
    pull(open_backend(str(link.place)), tmp_path / "back")
    again = Corpus.make(tmp_path / "again", said=0.1)  # the same videos, of other contents
    with (
        mock.patch.object(milvus_push, "_verify", side_effect=IndexUnavailable("away")),
        pytest.raises(IndexUnavailable, match="away"),
    ):
        push(open_snapshot(again.directory), link, SHOWS, Wish())
    with pytest.raises(IndexUnavailable, match="has not finished"):
        pull(open_backend(str(link.place)), tmp_path / "new")
    push(open_snapshot(again.directory), link, SHOWS, Wish())
    with pytest.raises(IndexUnavailable, match="on one side alone"):
        pull(open_backend(str(link.place)), tmp_path / "back")
    assert pull(open_backend(str(link.place)), tmp_path / "new").fetched == 4 * len(again.videos)


@NEEDS_LITE
def test_a_pull_of_nothing_is_an_empty_index(tmp_path):
    with milvus(Corpus.make(tmp_path / "index", segments=0)) as backend:
        assert pull(backend, tmp_path / "back").moments == 0
    assert open_snapshot(tmp_path / "back").statistics().moments == 0


@given(
    sizes=st.lists(st.integers(1, 9), max_size=12), videos=st.integers(1, 4),
    moments=st.integers(1, 12),
)  # fmt: skip
def test_a_pull_fetches_in_portions(sizes, videos, moments):
    by_video = Counter(dict(enumerate(sizes)))
    with mock.patch.multiple(milvus_pull, VIDEOS=videos, MOMENTS=moments):
        parts = list(milvus_pull._portions(range(len(sizes)), by_video))
    assert [id_ for part in parts for id_ in part] == list(range(len(sizes)))
    for part in parts:
        assert 0 < len(part) <= videos
        assert len(part) == 1 or sum(sizes[id_] for id_ in part) <= moments
