"""The page, driven in headless Chromium as a user would."""

from __future__ import annotations

import shutil
import time
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.cli.web.conftest import serving
from unify.indexer.live import Announcer
from unify.indexer.progress import Advanced, Planned, VideoStarted

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
if not CHROMIUM:
    pytest.skip("needs a browser: apt-get install chromium", allow_module_level=True)

QUERY = "a temple by a lake"


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        flags = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--mute-audio"]
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@pytest.fixture(params=[(1280, 900)])
def page(request, browser, server):
    """A page whose every request stays on the host, and which logs no error."""
    width, height = request.param
    context = browser.new_context(
        viewport={"width": width, "height": height},
        base_url=server.url,
        reduced_motion="no-preference",
    )
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.complaints = []
    page.on(
        "console",
        lambda m: page.complaints.append(m.text) if m.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    yield page
    context.close()
    assert page.complaints == []
    assert asked and {urlsplit(url).netloc for url in asked} == {urlsplit(server.url).netloc}


phone = pytest.mark.parametrize("page", [(390, 844)], indirect=True)


def until(page, script: str, wait_s: float = 15.0) -> None:
    """Wait until a script is true; playwright's own way needs what the page's policy forbids."""
    ends_s = time.monotonic() + wait_s
    while not page.evaluate(script):
        assert time.monotonic() < ends_s, f"never true: {script}"
        time.sleep(0.05)


def hits(page):
    return page.locator("#results .card")


def search(page, text: str) -> None:
    page.fill("#box", text)
    page.press("#box", "Enter")
    until(page, "!document.querySelector('#results').classList.contains('stale')")


def asked(page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def opened(page, path: str = "") -> None:
    page.goto(path or "./")
    hits(page).first.wait_for()


def test_the_library_shows_before_anything_is_asked(page):
    opened(page)
    assert hits(page).count() == 11
    assert "11 videos" in page.inner_text("#found") and page.locator("#facets .chip").count() > 3
    assert page.evaluate("document.activeElement.id") == "box"


def test_typing_finds_and_says_why(page):
    opened(page)
    page.locator("#box").press_sequentially(QUERY, delay=5)
    until(page, "document.querySelector('#found').textContent.includes('best match')")
    first = hits(page).first
    assert "temple.mp4" in first.inner_text() and "0:00–0:07" in first.inner_text()
    reasons = first.locator(".why li").all_inner_texts()
    assert len(reasons) >= 2 and any(text.startswith("lake") for text in reasons)
    assert asked(page)["q"] == [QUERY]
    assert "result" in page.text_content("#live")
    until(page, "[...document.images].slice(0, 4).every((i) => i.complete && i.naturalWidth)")


def test_a_click_plays_from_the_second_of_the_moment(page):
    opened(page, "?q=a+temple+by+a+lake&moments=1")
    later = page.locator(".card[data-key]").evaluate_all(
        "cards => cards.map((c) => c.dataset.key).find((k) => Number(k.split('@')[1]) >= 8)"
    )
    start_s = float(later.split("@")[1])
    page.click(f".card[data-key='{later}'] > a")
    video = page.locator("#player video")
    ready = "(video => video && !video.seeking && video.readyState > 2)"
    until(page, f"{ready}(document.querySelector('#player video'))")
    assert start_s - 0.1 <= video.evaluate("v => v.currentTime") <= start_s + 5
    before = video.evaluate("v => v.currentTime")
    until(page, f"document.querySelector('#player video').currentTime > {before + 0.3}")
    assert page.locator("#player .lines .row").count() >= 4
    parts = page.locator("#player .sum tr td:last-child").all_inner_texts()
    numbers = [float(text.replace("−", "-")) for text in parts]
    assert sum(numbers[:-1]) == pytest.approx(numbers[-1], abs=0.1)
    box = page.locator("#player .lines .row svg").nth(1).bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 8)
    until(page, "Math.abs(document.querySelector('#player video').currentTime - 15) < 3")
    page.keyboard.press("Escape")
    assert page.locator("#player").is_hidden() and "v" not in asked(page)
    page.go_back()
    page.locator("#player video").wait_for()


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


def test_a_reload_brings_everything_back(page):
    opened(page, "?q=a+temple+-horse&moments=1")
    page.locator(".card > a").nth(2).click()
    page.locator("#player .sum").wait_for()
    address, title = page.url, page.inner_text("#player h2")
    page.reload()
    page.locator("#player .sum").wait_for()
    assert (page.url, page.inner_text("#player h2")) == (address, title)
    assert page.input_value("#box") == "a temple -horse"
    assert page.locator(".card.on").count() == 1
    assert page.get_attribute("#pool [data-moments=true]", "aria-pressed") == "true"


def test_more_like_this_and_back(page):
    opened(page, "?q=a+horse")
    hits(page).first.hover()
    hits(page).first.locator(".like").click()
    page.locator("#origin").wait_for()
    assert "like" in asked(page) and "horse.mp4" in page.inner_text("#origin")
    assert hits(page).count() > 3 and "horse.mp4" not in page.inner_text("#results")
    page.go_back()
    until(page, "document.querySelector('#results').innerText.includes('horse.mp4')")


def test_the_keyboard_alone_is_enough(page):
    opened(page)
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type(QUERY)
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#found').textContent.includes('best match')")
    page.keyboard.press("ArrowDown")
    on = "[...document.querySelectorAll('.card')].indexOf(document.activeElement.closest('.card'))"
    assert page.evaluate(on) == 0
    for key, place in (("ArrowRight", 1), ("ArrowDown", 5), ("ArrowUp", 1), ("ArrowLeft", 0)):
        page.keyboard.press(key)
        assert page.evaluate(on) == place, key
    page.keyboard.press("Enter")
    page.locator("#player h2:focus").wait_for()
    page.keyboard.press("Escape")
    assert page.locator("#player").is_hidden() and page.evaluate(on) == 0
    page.keyboard.press("m")
    page.locator("#origin").wait_for()
    page.keyboard.press("?")
    assert page.locator("#sheet").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("#sheet").is_hidden()


def test_nothing_good_is_said_honestly(page):
    opened(page)
    search(page, "zebra")
    assert "No good match" in page.inner_text("#note") and "“zebra”" in page.inner_text("#note")
    search(page, "+zebra")
    assert "Nothing found" in page.inner_text("#note") and hits(page).count() == 0
    page.locator("#note button").click()
    hits(page).first.wait_for()


def test_a_fault_in_the_query_is_told_and_what_was_found_stays(page):
    opened(page, "?q=a+horse")
    search(page, "+qwertyish")
    assert "not in the lexicon at character 1" in page.inner_text("#fault")
    assert hits(page).count() > 3
    page.complaints.clear()  # the browser notes the refused request by itself


def test_what_cannot_be_played_can_be_downloaded(page):
    page.route(
        "**/stream*",
        lambda route: route.fulfill(body=b"RIFF nothing", content_type="video/x-msvideo"),
    )
    opened(page, "?q=a+temple")
    page.locator(".card > a").first.click()
    page.locator(".unplayable").wait_for()
    text = page.inner_text(".unplayable")
    assert "cannot play" in text and "starts at 0:00.0" in text
    assert page.locator("#player a[download]").count() == 1
    page.complaints.clear()


def test_a_running_build_is_followed(page, samples_index, monkeypatch):
    monkeypatch.setattr("unify.indexer.live._EVERY_S", 0.0)
    with Announcer(samples_index, None) as tell:
        tell(Planned(40, 1000, 0))
        tell(VideoStarted("films/a.mp4", 9.0))
        tell(Advanced(0.37, 55.0, 90.0))
        opened(page)
        until(page, "document.querySelector('#stand').textContent === 'Indexing 37 %'")
        assert page.get_attribute("#progress", "aria-valuenow") == "37"
        page.click("#stand")
        assert "films/a.mp4" in page.inner_text("#state") and "of 40 videos" in page.inner_text(
            "#state"
        )
    until(page, "document.querySelector('#stand').textContent === '11 videos'")


@pytest.mark.parametrize(
    ("page", "theme"),
    [
        ((1280, 900), "light"),
        pytest.param((390, 844), "dark", marks=pytest.mark.soak),
        pytest.param((1280, 900), "dark", marks=pytest.mark.soak),
        pytest.param((390, 844), "light", marks=pytest.mark.soak),
    ],
    indirect=["page"],
)
def test_axe_finds_nothing_serious(page, theme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page.emulate_media(color_scheme=theme)
    for path, ready in (
        ("./", ".card"),
        ("?q=a+temple+%2Blake", ".card"),
        ("?q=zebra&v=1&t=0", "#player .lines .row"),
        ("?like=1@2", "#origin p"),
    ):
        page.goto(path)
        page.locator(ready).first.wait_for()
        page.wait_for_load_state("networkidle")
        answer = axe.run(page).response
        assert len(answer["passes"]) > 15  # it did look
        serious = [
            (one["id"], [node["target"] for node in one["nodes"]])
            for one in answer["violations"] if one["impact"] in ("serious", "critical")
        ]  # fmt: skip
        assert serious == [], (path, serious)


@phone
def test_a_phone_shows_all_of_it(page):
    wide = "document.documentElement.scrollWidth > innerWidth"
    opened(page, "?q=a+temple")
    assert not page.evaluate(wide)
    hits(page).first.locator("a").first.click()
    page.locator("#player .sum").wait_for()
    assert not page.evaluate(wide)
    assert page.locator("#player").bounding_box()["width"] == 390
    page.click("#player .title .tool")
    assert page.locator("#player").is_hidden()


def test_dark_or_light_is_kept(page):
    opened(page)
    theme = "document.documentElement.dataset.theme"
    assert page.evaluate(theme) == "light"
    page.click("#theme")
    page.reload()
    assert page.evaluate(theme) == "dark"
    page.click("#theme")
    assert page.evaluate(theme) == "light" and page.evaluate("localStorage.length") == 0


@pytest.mark.soak
def test_a_token_in_the_link_opens_the_page(browser, samples_index):
    with serving(samples_index, UNIFY_TOKEN="mine") as server:
        page = browser.new_context().new_page()
        assert page.goto(f"http://127.0.0.1:{server.port}/").status == 401
        page.goto(server.url)
        hits(page).first.wait_for()
        assert "token" not in page.url
        page.context.close()
