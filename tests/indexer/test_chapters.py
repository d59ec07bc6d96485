import itertools

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unify.indexer.chapters import Chapter, ChapterFormat, by_change, by_label, edges, written

CHAPTERS = [Chapter(0.0, 65.5, 0, 2), Chapter(65.5, 3725.25, 2, 9)]
TITLES = ["a = b; #1 \\ <c> --> & d", "two\nlines"]


def bounds_of(count):
    return np.arange(count + 1) * 4.0


@given(st.lists(st.integers(-1, 2), min_size=1, max_size=30), st.sampled_from([0.0, 9.0, 30.0]))
def test_labels_give_whole_chapters_in_order(labels, shortest):
    bounds = bounds_of(len(labels))
    found = by_label(labels, bounds, shortest)
    assert (found[0].first, found[-1].last) == (0, len(labels))
    assert all(a.last == b.first and a.end_s == b.start_s for a, b in itertools.pairwise(found))
    assert len(found) == 1 or all(c.end_s - c.start_s >= shortest for c in found)


def test_equal_labels_are_one_chapter():
    found = by_label([0, 0, 1, 1, 1, 0], bounds_of(6), 0.0)
    assert [(c.first, c.last) for c in found] == [(0, 2), (2, 5), (5, 6)]


def test_chapters_begin_where_moments_change():
    rng = np.random.default_rng(1)
    kinds = np.linalg.qr(rng.normal(size=(8, 8)))[0].astype(np.float32)
    which = np.repeat([0, 1, 2], [6, 4, 5])
    vectors = kinds[which] + rng.normal(scale=0.05, size=(15, 8)).astype(np.float32)
    found = by_change(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), bounds_of(15), 10.0)
    assert [(c.first, c.last) for c in found] == [(0, 6), (6, 10), (10, 15)]
    everything = by_change(kinds[:3], bounds_of(3), 99.0)
    assert [(c.first, c.last) for c in everything] == [(0, 3)]


def joined_one_by_one(vectors, bounds, shortest):
    """What `by_change` says it does, with every likeness taken anew before each step."""
    parts = [[i] for i in range(len(vectors))]
    while len(parts) > 1:
        sums = np.stack([vectors[part].astype(float).sum(axis=0) for part in parts])
        unit = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        alike = (unit[1:] * unit[:-1]).sum(axis=1)
        lengths = [round(bounds[part[-1] + 1]) - round(bounds[part[0]]) for part in parts]
        short = [min(pair) < shortest for pair in itertools.pairwise(lengths)]
        at = max(range(len(short)), key=lambda i: (short[i], alike[i]))
        if not short[at] and alike[at] < 0.8:
            break
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return [(part[0], part[-1] + 1) for part in parts]


@given(st.integers(0, 10**6), st.integers(1, 25), st.sampled_from([0.0, 9.0, 30.0]))
def test_neighbours_are_joined_the_most_alike_first(seed, count, shortest):
    rng = np.random.default_rng(seed)
    scenes = np.repeat(rng.normal(size=(count, 6)) * 2, 4, axis=0)[:count]
    vectors = (scenes + rng.normal(size=(count, 6))).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = by_change(vectors, bounds_of(count), shortest)
    assert [(c.first, c.last) for c in found] == joined_one_by_one(
        vectors, bounds_of(count), shortest
    )


def test_a_chapter_is_as_long_as_its_rounded_times_say():
    bounds = np.array([0.0, 9.98, 20.4, 29.6, 39.4])  # 0:00, 0:10, 0:20, 0:30, 0:39
    found = by_label([0, 1, 2, 3], bounds, 10.0)
    assert [(c.start_s, c.end_s) for c in found] == [(0.0, 9.98), (9.98, 20.4), (20.4, 39.4)]
    vectors = np.eye(4, dtype=np.float32)
    assert [c.start_s for c in by_change(vectors, bounds, 10.0)] == [0.0, 9.98, 20.4]
    text = written(found, ["a", "b", "c"], ChapterFormat.LIST)
    assert text == "0:00 a\n0:10 b\n0:20 c\n"


def test_edges_cover_the_video():
    starts = np.array([0.0, 4.0, 7.0])
    found = edges(starts, starts + 8, 15.5)
    assert found.tolist() == [0.0, 6.0, 9.5, 15.5]
    assert edges(np.array([0.0]), np.array([2.0]), 2.0).tolist() == [0.0, 2.0]


def test_ffmpeg_reads_the_metadata(tmp_path):
    path = tmp_path / "a.ffmeta"
    path.write_text(written(CHAPTERS, TITLES, ChapterFormat.FFMETADATA), "utf-8")
    with av.open(str(path), format="ffmetadata") as container:
        found = container.chapters()
    assert [c["metadata"]["title"] for c in found] == ["a = b; #1 \\ <c> --> & d", "two lines"]
    times = [[float(c[edge] * c["time_base"]) for edge in ("start", "end")] for c in found]
    assert times == [[0.0, 65.5], [65.5, 3725.25]]


def test_ffmpeg_reads_the_webvtt(tmp_path):
    path = tmp_path / "a.vtt"
    path.write_text(written(CHAPTERS, TITLES, ChapterFormat.WEBVTT), "utf-8")
    assert "01:02:05.250" in path.read_text("utf-8")
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux() if packet.size]
    assert [float(packet.pts * packet.time_base) for packet in packets] == [0.0, 65.5]


def test_the_list_begins_at_zero():
    text = written(CHAPTERS, ["one", "two"], ChapterFormat.LIST)
    assert text == "0:00:00 one\n0:01:06 two\n"
    short = written([Chapter(0.0, 12.0, 0, 1)], ["one"], ChapterFormat.LIST)
    assert short == "0:00 one\n"
    with pytest.raises(ValueError, match="zip"):
        written(CHAPTERS, ["one"], ChapterFormat.LIST)
