"""Mending a damaged index: what no damage touches is kept bit for bit, all else is named."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.engine.corpus import Corpus, random_codes, spans
from unify.engine import blocks, compact, mend, segment, verify
from unify.engine.errors import IndexUnavailable
from unify.engine.manifest import Video, read_manifest
from unify.engine.segment import Segment
from unify.engine.writer import IndexWriter

ROWS = ("moments", "frames", "latents", "forward", "tracks")


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


def mended(directory: Path) -> mend.Mended:
    with IndexWriter.open(directory, read_manifest(directory).settings) as writer:
        return mend.mend(writer)


def rows_of(directory: Path) -> dict[int, list[object]]:
    """All that an index holds of each live video."""
    manifest = read_manifest(directory)
    with IndexWriter.open(directory, manifest.settings) as writer:
        live = set(writer.live_videos)
    found: dict[int, list[object]] = {}
    for entry in manifest.segments:
        held = Segment(directory, entry, manifest.settings)
        for row, moment in enumerate(held.moments.tolist()):
            video, first, last, _, start_s, end_s = moment
            if video not in live:
                continue
            kept: list[object] = [start_s, end_s, held.latents[row].tobytes()]
            kept.append(held.frames[first:last].tobytes())
            for csr, at, to in ((held.forward, row, row + 1), (held.tracks, first, last)):
                indptr, terms, weights = csr
                kept.append(np.diff(indptr[at : to + 1]).tobytes())
                kept += [part[indptr[at] : indptr[to]].tobytes() for part in (terms, weights)]
            found.setdefault(video, []).append(kept)
    return found


@pytest.fixture(params=[64, 200, 1 << 16])
def block(request, monkeypatch) -> int:
    monkeypatch.setattr(blocks, "BLOCK_BYTES", request.param)
    return request.param


@pytest.mark.parametrize("seed", range(3))
def test_one_flipped_byte_anywhere_costs_no_other_video(tmp_path, block, seed):
    rng = np.random.default_rng(seed)
    Corpus.make(tmp_path / "index", seed, segments=2, videos=12, removed=0.2)
    folder = read_manifest(tmp_path / "index").segments[0].folder(tmp_path / "index")
    before = rows_of(tmp_path / "index")
    for name in sorted(path.name for path in folder.iterdir()):
        copy = copied(tmp_path, name)
        path = copy / "segments" / folder.name / name
        flip(path, int(rng.integers(path.stat().st_size)))
        lines = verify.verify(copy)
        assert len(lines) == 1
        assert str(path) in lines[0]
        done = mended(copy)
        assert done.problems == lines
        assert verify.verify(copy) == []
        lost = {video.id for video in done.lost}
        assert rows_of(copy) == {id_: rows for id_, rows in before.items() if id_ not in lost}
        assert bool(lost) <= name.startswith(ROWS)
        assert (done.rewritten, done.dropped) in ((1, 0), (0, 1))
        if not name.startswith(ROWS):
            assert done.rewritten == 1


def copied(tmp_path: Path, name: str) -> Path:
    return Path(shutil.copytree(tmp_path / "index", tmp_path / f"of-{name}"))


def test_few_videos_go_where_blocks_are_small(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 64)
    corpus = Corpus.make(tmp_path / "index", segments=1, videos=40)
    manifest = read_manifest(tmp_path / "index")
    folder = manifest.segments[0].folder(tmp_path / "index")
    for name in ("latents.faiss", "forward_weights.npy", "moments.npy", "tracks_terms.npy"):
        copy = copied(tmp_path, name)
        path = copy / "segments" / folder.name / name
        flip(path, path.stat().st_size // 2)
        assert 1 <= len(mended(copy).lost) <= 4 < len(corpus.videos)


def test_without_checksums_of_blocks_a_segment_goes_and_the_others_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(segment, "write_blocks", lambda folder: None)  # as older versions wrote
    corpus = Corpus.make(tmp_path / "index", segments=2, videos=5)
    entry = read_manifest(corpus.directory).segments[0]
    flip(entry.folder(corpus.directory) / "latents.faiss", -1)
    done = mended(corpus.directory)
    assert [video.id for video in done.lost] == [1, 2, 3, 4, 5]
    assert (done.rewritten, done.dropped) == (0, 1)
    assert sorted(rows_of(corpus.directory)) == [6, 7, 8, 9, 10]


@pytest.mark.parametrize("harm", ["cut", "gone", "all gone"])
def test_a_file_cut_short_or_gone_costs_its_segment(tmp_path, harm):
    corpus = Corpus.make(tmp_path / "index", segments=2, videos=5)
    folder = read_manifest(corpus.directory).segments[1].folder(corpus.directory)
    path = folder / "tracks_terms.npy"
    if harm == "cut":
        path.write_bytes(path.read_bytes()[:-1])
    for file in folder.iterdir() if harm == "all gone" else [path] if harm == "gone" else []:
        file.unlink()
    assert [video.id for video in mended(corpus.directory).lost] == [6, 7, 8, 9, 10]
    assert verify.verify(corpus.directory) == []


@pytest.mark.parametrize("name", ["forward_indptr.npy", "tracks_indptr.npy", "moments.npy"])
@pytest.mark.parametrize("at", [-1, 60])
def test_ends_and_headers(tmp_path, name, at):
    corpus = Corpus.make(tmp_path / "index", segments=2, videos=5)
    before = rows_of(corpus.directory)
    flip(read_manifest(corpus.directory).segments[0].folder(corpus.directory) / name, at)
    lost = {video.id for video in mended(corpus.directory).lost}
    assert lost <= {1, 2, 3, 4, 5}
    assert verify.verify(corpus.directory) == []
    assert rows_of(corpus.directory) == {i: rows for i, rows in before.items() if i not in lost}


def test_two_damaged_files_and_bounds_beside_contents(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 64)
    corpus = Corpus.make(tmp_path / "index", segments=1, videos=20)
    before = rows_of(corpus.directory)
    entry = read_manifest(corpus.directory).segments[0]
    for name, lost in (("latents.faiss", range(1, 10)), ("tracks_indptr.npy", range(20, 21))):
        copy = copied(tmp_path, name)
        folder = copy / "segments" / entry.folder(copy).name
        flip(folder / "tracks_weights.npy", (folder / "tracks_weights.npy").stat().st_size // 2)
        flip(folder / name, (folder / name).stat().st_size // 2)
        gone = {video.id for video in mended(copy).lost}
        assert len(gone) in lost
        assert rows_of(copy) == {id_: rows for id_, rows in before.items() if id_ not in gone}


def test_a_whole_index_is_left_alone(tmp_path):
    corpus = Corpus.make(tmp_path / "index", removed=0.3)
    before = read_manifest(corpus.directory)
    assert mended(corpus.directory) == mend.Mended([], [], 0, 0)
    assert read_manifest(corpus.directory) == before


def test_segments_whose_disk_is_away_are_not_dropped(tmp_path):
    index = tmp_path / "index"
    Corpus.make(index, 5, segments=2, videos=6)
    before, manifest = rows_of(index), (index / "manifest.json").read_bytes()
    (index / "segments").rename(tmp_path / "away")
    with pytest.raises(IndexUnavailable, match=r"no segment of .* is there"):
        mended(index)
    assert (index / "manifest.json").read_bytes() == manifest
    shutil.rmtree(index / "segments", ignore_errors=True)
    (tmp_path / "away").rename(index / "segments")
    assert rows_of(index) == before


def test_tombstones_are_counted_again(tmp_path):
    corpus = Corpus.make(tmp_path / "index", removed=0.5)
    manifest = read_manifest(corpus.directory)
    before = rows_of(corpus.directory)
    flip(corpus.directory / manifest.tables[2].name, -1)
    done = mended(corpus.directory)
    assert len(done.problems) == 1
    assert done.lost == []
    assert rows_of(corpus.directory) == before
    assert read_manifest(corpus.directory).tombstones == manifest.tombstones


def test_rows_written_wrong_under_right_checksums(tmp_path):
    corpus = Corpus.make(tmp_path / "index", segments=1, videos=3)
    before = rows_of(corpus.directory)
    late = Video(9, 0, "late.mp4", 1.0, 1.0)
    with IndexWriter.open(corpus.directory, corpus.pack.settings()) as writer:
        codes = random_codes(np.random.default_rng(5), corpus.pack, ties=False)
        moments, times = spans()
        writer.add(9, moments, np.full_like(times, np.nan), codes)
        writer.publish(writer.roots, [*corpus.videos, late])
    assert any("has no time" in line for line in verify.verify(corpus.directory))
    done = mended(corpus.directory)
    assert (done.lost, done.dropped) == ([late], 1)
    assert rows_of(corpus.directory) == before
    assert verify.verify(corpus.directory) == []


def test_a_full_compaction_gives_checksums_of_blocks_to_older_segments(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(segment, "write_blocks", lambda folder: None)
        corpus = Corpus.make(tmp_path / "index", segments=1, videos=5)
    numbers = {video.id: video.id for video in corpus.videos}
    for rewritten in (True, False):
        with IndexWriter.open(corpus.directory, corpus.pack.settings()) as writer:
            done = compact.rewrite(writer, numbers, full=True)
        assert bool(done.rewritten) is rewritten
    assert blocks.has_blocks(read_manifest(corpus.directory).segments[0])
