"""Approximate search over one segment: what it finds, and what it must never return."""

from dataclasses import replace
from pathlib import Path
from unittest import mock

import faiss
import numpy as np
import pytest

from tests.engine.compacting import compact
from tests.engine.corpus import Corpus, random_codes, spans
from unify.engine import ann, segment
from unify.engine import latents as latents_module
from unify.engine.ann import FLAT_BELOW, SegmentLatents, write_ann
from unify.engine.errors import DamagedIndex
from unify.engine.latents import map_flat, write_flat
from unify.engine.local import LocalBackend, open_snapshot
from unify.engine.manifest import read_manifest
from unify.engine.query import Filters
from unify.engine.verify import verify
from unify.engine.writer import IndexWriter

COUNT, DIM = 6000, 32


@pytest.fixture(autouse=True, scope="module")
def no_gpu():
    """Where there is a GPU, lists are not used."""
    with (
        mock.patch.object(ann, "gpu", lambda: None),
        mock.patch.object(latents_module, "gpu", lambda: None),
    ):
        yield


def clustered(seed: int) -> np.ndarray:
    """Unit vectors around 60 centres."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(0).standard_normal((60, DIM))
    vectors = centres[rng.integers(60, size=COUNT)] + 0.7 * rng.standard_normal((COUNT, DIM))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("segment")
    write_flat(folder / "flat", [clustered(1)], COUNT, DIM)
    write_ann(folder / "ann.faiss", map_flat(folder / "flat", COUNT, DIM))
    return folder


@pytest.fixture(scope="module")
def latents(folder) -> SegmentLatents:
    return SegmentLatents(folder / "flat", folder / "ann.faiss", COUNT, DIM)


def topk(
    latents: SegmentLatents, query: np.ndarray, k: int, allow: np.ndarray | None, exact: bool
) -> tuple[np.ndarray, np.ndarray, bool]:
    """One query over one segment."""
    [([(rows, scores)], surely)] = ann.topk([latents], query[None], k, [allow], exact)
    return rows, scores, surely


def recall(latents: SegmentLatents, k: int, allow: np.ndarray | None) -> float:
    shares = []
    for query in clustered(2)[:50].astype(np.float32):
        right, _, surely = topk(latents, query, k, allow, exact=True)
        found, scores, guess = topk(latents, query, k, allow, exact=False)
        assert surely
        assert not guess
        assert (np.diff(scores) <= 0).all()
        np.testing.assert_allclose(scores, clustered(1)[found].astype("f4") @ query, atol=1e-5)
        assert allow is None or allow[found].all()
        assert len(np.unique(found)) == len(found)
        shares.append(len(np.intersect1d(right, found)) / k)
    return float(np.mean(shares))


@pytest.mark.parametrize("k", [10, 100])
def test_most_of_the_best_are_found(latents, k):
    assert recall(latents, k, None) > 0.98


def test_fewer_lists_find_less(latents):
    with mock.patch.object(ann, "PROBES", 0.01):
        assert recall(latents, 10, None) < 0.95


@pytest.mark.parametrize("share", [0.9, 0.5, 0.1])
def test_under_a_filter_most_are_found_and_none_that_is_forbidden(latents, share):
    allow = np.random.default_rng(3).random(COUNT) < share
    assert recall(latents, 10, allow) > 0.97


def test_a_selective_filter_is_searched_exactly(latents):
    allow = np.random.default_rng(3).random(COUNT) < FLAT_BELOW / 2
    assert not latents.approximates(allow)
    query = clustered(2)[0].astype(np.float32)
    rows, _, surely = topk(latents, query, 50, allow, exact=False)
    assert surely
    scores = clustered(1).astype("f4") @ query
    scores[~allow] = -2
    np.testing.assert_array_equal(rows, np.argsort(-scores)[:50])
    assert len(topk(latents, query, 10, np.zeros(COUNT, np.bool_), exact=False)[0]) == 0


def test_a_filter_far_from_the_query_gives_as_many_as_there_are(latents):
    query = clustered(2)[0].astype(np.float32)
    scores = clustered(1).astype("f4") @ query
    allow = scores < np.quantile(scores, 0.3)
    with mock.patch.object(ann, "PROBES", 0.01):
        rows, _, surely = topk(latents, query, 50, allow, exact=False)
    assert surely
    np.testing.assert_array_equal(rows, np.argsort(np.where(allow, -scores, 2))[:50])


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("filtered", [False, True])
def test_many_queries_and_threads_find_what_one_query_finds(latents, folder, exact, filtered):
    small = SegmentLatents(folder / "flat", None, COUNT, DIM)
    segments = [latents, small, latents]
    allow = np.random.default_rng(3).random(COUNT) < 0.4 if filtered else None
    allows = [allow, None, None]
    queries = clustered(2)[:9].astype(np.float32)
    many = ann.topk(segments, queries, 30, allows, exact)
    for query, (parts, surely) in zip(queries, many, strict=True):
        [(alone, certain)] = ann.topk(segments, query[None], 30, allows, exact, threads=2)
        assert surely is certain is exact
        for (rows, scores), (right, others) in zip(parts, alone, strict=True):
            np.testing.assert_allclose(scores, others, atol=1e-5)
            assert len(np.intersect1d(rows, right)) >= len(right) - 2  # ties of float32 sums


def test_what_several_segments_list_is_scored_once_for_all(latents):
    query = clustered(2)[:1].astype(np.float32)
    with mock.patch.object(SegmentLatents, "scores", autospec=True) as scores:
        scores.side_effect = lambda self, rows, query: np.zeros(len(rows), np.float32)
        ann.topk([latents] * 3, query, 30, [None] * 3, exact=False)
    assert (
        sum(len(call.args[1]) for call in scores.call_args_list) < 1.1 * ann.LEAST
    )  # of 3 times as many


def test_a_deep_fetch_is_flat(latents):
    query = clustered(2)[0].astype(np.float32)
    assert topk(latents, query, COUNT // 2, None, exact=False)[2]


@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_rows_give_the_same_bytes_whatever_the_threads(folder, tmp_path, threads):
    with mock.patch("os.cpu_count", return_value=threads):
        write_ann(tmp_path / "ann.faiss", map_flat(folder / "flat", COUNT, DIM))
    for name in (ann.ANN, ann.AXES):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.parametrize("name", ["ann.faiss", "ann_axes.npy"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-100],
        lambda data: data[:50],
        lambda data: b"Nope" + data[4:],
        lambda data: data[:4] + b"\xff" * 8 + data[12:],
        lambda data: b"",
    ],
)
def test_a_damaged_file_is_one_clear_line(folder, tmp_path, name, damage):
    for file in ("ann.faiss", "ann_axes.npy"):
        (tmp_path / file).write_bytes((folder / file).read_bytes())
    (tmp_path / name).write_bytes(damage((folder / name).read_bytes()))
    broken = SegmentLatents(folder / "flat", tmp_path / "ann.faiss", COUNT, DIM)
    query = clustered(2)[0].astype(np.float32)
    assert len(topk(broken, query, 10, None, exact=True)[0]) == 10
    with pytest.raises(DamagedIndex) as caught:
        topk(broken, query, 10, None, exact=False)
    assert str(tmp_path / name) in str(caught.value)
    assert "unify index verify" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_row_that_there_is_not_is_damage(folder, tmp_path):
    vectors = map_flat(folder / "flat", COUNT, DIM)
    lists, axes = ann._build(faiss, vectors)
    lists.reset()
    lists.add_with_ids(vectors.astype(np.float32) @ axes.T, np.arange(1, COUNT + 1))
    (tmp_path / "ann.faiss").write_bytes(faiss.serialize_index(lists).tobytes())
    (tmp_path / ann.AXES).write_bytes((folder / ann.AXES).read_bytes())
    latents = SegmentLatents(folder / "flat", tmp_path / "ann.faiss", COUNT, DIM, fast=True)
    with pytest.raises(DamagedIndex, match=r"ann\.faiss is damaged \(a row is out of range\)"):
        topk(latents, vectors[-1].astype(np.float32), 10, None, exact=False)


@pytest.mark.parametrize("count", [COUNT - 1, COUNT + 1])
def test_another_segments_file_is_refused(folder, count):
    latents = SegmentLatents(folder / "flat", folder / "ann.faiss", count, DIM)
    with pytest.raises(DamagedIndex, match="of another matrix"):
        topk(latents, np.ones(DIM, np.float32), 1, None, exact=False)


@pytest.fixture
def large(tmp_path) -> Corpus:
    """One segment that has lists, one that is too small, and some tombstones."""
    with mock.patch.object(segment, "ANN_FROM", 200):
        corpus = Corpus.make(tmp_path / "index", segments=2, videos=60, removed=0.3)
        with mock.patch("unify.engine.compact.choose", lambda live, rows: [0, 1]):
            compact(corpus.directory)
    return corpus


def fetched(backend: LocalBackend, k: int, filters: Filters, exact: bool):
    query = np.ones(8, np.float32) / np.float32(np.sqrt(8))
    allowed = backend.allowed(filters, [], 0.5)
    return allowed, backend.latent_topk(query[None], k, allowed, exact, 1)[0]


def test_a_backend_promises_nothing_where_lists_were_used(large):
    backend = open_snapshot(large.directory)
    assert [s.ann_path is not None for s in backend.segments] == [True]
    allowed, found = fetched(backend, 5, Filters(), exact=False)
    assert backend.approximates(allowed)
    assert found.bound == np.inf
    _, right = fetched(backend, 5, Filters(), exact=True)
    assert right.bound < 1
    assert len(np.intersect1d(found.ids, right.ids)) >= 4


def test_small_segments_stay_flat_and_certain(tmp_path):
    corpus = Corpus.make(tmp_path / "index", removed=0.3)
    backend = open_snapshot(corpus.directory)
    allowed, found = fetched(backend, 5, Filters(), exact=False)
    assert not backend.approximates(allowed)
    assert found.bound < 1


def test_tombstones_and_filters_hold_in_the_lists(tmp_path):
    with mock.patch.object(segment, "ANN_FROM", 200):
        corpus = Corpus.make(tmp_path / "index", segments=1, videos=80, removed=0.3)
    backend = open_snapshot(corpus.directory)
    live = {video.id for video in corpus.videos}
    for filters in (Filters(), Filters(paths=("even",))):
        allowed, found = fetched(backend, 10, filters, exact=False)
        assert backend.approximates(allowed)
        assert len(found.ids) == 10
        videos = set(backend.video_ids(found.ids).tolist())
        assert videos <= live
        assert not filters or all(video % 2 == 0 for video in videos)


def test_scores_that_are_called_exact_are_those_of_rescoring(tmp_path):
    query = np.ones(8, np.float32) / np.float32(np.sqrt(8))
    with mock.patch.object(segment, "ANN_FROM", 200):
        corpus = Corpus.make(tmp_path / "index", segments=1, videos=60)
        with IndexWriter.open(corpus.directory, corpus.pack.settings()) as writer:
            codes = random_codes(np.random.default_rng(5), corpus.pack, ties=False)
            near = 0.9 * query + 0.1 * codes.latents
            writer.add(61, *spans(), replace(codes, latents=near.astype(np.float32)))
            videos = [*corpus.videos, replace(corpus.videos[0], id=61, rel="61.mp4")]
            writer.publish(writer.roots, videos)
    backend = open_snapshot(corpus.directory)
    assert [s.ann_path is not None for s in backend.segments] == [True, False]
    _, found = fetched(backend, 10, Filters(), exact=False)
    assert found.exact and len(np.unique(found.ids >> 32)) == 2
    np.testing.assert_array_equal(found.scores, backend.latent_scores(found.ids, query))
    assert not fetched(backend, 10, Filters(), exact=True)[1].exact


def test_the_file_is_checked_like_every_other(large):
    entry = read_manifest(large.directory).segments[0]
    path = entry.folder(large.directory) / ann.ANN
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert [str(path) in line for line in verify(large.directory)] == [True]
    path.write_bytes(data[:-1])
    with pytest.raises(DamagedIndex, match=r"ann\.faiss"):
        open_snapshot(large.directory)
    path.write_bytes(data)
    assert verify(large.directory) == []
