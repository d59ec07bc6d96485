from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

torch = pytest.importorskip("torch")

from unify.encoders.losses import (  # noqa: E402
    Teacher,
    bag_of_words,
    contrastive,
    dictionary_pull,
    distillation,
    duplicates,
    flops,
    grounding,
    masked_tokens,
    masked_words,
    semi_parametric,
)

TRUE = torch.ones(5, 5, dtype=torch.bool)
DIAGONAL = torch.eye(5, dtype=torch.bool)


def random_scores(seed: int, size: int = 5):
    return torch.randn(size, size, generator=torch.Generator().manual_seed(seed))


def log_sum_exp(values) -> float:
    top = max(values)
    return top + math.log(sum(math.exp(v - top) for v in values))


# Contrast


def slow_contrastive(scores: np.ndarray, positives: np.ndarray) -> float:
    """The formula, term by term; rows without a right answer count nothing."""
    directions = []
    for table, right in ((scores, positives), (scores.T, positives.T)):
        losses = [
            log_sum_exp(row) - log_sum_exp([s for s, yes in zip(row, mask, strict=True) if yes])
            for row, mask in zip(table.tolist(), right.tolist(), strict=True)
            if any(mask)
        ]
        directions.append(sum(losses) / max(1, len(losses)))
    return sum(directions) / 2


@st.composite
def scores_and_positives(draw):
    size = draw(st.integers(1, 6))
    scores = draw(arrays(np.float32, (size, size), elements=st.floats(-100, 100, width=32)))
    return scores, draw(arrays(np.bool_, (size, size)))


@settings(max_examples=60, deadline=None)
@given(scores_and_positives())
def test_contrastive_is_the_formula(case):
    scores, positives = case
    found = contrastive(torch.from_numpy(scores), torch.from_numpy(positives))
    assert float(found) == pytest.approx(slow_contrastive(scores, positives), rel=1e-4, abs=1e-3)


def test_contrastive_is_cross_entropy_without_duplicates():
    scores = random_scores(0)
    right = torch.arange(5)
    expected = torch.nn.functional.cross_entropy(scores, right) / 2
    expected += torch.nn.functional.cross_entropy(scores.T, right) / 2
    assert torch.allclose(contrastive(scores, DIAGONAL), expected)


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


# Self-distillation


def students(teacher: Teacher) -> tuple[bool, bool]:
    """Which of (latent, lexicon) a gradient reaches."""
    latent, lexicon = (random_scores(seed).requires_grad_() for seed in (1, 2))
    distillation(latent, lexicon, teacher).backward()
    return latent.grad is not None, lexicon.grad is not None


def test_a_teacher_that_does_not_learn_gets_no_gradient():
    assert students(Teacher.LATENT) == (False, True)
    assert students(Teacher.LEXICON) == (True, False)
    assert students(Teacher.FUSED) == students(Teacher.MUTUAL) == (True, True)


@pytest.mark.parametrize("teacher", [Teacher.FUSED, Teacher.MUTUAL])
def test_only_the_student_part_of_a_branch_gets_a_gradient(teacher):
    latent = random_scores(1).requires_grad_()
    lexicon = random_scores(2)
    distillation(latent, lexicon, teacher).backward()
    taught = ((latent + lexicon) / 2).detach() if teacher is Teacher.FUSED else lexicon
    # Of KL(teacher || student) the student's gradient alone: softmax minus teacher, 1/4 of
    # the mean over two branches and two directions, and the batch.
    rows = latent.detach().softmax(1) - taught.softmax(1)
    columns = latent.detach().softmax(0) - taught.softmax(0)
    assert torch.allclose(latent.grad, (rows + columns) / 4 / 5, atol=1e-6)


@pytest.mark.parametrize("teacher", list(Teacher))
def test_distillation_is_the_same_with_the_modalities_swapped(teacher):
    latent, lexicon = random_scores(3), random_scores(4)
    swapped = distillation(latent.T, lexicon.T, teacher)
    assert torch.allclose(distillation(latent, lexicon, teacher), swapped)


def test_distillation_is_the_mean_divergence_of_student_from_teacher():
    latent, lexicon = random_scores(3).double(), random_scores(4).double()

    def divergence(student, teacher):
        p, q = teacher.softmax(1), student.softmax(1)
        return float((p * (p.log() - q.log())).sum(1).mean())

    one_way = [divergence(lexicon, latent), divergence(lexicon.T, latent.T)]
    back = [divergence(latent, lexicon), divergence(latent.T, lexicon.T)]
    assert float(distillation(latent, lexicon, Teacher.LATENT)) == pytest.approx(sum(one_way) / 2)
    assert float(distillation(latent, lexicon, Teacher.LEXICON)) == pytest.approx(sum(back) / 2)
    both = float(distillation(latent, lexicon, Teacher.MUTUAL))
    assert both == pytest.approx(sum(one_way + back) / 4)


def test_agreeing_branches_have_nothing_to_learn():
    scores = random_scores(5)
    assert distillation(scores, scores).abs() < 1e-6


def test_without_a_teacher_nothing_is_taught():
    assert distillation(random_scores(1), random_scores(2), Teacher.NONE) == 0


# Grounding


def test_grounding_judges_only_words_of_captions():
    logits = torch.tensor([[9.0, -9.0, 9.0]])
    targets = torch.tensor([[1.0, 0.0, 0.0]])
    assert grounding(logits, targets, torch.tensor([1.0, 1.0, 0.0])) < 0.01
    assert grounding(logits, targets, torch.ones(3)) > 8


def slow_bag_of_words(weights: np.ndarray, targets: np.ndarray) -> float:
    losses = []
    for row, said in zip(
        (4.0 * weights.astype(np.float64)).tolist(), targets.tolist(), strict=True
    ):
        if sum(said):
            total = log_sum_exp(row)
            losses.append(sum(y * (total - u) for u, y in zip(row, said, strict=True)) / sum(said))
    return sum(losses) / max(1, len(losses))


@st.composite
def weights_and_targets(draw):
    shape = draw(st.tuples(st.integers(1, 5), st.integers(1, 8)))
    weights = draw(arrays(np.float32, shape, elements=st.floats(0, 5, width=32)))
    shares = st.sampled_from([0.0, 0.0, 0.0, 0.05, 0.5, 1.0])
    return weights, draw(arrays(np.float32, shape, elements=shares))


@settings(max_examples=60, deadline=None)
@given(weights_and_targets())
def test_bag_of_words_is_the_formula(case):
    weights, targets = case
    found = bag_of_words(torch.from_numpy(weights), torch.from_numpy(targets))
    assert float(found) == pytest.approx(slow_bag_of_words(weights, targets), rel=1e-4, abs=1e-4)


def test_bag_of_words_activates_and_suppresses():
    weights = torch.ones(2, 4, requires_grad=True)
    bag_of_words(weights, torch.tensor([[True, False, False, False], [False] * 4])).backward()
    assert weights.grad[0, 0] < 0
    assert (weights.grad[0, 1:] > 0).all()
    assert (weights.grad[1] == 0).all(), "a row without words counts nothing"


def test_without_any_words_the_losses_are_0_and_have_a_gradient():
    weights = torch.ones(2, 4, requires_grad=True)
    none = torch.zeros(2, 4)
    pairs = torch.eye(2, dtype=torch.bool)
    total = bag_of_words(weights, none) + masked_words(weights, none)
    total = total + semi_parametric(none, weights, pairs, 20.0)
    total = total + masked_tokens(weights, torch.tensor([-100, -100]))
    total.backward()
    assert total == 0
    assert (weights.grad == 0).all()


def test_removed_words_are_asked_for():
    removed = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    says, silent = torch.tensor([[8.0, 0, 0], [0, 0, 0]]), torch.tensor([[0, 8.0, 0], [0, 0, 0]])
    assert masked_words(says, removed) < 0.01
    assert masked_words(silent, removed) == pytest.approx(8, abs=0.01)


def test_a_removed_word_that_is_not_active_yet_is_reached():
    logits = torch.full((1, 3), -5.0, requires_grad=True)
    masked_words(logits, torch.tensor([[1.0, 0.0, 0.0]])).backward()
    assert logits.grad[0, 0] == pytest.approx(-2 / 3)


def test_masked_tokens_are_judged_and_no_others():
    logits = torch.randn(4, 7, generator=torch.Generator().manual_seed(6))
    labels = torch.tensor([-100, 3, -100, 0])
    expected = -(logits[1].log_softmax(0)[3] + logits[3].log_softmax(0)[0]) / 2
    assert torch.allclose(masked_tokens(logits, labels), expected)


def test_a_video_is_ranked_against_literal_words():
    words = torch.tensor([[2.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.5, 0.0]])
    pairs = torch.eye(2, dtype=torch.bool)
    right = semi_parametric(words, torch.tensor([[3.0, 3, 0, 0], [0, 0, 9, 0]]), pairs, 20.0)
    wrong = semi_parametric(words, torch.tensor([[0.0, 0, 1, 0], [1, 1, 0, 0]]), pairs, 20.0)
    assert right < 1e-6, "unit bags: neither count nor size of weights matters"
    assert wrong == pytest.approx(20, abs=0.01)


def test_a_text_without_words_is_no_query_and_an_empty_video_is_no_trouble():
    words = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    videos = torch.tensor([[1.0, 0.0], [0.0, 0.0]], requires_grad=True)
    loss = semi_parametric(words, videos, torch.eye(2, dtype=torch.bool), 20.0)
    loss.backward()
    assert loss < 1e-6
    assert torch.isfinite(videos.grad).all()


# Regularisers


def test_flops_prefers_spread_terms():
    spread, piled = torch.eye(4), torch.zeros(4, 4)
    piled[:, 0] = 1
    assert flops(spread) < flops(piled)


def test_flops_of_the_mean_row_is_flops_of_the_rows():
    weights = random_scores(7).relu()
    assert torch.allclose(flops(weights.mean(0, keepdim=True)), flops(weights))


def test_the_dictionary_is_pulled_back_and_its_beginning_stays():
    now, first = (random_scores(seed).requires_grad_() for seed in (8, 9))
    dictionary_pull(now, first).backward()
    assert torch.allclose(now.grad, 2 * (now - first).detach())
    assert first.grad is None


# Precision


@pytest.mark.parametrize(
    "loss",
    [
        lambda x: contrastive(x, DIAGONAL),
        lambda x: distillation(x, x.T),
        lambda x: grounding(x, TRUE.float(), torch.ones(5)),
        lambda x: bag_of_words(x, TRUE.float()),
        lambda x: masked_words(logits=x, removed=TRUE.float()),
        lambda x: masked_tokens(x, torch.arange(5)),
        lambda x: semi_parametric(TRUE.float(), x.abs(), DIAGONAL, 20.0),
        flops,
        lambda x: dictionary_pull(x, torch.zeros(5, 5)),
    ],
)
def test_losses_are_computed_in_float32_under_autocast(loss):
    scores = random_scores(10).bfloat16()
    expected = loss(scores.float())
    with torch.autocast("cpu", torch.bfloat16):
        found = loss(scores)
    assert found.dtype == torch.float32
    assert torch.equal(found, expected)
