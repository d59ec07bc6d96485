from __future__ import annotations

import pytest

from tests.indexer.building import NumberEncoder, contents, run_build
from tests.indexer.media import make_video
from unify.engine.errors import UsageError
from unify.indexer import resources
from unify.indexer.resources import parse_size, share_out

MB = 1 << 20


@pytest.mark.parametrize(
    ("cores", "workers", "share"),
    [
        (1, None, (1, 1)),
        (2, None, (2, 1)),
        (8, None, (4, 2)),
        (64, None, (4, 8)),
        (2, 3, (3, 1)),
        (16, 2, (2, 8)),
    ],
)
def test_the_machine_is_shared_out(cores, workers, share):
    found = share_out(workers, None, 300 * MB, cores)
    assert (found.workers, found.threads, found.data_bytes) == (*share, 0)


def test_one_video_gets_all_threads():
    share = share_out(None, None, 300 * MB, 4)
    assert (share.workers, share.threads) == (4, 1)
    assert (share.among(1).workers, share.among(1).threads) == (1, 4)
    assert (share.among(0).workers, share.among(9)) == (1, share)
    bound = share_out(2, 1000 * MB, 300 * MB, 4)
    assert bound.among(2) == bound
    assert bound.among(1) == share_out(1, 1000 * MB, 300 * MB, 4)


def test_a_bound_on_memory_takes_workers_away_before_it_starves_them():
    one = share_out(1, 800 * MB, 300 * MB, 4)
    assert one.workers == 1
    assert 300 * MB + one.data_bytes < 800 * MB
    two = share_out(2, 900 * MB, 300 * MB, 4)
    assert two.workers == 2
    assert two.data_bytes < one.data_bytes
    assert share_out(8, 700 * MB, 300 * MB, 4).workers == 1


def test_too_little_memory_says_how_much_is_needed():
    with pytest.raises(UsageError) as caught:
        share_out(1, 400 * MB, 300 * MB, 2)
    need = parse_size(str(caught.value).rpartition(" ")[2])
    assert share_out(1, need, 300 * MB, 2).workers == 1


@pytest.mark.parametrize(
    ("text", "size"),
    [("800M", 800 * MB), ("2G", 2048 * MB), ("1.5 GiB", 1536 * MB), ("64kb", 65536), ("7", 7)],
)
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "-1G", "much", "2X", "1e9", "nan"])
def test_what_is_no_size(text):
    with pytest.raises(UsageError, match="no size"):
        parse_size(text)


def test_a_video_that_needs_more_fails_and_says_so(tmp_path, monkeypatch):
    make_video(tmp_path / "big.mp4", 10, size=(3840, 2160), preset="ultrafast")
    make_video(tmp_path / "small.mp4", 10)
    monkeypatch.setattr(resources, "_ROOM_BYTES", 0)
    taken = 100 * MB
    monkeypatch.setattr("unify.indexer.here.taken_bytes", lambda: taken)
    bound = taken + resources._LIBRARIES_BYTES + resources._LEAST_BYTES + 16 * MB
    report = run_build([tmp_path], tmp_path / "index", max_memory_bytes=bound)
    assert len(report.failed) == 1, report.failed
    ((path, reason),) = report.failed
    assert path.endswith("big.mp4")
    assert "--max-memory" in reason
    assert set(contents(tmp_path / "index")) == {str(tmp_path / "small.mp4")}
    report = run_build([tmp_path], tmp_path / "index", retry_failed=True)
    assert (report.failed, report.indexed) == ([], 1)


def test_too_little_memory_leaves_no_index(tmp_path):
    make_video(tmp_path / "small.mp4", 10)
    with pytest.raises(UsageError, match="too little"):
        run_build([tmp_path], tmp_path / "index", NumberEncoder(), max_memory_bytes=MB)
    assert not (tmp_path / "index").exists()
