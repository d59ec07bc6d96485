"""How an answer was found, and why there is none, through REST: as the command line says it."""

import json

import pytest

from tests.cli.conftest import run_unify

API = "/api/v1"


def search(client, **params):
    answer = client.get(f"{API}/search", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("params", "arguments"),
    [
        ({"q": "a horse by a lake"}, ("a horse by a lake",)),
        ({"q": "+horse len:>5", "mode": "lexicon"}, ("+horse len:>5", "--mode", "lexicon")),
        ({"q": "a horse", "fusion": "rrf"}, ("a horse", "--fusion", "rrf")),
    ],
)
def test_the_plan_is_that_of_the_command_line(client, samples_index, params, arguments):
    body = search(client, k=3, **params)
    done = run_unify("search", *arguments, "-k", 3, "--json", "--plan", "--index", samples_index)
    line = json.loads(done.out.splitlines()[-1])
    costs = ("estimates_ms", "threads")  # which a machine has measured
    told, planned = body["plan"], line["plan"]
    assert {k: v for k, v in told.items() if k not in costs} == {
        k: v for k, v in planned.items() if k not in costs
    }
    assert told["estimates_ms"].keys() == planned["estimates_ms"].keys()
    assert [*body["times_ms"]] == [*line["times_ms"], "total"]
    assert body["gap"] == line["gap"] == 0.0


def test_the_plan_is_described(client):
    document = client.get(f"{API}/openapi.json").json()["components"]["schemas"]
    fields = document["Plan"]["properties"]
    assert fields.keys() == search(client, q="a horse", k=1)["plan"].keys()
    assert {"Silence", "Unmet", "Nearest", "Faint"} <= document.keys()


def test_conditions_that_leave_nothing_are_counted_and_the_nearest_named(client):
    both, horse, sky = (
        search(client, q=q, moments=True) for q in ("+horse +sky", "+horse sky", "horse +sky")
    )
    silence = both["silence"]
    assert (both["hits"], horse["silence"]) == ([], None)
    assert [(one["condition"], one["moments"], one["position"]) for one in silence["unmet"]] == [
        ("+horse", len(horse["hits"]), 0), ("+sky", len(sky["hits"]), 7),
    ]  # fmt: skip
    lacks = {near["lacks"][0]: near for near in silence["nearest"]}
    assert lacks["+sky"]["moments"] == len(horse["hits"])
    assert lacks["+sky"]["best"] == horse["hits"][0]
    assert lacks["+horse"]["best"] == sky["hits"][0]


def test_a_filter_that_leaves_nothing_is_named_and_no_word_is_blamed(client):
    body = search(client, q="a horse path:nowhere len:>1")
    assert (body["missing"], body["faint"]) == ([], [])
    assert [(near["lacks"], bool(near["best"])) for near in body["silence"]["nearest"]] == [
        (["path:nowhere"], True)
    ]


def test_a_threshold_that_leaves_nothing_tells_the_best_score(client):
    best = search(client, q="a horse", k=1)["hits"][0]["score"]
    silence = search(client, q="a horse", threshold=99)["silence"]
    assert silence == {"unmet": [], "nearest": [], "best_score": pytest.approx(best)}


def test_words_that_no_moment_shows_are_told_with_how_near_they_come(client):
    body = search(client, q="a zebra", k=3)
    (faint,) = body["faint"]
    assert body["missing"] == [faint["word"]] == ["zebra"]
    assert 0 <= faint["best"] < faint["shows"]


def test_nothing_like_a_moment_names_no_best(client, video_id):
    like = f"{video_id('horse.mp4')}@2.0"
    silence = search(client, q="+horse +sky", like=like)["silence"]
    assert [near["best"] for near in silence["nearest"]] == [None, None]
