"""The user's dictionary over REST."""

import pytest

from tests.cli.web.test_rest import get
from unify.cli import wordsfile


@pytest.fixture
def file(tmp_path, monkeypatch):
    path = tmp_path / "words.txt"
    path.write_text("nailong = yellow dinosaur^2\n")
    monkeypatch.setenv(wordsfile.VARIABLE, str(path))
    return path


def moments(body):
    return [(hit["moment"], hit["score"]) for hit in body["hits"]]


def test_names_are_read_by_the_dictionary_and_told(client, file):
    entry = {
        "name": "nailong",
        "definition": "yellow dinosaur^2",
        "terms": ["yellow", "dinosaur^2"],
        "either": False,
    }
    assert get(client, "/words") == {"words": [entry], "problem": ""}
    named = get(client, "/search", q="a nailong")
    assert named["query"]["defined"] == [entry]
    out = get(client, "/search", q="a yellow dinosaur^2", words=False)
    assert moments(named) == moments(out) != []
    assert out["query"]["defined"] == []
    plain = get(client, "/search", q="a nailong", words=False)
    assert moments(plain) != moments(named) and plain["query"]["defined"] == []
    facets = get(client, "/facets", q="a nailong", top=5)
    assert facets == get(client, "/facets", q="a yellow dinosaur^2", top=5)


def test_subjects_of_chapters_are_read_by_the_dictionary(client, file, video_id):
    file.write_text("felix = cat\n")
    path = f"/videos/{video_id('tour.mp4')}/chapters"
    named = get(client, path, q=["felix", "rocket"])["chapters"]
    out = get(client, path, q=["cat", "rocket"])["chapters"]
    assert [one["start_s"] for one in named] == [one["start_s"] for one in out]
    assert "felix" in {one["title"] for one in named}
    assert get(client, path, q=["felix", "rocket"], words=False)["chapters"] != named


def test_a_name_can_be_defined_for_one_request(client, file):
    both = get(client, "/search", q="felix nailong", define=["felix = cat OR horse", "nailong=dog"])
    assert [one["terms"] for one in both["query"]["defined"]] == [["cat", "horse"], ["dog"]]
    assert moments(both) == moments(get(client, "/search", q="(cat OR horse) dog"))
    as_written = get(client, "/search", q="a nailong", define="nailong=nailong")
    assert as_written["query"]["defined"] == []
    wrong = get(client, "/search", 400, q="felix", define="felix")
    assert wrong["message"] == "no = in 'felix'"
    assert get(client, "/search", 422, q="felix", define=["a = b"] * 33)["message"]
    near = get(client, "/search", 400, q="-nailong")
    assert near["position"] == 0 and "several words together" in near["message"]


def test_the_file_is_followed_and_left_out_while_it_is_broken(client, file):
    file.write_text("nailong = horse brown\n")
    assert get(client, "/search", q="nailong")["query"]["defined"][0]["terms"] == ["horse", "brown"]
    assert get(client, "/status")["words_problem"] == ""
    file.write_text("nailong\n")
    body = get(client, "/search", q="a nailong")
    assert body["hits"] and body["query"]["defined"] == []
    problem = f"{file}, line 1: no = in 'nailong'"
    assert get(client, "/status")["words_problem"].startswith(problem)
    told = get(client, "/words")
    assert told["words"] == [] and told["problem"].startswith(problem)
    file.unlink()
    assert "which is not there" in get(client, "/words")["problem"]
    file.write_text("nailong = dress\n")
    assert get(client, "/words")["words"][0]["terms"] == ["dress"]
