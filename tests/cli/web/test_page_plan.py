"""The plan of a query, what to do where nothing is found, and long lists, as a user sees them."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.cli.web.browsing import asked, hits, opened, search, settled, until

MANY = 10_000


def test_how_it_was_found_is_told_in_words_and_numbers(page):
    opened(page, "?q=a+temple+by+a+lake")
    assert page.inner_text("#plan summary") == "How it was found: exact"
    page.click("#plan summary")
    body = page.inner_text("#plan .how")
    assert "All 16 moments were compared" in body and "Exact: none was left out." in body
    rows = [row.split("\t") for row in body.splitlines() if "\t" in row]
    times = [float(row[-1]) for row in rows[1:]]
    assert rows[0][-1] == "took ms" and rows[-1][0] == "In all"
    assert times[-1] >= sum(times[:-1]) - 0.1
    search(page, "a temple len:>10")
    assert page.locator("#plan .how").is_visible()  # it stays open
    assert "of 16 moments pass the conditions; each was compared" in page.inner_text("#plan .how")


def test_the_plan_of_a_large_library(page):
    def larger(route):
        body = route.fetch().json()
        body |= {"exact": False, "gap": 0.125}
        body["plan"] |= {
            "structure": "threshold", "moments": 5030, "allowed": 412, "rounds": 2, "depth": 400,
            "candidates": 733, "approximate": True, "fetched": {"latent": 400, "lexicon": 380},
        }  # fmt: skip
        body["times_ms"] = {"encode": 3.0, "latent": 1.0, "lexicon": 2.0, "total": 6.5}
        route.fulfill(json=body)

    page.route("**/api/v1/search?*", larger)
    opened(page, "?q=a+temple")
    page.click("#plan summary")
    body = page.inner_text("#plan")
    for part in (
        "approximate", "412 of 5,030 moments pass the conditions.", "looked 400 deep, in 2 rounds",
        "733 moments were then compared exactly", "another could score up to 0.125 more",
    ):  # fmt: skip
        assert part in body, body
    assert "Whole pictures\t~412 moments\t400" in body
    page.locator("#plan button", has_text="Miss no moment").click()
    settled(page)
    assert asked(page)["exact"] == ["1"] and page.locator("#plan button").count() == 0
    page.reload()
    hits(page).first.wait_for()
    page.click("#tune")
    assert page.is_checked("#options [name=exact]") and page.inner_text("#tune .badge") == "1"
    page.uncheck("#options [name=exact]")
    settled(page)
    assert "exact" not in asked(page)


def test_the_nearest_is_shown_where_no_moment_meets_all(page):
    opened(page)
    search(page, "+horse +sky")
    assert page.inner_text("#found") == "Nothing found"
    note = page.inner_text("#note")
    assert "No moment meets at once +horse (" in note and "+sky (" in note
    tags = hits(page).locator(".tag").all_inner_texts()
    assert sorted(tags) == ["without +horse", "without +sky"]
    assert "No moment meets at once" in page.text_content("#live")
    hits(page).first.locator("a").first.click()
    page.locator("#player .sum").wait_for()  # its score adds up like any other's
    page.keyboard.press("Escape")
    page.locator("#note button", has_text="Without +sky").click()
    until(page, "document.querySelector('#found').textContent.includes('match')")
    assert asked(page)["q"] == ["+horse sky"]
    assert "horse.mp4" in page.inner_text("#results")


@pytest.mark.parametrize(
    ("query", "button", "left"),
    [
        ("(zebra OR tiger) +horse path:nowhere", "path:nowhere", "zebra tiger +horse"),
        ("zebra OR tiger +horse", "Without +(zebra OR tiger)", "zebra tiger +horse"),
        ('horse path:"no where" len:>1', 'Without path:"no where"', "horse len:>1"),
        ("horse len:>900 len:<2000", "Without len:>900 len:<2000", "horse"),
        ("horse rocket -horse -rocket +temple +horse", "", ""),
    ],
)
def test_what_is_asked_can_be_loosened(page, query, button, left):
    opened(page)
    search(page, query)
    assert page.inner_text("#found") == "Nothing found"
    if button:
        page.locator("#note button", has_text=button).first.click()
        until(page, "document.querySelector('#found').textContent !== 'Nothing found'")
        assert page.input_value("#box") == left
    else:
        assert page.locator("#note button").count() > 0


def listing(page) -> None:
    """Let the server have many hits for every question: the real first one, again and again."""

    def answer(route):
        params = parse_qs(urlsplit(route.request.url).query)
        k, offset = int(params["k"][0]), int(params.get("offset", ["0"])[0])
        assert k <= 200 and k + offset <= MANY
        if not page.model:
            page.model.update(route.fetch().json())
        hit = page.model["hits"][0]
        page.asked.append((offset, k))
        some = [
            {**hit, "rank": i + 1, "video": f"v/{(i * 7) % MANY:05}.mp4", "video_id": i, "weak": 0}
            for i in range(offset, offset + k)
        ]
        route.fulfill(body=json.dumps({**page.model, "hits": some, "weak": False}))

    page.model, page.asked = {}, []
    page.route("**/api/v1/search?*", answer)
    page.route("**/thumbnail?*", lambda route: route.fulfill(status=200, body=""))


def test_more_goes_on_past_one_answer_and_leaves_what_is_there(page):
    listing(page)
    opened(page, "?q=a+horse&n=192")
    settled(page)
    assert hits(page).count() == 192 and page.inner_text("#found").startswith("192 best")
    page.evaluate("document.querySelector('.card').dataset.same = 'yes'")
    page.focus("#more")
    page.keyboard.press("Enter")
    until(page, "document.querySelectorAll('.card').length === 288")
    assert page.asked == [(0, 192), (192, 96)]
    assert page.evaluate("document.activeElement.id") == "more"
    assert page.get_attribute(".card >> nth=0", "data-same") == "yes"
    assert page.inner_text("#found").startswith("288 best")
    assert "288 best matches" in page.text_content("#live")
    page.reload()
    until(page, "document.querySelectorAll('.card').length === 288")
    assert page.asked[2:] == [(0, 200), (200, 88)]
    page.goto(f"?q=a+horse&n={MANY - 24}")
    until(page, f"document.querySelectorAll('.card').length === {MANY - 24}", 60)
    page.click("#more")
    until(page, f"document.querySelectorAll('.card').length === {MANY}", 60)
    assert page.locator("#more").is_hidden()
    until(page, f"document.activeElement.closest('.card').dataset.key.startsWith('{MANY - 24}@')")


def test_more_in_the_order_of_time_falls_among_what_is_there(page):
    listing(page)
    opened(page, "?q=a+horse&sort=time&n=24")
    page.click("#more")
    until(page, "document.querySelectorAll('.card').length === 48")
    names = hits(page).locator(".name").all_inner_texts()
    assert names == sorted(names)


def test_a_list_that_ends_leaves_the_focus_in_it(page):
    listing(page)

    def short(route):
        body = {**page.model, "hits": []}
        route.fulfill(body=json.dumps(body))

    opened(page, "?q=a+temple")
    page.unroute("**/api/v1/search?*")
    page.route("**/api/v1/search?*", short)
    page.focus("#more")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#more').hidden")
    assert hits(page).count() == 24
    until(page, "document.activeElement === document.querySelector('.card:last-child > a')")
