import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.engine.corpus import Corpus, FakePack, random_codes, spans
from unify.engine import writer as writing
from unify.engine.blocks import BLOCKS
from unify.engine.errors import DamagedIndex, IncompatibleIndex, IndexUnavailable, UsageError
from unify.engine.local import open_snapshot
from unify.engine.manifest import read_manifest
from unify.engine.search import Searcher
from unify.engine.verify import verify
from unify.engine.writer import IndexWriter, Root, Video


def test_a_whole_index_verifies(corpus):
    assert verify(corpus.directory) == []
    manifest = read_manifest(corpus.directory)
    assert manifest.videos == len(corpus.videos)
    assert manifest.tombstones == 20 - len(corpus.videos)


def every_file(directory):
    manifest = read_manifest(directory)
    for entry in manifest.segments:
        yield from (entry.folder(directory) / file.name for file in entry.files)
    yield from (directory / file.name for file in manifest.tables)


def test_verify_finds_one_flipped_bit_in_any_file(corpus):
    for path in every_file(corpus.directory):
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
        assert any(str(path) in line for line in verify(corpus.directory)), path.name
        data[-1] ^= 1
        path.write_bytes(data)
    assert verify(corpus.directory) == []


def test_opening_finds_a_file_cut_short_or_gone(corpus):
    for path in every_file(corpus.directory):
        data = path.read_bytes()
        path.write_bytes(data[:-1])
        with pytest.raises(DamagedIndex, match=path.name):
            open_snapshot(corpus.directory)
        path.unlink()
        with pytest.raises(DamagedIndex, match=f"{path.name}.* is missing"):
            open_snapshot(corpus.directory)
        path.write_bytes(data)


def test_a_damaged_header_is_an_error_that_names_the_file(corpus):
    for path in every_file(corpus.directory):
        if path.suffix != ".npy" or path.name == BLOCKS:  # no reader opens that one
            continue
        data = path.read_bytes()
        path.write_bytes(b"\0" * 64 + data[64:])
        with pytest.raises(DamagedIndex, match=path.name):
            searcher = Searcher(open_snapshot(corpus.directory), corpus.pack)
            searcher.search("w1 w2 +w3")
            for segment in searcher.backend.segments:
                searcher.backend.tracks(segment.base, np.array([1], np.uint16))
        path.write_bytes(data)


@pytest.mark.parametrize(
    "edit", [lambda t: t[:-9], lambda t: t.replace(b"8.0", b"9.0"), bytes.upper]
)
def test_a_damaged_manifest(corpus, edit):
    path = corpus.directory / "manifest.json"
    path.write_bytes(edit(path.read_bytes()))
    with pytest.raises(DamagedIndex, match=r"manifest\.json is damaged"):
        open_snapshot(corpus.directory)


def test_another_format_version_is_refused(corpus):
    path = corpus.directory / "manifest.json"
    document = json.loads(path.read_text())
    document["format"] = 99
    path.write_text(json.dumps(document))
    with pytest.raises(IncompatibleIndex, match="format 99"):
        open_snapshot(corpus.directory)


def test_no_index(tmp_path):
    with pytest.raises(IndexUnavailable, match="no index in"):
        open_snapshot(tmp_path)


def test_other_settings_are_refused(corpus):
    settings = corpus.pack.settings()
    for changes, message in (
        ({"fingerprint": "e" * 64, "pack": "other"}, "pack fake .*not other"),
        ({"fps": 2.0}, "fps 1.0, not 2.0"),
        ({"decoder": "decord"}, "decoder pyav, not decord"),
    ):
        with pytest.raises(IncompatibleIndex, match=message):
            IndexWriter.open(corpus.directory, replace(settings, **changes))


def test_one_writer_at_a_time(corpus):
    with IndexWriter.open(corpus.directory, corpus.pack.settings()):
        code = (
            "import sys; from pathlib import Path; from tests.engine.corpus import FakePack\n"
            "from unify.engine.writer import IndexWriter\n"
            "IndexWriter.open(Path(sys.argv[1]), FakePack().settings())"
        )
        run = subprocess.run(
            [sys.executable, "-c", code, str(corpus.directory)], capture_output=True, text=True
        )
        assert "another process is writing" in run.stderr
    IndexWriter.open(corpus.directory, corpus.pack.settings()).__exit__(None, None, None)


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write an index"):
        IndexWriter.open(tmp_path / "file" / "index", FakePack().settings())


def test_files_that_are_not_an_index_are_never_touched(tmp_path, corpus):
    (tmp_path / "V" / "segments" / "mine").mkdir(parents=True)
    for name in ("videos-2019.mp4", "note.tmp", "segments/mine/h.mp4"):
        (tmp_path / "V" / name).write_text("precious")
    with pytest.raises(UsageError, match="is no index and not empty"):
        IndexWriter.open(tmp_path / "V", FakePack().settings())
    assert sorted(path.name for path in (tmp_path / "V").iterdir()) == [
        "note.tmp", "segments", "videos-2019.mp4",
    ]  # fmt: skip
    for name in ("videos-2019.mp4", "note.tmp", "tombstones-old"):
        (corpus.directory / name).write_text("precious")
    with IndexWriter.open(corpus.directory, corpus.pack.settings()) as writer:
        writer.publish(writer.roots, corpus.videos)
    for path in ("V/videos-2019.mp4", "V/note.tmp", "V/segments/mine/h.mp4"):
        assert (tmp_path / path).read_text() == "precious"
    for name in ("videos-2019.mp4", "note.tmp", "tombstones-old"):
        assert (corpus.directory / name).read_text() == "precious"


def test_a_full_disk_is_one_line_and_the_published_index_stays(corpus, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    before = read_manifest(corpus.directory)
    with IndexWriter.open(corpus.directory, corpus.pack.settings()) as writer:
        writer.add(99, *spans(), random_codes(np.random.default_rng(0), corpus.pack, ties=False))
        with monkeypatch.context() as patch:
            patch.setattr(writing.durable, "write_file", full)
            with pytest.raises(
                IndexUnavailable, match="No space left on device; what was published"
            ):
                writer.publish(writer.roots, corpus.videos)
    assert read_manifest(corpus.directory) == before
    assert verify(corpus.directory) == []


def test_values_out_of_range_are_damage_not_a_traceback(corpus):
    entry = read_manifest(corpus.directory).segments[0]
    for name in ("forward_terms.npy", "moments.npy", "postings_ids.npy"):
        path = entry.folder(corpus.directory) / name
        data = path.read_bytes()
        path.write_bytes(data[:128] + b"\xff" * (len(data) - 128))
        with pytest.raises(DamagedIndex):
            Searcher(open_snapshot(corpus.directory), corpus.pack).search("w1 +w2")
        path.write_bytes(data)


class Stop(Exception):
    """A crash."""


@pytest.mark.parametrize("step", ["write_tables", "write_manifest"])
def test_a_crash_before_the_swap_leaves_the_old_generation(corpus, monkeypatch, step):
    before = read_manifest(corpus.directory)

    def crash(*_):
        raise Stop

    rng = np.random.default_rng(0)
    with monkeypatch.context() as patch:
        target = writing.tables if step == "write_tables" else writing
        patch.setattr(target, step, crash)
        with (
            pytest.raises(Stop),
            IndexWriter.open(corpus.directory, corpus.pack.settings()) as writer,
        ):
            writer.add(99, *spans(), random_codes(rng, corpus.pack, ties=False))
            writer.publish(writer.roots, [*corpus.videos, Video(99, 0, "new.mp4", 5, 0)])
    assert read_manifest(corpus.directory) == before
    assert verify(corpus.directory) == []
    with IndexWriter.open(corpus.directory, corpus.pack.settings()) as writer:
        assert 99 not in writer.live_videos
        writer.add(99, *spans(), random_codes(rng, corpus.pack, ties=False))
        writer.publish(writer.roots, [*corpus.videos, Video(99, 0, "new.mp4", 5, 0)])
    assert verify(corpus.directory) == []
    assert len(list((corpus.directory / "segments").iterdir())) == len(before.segments) + 1


def test_a_reader_keeps_its_snapshot_while_a_writer_publishes(corpus):
    reader = Searcher(open_snapshot(corpus.directory), corpus.pack)
    before = [hit.moment for hit in reader.search("w1 w2", 100)]
    with IndexWriter.open(corpus.directory, corpus.pack.settings()) as writer:
        for _ in range(3):
            writer.publish([Root("clips", "/abs/clips")], corpus.videos[:1])
    assert [hit.moment for hit in reader.search("w1 w2", 100)] == before
    later = Searcher(open_snapshot(corpus.directory), corpus.pack)
    assert len(later.search("w1 w2", 100)) == 1


def test_a_reader_survives_a_publish_between_manifest_and_files(corpus, monkeypatch):
    """The manifest that a slow reader has just read may name tables that are gone by now."""
    from unify.engine import local

    stale = read_manifest(corpus.directory)
    with IndexWriter.open(corpus.directory, corpus.pack.settings()) as writer:
        for _ in range(3):
            writer.publish(writer.roots, corpus.videos)
    answers = iter([stale])
    fresh = read_manifest
    monkeypatch.setattr(local, "read_manifest", lambda d: next(answers, None) or fresh(d))
    assert open_snapshot(corpus.directory).manifest.generation == stale.generation + 3


def test_small_segments_hold_few_files_open(tmp_path):
    corpus = Corpus.make(tmp_path / "index", segments=12, videos=1)
    before = len(list(Path("/dev/fd").iterdir()))
    searcher = Searcher(open_snapshot(corpus.directory), corpus.pack)
    assert len(searcher.search("w1 w2", 100, moments=True)) == 48
    assert len(list(Path("/dev/fd").iterdir())) - before <= 2 * 12 + 2


def test_rows_that_would_poison_an_index_are_refused(corpus):
    with IndexWriter.open(corpus.directory, corpus.pack.settings()) as writer:
        good = random_codes(np.random.default_rng(0), corpus.pack, ties=False)
        for bad in (
            replace(good, latents=good.latents * np.nan),
            replace(good, latents=good.latents * 2),
            replace(good, latents=good.latents[:, :3]),
            replace(good, lexicon=replace(good.lexicon, weights=-good.lexicon.weights)),
            replace(good, lexicon=replace(good.lexicon, terms=good.lexicon.terms + 100)),
        ):
            with pytest.raises(ValueError):
                writer.add(99, *spans(), bad)
        assert writer.pending_moments == 0


def test_non_utf8_paths_survive(tmp_path):
    corpus = Corpus.make(tmp_path / "index", segments=1, videos=1)
    odd = Video(1, 0, "caf\udce9.mp4", 1.0, 0.0)
    with IndexWriter.open(corpus.directory, corpus.pack.settings()) as writer:
        writer.publish(writer.roots, [odd])
    assert open_snapshot(corpus.directory).videos == {1: odd}


def test_faiss_missing_is_one_clear_line(corpus):
    code = (
        "import sys; sys.modules['faiss'] = None\n"
        "from unify.engine.latents import load_faiss\n"
        "load_faiss()"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "pip install 'unify-search[cpu]' or pip install 'unify-search[gpu]'" in run.stderr
