"""Asking on the page, driven in headless Chromium as a user would."""

from __future__ import annotations

import shutil

import pytest

from tests.cli.conftest import run_unify
from tests.cli.web.browsing import QUERY, asked, hits, opened, search, settled, until
from tests.cli.web.conftest import ROOT, serving


@pytest.fixture(scope="module")
def speaking(tmp_path_factory):
    """A server of one video with subtitles."""
    home = tmp_path_factory.mktemp("speaking")
    shutil.copy(ROOT / "samples" / "cat.mp4", home)
    (home / "cat.srt").write_text("1\n00:00:01,000 --> 00:00:04,000\nThe rocket stands there.\n")
    done = run_unify("index", "build", home / "cat.mp4", "--index", home / "index")
    assert done.code == 0, done.err
    with serving(home / "index") as server:
        yield server


def test_the_library_shows_before_anything_is_asked(page):
    opened(page)
    assert hits(page).count() == 11
    assert "11 videos" in page.inner_text("#found") and page.locator("#facets .chip").count() > 3
    assert page.evaluate("document.activeElement.id") == "box"


def test_typing_finds_and_says_why(page):
    opened(page)
    page.locator("#box").press_sequentially(QUERY, delay=5)
    until(page, "document.querySelector('#found').textContent.includes('match')")
    first = hits(page).first
    assert "temple.mp4" in first.inner_text() and "0:00–0:07" in first.inner_text()
    reasons = first.locator(".why li").all_inner_texts()
    assert len(reasons) >= 2 and any(text.startswith("lake") for text in reasons)
    assert asked(page)["q"] == [QUERY]
    assert "match" in page.text_content("#live")
    until(page, "[...document.images].slice(0, 4).every((i) => i.complete && i.naturalWidth)")


def test_a_term_can_be_demanded_excluded_and_weighed(page):
    opened(page, "?q=a+temple+by+a+lake")
    before = hits(page).count()

    def choose(what: str) -> None:
        page.locator(".why button", has_text="lake").first.click()
        page.locator("#menu button", has_text=what).click()
        until(page, "!document.querySelector('#results').classList.contains('stale')")

    choose("Must show")
    assert asked(page)["q"] == ["a temple by a +lake"] and 0 < hits(page).count() < before
    choose("Count more")
    assert asked(page)["q"] == ["a temple by a +lake^2"]
    choose("Must not show")
    assert (
        asked(page)["q"] == ["a temple by a -lake"]
        and page.input_value("#box") == asked(page)["q"][0]
    )
    until(page, "!document.querySelector('.why').innerText.includes('lake')")
    page.click("#facets .chip[aria-pressed=true]")
    until(page, "!location.search.includes('-lake')")


def test_facets_narrow_and_exclude(page):
    opened(page, "?q=a+temple+by+a+lake")
    chip = page.locator("#facets .pair").first
    term = chip.locator("button").first.inner_text().split()[0]
    chip.locator("button").nth(1).click()
    until(page, "location.search.includes('-')")
    assert asked(page)["q"][0].endswith(f"-{term}")


def test_the_expansion_is_shown_and_can_be_switched_off(page):
    opened(page, "?q=a+temple+by+a+lake")
    page.click("#read summary")
    page.locator("#read .chip[aria-pressed=true]").first.click()
    page.locator("#read .chip.off").wait_for()
    dropped = page.inner_text("#read .chip.off")
    assert asked(page)["drop"] == [dropped]
    page.reload()
    until(page, "document.querySelector('#read summary').textContent.endsWith('1 left out')")
    page.click("#read summary")
    page.click("#read .chip.off")
    until(page, "!location.search.includes('drop')")


def test_several_moments_a_video_and_the_order_of_time(page):
    opened(page, "?q=a+temple+by+a+lake&duplicates=1")
    page.click("#moments [data-moments=few]")
    settled(page)
    keys = hits(page).evaluate_all("cards => cards.map((card) => card.dataset.key.split('@')[0])")
    assert asked(page)["moments"] == ["few"]
    assert max(map(keys.count, keys)) == 3
    page.click("#tune")
    page.select_option("#options [name=sort]", "time")
    settled(page)
    assert page.locator("#options").is_visible() and asked(page)["sort"] == ["time"]
    names = hits(page).locator(".name").all_inner_texts()
    assert names == sorted(names)
    page.go_back()
    settled(page)
    assert page.input_value("#options [name=sort]") == "score"


def test_the_options_are_reached_by_the_keyboard_and_kept_in_the_address(page):
    opened(page, "?q=a+temple+by+a+lake")
    related = page.inner_text("#read summary")
    page.focus("#tune")
    page.keyboard.press("Enter")
    for _ in range(2):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "pool"
    page.keyboard.press("t")  # as a list does, to "the mean of its best 2"
    settled(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    until(page, "location.search.includes('expand')")
    settled(page)
    assert (asked(page)["pool"], asked(page)["expand"]) == (["mean:2"], ["0"])
    assert page.evaluate("document.activeElement.name") == "expand"
    page.keyboard.press("Escape")
    assert page.locator("#options").is_hidden()
    assert page.evaluate("document.activeElement.id") == "tune"
    assert page.inner_text("#tune .badge") == "2"
    assert "related" in related and "related" not in page.inner_text("#read summary")
    page.reload()
    hits(page).first.wait_for()
    page.click("#tune")
    assert page.input_value("#options [name=pool]") == "mean:2"
    page.click("#reset")
    until(page, "!/pool|expand/.test(location.search)")
    page.keyboard.press("Escape")
    page.click("#moments [data-moments=all]")
    settled(page)
    assert page.is_disabled("#options [name=pool]") and page.is_checked("#options [name=twins]")


def test_a_least_score_leaves_nothing_and_can_be_lifted(page):
    opened(page, "?q=a+temple+by+a+lake")
    page.click("#tune")
    page.fill("#options [name=threshold]", "99.5")
    page.keyboard.press("Tab")
    until(page, "location.search.includes('min=99.5')")
    settled(page)
    page.keyboard.press("Escape")
    assert "Nothing scores 99.5 or more" in page.inner_text("#note")
    page.locator("#note button", has_text="Any score").click()
    hits(page).first.wait_for()
    assert "min" not in asked(page)


def test_the_parts_of_a_card_add_up_and_weak_hits_are_told_apart(page):
    opened(page, "?q=a+temple+by+a+lake")
    cards = hits(page).all()
    for card in cards:
        parts = card.locator(".why li").all_inner_texts()
        score = card.locator(".score").inner_text()
        *tenths, total = (
            round(10 * float(text.split()[-1].replace("−", "-"))) for text in [*parts, score]
        )
        assert sum(tenths) == total, (parts, score)
    assert any(part.startswith("base") for part in parts)
    weak = page.locator(".card.weak .tag").count()
    assert page.inner_text("#found").startswith(f"{len(cards) - weak} match")
    assert f"and {weak} weak" in page.inner_text("#found") and weak > 0
    opened(page, "?q=len:>1")  # which is met or not, and scores nothing
    assert page.locator(".card .score").count() == page.locator(".why li").count() == 0


def test_near_duplicates_are_folded_until_asked_for(page):
    opened(page, "?q=a+horse&moments=few")
    folded = hits(page).count()
    page.locator(".card .twins").first.click()
    settled(page)
    assert asked(page)["duplicates"] == ["1"] and hits(page).count() > folded
    page.click("#tune")
    page.uncheck("#options [name=twins]")
    settled(page)
    assert "duplicates" not in asked(page) and hits(page).count() == folded


def test_a_replaced_word_is_told_and_can_be_taken_back(page):
    opened(page, "?q=a+man+in+a+ktichen,+chiaroscuro")
    assert "“ktichen” was read as kitchen." in page.inner_text("#replaced")
    page.focus("#replaced button")
    page.keyboard.press("Enter")
    settled(page)
    assert page.evaluate("document.activeElement.id") == "found"  # the button is no more
    assert asked(page)["respell"] == ["0"] and "kitchen" not in page.inner_text("#replaced")
    page.locator("#replaced button", has_text="Put it right").click()
    settled(page)
    guess = page.locator("#replaced .chip").first
    word = guess.inner_text().split()[0]
    guess.click()
    settled(page)
    assert asked(page)["drop"] == [word]
    search(page, "a kitchen")
    assert "drop" not in asked(page) and page.locator("#replaced").is_hidden()


def test_what_is_said_can_be_left_out(browser, speaking):
    page = browser.new_context(base_url=speaking.url).new_page()
    opened(page, "?q=a+rocket")
    assert "“rocket”" in hits(page).first.inner_text()
    page.click("#tune")
    page.uncheck("#options [name=subtitles]")
    settled(page)
    assert asked(page)["subtitles"] == ["0"] and "“rocket”" not in page.inner_text("#results")
    page.reload()
    hits(page).first.wait_for()
    assert not page.is_checked("#options [name=subtitles]")
    page.context.close()


def test_nothing_good_is_said_honestly(page):
    opened(page)
    search(page, "zebra")
    assert page.inner_text("#found").startswith("10 nearest")
    assert "No good match" in page.inner_text("#note") and "“zebra”" in page.inner_text("#note")
    search(page, "+zebra")
    assert page.inner_text("#found") == "Nothing found" and hits(page).count() == 0
    page.locator("#note button").click()
    hits(page).first.wait_for()
    search(page, "+horse +rocket")  # which of the two is not there is told
    assert "+horse (1 moment), +rocket (0 moments)" in page.inner_text("#note")
    search(page, "a horse path:nowhere")
    page.locator("#note button", has_text="Without path:nowhere").click()
    hits(page).first.wait_for()
    assert asked(page)["q"] == ["a horse"]


def test_a_fault_in_the_query_is_told_and_what_was_found_stays(page):
    opened(page, "?q=a+horse")
    search(page, "+qwertyish")
    assert "not in the lexicon at character 1" in page.inner_text("#fault")
    assert hits(page).count() > 3
    assert page.evaluate("document.getSelection().toString()") == "+qwertyish"
    page.goto("?q=dog+%2Bqwertyish")
    hits(page).first.wait_for()  # the library, rather than nothing
    assert "at character 5" in page.inner_text("#fault")
    search(page, "a horse")
    assert page.inner_text("#fault") == ""
    page.complaints.clear()  # the browser notes the refused request by itself
