"""Pushes: what is sent, what stops them, and what they refuse."""

from __future__ import annotations

from dataclasses import replace
from unittest import mock

import numpy as np
import pytest

from tests.engine.backends import NEEDS_LITE
from tests.engine.corpus import Corpus, FakePack
from tests.engine.milvus.sides import ROOTS, SHOWS, ids_of, ids_there
from unify.engine.errors import IncompatibleIndex, IndexUnavailable, NoIndex, UsageError
from unify.engine.local import open_snapshot
from unify.engine.milvus import push as milvus_push
from unify.engine.milvus.collection import unfinished
from unify.engine.milvus.push import Wish, push
from unify.engine.milvus.store import Store
from unify.engine.opening import open_backend
from unify.engine.writer import IndexWriter


@NEEDS_LITE
def test_a_push_sends_what_differs(corpus, link):
    first = push(open_snapshot(corpus.directory), link, SHOWS, Wish())
    ours = ids_of(corpus.directory)
    assert (first.sent, first.deleted, first.moments) == (len(ours), 0, len(ours))
    assert ids_there(link) == ours
    again = push(open_snapshot(corpus.directory), link, SHOWS, Wish())
    assert (again.sent, again.deleted) == (0, 0)
    with IndexWriter.open(corpus.directory, corpus.pack.settings()) as writer:
        writer.publish(ROOTS, [replace(corpus.videos[0], rel="new.mp4"), *corpus.videos[2:]])
    changed = push(open_snapshot(corpus.directory), link, SHOWS, Wish())
    assert (changed.sent, changed.deleted) == (4, 8)  # four moments a video
    assert ids_there(link) == ids_of(corpus.directory)
    with pytest.raises(UsageError, match=r"clips/.* is not indexed"):
        open_backend(str(link.place)).moments_of(f"clips/{corpus.videos[0].rel}")


@NEEDS_LITE
def test_a_push_that_is_cut_short_goes_on_and_shows_nothing_before(corpus, link):
    class Cut(Exception):
        pass

    def cut(done: int, _: int) -> None:
        if done >= 20:
            raise Cut

    with mock.patch.object(milvus_push, "BATCH", 10):
        with pytest.raises(Cut):
            push(open_snapshot(corpus.directory), link, SHOWS, Wish(), cut)
        with pytest.raises(NoIndex, match="no collection clips"):
            open_backend(str(link.place))
        begun = unfinished(link)
        assert begun is not None
        done = push(open_snapshot(corpus.directory), link, SHOWS, Wish())
    ours = ids_of(corpus.directory)
    assert done.sent == len(ours) - 20
    assert done.collection == begun.name
    assert ids_there(link) == ours


@NEEDS_LITE
def test_while_a_push_changes_a_collection_its_rows_are_counted(corpus, link):
    push(open_snapshot(corpus.directory), link, SHOWS, Wish())
    with mock.patch.object(milvus_push, "_verify", side_effect=IndexUnavailable("away")):
        with IndexWriter.open(corpus.directory, corpus.pack.settings()) as writer:
            writer.publish(ROOTS, corpus.videos[1:])
        with pytest.raises(IndexUnavailable, match="away"):
            push(open_snapshot(corpus.directory), link, SHOWS, Wish())
    backend = open_backend(str(link.place))
    assert backend.statistics().moments == len(ids_of(corpus.directory))
    assert backend.statistics().videos == len(corpus.videos) - 1


@NEEDS_LITE
def test_a_batch_that_is_sent_twice_is_there_once(corpus, link):
    for _ in range(2):
        ids = [np.zeros(0, np.int64), np.array(ids_of(corpus.directory))]
        with mock.patch.object(Store, "ids", side_effect=ids):  # before, and to verify
            done = push(open_snapshot(corpus.directory), link, SHOWS, Wish())
        assert done.sent == done.moments
    assert ids_there(link) == ids_of(corpus.directory)


@NEEDS_LITE
def test_a_push_sees_that_rows_are_others_than_it_sent(corpus, link):
    push(open_snapshot(corpus.directory), link, SHOWS, Wish())
    with IndexWriter.open(corpus.directory, corpus.pack.settings()) as writer:
        writer.publish(ROOTS, [replace(corpus.videos[0], rel="new.mp4"), *corpus.videos[1:]])
    with (
        mock.patch.object(milvus_push, "_send", return_value=[]),  # as many rows, but the old
        mock.patch.object(link, "write"),
        pytest.raises(IndexUnavailable, match="8 of them on one side alone"),
    ):
        push(open_snapshot(corpus.directory), link, SHOWS, Wish())


@NEEDS_LITE
def test_another_pack_is_refused(corpus, link, tmp_path):
    push(open_snapshot(corpus.directory), link, SHOWS, Wish())
    other = Corpus(tmp_path / "other", FakePack())
    settings = replace(other.pack.settings(), pack="rival", fingerprint="e" * 64)
    IndexWriter.open(other.directory, settings).__exit__(None, None, None)
    with pytest.raises(IncompatibleIndex, match=r"built by pack fake .*, not rival"):
        push(open_snapshot(other.directory), link, SHOWS, Wish())
    with pytest.raises(IncompatibleIndex, match=r"shows? from 0\.6, not 0\.7"):
        push(open_snapshot(corpus.directory), link, 0.7, Wish())
    backend = open_backend(str(link.place))
    with pytest.raises(IncompatibleIndex, match="--anew"):
        backend.term_counts(0.7)


@NEEDS_LITE
def test_a_push_of_another_library_is_refused(corpus, link, tmp_path):
    push(open_snapshot(corpus.directory), link, SHOWS, Wish())
    other = Corpus.make(tmp_path / "other", 77)
    with pytest.raises(UsageError, match="moments of another library"):
        push(open_snapshot(other.directory), link, SHOWS, Wish())
    backend = open_backend(str(link.place))
    assert backend.statistics().moments == 4 * len(corpus.videos)
    push(open_snapshot(other.directory), link, SHOWS, Wish(anew=True))
    backend = open_backend(str(link.place))
    assert backend.statistics().moments == 4 * len(other.videos)


@NEEDS_LITE
def test_a_library_that_has_moved_is_none_other(corpus, link):
    push(open_snapshot(corpus.directory), link, SHOWS, Wish())
    with IndexWriter.open(corpus.directory, corpus.pack.settings()) as writer:
        roots = [replace(root, path=f"/moved{root.path}") for root in writer.roots]
        writer.publish(roots, list(writer.live_videos.values()))
    done = push(open_snapshot(corpus.directory), link, SHOWS, Wish())
    assert done.sent == done.deleted == done.moments == 4 * len(corpus.videos)
