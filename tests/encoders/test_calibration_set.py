from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.encoders.archives import write, write_tar
from tests.indexer.media import make_still, number_of
from unify.encoders import calibration_set
from unify.encoders.calibration_set import CalibrationSet, look_at
from unify.encoders.datasets import held_out
from unify.engine.errors import UsageError
from unify.indexer.discover import Discovery
from unify.indexer.ports import FrameShape


def numbers(frames: np.ndarray) -> np.ndarray:
    """A feature that is the number a picture carries."""
    return np.array([[number_of(frame)] for frame in frames], np.float32)


def look(folder: Path) -> CalibrationSet:
    return look_at(folder, FrameShape(64, 48, "squash"), numbers)


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration_set, "LEAST_MOMENTS", 2)


def stills(folder: Path, count: int = 40) -> list[str]:
    names = [f"{i:02}.png" for i in range(count)]
    write(folder / "captions.json", {name: [f"picture {name}"] for name in names})
    write_tar(folder / "stills.tar", {name: make_still(i) for i, name in enumerate(names)})
    return names


@pytest.mark.parametrize("name", ["photos", "photos-train"])
def test_of_a_data_set_what_is_held_out_is_never_seen(tmp_path, name):
    names = stills(tmp_path / name)
    kept = [i for i, one in enumerate(names) if not held_out("photos", one)]
    assert 2 < len(kept) < len(names)
    found = look(tmp_path / name)
    assert found.features[:, 0].tolist() == kept
    assert found.captions == tuple((f"picture {names[i]}",) for i in kept)


def test_a_test_split_is_never_taken_for_training(tmp_path):
    stills(tmp_path / "photos-test")
    with pytest.raises(UsageError, match="has no split 'train'; it has test"):
        look(tmp_path / "photos-test")
    rows = "key,vid_key,video_id,sentence\nret0,msr1,video1,a dog\n"
    write(tmp_path / "msrvtt" / "MSRVTT_JSFUSION_test.csv", rows)
    with pytest.raises(UsageError, match=r"MSRVTT_train\.9k\.csv: No such file"):
        look(tmp_path / "msrvtt")


def test_files_with_names_like_annotations_are_pictures_like_others(tmp_path):
    for i, name in enumerate(["MSRVTT_frames/1.png", "x/2.PNG", "._3.png", ".hidden/4.png"]):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(make_still(i))
    write(tmp_path / "meta_data.json", "{}")
    found = look(tmp_path)
    assert sorted(found.features[:, 0].tolist()) == [0, 1], "hidden ones are left out"
    assert found.captions == () and found.failed == ()


def test_what_cannot_be_looked_at_is_told(tmp_path, monkeypatch):
    for i in range(2):
        (tmp_path / f"{i}.png").write_bytes(make_still(i))
    (tmp_path / "folder.png").mkdir()
    locked = Discovery(unreadable=[("locked", "Permission denied")])
    monkeypatch.setattr(calibration_set, "discover", lambda _: locked)
    failed = dict(look(tmp_path).failed)
    assert failed.pop("locked") == "Permission denied"
    assert [Path(path).name for path in failed] == ["folder.png"]
