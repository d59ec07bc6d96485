"""Compaction keeps every row of every live video, whatever stops it."""

import tempfile
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.compacting import compact
from tests.engine.corpus import Corpus, FakePack, random_codes, spans
from unify.engine import compact as compacting
from unify.engine import durable
from unify.engine.compact import SEGMENT_MOMENTS, advisable, choose, rewrite
from unify.engine.errors import DamagedIndex, IndexUnavailable, NoIndex
from unify.engine.local import open_snapshot
from unify.engine.manifest import read_manifest
from unify.engine.search import Searcher
from unify.engine.segment import MomentSpans
from unify.engine.types import MomentCodes, SparseRows
from unify.engine.verify import verify
from unify.engine.writer import IndexWriter, Root, Video

ROOTS = [Root("clips", "/abs/clips")]


def rows(corpus: Corpus) -> dict:
    """Every live row by video and start: end, latent, frame times, weights, weights of frames."""
    backend = open_snapshot(corpus.directory)
    terms = np.arange(len(corpus.pack.lexicon), dtype=np.uint16)
    found = {}
    for segment in backend.segments:
        for row, record in enumerate(segment.moments.tolist()):
            moment = segment.base + row
            if record[0] in backend.videos:
                times, shown = backend.tracks(moment, terms)
                weights = backend.term_weights(np.array([moment]), terms)[0]
                latent = segment.latents[row].tolist()
                key = (record[0], record[4])
                assert key not in found
                found[key] = (record[5], latent, times.tolist(), weights, shown)
    return found


def folders(corpus: Corpus) -> set[str]:
    return {path.name for path in (corpus.directory / "segments").iterdir()}


def live_folders(corpus: Corpus) -> set[str]:
    return {f"{entry.id:08d}" for entry in read_manifest(corpus.directory).segments}


@pytest.mark.parametrize("most", [10**6, 90, 1])  # one segment, some, one for each video
@pytest.mark.parametrize("removed", [0.0, 0.3, 0.95])
def test_every_live_row_stays(tmp_path, removed, most):
    corpus = Corpus.make(tmp_path / "index", 3, segments=4, removed=removed)
    before = rows(corpus)
    told = []
    with mock.patch.object(compacting, "SEGMENT_MOMENTS", most):
        done = compact(corpus.directory, lambda *progress: told.append(progress))
    assert verify(corpus.directory) == []
    after = rows(corpus)
    assert before.keys() == after.keys()
    for key, (end, latent, times, weights, shown) in before.items():
        assert after[key][:3] == (end, latent, times)
        for old, new in ((weights, after[key][3]), (shown, after[key][4])):
            np.testing.assert_array_equal(old, new)
    manifest = read_manifest(corpus.directory)
    assert (done.rows_before, done.rows_after) == (160, len(before))
    assert (manifest.moments, manifest.tombstones) == (len(before), 0)
    assert done.segments_after == len(manifest.segments)
    assert most == 1 or len(manifest.segments) == -(-len(before) // most)
    assert told[-1] == (len(before), len(before))
    assert folders(corpus) == live_folders(corpus)


def test_answers_stay_to_the_last_bit(tmp_path):
    corpus = Corpus.make(tmp_path / "index", segments=4, videos=10, removed=0.3)

    def answers() -> list:
        searcher = Searcher(open_snapshot(corpus.directory), corpus.pack)
        texts = ("w1 w2 w3", "w4^-1 w7", "+w9 w3", "path:1 w5")
        hits = [hit for text in texts for hit in searcher.search(text, 100, moments=True)]
        assert len(hits) > 100
        return [replace(hit, moment=0, rank=0) for hit in hits]

    before = answers()
    done = compact(corpus.directory)
    assert (done.segments_before, done.segments_after) == (4, 1)
    assert done.rows_after == 4 * len(corpus.videos) < done.rows_before
    assert answers() == before
    assert compact(corpus.directory).rewritten == 0  # nothing left to do


def test_more_than_a_window_of_rows(tmp_path):
    corpus = Corpus.make(tmp_path / "index", segments=0)
    rng, count = np.random.default_rng(0), 40_000
    with IndexWriter.open(corpus.directory, corpus.pack.settings()) as writer:
        for video in (1, 2):
            start = np.arange(count, dtype=np.float64)
            latents = np.full((count, corpus.pack.dim), 0.1, "f4")
            weights = (rng.random((count, 3)) * (rng.random((count, 3)) < 0.3)).astype("f4")
            lexicon = SparseRows.from_dense(weights, 3)
            tracks = SparseRows.from_dense(np.ones((1, 1), "f4"), 1)
            zeros = np.zeros(count, np.int64)
            moments = MomentSpans(start, start + 1, zeros, zeros + 1)
            writer.add(video, moments, np.zeros(1), MomentCodes(latents, lexicon, tracks))
            corpus.videos.append(Video(video, 0, f"{video}.mp4", 5.0, 0.0))
            writer.publish(ROOTS, corpus.videos)
    before = open_snapshot(corpus.directory).term_counts(0.5)
    assert compact(corpus.directory).segments_after == 1
    assert verify(corpus.directory) == []  # postings of both windows agree with the forward rows
    after = open_snapshot(corpus.directory).term_counts(0.5)
    assert np.abs(after - before).max() <= 0.004 * count  # half a step of 1/255


class Stop(Exception):
    """A crash."""


def test_a_crash_at_any_instant_leaves_the_old_generation_whole(tmp_path, monkeypatch):
    corpus = Corpus.make(tmp_path / "index", removed=0.3)
    before, answers = read_manifest(corpus.directory), rows(corpus)
    write, sync = durable.write_file, durable.sync_folder

    def crash_at(instant: int) -> bool:
        """Compact, dying at the given write; return whether it got to the end."""
        left = iter(range(instant))

        def step(what, *arguments):
            if next(left, None) is None:
                if len(arguments) == 2:
                    Path(arguments[0]).write_bytes(b"half")
                raise Stop
            what(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(durable, "write_file", lambda path, by: step(write, path, by))
            patch.setattr(durable, "sync_folder", lambda path: step(sync, path))
            try:
                compact(corpus.directory)
            except Stop:
                return False
        return True

    instant = 0
    while not crash_at(instant):
        manifest = read_manifest(corpus.directory)
        if manifest != before:  # the swap is behind us: only its folder was not synced
            break
        assert rows(corpus).keys() == answers.keys()
        instant += 1
    assert instant >= 18  # thirteen files and their folder, three tables, the manifest
    assert verify(corpus.directory) == []
    compact(corpus.directory)
    with IndexWriter.open(corpus.directory, corpus.pack.settings()) as writer:
        writer.publish(writer.roots, corpus.videos)
    assert verify(corpus.directory) == []
    assert rows(corpus).keys() == answers.keys()
    assert folders(corpus) == live_folders(corpus)


def test_a_reader_goes_on_with_what_it_has_not_opened_yet(corpus):
    reader = Searcher(open_snapshot(corpus.directory), corpus.pack)
    before = [
        (hit.video, hit.start_s)
        for hit in Searcher(open_snapshot(corpus.directory), corpus.pack).search("w1 w2", 100)
    ]
    old = live_folders(corpus)
    compact(corpus.directory)
    with IndexWriter.open(corpus.directory, corpus.pack.settings()) as writer:
        for _ in range(3):
            writer.publish(writer.roots, corpus.videos)
        assert folders(corpus) == old | live_folders(corpus)
        assert [(hit.video, hit.start_s) for hit in reader.search("w1 w2", 100)] == before
        del reader
        writer.publish(writer.roots, corpus.videos)
    assert folders(corpus) == live_folders(corpus)


def test_damage_is_never_given_a_fresh_checksum(corpus):
    before = read_manifest(corpus.directory)
    for file in before.segments[0].files:
        path = before.segments[0].folder(corpus.directory) / file.name
        data = path.read_bytes()
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises(DamagedIndex, match=f"{file.name}: its bytes are not"):
            compact(corpus.directory)
        assert read_manifest(corpus.directory) == before
        path.write_bytes(data)
    compact(corpus.directory)
    assert verify(corpus.directory) == []


def test_one_writer_at_a_time_and_an_index_to_compact(tmp_path, corpus):
    with (
        IndexWriter.open(corpus.directory, corpus.pack.settings()),
        pytest.raises(IndexUnavailable, match="another process is writing"),
    ):
        compact(corpus.directory)
    with pytest.raises(NoIndex):
        compact(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_an_index_of_which_nothing_is_left(tmp_path):
    corpus = Corpus.make(tmp_path / "index", removed=1.0)
    assert (compact(corpus.directory).rows_after, live_folders(corpus)) == (0, set())
    assert verify(corpus.directory) == []
    with IndexWriter.open(corpus.directory, corpus.pack.settings()) as writer:
        writer.add(77, *spans(), random_codes(np.random.default_rng(0), corpus.pack, ties=False))
        writer.publish(ROOTS, [Video(77, 0, "new.mp4", 5, 0)])
    assert len(rows(corpus)) == 4


def test_tombstones_of_segments_that_stay_are_kept(corpus):
    dead = read_manifest(corpus.directory).tombstones
    tier = {"WHOLE_MOMENTS": 0, "choose": lambda live, rows: [0]}
    with mock.patch.multiple(compacting, **tier):
        compact(corpus.directory)
    assert 0 < read_manifest(corpus.directory).tombstones < dead
    assert verify(corpus.directory) == []


@given(st.lists(st.integers(1, 10**7), max_size=40))
def test_after_a_compaction_there_is_nothing_left_to_choose(sizes):
    chosen = choose(sizes, sizes)
    small = [size for i, size in enumerate(sizes) if i in chosen]
    assert len(small) != 1
    assert all(size <= SEGMENT_MOMENTS // 2 for size in small)
    if small and sum(small) <= SEGMENT_MOMENTS // 2:
        left = [size for i, size in enumerate(sizes) if i not in chosen] + [sum(small)]
        assert choose(left, left) == []


def test_many_publishes_rewrite_a_row_a_few_times():
    sizes, rewritten = [], 0
    for _ in range(400):
        sizes.append(4096)
        if len(sizes) >= compacting.MANY:
            chosen = choose(sizes, sizes)
            merged = [size for i, size in enumerate(sizes) if i in chosen]
            rewritten += sum(merged)
            sizes = [size for i, size in enumerate(sizes) if i not in chosen] + [sum(merged)]
    assert len(sizes) < 2 * compacting.MANY
    assert rewritten < 8 * sum(sizes)


def test_compaction_is_advised_when_it_pays(tmp_path):
    assert not advisable(Corpus.make(tmp_path / "few", segments=3, removed=0.5).directory)
    assert advisable(Corpus.make(tmp_path / "many", segments=8).directory)


def publish_each(corpus: Corpus, order: list[int], ids: dict[int, int]) -> None:
    """Publish videos one by one, under some ids, with codes that depend on the video alone."""
    videos = [Video(ids[number], 0, f"{number}.mp4", 10.0, 0.0) for number in order]
    with IndexWriter.open(corpus.directory, corpus.pack.settings()) as writer:
        for count, number in enumerate(order, 1):
            codes = random_codes(np.random.default_rng(number), corpus.pack, ties=False)
            writer.add(ids[number], *spans(), codes)
            writer.publish([Root("clips", "/abs/clips")], videos[:count])


def bytes_of(corpus: Corpus) -> tuple:
    manifest = read_manifest(corpus.directory)
    segments = [[(f.name, f.sha256) for f in segment.files] for segment in manifest.segments]
    return segments, [table.sha256 for table in manifest.tables]


@pytest.mark.parametrize("order", [[3, 1, 2, 6, 5, 4], [6, 5, 4, 3, 2, 1], [1, 4, 2, 5, 3, 6]])
def test_the_bytes_do_not_depend_on_how_the_rows_came_there(tmp_path, order):
    straight = Corpus(tmp_path / "straight", FakePack())
    publish_each(straight, sorted(order), {number: number for number in order})
    compact(straight.directory)
    winding = Corpus(tmp_path / "winding", FakePack())
    all_of = [90, *order, 91]
    publish_each(winding, all_of, {number: number for number in all_of})
    with IndexWriter.open(winding.directory, winding.pack.settings()) as writer:
        videos = [v for v in writer.live_videos.values() if v.id < 90]
        writer.publish(writer.roots, videos)  # two go again, with the largest weights or not
    compact(winding.directory)
    assert verify(winding.directory) == []
    assert bytes_of(winding) == bytes_of(straight)


@given(st.permutations(range(1, 8)), st.permutations(range(1, 8)), st.sampled_from([10**6, 9]))
@settings(max_examples=5, deadline=None)
def test_a_full_compaction_gives_the_same_bytes_under_other_ids(order, ids, most):
    """Numbers follow the ids of the first: both are in this order in the end."""
    with (
        tempfile.TemporaryDirectory() as name,
        mock.patch.object(compacting, "SEGMENT_MOMENTS", most),
    ):
        found = []
        for path, in_order, given_ids in (("a", range(1, 8), range(1, 8)), ("b", order, ids)):
            corpus = Corpus(Path(name) / path, FakePack())
            id_of = dict(zip(range(1, 8), given_ids, strict=True))
            publish_each(corpus, list(in_order), id_of)
            numbers = {id_of[number]: 100 - number for number in range(1, 8)}
            with IndexWriter.open(corpus.directory, corpus.pack.settings()) as writer:
                assert rewrite(writer, numbers, full=True).rewritten == 28
                videos = {v.id: v.rel for v in writer.live_videos.values()}
                assert videos == {100 - number: f"{number}.mp4" for number in range(1, 8)}
                assert rewrite(writer, {id_: id_ for id_ in videos}, full=True).rewritten == 0
            assert verify(corpus.directory) == []
            found.append(bytes_of(corpus))
    assert found[0] == found[1]
    assert len(found[0][0]) == (1 if most > 28 else 4)


def test_a_segment_as_it_was_built_is_the_one_that_a_compaction_makes(tmp_path):
    """So that one which is in order already may be left as it is."""
    built, made = (Corpus(tmp_path / name, FakePack()) for name in ("built", "made"))
    for corpus, at_once in ((built, True), (made, False)):
        videos = [Video(id_, 0, f"{id_}.mp4", 10.0, 0.0) for id_ in range(1, 6)]
        with IndexWriter.open(corpus.directory, corpus.pack.settings()) as writer:
            for count, video in enumerate(videos, 1):
                codes = random_codes(np.random.default_rng(video.id), corpus.pack, ties=False)
                writer.add(video.id, *spans(), codes)
                if not at_once:
                    writer.publish(ROOTS, videos[:count])
            writer.publish(ROOTS, videos)
        assert (compact(corpus.directory).rewritten > 0) is not at_once
    assert bytes_of(built) == bytes_of(made)
