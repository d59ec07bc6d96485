"""What is in sight and in reach on the page: narrow windows, fingers, answers that take long."""

from __future__ import annotations

import pytest

from tests.cli.web.browsing import hits, opened, settled, until

SEARCHED = "?q=a+temple+by+a+lake"
WAITS = "getComputedStyle(document.querySelector('.bar'), '::after').content !== 'none'"
HEADING = "document.querySelector('#found').textContent"


@pytest.fixture
def finger(browser, server):
    """The page on a phone that is touched."""
    size = {"width": 390, "height": 844}
    context = browser.new_context(
        viewport=size, has_touch=True, is_mobile=True, base_url=server.url
    )
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("page", [(390, 844), (768, 900), (1000, 900)], indirect=True)
def test_what_stands_in_the_bar_is_in_sight(page):
    opened(page, SEARCHED)
    until(page, "document.querySelector('#stand').textContent === '11 videos'")
    hit = """name => {
        const node = document.querySelector(name), box = node.getBoundingClientRect();
        const at = x => document.elementFromPoint(x, box.top + box.height / 2);
        return [box.left + 3, box.right - 3].every(x => node.contains(at(x)));
    }"""
    for name in ("#box", "#show", "#stand", "#help", "#theme"):
        assert page.evaluate(hit, name), name
    page.evaluate("document.querySelector('#stand').textContent = 'a long alarm '.repeat(9)")
    assert page.evaluate(hit, "#theme")
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_a_finger_can_hit_everything(finger):
    opened(finger, f"{SEARCHED}+%2Bwater")
    finger.locator("#facets .chip").first.wait_for()
    low = """() => [...document.querySelectorAll('button, summary, #box')].filter((n) => {
        const least = n.closest('.card, .lines') ? 24 : 34;
        const { width, height } = n.getBoundingClientRect();
        return n.checkVisibility() && width && height < least;
    }).map((n) => n.outerHTML)"""
    assert finger.evaluate(low) == []
    reach = """name => {
        const box = document.querySelector(name).getBoundingClientRect();
        const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
        return [[-19, 0], [19, 0], [0, -19], [0, 19]].every(([dx, dy]) =>
            document.elementFromPoint(x + dx, y + dy).closest(name));
    }"""
    for name in (".card .pick", ".card .like"):
        assert finger.evaluate(reach, name), name
    hits(finger).first.locator("a").tap()
    finger.locator("#player .lines .row").first.wait_for()
    assert finger.evaluate(low) == []


def test_the_focus_does_not_go_behind_the_player(finger):
    opened(finger, SEARCHED)
    hits(finger).first.locator("a").tap()
    finger.locator("#player .sum").wait_for()
    assert not finger.locator("#box").is_visible() and not hits(finger).first.is_visible()
    finger.keyboard.press("Escape")
    until(finger, "document.activeElement.closest('.card')")
    assert finger.locator("#box").is_visible()


def test_an_answer_that_takes_long_is_waited_for_in_sight(page):
    held = []
    page.route("**/api/v1/search?*", lambda route: held.append(route))
    page.goto(SEARCHED)
    until(page, f"{HEADING} === 'Searching …' && {WAITS}")
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    settled(page)
    assert hits(page).count() and not page.evaluate(WAITS)
    assert "match" in page.inner_text("#found")


def test_no_answer_at_all_is_told(page):
    page.route("**/api/v1/**", lambda route: route.abort())
    page.goto(SEARCHED)
    until(page, f"{HEADING} === 'No answer'")
    assert "unify serve does not answer: start it again" in page.inner_text("#fault")
    page.complaints.clear()  # the browser logs what fails


def test_a_long_name_keeps_its_end_and_is_read_whole(page):
    name = "holiday in the mountains, second part, take 0003.mp4"

    def renamed(route):
        answer = route.fetch().json()
        answer["hits"][0]["video"] = f"films/{name}"
        route.fulfill(json=answer)

    page.route("**/api/v1/search?*", renamed)
    opened(page, SEARCHED)
    shown = hits(page).first.locator(".name")
    assert shown.text_content() == name and shown.get_attribute("title") == f"films/{name}"
    card, end = hits(page).first.bounding_box(), shown.locator("span").last.bounding_box()
    assert end["x"] + end["width"] <= card["x"] + card["width"]
    assert name in hits(page).first.locator("a").get_attribute("aria-label")
