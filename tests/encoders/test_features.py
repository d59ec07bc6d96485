from __future__ import annotations

import json

import numpy as np
import pytest

from tests.encoders.archives import write_tar
from tests.encoders.tiny import write_data
from unify.encoders.datasets import read_dataset
from unify.encoders.features import crop, frame_features
from unify.engine.errors import UsageError
from unify.indexer.ports import FrameShape

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


def test_nothing_to_decode_is_said(tmp_path):
    folder = write_data(tmp_path / "world-train", items=2, stills=1)
    write_tar(folder / "frames.tar", {f"item{i}_0.jpg": b"no picture" for i in range(2)})
    with pytest.raises(UsageError, match="no item of world can be decoded"):
        frame_features(read_dataset(folder, "train"), Stem(), tmp_path / "cache", 1, 12)
    assert not list((tmp_path / "cache").iterdir())
