import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from tests.cli.conftest import run_unify
from unify.cli.finding import Question, ask
from unify.cli.web.app import make_app
from unify.cli.web.guard import Door
from unify.cli.web.library import Library
from unify.cli.web.models import Error
from unify.engine.absence import faint
from unify.engine.like import Like, moment_at, search_like

ROOT = Path(__file__).resolve().parents[3]
API = "/api/v1"
QUERY = "a temple by a lake"


def get(client, path, code=200, **params):
    answer = client.get(API + path, params=params)
    assert answer.status_code == code, answer.text
    return answer.json()


def test_search_says_what_the_engine_says(client, library):
    body = get(client, "/search", q=QUERY, k=5)
    found = library.view().searcher.search(QUERY, 5)
    assert [hit["moment"] for hit in body["hits"]] == [hit.moment for hit in found]
    for told, hit in zip(body["hits"], found, strict=True):
        assert told["score"] == pytest.approx(hit.score, rel=1e-9)
        assert sum(told["parts"].values()) == pytest.approx(told["score"], rel=1e-6)
        products = sum(match["product"] for match in told["terms"])
        assert products == pytest.approx(told["lexicon"], rel=1e-6)
        assert told["video"] == hit.video and told["start_s"] <= told["peak_s"] <= told["end_s"]
        assert "path" not in told
    assert body["exact"] and body["generation"] == library.view().generation
    assert {"encode", "rescore", "total"} <= body["times_ms"].keys()


def test_options_reach_the_engine(client, library):
    search = library.view().searcher.search
    for params, options in (
        ({"moments": True}, {"moments": True}),
        ({"offset": 3}, {"offset": 3}),
        ({"mode": "lexicon"}, {"mode": "lexicon"}),
        ({"threshold": 3.0}, {"threshold": 3.0}),
        ({"subtitles": False}, {"subtitles": False}),
        ({"respell": False}, {"respell": False}),
        ({"pool": "mean:2"}, {"pool": "mean:2"}),
        ({"expand": False}, {"expand": False}),
        ({"fusion": "rrf", "weights": [1, 3]}, {"fusion": "rrf", "weights": (1.0, 3.0)}),
        ({"exact": True}, {"exact": True}),
    ):
        body = get(client, "/search", q=QUERY, k=4, **params)
        found = search(QUERY, 4, **options)
        assert [hit["moment"] for hit in body["hits"]] == [hit.moment for hit in found]


def test_several_moments_a_video_in_the_order_of_time(client, library):
    body = get(client, "/search", q=QUERY, k=8, per_video=2, sort="time")
    found = ask(library.view().searcher, Question(QUERY, "", 1.0, 2, True, {"k": 8, "offset": 0}))
    assert [hit["moment"] for hit in body["hits"]] == [hit.moment for hit in found]
    places = [(hit["video"], hit["start_s"]) for hit in body["hits"]]
    assert places == sorted(places) and len({video for video, _ in places}) < 8
    assert sorted(hit["rank"] for hit in body["hits"]) == list(range(1, 9))


def test_near_duplicates_are_folded_on_request(client, library):
    every = get(client, "/search", q="a horse", moments=True, k=12)
    folded = get(client, "/search", q="a horse", moments=True, k=12, duplicates=False)
    question = Question("a horse", "", 1.0, None, False, {"k": 12, "moments": True}, distinct=True)
    found = ask(library.view().searcher, question)
    told = [(hit["moment"], hit["duplicates"]) for hit in folded["hits"]]
    assert told == [(hit.moment, hit.duplicates) for hit in found]
    assert {hit["duplicates"] for hit in every["hits"]} == {0} < {n for _, n in told}
    terms = {hit["moment"]: hit["terms"] for hit in every["hits"]}
    both = [hit for hit in folded["hits"] if terms.get(hit["moment"])]
    assert both and [hit["terms"] for hit in both] == [terms[hit["moment"]] for hit in both]


def test_words_that_were_replaced_are_told(client):
    slip = get(client, "/search", q="a man in a ktichen, chiaroscuro", k=3)
    spelled, guess = slip["query"]["replaced"]
    assert (spelled["word"], spelled["spelled"], spelled["terms"]) == (
        "ktichen",
        "kitchen",
        ["kitchen"],
    )
    assert (guess["word"], guess["spelled"]) == ("chiaroscuro", "")
    origins = {term["term"]: term["origin"] for term in slip["query"]["terms"]}
    assert origins["kitchen"] == "own" and {origins[term] for term in guess["terms"]} <= {"near"}
    right = get(client, "/search", q="a man in a kitchen, chiaroscuro", k=3)
    assert slip["hits"] == right["hits"]
    kept = get(client, "/search", q="a man in a ktichen, chiaroscuro", k=3, respell=False)
    assert [each["spelled"] for each in kept["query"]["replaced"]] == ["", ""]
    assert kept["hits"] != right["hits"]


def test_a_query_is_shown_as_it_was_read(client):
    query = get(client, "/search", q="a dog +water -horse len:<60")["query"]
    assert query["text"] == "a dog water" and query["filtered"]
    words = [(one["words"], one["negated"]) for one in query["conditions"]]
    assert words == [(["water"], False), (["horse"], True)]
    assert {term["term"] for term in query["terms"] if term["own"]} == {"dog", "water"}
    weights = [term["weight"] for term in query["terms"]]
    assert weights == sorted(weights, reverse=True)


def test_a_term_of_the_expansion_can_be_left_out(client):
    before = get(client, "/search", q=QUERY, k=1)
    term = next(term["term"] for term in before["query"]["terms"] if not term["own"])
    after = get(client, "/search", q=QUERY, k=1, drop=term)
    assert term not in {one["term"] for one in after["query"]["terms"]}
    assert len(after["query"]["terms"]) == len(before["query"]["terms"]) - 1
    assert term not in {match["term"] for match in after["hits"][0]["terms"]}
    assert after["query"]["dropped"] == [term]


def test_words_that_nothing_shows_are_named(client, library):
    view = library.view()
    never = next(w for w, n in zip(view.lexicon.terms, view.counts, strict=True) if not n)
    body = get(client, "/search", q=f"{never} temple")
    absent = faint(view.searcher, view.searcher.search(f"{never} temple"))
    assert never in body["missing"] == [each.word for each in absent]
    shown = {term["term"]: term["moments"] for term in body["query"]["terms"]}
    assert shown[never] == 0


def test_more_like_a_moment(client, library, video_id):
    horse = video_id("horse.mp4")
    body = get(client, "/search", like=f"{horse}@2.0", k=4)
    view = library.view()
    moment = moment_at(view.backend, Like(view.path(horse), 2.0))
    expected = search_like(view.searcher, moment, k=4)
    assert [hit["moment"] for hit in body["hits"]] == [hit.moment for hit in expected]
    assert horse not in {hit["video_id"] for hit in body["hits"]}
    term = body["query"]["terms"][0]["term"]
    without = get(client, "/search", like=f"{horse}@2.0", k=4, drop=term)
    assert term not in {one["term"] for one in without["query"]["terms"]}
    both = get(client, "/search", like=f"{horse}@2.0", q="len:>20", k=4)
    assert {hit["video"] for hit in both["hits"]} == {"samples/tour.mp4"}


def test_facets_count_what_is_shown(client):
    """Every option that changes which hits there are changes what is counted with them."""
    for params in (
        {"moments": True}, {"per_video": 1}, {"duplicates": False, "moments": True},
        {"threshold": 2.0}, {"mode": "lexicon"}, {"pool": "mean:2"}, {"expand": False},
    ):  # fmt: skip
        hits = get(client, "/search", q=QUERY, k=200, **params)["hits"]
        good = [hit for hit in hits if not hit["weak"]]
        assert get(client, "/facets", q=QUERY, **params)["moments"] == len(good or hits), params


def test_facets_count_the_moments_of_the_hits(client, library):
    body = get(client, "/facets", q=QUERY, top=6)
    view = library.view()
    hits = view.searcher.search(QUERY, 200)
    ids = np.array([hit.moment for hit in hits if not hit.weak] or [hit.moment for hit in hits])
    assert body["moments"] == len(ids) and len(body["facets"]) == 6
    for facet in body["facets"]:
        term = np.array([view.lexicon.lookup(facet["term"])], np.uint16)
        shown = view.backend.term_weights(ids, term)[:, 0] >= view.shows
        assert facet["count"] == shown.sum() <= facet["library"]


def test_terms_of_the_library(client, library):
    body = get(client, "/terms", top=10)
    counts = [term["moments"] for term in body["terms"]]
    assert counts == sorted(counts, reverse=True) and counts[0] == library.view().counts.max()
    assert body["moments"] == library.view().backend.statistics().moments


def test_videos_and_their_moments(client, library, video_id):
    body = get(client, "/videos", limit=3, offset=1)
    ids = [video["video_id"] for video in body["videos"]]
    assert ids == library.view().newest[1:4] and body["total"] == len(library.view().newest)
    tour = get(client, f"/videos/{video_id('tour.mp4')}")
    assert tour["name"] == "tour.mp4" and tour["duration_s"] == pytest.approx(30, abs=0.5)
    moments = get(client, f"/videos/{tour['video_id']}/moments")["moments"]
    starts = [moment["start_s"] for moment in moments]
    assert len(starts) > 3 and starts == sorted(starts)
    assert get(client, f"/moments/{moments[2]['moment']}") == moments[2]
    assert all(1 <= len(moment["terms"]) <= 8 for moment in moments)


def test_lines_of_terms_over_a_video(client, video_id):
    tour = video_id("tour.mp4")
    body = get(client, f"/videos/{tour}/terms", top=4, points=10)
    assert len(body["tracks"]) == 4
    for track in body["tracks"]:
        assert 0 < len(track["weights"]) <= 10 and min(track["weights"]) >= 0
        assert all(0 <= a <= b <= body["duration_s"] for a, b in track["shows"])
    named = get(client, f"/videos/{tour}/terms", term=["lake", "nonsenseword", "horse"])
    assert [track["term"] for track in named["tracks"]] == ["lake", "horse"]


def test_thumbnails_are_jpegs_of_the_asked_width(client, video_id):
    path = f"{API}/videos/{video_id('temple.mp4')}/thumbnail"
    sizes = {}
    for asked, width in ((1, 160), (160, 160), (300, 320), (9999, 640)):
        answer = client.get(path, params={"t": 99.0, "w": asked})
        assert answer.headers["content-type"] == "image/jpeg" and answer.content[:2] == b"\xff\xd8"
        assert sizes.setdefault(width, answer.content) == answer.content
    assert len(set(sizes.values())) >= 2


def test_status_and_metrics(client, library):
    get(client, "/search", q=QUERY)
    status = get(client, "/status")
    assert status["videos"] == 11 and status["pack"] == "mini" and status["building"] is None
    assert status["size_bytes"] > 10_000 and status["problem"] == "" and status["missing"] == []
    page = client.get("/metrics")
    assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
    values = dict(line.rsplit(" ", 1) for line in page.text.splitlines() if line[0] != "#")
    assert float(values["unify_index_videos"]) == 11
    assert float(values["unify_search_seconds_count"]) >= 1
    assert float(values['unify_requests_total{route="/api/v1/search",status="200"}']) >= 1


@pytest.mark.parametrize(
    ("path", "params", "code", "says"),
    [
        ("/search", {}, 400, "the query is empty"),
        ("/search", {"q": "dog +qwertyish"}, 400, "not in the lexicon at character 5"),
        ("/search", {"q": "x" * 4097}, 422, "q: String should have at most 4096"),
        ("/search", {"q": "dog", "k": 0}, 422, "k: "),
        ("/search", {"q": "dog", "mode": "magic"}, 422, "mode: "),
        ("/search", {"q": "dog", "threshold": "nan"}, 400, "threshold"),
        ("/search", {"q": "dog", "drop": "qwertyish"}, 400, "not in the lexicon"),
        ("/search", {"q": "dog", "per_video": 0}, 422, "per_video: "),
        ("/search", {"q": "dog", "sort": "size"}, 422, "sort: "),
        ("/search", {"q": "dog", "pool": "min"}, 400, "cannot pool by 'min'"),
        ("/search", {"like": "../../etc/passwd@1"}, 400, "no video id"),
        ("/search", {"like": "7"}, 400, "cannot read '7'"),
        ("/search", {"like": "1@1", "expand": False}, 400, "no words to expand"),
        ("/search", {"q": "dog", "like_weight": 2}, 400, "like_weight weighs a picture"),
        ("/search", {"q": "dog", "per_video": 2, "moments": True}, 400, "two ways"),
        ("/search", {"q": "dog", "mode": "latent", "fusion": "rrf"}, 400, "nothing is fused"),
        ("/search", {"q": "dog", "weights": [1, 2]}, 400, "of fusion rrf and sum"),
        ("/search", {"q": "dog", "mode": "latent", "expand": False}, 400, "looks for no terms"),
        ("/search", {"q": "dog", "weights": [1], "fusion": "rrf"}, 422, "weights: "),
        ("/search", {"q": "dog", "budget_ms": -1}, 400, "the budget is -1.0 ms"),
        ("/search", {"q": "dog", "like": "1@1", "like_weight": "inf"}, 400, "weighs inf"),
        ("/search", {"like": "99999@1"}, 404, "no video 99999"),
        ("/videos/99999", {}, 404, "no video 99999"),
        ("/videos/x", {}, 422, "video_id"),
        ("/videos/99999/stream", {}, 404, "no video 99999"),
        ("/videos/99999/thumbnail", {}, 404, "no video 99999"),
        ("/moments/5", {}, 404, "no moment 5"),
        ("/nowhere", {}, 404, "Not Found"),
    ],
)
def test_what_cannot_be_is_one_clear_answer(client, path, params, code, says):
    body = get(client, path, code, **params)
    assert says in body["message"], body


@pytest.mark.parametrize(
    ("path", "params", "says", "hint"),
    [
        ("/search", {"q": "dog", "per_vdeo": 3}, "'per_vdeo'", "did you mean per_video?"),
        ("/facets", {"q": "dog", "k": 3}, "'k'", "there are top, q, like"),
        ("/videos/0/stream", {"downlaod": 1}, "'downlaod'", "did you mean download?"),
        ("/status", {"q": "dog"}, "'q'", "there are none here"),
        ("/search", {"q": ["dog", "cat"]}, "q is given more than once", "give it one value"),
    ],
)
def test_a_parameter_that_would_be_passed_over_is_refused(client, path, params, says, hint):
    body = get(client, path, 400, **params)
    assert says in body["message"] and body["hint"].startswith(hint), body


@pytest.fixture
def oddly_named(tmp_path):
    """A client of one video whose file name is no UTF-8 and has a line break."""
    films = tmp_path / "films"
    films.mkdir()
    try:
        shutil.copy(ROOT / "samples" / "cat.mp4", films / os.fsdecode(b"caf\xe9\n.mp4"))
    except OSError:
        pytest.skip("this file system wants UTF-8")
    done = run_unify("index", "build", films, "--index", tmp_path / "index")
    assert done.code == 0, done.err
    app = make_app(Library(tmp_path / "index"), Door("127.0.0.1"))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client, films


def test_a_name_that_is_no_utf_8_is_told_and_served(oddly_named):
    client, films = oddly_named
    video = get(client, "/videos")["videos"][0]
    assert video["name"] == "caf\ufffd\n.mp4"
    assert get(client, "/search", q="a cat")["hits"][0]["video"].endswith(video["name"])
    number = video["video_id"]
    answer = client.get(f"{API}/videos/{number}/stream", params={"download": True})
    assert answer.content == (ROOT / "samples/cat.mp4").read_bytes()
    assert "caf%EF%BF%BD%0A.mp4" in answer.headers["content-disposition"]
    assert get(client, f"/videos/{number}/moments")["moments"][0]["video"].endswith(video["name"])
    shutil.rmtree(films)
    body = get(client, f"/videos/{number}/stream", 404)
    assert "caf\ufffd" in body["message"] and "connect its disk" in body["hint"]


def test_an_error_may_name_an_index_that_is_no_utf_8():
    told = Error(message="cannot read caf\udce9", hint="look at caf\udce9").model_dump()
    assert told["message"].endswith("caf\ufffd") and told["hint"].endswith("caf\ufffd")


@pytest.mark.parametrize("path", ["/status", "/search?q=dog", "/videos", "/openapi.json"])
def test_head_is_answered_wherever_get_is(client, path):
    there, told = client.get(API + path), client.head(API + path)
    assert told.status_code == there.status_code == 200
    assert told.headers["content-type"] == there.headers["content-type"]


def test_files_are_asked_for_again_only_once_changed(client, video_id):
    for path in ("/", "/app.js", f"{API}/videos/{video_id('cat.mp4')}/stream"):
        first = client.get(path)
        assert first.headers["cache-control"] == "private, no-cache"
        assert client.get(path, headers={"if-none-match": first.headers["etag"]}).status_code in (
            304, 200 if "stream" in path else 304,
        )  # fmt: skip
    assert client.get(f"{API}/status").headers["cache-control"] == "no-store"


def test_a_fault_of_ours_is_json_too(library, monkeypatch):
    def broken() -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(library, "view", broken)
    app = make_app(library, Door("127.0.0.1"))
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        body = get(client, "/videos", 500)
    assert "its terminal" in body["hint"] and "secret" not in str(body)


def test_a_head_request_knows_the_same_parameters(client, video_id):
    path = f"{API}/videos/{video_id('cat.mp4')}/stream"
    assert client.head(path, params={"download": True}).status_code == 200
    assert client.head(path, params={"down": True}).status_code == 400


def test_the_position_of_a_fault_is_given(client):
    assert get(client, "/search", 400, q="dog +qwertyish")["position"] == 4


def test_the_description_names_every_route_and_model(client):
    document = client.get(f"{API}/openapi.json").json()
    routes = {path.removeprefix(API) for path in document["paths"]}
    assert {"/search", "/facets", "/words", "/videos/{video_id}", "/status"} <= routes
    models = document["components"]["schemas"]
    assert {"SearchAnswer", "FoundMoment", "TermMatch", "Facet", "Status", "Error"} <= models.keys()


def test_the_page_and_its_parts_are_there(client):
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    for part in ("app.js", "theme.js", "base.css", "page.css", "player.css", "icon.svg"):
        assert part in page.text
        assert client.get(f"/{part}").status_code == 200
    names = {path.name for path in (ROOT / "cli/web/static").glob("*.js")} - {"theme.js"}
    sources = "".join(client.get(f"/{name}").text for name in names)
    assert all(f"./{name}" in sources for name in names - {"app.js"})
    assert "https://" not in sources + page.text
