from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.encoders.archives import write_tar
from tests.encoders.tiny import write_data
from unify.encoders.datasets import DataSet, read_dataset
from unify.encoders.features import crop, frame_features
from unify.engine.errors import MediaError, UsageError
from unify.indexer.ports import FrameShape

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
SHAPE = FrameShape(20, 16, "squash")


class Stem:
    """Gives the pictures back, and counts them."""

    stamp = "plain"
    frame_shape = SHAPE

    def __init__(self) -> None:
        self.seen = 0

    def encode(self, frames):
        assert frames.dtype == np.uint8 and frames.shape[1:] == (16, 20, 3)
        self.seen += len(frames)
        return frames.astype(np.float32)


@pytest.fixture
def data(tmp_path):
    return read_dataset(write_data(tmp_path / "world-train", items=5), "train")


def test_views_of_every_picture_are_kept_and_read_again(data, tmp_path):
    stem = Stem()
    found = frame_features(data, stem, tmp_path / "cache", 4, 12)
    assert found.values.shape == (7, 4, 16, 20, 3) and stem.seen == 28
    assert [len(found.rows[f"item{i}"]) for i in range(5)] == [1, 2, 1, 2, 1]
    plain, mirrored, cropped, both = (found.values[:, k] for k in range(4))
    assert np.array_equal(plain[:, :, ::-1], mirrored)
    assert not np.array_equal(plain, cropped) and not np.array_equal(cropped, both)
    expected = next(iter(data.frames(data.items[:1], SHAPE, 12)))[1]
    assert np.array_equal(found.values[found.rows["item0"], 0], expected)
    again = frame_features(data, stem, tmp_path / "cache", 4, 12)
    assert stem.seen == 28, "from the cache"
    assert np.array_equal(again.values, found.values)


def test_what_was_cut_short_is_computed_again(data, tmp_path):
    class Killed(Stem):
        def encode(self, frames):
            if self.seen > 5:
                raise KeyboardInterrupt
            return super().encode(frames)

    with pytest.raises(KeyboardInterrupt):
        frame_features(data, Killed(), tmp_path / "cache", 2, 12)
    whole = Stem()
    found = frame_features(data, whole, tmp_path / "cache", 2, 12)
    assert whole.seen == 14 and found.values.shape == (7, 2, 16, 20, 3)


def test_an_item_that_cannot_be_decoded_is_told(tmp_path):
    folder = write_data(tmp_path / "world-train", items=3)
    rows = json.loads((folder / "captions.json").read_text())
    rows["item1"]["frames"] = ["nowhere.jpg"]
    (folder / "captions.json").write_text(json.dumps(rows))
    data = read_dataset(folder, "train")
    found = frame_features(data, Stem(), tmp_path / "cache", 3, 12)
    assert set(found.rows) == {"item0", "item2"}
    assert "item1" in {*found.failed, *data.missing}


def test_a_crop_has_the_shape_and_is_a_part():
    rows = np.repeat(np.arange(200, dtype=np.uint8)[:, None, None], 200, axis=1)
    picture = np.repeat(rows, 3, axis=2)
    for seed in range(20):
        part = crop(picture, SHAPE, np.random.default_rng(seed))
        assert part.shape == (16, 20, 3)
        height = int(part.max()) - int(part.min())
        assert 110 < height <= 200, "between half and all of it"


def test_other_items_are_other_features(data, tmp_path):
    frame_features(data, Stem(), tmp_path / "cache", 1, 12)
    fewer = data.select(lambda name: name != "item0")
    assert set(frame_features(fewer, Stem(), tmp_path / "cache", 1, 12).rows) == {
        "item1", "item2", "item3", "item4",
    }  # fmt: skip


def test_changed_bytes_are_other_features_and_a_moved_folder_is_not(data, tmp_path):
    first = frame_features(data, Stem(), tmp_path / "cache", 1, 12)
    moved, stem = tmp_path / "moved" / "world-train", Stem()
    shutil.copytree(tmp_path / "world-train", moved)
    again = frame_features(read_dataset(moved, "train"), stem, tmp_path / "cache", 1, 12)
    assert not stem.seen and again.key == first.key
    archive = moved / "frames.tar"
    archive.write_bytes(archive.read_bytes() + bytes(512))  # longer, the pictures are the same
    other = frame_features(read_dataset(moved, "train"), stem, tmp_path / "cache", 1, 12)
    assert stem.seen == 7 and other.key != again.key
    os.utime(archive, (1, 1))
    later = frame_features(read_dataset(moved, "train"), stem, tmp_path / "cache", 1, 12)
    assert stem.seen == 14 and later.key != other.key


def test_a_changed_video_is_other_features(tmp_path):
    folder = tmp_path / "clips"
    folder.mkdir()
    shutil.copyfile(SAMPLES / "cat.mp4", folder / "a.mp4")
    (folder / "captions.tsv").write_text("file\tcaption\na.mp4\ta cat\n")
    keys = []
    for time_s in (1, 1, 2):
        os.utime(folder / "a.mp4", (time_s, time_s))
        found = frame_features(read_dataset(folder), Stem(), tmp_path / "cache", 1, 2)
        keys.append(found.key)
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize(
    ("plain", "larger"), [({1}, set()), (set(), {1}), ({0, 2}, {4}), ({3, 4}, {0}), ({1}, {1})]
)
def test_views_stay_in_step_when_one_of_two_decodings_fails(
    data, tmp_path, monkeypatch, plain, larger
):
    whole = DataSet.frames
    expected = dict(frame_features(data, Stem(), tmp_path / "a", 3, 12).rows)
    values = frame_features(data, Stem(), tmp_path / "a", 3, 12).values

    def frames(self, items, shape, count, failed):
        broken = plain if shape == SHAPE else larger
        for item, found in whole(self, items, shape, count, failed):
            if int(item.name[-1]) in broken:
                failed(item, MediaError("killed"))
            else:
                yield item, found

    monkeypatch.setattr(DataSet, "frames", frames)
    found = frame_features(data, Stem(), tmp_path / "b", 3, 12)
    assert found.failed == {f"item{i}": "killed" for i in plain | larger}
    assert set(found.rows) == {f"item{i}" for i in range(5)} - set(found.failed)
    for name, rows in found.rows.items():
        assert np.array_equal(found.values[rows], values[expected[name]]), name


def test_nothing_to_decode_is_said(tmp_path):
    folder = write_data(tmp_path / "world-train", items=2, stills=1)
    write_tar(folder / "frames.tar", {f"item{i}_0.jpg": b"no picture" for i in range(2)})
    with pytest.raises(UsageError, match="no item of world can be decoded"):
        frame_features(read_dataset(folder, "train"), Stem(), tmp_path / "cache", 1, 12)
    assert not list((tmp_path / "cache").iterdir())
