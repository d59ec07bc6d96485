from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from unify.encoders.captions import Captions  # noqa: E402
from unify.encoders.trainset import (  # noqa: E402
    Draw,
    TrainingSet,
    batches,
    epoch_order,
    steps_of_epoch,
)
from unify.engine.errors import UsageError  # noqa: E402

TERMS = 7


@pytest.fixture
def data() -> TrainingSet:
    """40 items in two sets; picture r of set s has the value 1000 s + 10 r + view."""
    rng = np.random.default_rng(0)
    pictures, places = [], []
    for source in range(2):
        rows = 0
        for _ in range(20):
            count = int(rng.integers(1, 4))
            places.append((source, np.arange(rows, rows + count)))
            rows += count
        values = 1000 * source + 10 * np.arange(rows)[:, None, None] + np.arange(2)[:, None]
        pictures.append(values.astype(np.float16))
    own = [np.unique(rng.integers(0, TERMS, 2)) for _ in range(80)]
    ids = np.concatenate([[100 + i, *terms] for i, terms in enumerate(own)])
    terms = np.concatenate([[-1, *terms] for terms in own])
    starts = np.cumsum([0, *(1 + len(terms) for terms in own)])
    captions = Captions(ids, terms, starts, own, 99)
    return TrainingSet(
        pictures, places, captions, [np.array([2 * i, 2 * i + 1]) for i in range(40)], TERMS
    )


def test_an_epoch_shows_every_item_once_with_its_own_pictures_and_words(data):
    order = np.random.default_rng(1).permutation(40)
    seen, counts = [], []
    for batch in batches(data, order, 8, Draw(pictures=2), np.random.default_rng(2)):
        for row, item in enumerate(batch.items.tolist()):
            seen.append(item)
            source, rows = data.places[item]
            picks = batch.picks[row][batch.picks[row] >= 0]
            counts.append(len(picks))
            values = batch.frames[picks].flatten().tolist()
            allowed = {1000 * source + 10 * r + view for r in rows for view in range(2)}
            assert set(values) <= allowed
            text = int(batch.texts[row])
            assert text in data.texts[item].tolist()
            own = set(data.captions.own[text].tolist())
            assert set(batch.words[row].nonzero().flatten().tolist()) <= own
            named = {t for c in data.texts[item] for t in data.captions.own[c].tolist()}
            assert set(batch.targets[row].nonzero().flatten().tolist()) == named
        missing = batch.removed.nonzero()
        assert len(batch.removed) == 2 and len(missing) >= 2
        for row, term in missing.tolist():
            assert term in data.captions.own[int(batch.texts[row])]
            assert 99 in batch.masked_ids[row].tolist()
    assert sorted(seen) == list(range(40))
    assert set(counts) == {1, 2}


def test_what_a_recipe_leaves_out_is_not_drawn(data):
    draw = Draw(pictures=1, masked=False)
    for batch in batches(data, np.arange(40), 8, draw, np.random.default_rng(2)):
        assert batch.picks.shape == (8, 1)
        assert len(batch.masked_ids) == 1, "one, as no tensor may be empty"


def test_the_same_generator_draws_the_same_batches(data):
    order = np.arange(40)
    one, two = (list(batches(data, order, 8, Draw(), np.random.default_rng(5))) for _ in range(2))
    for a, b in zip(one, two, strict=True):
        assert all(torch.equal(getattr(a, n), getattr(b, n)) for n in a.__slots__)


def test_shares_and_frequencies_count_captions(data):
    shares = np.stack([data.named(i) for i in range(40)])
    assert np.allclose(data.named_by_items(), shares.mean(axis=0))
    flags = np.zeros((80, TERMS))
    for row, own in enumerate(data.captions.own):
        flags[row, own] = 1
    assert np.allclose(data.frequencies(), flags.mean(axis=0))
    assert np.allclose(shares[3], flags[6:8].mean(axis=0))


def test_stacked_items_show_all_their_plain_pictures(data):
    frames, picks = data.stack([0, 25])
    for row, item in enumerate((0, 25)):
        source, rows = data.places[item]
        own = frames[picks[row][picks[row] >= 0]].flatten().tolist()
        assert own == [1000 * source + 10 * r for r in rows]


def test_every_batch_of_an_epoch_comes_from_one_data_set(data):
    order = epoch_order(data, 6, np.random.default_rng(0))
    assert len(order) == 36 == 6 * steps_of_epoch(data, 6)
    assert len(set(order.tolist())) == 36
    sources = [[data.places[i][0] for i in order[k : k + 6].tolist()] for k in range(0, 36, 6)]
    assert all(len(set(batch)) == 1 for batch in sources)
    assert {batch[0] for batch in sources} == {0, 1}


def test_a_batch_larger_than_every_data_set_is_refused(data):
    with pytest.raises(UsageError, match="do not fill a batch of 21"):
        steps_of_epoch(data, 21)
