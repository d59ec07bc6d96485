from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import concatenated
import joined
import numpy as np
import pytest
from concatenated import SHOTS, WAYS, Seen
from joined import Condition

from unify.encoders.packs import Pack, open_pack
from unify.indexer.decode import VideoFile

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
CAPTIONS = {
    "cat.mp4": "the face of a cat",
    "coffee.mp4": "a cup of coffee on a table",
    "rocket.mp4": "a rocket starts at night",
    "temple.mp4": "a temple by a lake",
    "photographer.mp4": "a man with a camera",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("clips")
    for name in CAPTIONS:
        shutil.copy(SAMPLES / name, made)
    lines = [f"{name}\t{caption}\n" for name, caption in CAPTIONS.items()]
    (made / "captions.tsv").write_text("file\tcaption\n" + "".join(lines))
    return made


@pytest.mark.parametrize(
    ("condition", "length_s"),
    [(Condition.WHOLE, 35.0), (Condition.FADES, 31.0)],
)
def test_stretches_follow_each_other_to_the_end(folder, tmp_path, condition, length_s):
    clips = joined.clips_in(folder, folder / "captions.tsv")
    truths = joined.make(clips, tmp_path, condition, seed=0)
    assert {truth.file for truth in truths} == {"long000.mp4"}
    assert sorted(truth.captions[0] for truth in truths) == sorted(CAPTIONS.values())
    assert truths[0].start_s == 0
    assert all(before.end_s == after.start_s for before, after in pairwise(truths))
    timeline = VideoFile(str(tmp_path / "long000.mp4")).timeline()
    assert truths[-1].end_s == pytest.approx(timeline.duration_s) == pytest.approx(length_s)


def test_parts_are_the_same_joined_and_apart(folder, tmp_path):
    clips = joined.clips_in(folder, folder / "captions.tsv")
    long = joined.make(clips, tmp_path, Condition.PARTS, seed=3)
    apart = joined.make_alone(clips, tmp_path, Condition.PARTS, seed=3)
    lengths = {truth.captions: truth.end_s for truth in apart}
    assert len(set(lengths.values())) > 1
    for truth in long:
        assert truth.end_s - truth.start_s == pytest.approx(lengths[truth.captions])


def test_clips_joined_by_hard_cuts_are_found_where_they_are(folder, tmp_path):
    pack = open_pack("mini")
    assert isinstance(pack, Pack)
    clips = joined.clips_in(folder, folder / "captions.tsv")
    lines = concatenated.measure(clips, tmp_path, pack, [Condition.WHOLE], pooling=True)
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert {len(line) for line in cells[:7]} == {8}
    found = {line[1]: line[2:] for line in cells[2:7]}
    assert found["apart"][1] == "100.0"
    assert found["shots"][:3] == found["joined"][:3] == ["100.0", "100.0", "1.00"]
    assert found["shots"][4:] == ["1.00", "1.00"]
    assert found["windows"][5] == "0.00"
    assert float(found["windows"][1]) < 100
    pooled = [line for line in cells if line[:1] in (["mean"], ["latents"], ["central"])]
    assert len(pooled) == 6
    assert pooled[0] == ["mean", "max", "100.0", "100.0"]


def test_precision_and_recall_of_cuts():
    features = np.repeat(np.eye(4, dtype=np.float32), 6, axis=0)
    joints = np.array([6.3, 12.4, 20.0])  # the cut at 18 is 2 s beside one
    video = Seen("a", 24.0, np.arange(24) + 0.5, features, joints)
    assert concatenated.cuts([video], SHOTS) == pytest.approx((2 / 3, 2 / 3))
    assert concatenated.cuts([video], WAYS[0]) == (1.0, 0.0)


def test_whole_shots_stand_beside_their_windows():
    features = np.repeat(np.eye(2, dtype=np.float32), [12, 6], axis=0)
    video = Seen("a", 18.0, np.arange(18) + 0.5, features, np.array([12.0]))
    spans = concatenated.moments_of(video, WAYS[2])
    stretches = list(zip(spans.start_s.tolist(), spans.end_s.tolist(), strict=True))
    assert stretches == [(0, 8), (0, 12), (4, 12), (12, 18)]


def test_stretches_that_do_not_meet_do_not_overlap():
    assert concatenated.overlap((0.0, 4.0), (6.0, 9.0)) == 0
    assert concatenated.overlap((1.0, 5.0), (1.0, 5.0)) == 1
