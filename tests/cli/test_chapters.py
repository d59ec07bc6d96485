import itertools
import re

import pytest

TOUR = "samples/tour.mp4"


def test_chapters_follow_what_changes(unify):
    done = unify("chapters", TOUR, "--shortest", 2)
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0].startswith("0:00 ")
    assert len(lines) > 1
    assert all(re.match(r"\d+:\d\d \w+(, \w+){0,2}$", line) for line in lines)


def test_chapters_by_queries(unify):
    rows = unify(
        "chapters",
        TOUR,
        "-q",
        "a cat",
        "-q",
        "a rocket",
        "-q",
        "a horse",
        "--shortest",
        2,
        "--json",
    ).rows
    titles = [row["title"] for row in rows]
    assert titles[0] == "a cat"
    assert set(titles) <= {"a cat", "a rocket", "a horse", "other"}
    assert rows[0]["start_s"] == 0.0
    assert rows[-1]["end_s"] == pytest.approx(30.0, abs=0.1)
    assert all(a["end_s"] == b["start_s"] for a, b in itertools.pairwise(rows))


def test_chapters_into_a_file(unify, tmp_path):
    out = tmp_path / "a.ffmeta"
    arguments = ("chapters", TOUR, "--format", "ffmetadata", "--out", out)
    assert unify(*arguments).out == ""
    assert out.read_text("utf-8").startswith(";FFMETADATA1\n[CHAPTER]\n")
    done = unify(*arguments)
    assert (done.code, "--force" in done.complaint) == (2, True)
    assert unify("chapters", TOUR, "--format", "webvtt").out.startswith("WEBVTT\n\n1\n00:00:00.000")


def test_what_has_no_chapters(unify):
    done = unify("chapters", "samples/none.mp4")
    assert (done.code, "is not indexed" in done.complaint) == (2, True)
    assert unify("chapters", TOUR, "-q", "").complaint.startswith("unify: the query is empty")


@pytest.mark.parametrize("query", ["a cat -dog", "+cat", "a cat len:>5"])
def test_a_subject_with_conditions_is_refused(unify, query):
    done = unify("chapters", TOUR, "-q", query)
    assert (done.code, done.out) == (2, "")
    assert f"a chapter's subject has no conditions, and {query!r} has" in done.complaint


def test_subjects_are_read_by_the_dictionary(unify, tmp_path):
    words = tmp_path / "words.txt"
    words.write_text("felix = cat\npets = cat OR dog\n")
    asked = ("chapters", TOUR, "-q", "a felix", "-q", "a rocket", "--json")
    done = unify(*asked, UNIFY_WORDS=str(words))
    assert done.err == "felix: cat (your dictionary)\n"
    out = unify("chapters", TOUR, "-q", "a cat", "-q", "a rocket", "--json").rows
    named = [{**row, "title": row["title"].replace("felix", "cat")} for row in done.rows]
    assert named == out
    assert not unify(*asked, "--no-words", UNIFY_WORDS=str(words)).err
    either = unify("chapters", TOUR, "-q", "pets", UNIFY_WORDS=str(words))
    assert "a chapter's subject has no conditions, and 'pets' has" in either.complaint
