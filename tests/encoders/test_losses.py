from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from unify.encoders.losses import contrastive, distillation, duplicates, flops, grounding  # noqa: E402


def random_scores(seed: int, size: int = 5):
    return torch.randn(size, size, generator=torch.Generator().manual_seed(seed))


def test_contrastive_is_cross_entropy_without_duplicates():
    scores = random_scores(0)
    right = torch.arange(5)
    expected = torch.nn.functional.cross_entropy(scores, right) / 2
    expected += torch.nn.functional.cross_entropy(scores.T, right) / 2
    assert torch.allclose(contrastive(scores, torch.eye(5, dtype=torch.bool)), expected)


def test_a_duplicate_is_not_a_wrong_answer():
    scores = torch.eye(3) * 10
    scores[0, 1] = 50.0  # text 0 likes video 1 best
    positives = torch.eye(3, dtype=torch.bool)
    punished = contrastive(scores, positives)
    positives[0, 1] = positives[1, 0] = True
    assert contrastive(scores, positives) < punished / 10


def test_duplicates_are_items_or_captions():
    mask = duplicates(torch.tensor([7, 8, 7, 9]), torch.tensor([0, 1, 2, 1]))
    expected = torch.eye(4, dtype=torch.bool)
    expected[0, 2] = expected[2, 0] = expected[1, 3] = expected[3, 1] = True
    assert torch.equal(mask, expected)


def test_the_teacher_gets_no_gradient():
    latent = random_scores(1).requires_grad_()
    lexicon = random_scores(2)
    distillation(latent, lexicon).backward()
    teacher = ((latent + lexicon) / 2).detach()
    # Of KL(teacher || student) the student's gradient alone: softmax minus teacher, 1/4 of
    # the mean over two branches and two directions, and the batch.
    rows = latent.detach().softmax(1) - teacher.softmax(1)
    columns = latent.detach().softmax(0) - teacher.softmax(0)
    assert torch.allclose(latent.grad, (rows + columns) / 4 / 5, atol=1e-6)


def test_the_teacher_is_transposed():
    latent, lexicon = random_scores(3), random_scores(4)
    swapped = distillation(latent.T, lexicon.T)
    assert torch.allclose(distillation(latent, lexicon), swapped)


def test_agreeing_branches_have_nothing_to_learn():
    scores = random_scores(5)
    assert distillation(scores, scores).abs() < 1e-6


def test_grounding_judges_only_words_of_captions():
    logits = torch.tensor([[9.0, -9.0, 9.0]])
    targets = torch.tensor([[1.0, 0.0, 0.0]])
    assert grounding(logits, targets, torch.tensor([1.0, 1.0, 0.0])) < 0.01
    assert grounding(logits, targets, torch.ones(3)) > 8


def test_flops_prefers_spread_terms():
    spread, piled = torch.eye(4), torch.zeros(4, 4)
    piled[:, 0] = 1
    assert flops(spread) < flops(piled)
