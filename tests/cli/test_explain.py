import re

import pytest


def test_explain_shows_plan_sum_and_times(unify):
    done = unify("explain", "a", "cat", "--hit", 2)
    assert done.code == 0
    for part in (
        "reads     'a cat'",
        "terms     ",
        "plan      scan",
        "hit 2",
        "score",
        "when each",
    ):
        assert part in done.out
    assert unify("explain", "a cat", "--hit", 99).code == 2


@pytest.mark.parametrize(
    "options",
    [
        ("--mode", "lexicon"), ("--fusion", "rrf", "--weights", "1,2"), ("--moments",),
        ("--no-expand", "--drop", "dog"), ("--pool", "mean:2"), ("--per-video", 2),
        ("--duplicates",), ("--like", "samples/tour.mp4@12", "--like-weight", 0.3),
    ],
)  # fmt: skip
def test_explain_takes_what_changes_hits_and_scores(unify, options):
    folds = () if "--duplicates" in options else ("--no-duplicates",)
    hit = unify("search", "a horse", "--json", "-k", 2, *folds, *options).rows[1]
    out = unify("explain", "a horse", "--hit", 2, *options).out
    assert re.search(rf"(?m)^hit 2     {hit['video']}  ", out)
    (score,) = re.findall(r"(?m)^ +(-?[\d.]+)  score$", out)
    assert float(score) == pytest.approx(hit["score"], abs=0.0006)


def test_explain_says_why_there_is_no_hit(unify):
    done = unify("explain", "cat path:nowhere")
    assert (done.code, done.complaint) == (
        0, "nothing found: no moment meets path:nowhere",
    )  # fmt: skip
