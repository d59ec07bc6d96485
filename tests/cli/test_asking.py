import re

import av
import pytest

from tests.cli.conftest import ROOT


@pytest.mark.parametrize("mode", ["latent", "lexicon"])
def test_a_single_mode_scores_raw(unify, mode):
    for row in unify("search", "a cup of coffee", "--json", "--mode", mode).rows:
        assert row["score"] == row[mode]
        assert row["score"] == sum(row["parts"].values())


def test_pages_thresholds_and_fusions(unify):
    whole = unify("search", "a dog", "--json", "-k", 4).rows
    assert unify("search", "a dog", "--json", "-k", 2, "--offset", 2).rows == whole[2:]
    cut = whole[1]["score"]
    assert unify("search", "a dog", "--json", "--threshold", cut).rows == whole[:2]
    for how in ("rrf", "sum"):
        options = ("--fusion", how, "--weights", "1,0.5", "--exact", "--budget-ms", 500)
        for row in unify("search", "a dog", "--json", *options).rows:
            assert sum(row["parts"].values()) == pytest.approx(row["score"])
    assert unify("search", "a dog", "--fusion", "rrf", "--weights", "x").code == 2
    assert "no moment reaches the threshold" in unify("search", "a dog", "--threshold", 99).err
    assert unify("search", "a dog", "--offset", 50).complaint == "nothing found from hit 51 on"


def test_what_is_searched_for_is_told_and_can_be_switched_off(unify):
    done = unify("search", "a horse", "-k", 3)
    assert re.match(
        r"searched for: horse \d\.\d, .*\(added\), \d+ more \(added\)$", done.err.strip()
    )
    added = re.search(r"(\w+) \d\.\d \(added\)", done.err)[1]
    assert added not in unify("search", "a horse", "--drop", added, "-k", 3).err
    assert (
        unify("search", "a horse", "--no-expand")
        .err.splitlines()[0]
        .startswith("searched for: horse")
    )
    assert "added" not in unify("search", "a horse", "--no-expand").err
    for row in unify("search", "a horse", "--no-expand", "--json").rows:
        assert {term["term"] for term in row["terms"]} <= {"horse"}
    plan = unify("search", "a horse", "--json", "--plan", "-k", 1).rows[-1]
    assert plan["searched"][0]["term"] == "horse"
    assert {term["origin"] for term in plan["searched"]} == {"own", "added"}
    assert unify("search", "a horse", "--drop", "qwertyuiop").code == 2


def test_a_word_that_the_pack_knows_is_no_slip(unify):
    done = unify("search", "chairman", "--json")
    assert done.err.startswith("chairman is not in the lexicon: searched as man ")  # no caiman
    done = unify("search", "snwo", "--json")
    assert done.err.strip() == "snwo is not in the lexicon: searched as snow"
    done = unify("search", "собака", "--json")
    assert done.err.startswith("собака is not in the lexicon: ")


def test_slips_and_unknown_words_are_told(unify):
    done = unify("search", "a man in a ktichen", "--json")
    assert done.err.strip() == "ktichen is not in the lexicon: searched as kitchen"
    same = unify("search", "a man in a kitchen", "--json").rows
    assert [row["moment"] for row in done.rows] == [row["moment"] for row in same]
    guess = unify("search", "qwertyuiop", "-k", 1).err.splitlines()[0]
    assert re.match(
        r"qwertyuiop is not in the lexicon: searched as (\w+ \d\.\d\d(, )?){3}, a guess$", guess
    )
    assert unify("search", "a horse", "--json").err == ""


def test_more_like_a_moment(unify):
    rows = unify("search", "--like", "samples/horse.mp4@2", "--json", "-k", 20).rows
    assert "samples/horse.mp4" not in {row["video"] for row in rows}
    assert len(rows) == 10
    beside = unify(
        "search", "food", "--like", "samples/horse.mp4@2", "--like-weight", 0.1, "--json"
    )
    assert beside.rows[0]["video"] in ("samples/coffee.mp4", "samples/tour.mp4")
    for bad in ("samples/horse.mp4", "samples/none.mp4@2", "samples/horse.mp4@x"):
        assert unify("search", "--like", bad).code == 2
    for more in ((), ("--moments",), ("--per-video", 3)):
        own = [
            row
            for row in unify("search", "--like", "samples/tour.mp4@2", "--json", *more).rows
            if row["video"] == "samples/tour.mp4"
        ]
        assert own and all(row["start_s"] >= 3 for row in own), more
        assert len(own) == 1 or more


def test_several_moments_a_video_in_order_of_time(unify):
    rows = unify("search", "a horse", "--per-video", 2, "--sort", "time", "--json", "-k", 20).rows
    assert [(r["video"], r["start_s"]) for r in rows] == sorted(
        (r["video"], r["start_s"]) for r in rows
    )
    spans = [(r["start_s"], r["end_s"]) for r in rows if r["video"] == "samples/tour.mp4"]
    assert len(spans) == 2
    assert spans[0][1] <= spans[1][0]
    assert sorted(row["rank"] for row in rows) == list(range(1, len(rows) + 1))
    assert unify("search", "a horse", "--per-video", 0).code == 2


def test_more_like_a_picture_or_a_clip(unify, tmp_path):
    with av.open(ROOT / "samples/horse.mp4") as video:
        next(video.decode(video=0)).to_image().save(tmp_path / "horse.jpg")
    picture = unify("search", "--image", tmp_path / "horse.jpg", "--json", "-k", 3)
    assert picture.rows[0]["video"] == "samples/horse.mp4"
    clip = unify("search", "--clip", "samples/coffee.mp4", "--json", "-k", 3)
    assert clip.rows[0]["video"] == "samples/coffee.mp4"
    words = ("search", "a", "cup", "--image", tmp_path / "horse.jpg", "--like-weight", 0.05)
    best = unify(*words, "--json", "-k", 1).rows[0]["video"]
    assert best in ("samples/coffee.mp4", "samples/tour.mp4")
    left = unify("search", "-horse", "--image", tmp_path / "horse.jpg", "--json")
    assert "samples/horse.mp4" not in {row["video"] for row in left.rows}


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--image", "README.md"), "README.md cannot be used as a picture: no picture"),
        (("--image", "samples/cat.mp4"), "as a picture: it is a video, so give it as a clip"),
        (("--clip", "nowhere.mp4"), "nowhere.mp4 cannot be used as a clip: cannot be read"),
        (("--clip", "a.mp4", "--image", "a.png"), "give one of --like, --image, --clip"),
        (("--image", "a.png", "--no-expand"), "a picture has no words to expand"),
    ],
)
def test_what_is_no_picture_is_refused(unify, options, complaint):
    done = unify("search", *options)
    assert (done.code, done.out) == (2, "")
    assert complaint in done.complaint


def test_a_video_scores_the_mean_of_its_best_moments(unify):
    rows = unify("search", "a", "horse", "--pool", "mean:3", "--json", "-k", 20).rows
    best = unify("search", "a", "horse", "--json", "-k", 20).rows
    assert {row["video"] for row in rows} == {row["video"] for row in best}
    for row in rows:
        assert row["score"] == pytest.approx(sum(row["parts"].values()), rel=1e-6, abs=1e-6)
    tour = next(row for row in rows if row["video"] == "samples/tour.mp4")
    assert tour["parts"]["pool"] < 0
    assert "pool" not in rows[0]["parts"]  # of one moment
    told = unify("search", "a", "horse", "--pool", "mean:3", "--explain", "--duplicates").out
    assert re.search(r"-\d\.\d{3}  pool  ", told)
    for bad in (("--pool", "mean:0"), ("--pool", "mean:2", "--moments")):
        assert unify("search", "a", "horse", *bad).code == 2


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--per-video", 2, "--moments"), "give one of them"),
        (("--format", "trec", "--facets"), "leave --sort time, --facets, --explain and --plan out"),
        (("--format", "trec", "--plan"), "leave --sort time, --facets, --explain and --plan out"),
        (("--json", "--explain"), "leave --explain out"),
        (("--mode", "latent", "--fusion", "rrf"), "--mode latent is one side alone"),
        (("--mode", "latent", "--no-expand"), "--mode latent looks for no terms"),
        (("--like-weight", 2), "--like-weight weighs a picture beside words"),
        (("--weights", "1,2"), "--weights are of --fusion rrf and sum"),
    ],
)
def test_options_that_would_do_nothing_are_refused(unify, options, complaint):
    done = unify("search", "a cat", *options)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert complaint in done.complaint


def test_a_term_to_drop_that_is_not_looked_for_is_told(unify):
    done = unify("search", "a horse", "-k", 1, "--drop", "rocket", "--drop", "horse")
    assert (done.code, done.err.count("--drop")) == (0, 1)
    assert "--drop rocket: " in done.err
    assert done.out == unify("search", "a horse", "-k", 1, "--drop", "horse").out


def test_by_words_alone_only_what_matches_is_found(unify):
    lexicon = ("search", "--mode", "lexicon", "--no-expand", "-k", 20, "--json")
    ranked = unify(*lexicon, "horse", "--threshold", -1).rows
    matching = [hit for hit in ranked if hit["score"] > 0]
    assert 0 < len(matching) < len(ranked)
    assert unify(*lexicon, "horse").rows == matching
    done = unify(*lexicon[:-1], "horse^-1")
    assert (done.code, done.out) == (0, "")
    assert "nothing found: no moment scores above 0" in done.err
    assert unify(*lexicon, "path:cat").rows  # a filter alone ranks nothing, and leaves nothing out
    assert len(unify("search", "--mode", "lexicon", "horse^-1", "--threshold", -9).out) > 0


def test_what_a_score_is_not_made_of_is_not_printed(unify):
    done = unify("search", "a horse", "--mode", "latent", "-k", 1, "--explain")
    assert "+0.00000" not in done.out and "latent  (inner" in done.out
    done = unify("search", "a horse", "--mode", "lexicon", "-k", 1, "--explain")
    assert "latent" not in done.out and "in the query" in done.out
