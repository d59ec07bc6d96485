from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.encoders.tiny import recipe, write_world  # noqa: E402
from unify.encoders.model import Projection, activate, running_maximum  # noqa: E402
from unify.encoders.start import open_start  # noqa: E402
from unify.encoders.train import read_corpus  # noqa: E402
from unify.engine.lexicon import Lexicon  # noqa: E402


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """An untrained model over the tiny world, and its corpus."""
    made = recipe(write_world(tmp_path_factory.mktemp("world")))
    start, lexicon = open_start(made), Lexicon.read(made.lexicon)
    corpus = read_corpus(made, start, lexicon)
    torch.manual_seed(0)
    model = start.model(made, corpus.data, lexicon.terms)
    return model.eval(), corpus


def test_a_projection_that_starts_as_the_identity_is_one():
    mean, scale = torch.zeros(6), torch.ones(6)
    start = Projection(mean, scale, 8, 6, 0.5, identity=True).eval()
    x = torch.randn(4, 6)
    assert torch.equal(start(x), x)


def test_text_logits_start_as_the_zero_shot_projection(started):
    """Nothing trained: cosines of the text's states with the words, the largest over the text."""
    model, corpus = started
    ids, mask = corpus.data.captions.tokens([0, 1, 2])
    with torch.no_grad():
        states = model.text_tower(ids, mask)
        _, logits = model.text(ids, mask)
    voters = torch.nn.functional.normalize(
        (states.voters - model.text_lexicon.mean) * model.text_lexicon.scale, dim=-1
    )
    cosines = (voters @ model.dictionary.T).masked_fill(~states.votes[..., None], -9).amax(dim=1)
    expected = model.text_scale.exp() * cosines + model.text_bias
    assert torch.allclose(logits, expected, atol=1e-4)


def test_padding_never_changes_a_text(started):
    model, corpus = started
    ids, mask = corpus.data.captions.tokens([0])
    longer = torch.nn.functional.pad(ids, (0, 7)), torch.nn.functional.pad(mask, (0, 7))
    with torch.no_grad():
        short, long = model.text(ids, mask), model.text(*longer)
    for a, b in zip(short, long, strict=True):
        assert torch.allclose(a, b, atol=1e-5)


def test_padding_never_changes_a_moment(started):
    model, corpus = started
    frames, picks = corpus.data.stack([0, 1])
    assert (picks == -1).any(), "one item has fewer pictures"
    more = torch.nn.functional.pad(picks, (0, 3), value=-1)
    with torch.no_grad():
        short, long = model.video(frames, picks), model.video(frames, more)
        alone = model.video(frames[:1], torch.tensor([[0]]))
    for a, b, c in zip(short, long, alone, strict=True):
        assert torch.allclose(a, b, atol=1e-5)
        assert torch.allclose(a[:1], c, atol=1e-5)


def test_special_tokens_do_not_vote(started):
    model, corpus = started
    ids, mask = corpus.data.captions.tokens([0, 1])
    votes = model.text_tower(ids, mask).votes
    assert votes[:, 0].all(), "the whole text votes"
    words = (mask.sum(dim=1) - 2).tolist()
    assert votes[:, 1:].sum(dim=1).tolist() == words


def test_running_maximum_is_the_maximum_over_frames():
    logits = torch.randn(5, 7)
    at = torch.tensor([[0, 1, 2], [3, 0, 0]])
    shown = torch.tensor([[True, True, True], [True, False, False]])
    found = running_maximum(logits, at, shown)
    assert torch.equal(found[0], logits[:3].amax(dim=0))
    assert torch.equal(found[1], logits[3])


def test_activation_is_log_of_one_plus_relu():
    assert np.allclose(activate(torch.tensor([-1.0, 0.0, np.e - 1])).numpy(), [0, 0, 1])
