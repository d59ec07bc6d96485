"""Clips, timelines and chapters on the page, driven in headless Chromium as a user would."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import run_unify
from tests.cli.web.browsing import asked, hits, opened, search, settled, until
from tests.cli.web.conftest import ROOT, serving
from tests.indexer.sound import times_in

SEARCHED = "?q=a+temple+by+a+lake"
phone = pytest.mark.parametrize("page", [(390, 844)], indirect=True)


def saved(page, press) -> tuple[str, Path]:
    """Do what saves a file; return its name, and where it lies."""
    with page.expect_download() as download:
        press()
    return download.value.suggested_filename, Path(download.value.path())


def choose(page, button, text: str) -> tuple[str, Path]:
    button.click()
    page.locator("#menu:popover-open").wait_for()
    return saved(page, page.locator("#menu button", has_text=text).click)


def test_a_moment_is_saved_as_a_clip(page):
    opened(page, "?q=rocket&duplicates=1&moments=all")
    page.locator("#results a[aria-label*='tour.mp4, 0:11–0:19']").click()
    page.locator("#player video").wait_for()
    until(page, "document.querySelector('#player video').currentTime > 10")
    cut = page.get_by_role("button", name="Cut", exact=True)
    name, path = choose(page, cut, "Exact")
    assert name == "tour_0m12s-0m20s.mp4"
    assert len(times_in(path)) == pytest.approx(8 * 25, abs=2)
    page.locator("#tray .job", has_text=f"Saved {name}").wait_for()
    page.evaluate("document.querySelector('#player video').currentTime = 0.5")
    cut.click()
    page.locator("#menu:popover-open p", has_text="0:00–0:08").wait_for()
    page.keyboard.press("Escape")
    assert cut.evaluate("button => button === document.activeElement")


def test_a_video_opened_by_its_address_is_cut_where_it_stands(page, video_id):
    opened(page, f"?v={video_id('tour.mp4')}&t=5.3")
    page.locator("#player video").wait_for()
    until(page, "document.querySelector('#player video').currentTime >= 5.3")
    page.evaluate("document.querySelector('#player video').pause()")
    name, path = choose(page, page.get_by_role("button", name="Cut", exact=True), "Fast")
    assert name.startswith("tour_0m0") and len(times_in(path)) > 150


def test_hits_are_picked_and_saved_as_a_timeline(page):
    otio = pytest.importorskip("opentimelineio")
    opened(page, SEARCHED)
    shown = hits(page).count()
    name, path = choose(page, page.locator("#export"), "EDL")
    assert name == "a-temple-by-a-lake.edl"
    read = otio.adapters.read_from_string(path.read_text(), "cmx_3600", rate=25)
    assert len(list(read.find_clips())) == shown
    hits(page).nth(2).locator("a").focus()
    page.keyboard.press("x")
    hits(page).nth(0).hover()
    hits(page).nth(0).locator(".pick").click()
    assert asked(page)["picked"] == ["1,3"] and page.inner_text("#export .badge") == "2"
    name, path = choose(page, page.locator("#export"), "Final Cut Pro XML")
    read = otio.adapters.read_from_string(path.read_text(), "fcpx_xml")[0]
    names = [clip.name for clip in read.find_clips()]
    assert names == [hits(page).nth(i).locator(".name").inner_text() for i in (0, 2)]


def test_the_keyboard_alone_goes_from_words_to_a_clip(page):
    opened(page)
    page.keyboard.press("Escape")
    page.keyboard.press("c")  # nothing plays: nothing to cut
    assert not page.locator("#menu:popover-open").count()
    page.keyboard.press("/")
    page.keyboard.type("a horse")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#found').textContent.includes('match')")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("x")
    until(page, "document.querySelector('#live').textContent === 'Picked: 1 in all.'")
    page.keyboard.press("x")
    until(page, "document.querySelector('#live').textContent.startsWith('No longer picked')")
    page.keyboard.press("Enter")
    page.locator("#player h2:focus").wait_for()
    for stands in ("!", ""):
        until(page, f"{stands}document.querySelector('#player video').paused")
        page.keyboard.press("Space")
    page.keyboard.press("c")
    page.locator("#menu button:focus", has_text="Exact").wait_for()
    name, _ = saved(page, lambda: page.keyboard.press("Enter"))
    assert name.startswith("horse_0m00s")
    assert page.evaluate("document.activeElement.id") == "playing"  # where it was before


def test_picks_stay_with_their_question(page):
    opened(page, f"{SEARCHED}&picked=2")
    second = hits(page).nth(1).locator(".name").inner_text()
    pressed = ".card:has(.pick[aria-pressed=true]) .name"
    assert page.locator(pressed).all_inner_texts() == [second]
    page.click("#tune")
    page.select_option("#options [name=sort]", "time")
    settled(page)
    assert page.locator(pressed).all_inner_texts() == [second]
    page.keyboard.press("Escape")
    page.click("#export")
    page.locator("#menu button", has_text="Unpick all").click()
    assert "picked" not in asked(page) and page.locator(pressed).count() == 0
    hits(page).nth(0).hover()
    hits(page).nth(0).locator(".pick").click()
    search(page, "a horse")
    assert "picked" not in asked(page) and not page.locator("#export .badge").count()
    search(page, "horse len:>99999")
    assert page.locator("#export").is_disabled() and not page.locator(".pick").count()


def test_chapters_are_listed_jumped_to_and_saved(page, video_id):
    opened(page, f"?v={video_id('tour.mp4')}&t=0")
    page.locator("#player video").wait_for()
    until(page, "document.querySelector('#player video').readyState > 0")
    page.evaluate("document.querySelector('#player video').pause()")
    page.get_by_role("button", name="Chapters", exact=True).click()
    page.locator("#chapters li").first.wait_for()
    page.fill("#chapters input", "a cat, a rocket")
    page.press("#chapters input", "Enter")
    page.locator("#chapters li", has_text="a rocket").get_by_role("button").click()
    assert page.evaluate("document.querySelector('#player video').currentTime") > 5
    texts = page.locator("#chapters li").all_inner_texts()
    assert texts[0].split("\n")[-1] == "a cat" and len(texts) == 2
    save = page.locator("#chapters .acts button", has_text="List")
    name, path = saved(page, save.click)
    assert name == "tour.txt" and path.read_text().startswith("0:00 a cat\n0:10 a rocket\n")
    page.fill("#chapters input", "a cat, +rocket")
    page.press("#chapters input", "Enter")
    until(page, "document.querySelector('#chapters .fault').textContent.includes('conditions')")
    page.complaints.clear()  # the browser logs what is refused


@pytest.fixture(scope="module")
def fading(tmp_path_factory):
    """A server, and the folder of its one video."""
    films = tmp_path_factory.mktemp("fading")
    shutil.copy(ROOT / "samples" / "cat.mp4", films)
    done = run_unify("index", "build", films, "--index", films / "index")
    assert done.code == 0, done.err
    with serving(films / "index") as server:
        yield server, films


def test_what_fails_is_told_and_what_takes_long_is_given_up(browser, fading):
    server, films = fading
    page = browser.new_page(base_url=server.url)
    opened(page, "?q=a+cat")
    hits(page).first.locator("a").click()
    page.locator("#player .lines .row").first.wait_for()
    page.route("**/cut?*", lambda route: None)  # never answered
    cut = page.get_by_role("button", name="Cut", exact=True)
    cut.click()
    page.locator("#menu button", has_text="Exact").click()
    busy = page.locator("#tray .job.busy")
    assert "Making a clip of cat.mp4" in busy.inner_text()
    busy.get_by_role("button", name="Cancel").click()
    busy.wait_for(state="detached")
    page.unroute("**/cut?*")
    (films / "cat.mp4").rename(films / "elsewhere")
    cut.click()
    page.locator("#menu button", has_text="Fast").click()
    told = page.get_by_role("alert").filter(has_text="cat.mp4 is gone")
    told.wait_for()
    assert "connect its disk" in told.inner_text()
    page.get_by_role("button", name="Close this message").click()
    assert not page.locator("#tray .job").count()
    page.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(page, theme, video_id):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page.emulate_media(color_scheme=theme)
    opened(page, f"{SEARCHED}&picked=1&v={video_id('temple.mp4')}&t=0")
    page.locator("#player .lines .row").first.wait_for()
    choose(page, page.locator("#export"), "EDL")
    page.get_by_role("button", name="Chapters", exact=True).click()
    page.locator("#chapters li").first.wait_for()
    page.locator("#tray .job:not(.busy)").wait_for()
    page.click("#export")
    answer = axe.run(page).response
    serious = [
        (one["id"], [node["target"] for node in one["nodes"]])
        for one in answer["violations"] if one["impact"] in ("serious", "critical")
    ]  # fmt: skip
    assert len(answer["passes"]) > 15 and serious == []


@phone
def test_a_phone_shows_all_of_it(page):
    opened(page, f"{SEARCHED}&picked=1")
    tops = [page.locator(name).bounding_box()["y"] for name in ("#export", "#tune")]
    assert tops[0] == tops[1]
    hits(page).first.locator("a").click()
    page.get_by_role("button", name="Chapters", exact=True).click()
    page.locator("#chapters li").first.wait_for()
    cut = page.get_by_role("button", name="Cut", exact=True)
    cut.click()
    menu = page.locator("#menu:popover-open").bounding_box()
    assert menu["x"] >= 0 and menu["x"] + menu["width"] <= 390
    page.keyboard.press("Escape")
    choose(page, cut, "Fast")
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
