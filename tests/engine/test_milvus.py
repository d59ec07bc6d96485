"""What is Milvus's own: addresses, expressions, rows, pushes that stop, and pulls."""

from __future__ import annotations

import socket
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.backends import NEEDS_LITE, milvus
from tests.engine.corpus import Corpus, FakePack
from unify.engine import candidates
from unify.engine.errors import (
    DamagedIndex,
    IncompatibleIndex,
    IndexUnavailable,
    NoIndex,
    UsageError,
)
from unify.engine.local import open_snapshot
from unify.engine.location import elsewhere, known_as, locate
from unify.engine.milvus import link as milvus_link
from unify.engine.milvus import pull as milvus_pull
from unify.engine.milvus import push as milvus_push
from unify.engine.milvus import store
from unify.engine.milvus.collection import Collection, LatentIndex, named, unfinished
from unify.engine.milvus.filter import expression, meets, needs_check
from unify.engine.milvus.link import Link
from unify.engine.milvus.place import MilvusPlace, milvus_place
from unify.engine.milvus.pull import pull
from unify.engine.milvus.push import Wish, push
from unify.engine.milvus.rows import Row, decode, encode, local_rows
from unify.engine.milvus.store import Store
from unify.engine.opening import open_backend
from unify.engine.query import Filters
from unify.engine.search import Searcher
from unify.engine.writer import IndexWriter, Root

SHOWS = 0.6
ROOTS = [Root("clips", "/abs/clips")]


@pytest.fixture
def place(tmp_path: Path) -> MilvusPlace:
    found = milvus_place(f"milvus:{tmp_path}/lite.db/clips")
    assert found is not None
    return found


@pytest.fixture
def link(place):
    opened = Link(place, create=True)
    yield opened
    opened.close()


def ids_of(directory: Path, tenant: str = "") -> list[int]:
    return sorted(row.id for row in local_rows(open_snapshot(directory), tenant))


def ids_there(link: Link) -> list[int]:
    collection = named(link)
    assert collection is not None
    return [row["id"] for row in link.rows(collection.name, "id >= 0", ["id"], "Strong")]


# Addresses.


@pytest.mark.parametrize(
    "text", ["milvus:clips", "milvus://host", "milvus://h:1/a-b", "milvus:x/y"]
)
def test_an_address_that_cannot_be_read_says_how_to_write_it(text):
    with pytest.raises(UsageError, match="write milvus://HOST"):
        milvus_place(text)


def test_addresses(monkeypatch):
    assert milvus_place("library") is None
    server = milvus_place("milvus://db.example:19530/clips?tenant=acme")
    assert server == MilvusPlace("http://db.example:19530", "clips", "acme")
    assert milvus_place(Path("milvus://db.example:19530/clips?tenant=acme")) == server
    assert milvus_place(str(server)) == server
    file = milvus_place(Path("milvus:lib/all.db/clips"))
    assert file == MilvusPlace("lib/all.db", "clips")
    assert milvus_place(str(file)) == file
    monkeypatch.setenv("UNIFY_MILVUS_TOKEN", "secret")
    monkeypatch.setenv("UNIFY_MILVUS_TLS", "/etc/ca.pem")
    found = milvus_place("milvus://db.example:19530/clips")
    assert found == MilvusPlace("https://db.example:19530", "clips", "", "secret", "/etc/ca.pem")
    assert "secret" not in str(found)
    monkeypatch.setenv("UNIFY_MILVUS_TLS", "1")
    found = milvus_place("milvus://db.example:19530/clips")
    assert found is not None
    assert (found.uri, found.authority) == ("https://db.example:19530", "")


def test_what_a_push_names_itself_is_no_address():
    assert milvus_place("milvus://h:1/clips_1") == MilvusPlace("http://h:1", "clips_1")
    with pytest.raises(UsageError, match="'clips__1' is how a push names what it fills"):
        milvus_place("milvus://h:1/clips__1?tenant=acme")
    with pytest.raises(UsageError, match="a token goes into UNIFY_MILVUS_TOKEN"):
        milvus_place("milvus://root:secret@h:1/clips")


def test_an_index_may_be_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("UNIFY_INDEX", "milvus://h:1/clips")
    assert elsewhere() == milvus_place("milvus://h:1/clips")
    assert elsewhere(tmp_path) is None
    with pytest.raises(UsageError, match="needs an index directory, not milvus://h:1/clips"):
        locate()
    monkeypatch.chdir(tmp_path)
    here, other = known_as(), known_as("milvus://h:1/clips?tenant=a")
    assert here.is_absolute()
    assert here != other
    assert known_as(tmp_path) == tmp_path


# Expressions.


@given(
    parts=st.lists(st.text(max_size=4).filter(bool), max_size=3),
    paths=st.lists(st.text(max_size=8), min_size=1, max_size=3),
)
def test_what_needs_no_check_is_found_right(parts, paths):
    """Where one plain part is asked for, the pattern means what the filter means."""
    filters = Filters(tuple(parts))
    if len(parts) == 1 and not needs_check(filters):
        assert expression(filters, []) == f'paths like "%{parts[0].lower()}%"'
    joined = "\n".join(path.lower() for path in paths)
    if meets(filters, paths):
        assert all(part.lower() in joined for part in parts)


def test_numbers_are_written_out():
    filters = Filters(min_s=1e-7, max_s=1e20, after=-1.5, before=float("-inf"))
    assert expression(filters, []) == (
        "duration_s >= 0.0000001 and duration_s <= 100000000000000000000.0 "
        "and recorded >= -1.5 and id < 0"
    )
    assert expression(Filters(), []) == ""


# Rows.


@pytest.mark.parametrize("half", [False, True])
def test_a_row_comes_back_bit_for_bit(corpus, half):
    for row in local_rows(open_snapshot(corpus.directory), "acme"):
        odd = replace(row, places=(("clips", "/abs", "a\udcff\n%.mp4"), ("x", "/y", "ü\U0001f600")))
        for one in (row, odd):
            sent = encode(one, 20, SHOWS, half)
            assert sent["latent"].dtype == (np.float16 if half else np.float32)
            assert sent["lexicon"]  # the server takes no empty one
            if half:  # as the client gives them back
                sent["latent"] = [sent["latent"].tobytes()]
            back = decode(sent, 20)
            assert back.id == one.id
            assert back.paths() == one.paths()
            assert np.array_equal(back.latent, one.latent)
            assert np.array_equal(back.weights, one.weights)
            assert all(map(np.array_equal, back.tracks, one.tracks))


def test_a_row_is_known_by_all_that_it_says(corpus):
    row = next(local_rows(open_snapshot(corpus.directory), "acme"))
    others = [
        replace(row, end_s=row.end_s + 1e-9),
        replace(row, places=(("clips", "/abs", "renamed.mp4"),)),
        replace(row, latent=-row.latent),
        replace(row, times_s=row.times_s + 1e-6),
        replace(row, part=row.part + 1),
        replace(row, tenant="other"),
    ]
    assert len({one.id for one in (row, *others)}) == len(others) + 1
    altered = encode(row, 20, SHOWS, False)
    altered["start_s"] += 1.0
    for one in (altered, altered | {"tracks": "A"}, altered | {"places": "[]]"}):
        with pytest.raises(DamagedIndex, match="is not what was pushed"):
            decode(one, 20)


def test_a_row_that_is_too_large_is_refused(corpus):
    row = next(local_rows(open_snapshot(corpus.directory), "acme"))
    large = replace(row, places=tuple(("r", "/r", "x" * 200) for _ in range(400)))
    with pytest.raises(UsageError, match="than a row holds"):
        encode(large, 20, SHOWS, False)


# Pushes.


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
def test_a_collection_of_somebody_else_is_refused(link):
    link.write("create_collection", "clips", dimension=4)
    with pytest.raises(IncompatibleIndex, match="choose another name"):
        open_backend(str(link.place))


# A server that is away.


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


def test_a_file_that_is_not_there_is_not_made(place):
    with pytest.raises(NoIndex, match="unify index push"):
        open_backend(str(place))
    assert not Path(place.uri).exists()


# Pulls.


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


def test_local_rows_are_those_that_live(corpus):
    rows: list[Row] = list(local_rows(open_snapshot(corpus.directory), "acme"))
    assert {row.video for row in rows} == {video.id for video in corpus.videos}
    assert len({row.id for row in rows}) == len(rows)
