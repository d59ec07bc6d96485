from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.encoders.archives import write, write_tar
from tests.indexer.media import make_still, number_of
from unify.encoders.datasets import DataSet, read_dataset
from unify.encoders.evaluation import DUAL_SOFTMAX, MODES, Stage, evaluate_pack, record, table
from unify.engine.errors import MediaError
from unify.engine.lexicon import Lexicon
from unify.engine.types import Calibration, EncodedQuery, MomentCodes, SparseRows
from unify.indexer.ports import FrameShape

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven")


class NumberPack:
    """Knows the number that a picture carries, and the words for it.

    Args:
        blind: sees and reads nothing: everything scores alike.
    """

    name = "numbers"
    fingerprint = "0123456789abcdef"
    latent_dim = len(WORDS)
    frame_shape = FrameShape(64, 48, "squash")
    lexicon = Lexicon(WORDS)
    calibration = Calibration(
        latent_mean=np.zeros(8, np.float32),
        latent_cov=np.eye(8, dtype=np.float32),
        term_mean=np.zeros(8, np.float32),
        term_var=np.ones(8, np.float32),
        sd_latent_floor=1.0,
        sd_lexicon_floor=1.0,
        lexicon_weight=1.0,
        shows=0.0,
        weak=0.0,
    )

    def __init__(self, blind: bool = False) -> None:
        self._blind = blind
        self.asked: list[str] = []

    def encode_query(self, text: str) -> EncodedQuery:
        self.asked.append(text)
        terms = np.array(sorted(set(self.lexicon.term_ids(text))), np.uint16)
        if self._blind:
            terms = terms[:0]
        latent = np.zeros(8, np.float32)
        latent[terms] = 1
        return EncodedQuery(latent, terms, np.ones(len(terms), np.float32))

    def encode_frames(self, frames: np.ndarray) -> np.ndarray:
        return np.eye(8, dtype=np.float32)[[number_of(frame) for frame in frames]]

    def encode_moments(self, features: np.ndarray, spans: np.ndarray) -> MomentCodes:
        seen = np.stack([features[a:b].max(axis=0) for a, b in spans])
        rows = SparseRows.from_dense(seen, 0 if self._blind else 8)
        return MomentCodes(seen * (not self._blind), rows, rows)


class BatchPack(NumberPack):
    """Encodes queries many at a time."""

    def encode_queries(self, texts: list[str]) -> list[EncodedQuery]:
        return [NumberPack.encode_query(self, text) for text in texts]

    def encode_query(self, text: str) -> EncodedQuery:
        raise AssertionError("asked one by one")


CAPTIONS = {"a": [1, "one"], "b": [2, "two", "the two"], "c": [3, "three"], "d": [2, "only two"]}


def numbers(folder: Path, broken: tuple[str, ...] = (), missing: tuple[str, ...] = ()) -> DataSet:
    """An archive of one numbered picture an item."""
    folder.mkdir(exist_ok=True)
    rows = {f"{name}.png": captions for name, (_, *captions) in CAPTIONS.items()}
    write(folder / "captions.json", rows)
    pictures = {
        f"{name}.png": b"broken" if name in broken else make_still(int(number))
        for name, (number, *_) in CAPTIONS.items()
        if name not in missing
    }
    write_tar(folder / "stills.tar", pictures)
    return read_dataset(folder)


def test_items_are_found_by_what_they_show(tmp_path):
    found = evaluate_pack(NumberPack(), numbers(tmp_path / "numbers-test"))
    assert (found.dataset, found.split, found.frames) == ("numbers", "test", 12)
    assert (found.items, found.captions, found.missing, found.failed) == (4, 5, (), ())
    for mode in MODES:
        ranks = found.ranks[mode]
        # "two" shows in b and d alike: three of five captions are at rank 1.5.
        assert (ranks.text_to_video.at_1, ranks.text_to_video.mean_rank) == (40.0, 1.3)
        # For b one caption of d ties with its own, for d two of b do.
        assert (ranks.video_to_text.at_1, ranks.video_to_text.mean_rank) == (50.0, 1.375)
    assert found.overlap.disjoint == 0
    # Five captions have one of 8 terms each, and so have the four items.
    assert found.overlap.multiplications == pytest.approx((1 + 1 + 3 * 2) / 20)
    assert found.coverage == 1.0


def test_the_order_of_items_changes_nothing(tmp_path):
    dataset = numbers(tmp_path)
    first = evaluate_pack(NumberPack(), dataset, with_dual_softmax=True)
    turned = replace(dataset, items=dataset.items[::-1])
    assert evaluate_pack(NumberPack(), turned, with_dual_softmax=True) == first


def test_a_pack_that_scores_everything_alike_finds_nothing(tmp_path):
    found = evaluate_pack(NumberPack(blind=True), numbers(tmp_path))
    for mode in MODES:
        ranks = found.ranks[mode]
        assert (ranks.text_to_video.at_1, ranks.text_to_video.median) == (0.0, 2.5)
        assert ranks.video_to_text.at_1 == 0.0
    assert found.overlap.disjoint == found.captions == 5


def test_what_is_missing_or_broken_is_counted(tmp_path):
    found = evaluate_pack(NumberPack(), numbers(tmp_path, broken=("a",), missing=("d",)))
    assert (found.items, found.captions, found.missing) == (2, 3, ("d.png",))
    ((name, reason),) = found.failed
    assert name == "a.png"
    assert "not a picture" in reason
    assert found.ranks["fused"].text_to_video.at_1 == 100.0
    assert "2 items, 3 captions, 1 missing, 1 not decodable" in table([found])


def test_nothing_to_look_at_is_an_error(tmp_path):
    with pytest.raises(MediaError, match=r"no item of .* can be decoded \(a\.png: "):
        evaluate_pack(NumberPack(), numbers(tmp_path, broken=tuple(CAPTIONS)))


def test_texts_go_in_batches_where_the_pack_can(tmp_path):
    dataset = numbers(tmp_path)
    twice = replace(dataset.items[0], captions=("one", "one"))
    dataset = replace(dataset, items=(twice, *dataset.items[1:]))
    single, batch = NumberPack(), BatchPack()
    steps: list[tuple[Stage, int, int]] = []
    first = evaluate_pack(single, dataset, progress=lambda *step: steps.append(step))
    assert evaluate_pack(batch, dataset) == first
    assert single.asked == batch.asked == ["one", "two", "the two", "three", "only two"]
    assert steps == [*((Stage.ITEMS, i, 4) for i in (1, 2, 3, 4)), (Stage.CAPTIONS, 5, 5)]


def test_a_record_has_every_figure(tmp_path):
    found = evaluate_pack(NumberPack(), numbers(tmp_path), frames=3, with_dual_softmax=True)
    content = record([found])
    assert (content["dataset"], content["split"]) == (tmp_path.name, "all")
    (pack,) = content["packs"]
    assert (pack["pack"], pack["frames"], pack["items"], pack["missing"]) == ("numbers", 3, 4, [])
    assert list(pack["recall"]) == ["latent", "lexicon", "fused", DUAL_SOFTMAX]
    assert pack["recall"]["latent"]["text_to_video"] == {
        "R@1": 40.0, "R@5": 100.0, "R@10": 100.0, "MdR": 1.5, "MnR": 1.3
    }  # fmt: skip
    assert set(pack["recall"]["fused"]) == {"text_to_video", "video_to_text"}
    assert set(pack["lexicon"]) == {
        "text_terms", "video_terms", "multiplications", "disjoint", "coverage"
    }  # fmt: skip
    assert "mean" not in content


def test_several_packs_give_mean_and_deviation(tmp_path):
    dataset = numbers(tmp_path)
    both = [evaluate_pack(NumberPack(blind), dataset) for blind in (False, True)]
    content = record(both)
    assert len(content["packs"]) == 2
    assert content["mean"]["fused"]["text_to_video"]["R@1"] == 20.0
    assert content["sd"]["fused"]["text_to_video"]["R@1"] == pytest.approx(28.284)
    lines = table(both).splitlines()
    assert "| mean ± sd of 2 | fused | text to video | 20.0 ± 28.3 |" in "\n".join(lines)
    assert sum(line.startswith("| numbers | ") for line in lines) == 2 * 6 + 2
