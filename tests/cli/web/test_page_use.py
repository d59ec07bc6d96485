"""Playing, going about and following builds on the page, in headless Chromium as a user would."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from tests.cli.conftest import run_unify
from tests.cli.web.browsing import QUERY, asked, hits, opened, until
from tests.cli.web.conftest import ROOT, serving
from unify.indexer.live import Announcer
from unify.indexer.progress import Advanced, Planned, VideoStarted

phone = pytest.mark.parametrize("page", [(390, 844)], indirect=True)


def test_a_click_plays_from_the_second_of_the_moment(page):
    opened(page, "?q=a+temple+by+a+lake&moments=all")
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


def test_a_reload_brings_everything_back(page):
    opened(page, "?q=a+temple+-horse&moments=all&sort=time")
    page.locator(".card > a").nth(2).click()
    page.locator("#player .sum").wait_for()
    address, title = page.url, page.inner_text("#player h2")
    page.reload()
    page.locator("#player .sum").wait_for()
    assert (page.url, page.inner_text("#player h2")) == (address, title)
    assert page.input_value("#box") == "a temple -horse"
    assert page.locator(".card.on").count() == 1
    assert page.get_attribute("#moments [data-moments=all]", "aria-pressed") == "true"
    assert page.input_value("#options [name=sort]") == "time"


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
    until(page, "document.querySelector('#found').textContent.includes('match')")
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


def test_a_file_that_is_gone_is_told_and_shows_no_broken_picture(browser, tmp_path):
    shutil.copy(ROOT / "samples" / "cat.mp4", tmp_path)
    index = tmp_path / "index"
    assert run_unify("index", "build", tmp_path / "cat.mp4", "--index", index).code == 0
    (tmp_path / "cat.mp4").unlink()
    with serving(index) as server:
        page = browser.new_context(base_url=server.url).new_page()
        opened(page, "?q=a+cat")
        page.locator(".card .none").wait_for()
        page.locator(".card > a").first.click()
        page.locator(".unplayable").wait_for()
        assert "cat.mp4 is gone" in page.inner_text(".unplayable")
        assert "connect its disk" in page.inner_text(".unplayable")
        page.context.close()


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


@pytest.mark.soak
def test_a_build_of_another_process_is_seen_to_its_end(browser, tmp_path):
    shutil.copy(ROOT / "samples" / "cat.mp4", tmp_path)
    index = tmp_path / "index"
    assert run_unify("index", "build", tmp_path / "cat.mp4", "--index", index).code == 0
    with serving(index) as server:
        page = browser.new_context(base_url=server.url).new_page()
        opened(page)
        command = [sys.executable, "-m", "unify", "index", "build", "samples", "--workers", "1"]
        look = "document.dispatchEvent(new Event('visibilitychange')) && false || "
        with subprocess.Popen([*command, "--index", str(index)], cwd=ROOT) as building:
            until(page, look + "!document.querySelector('#progress').hidden", 60)
            advanced = "/^Indexing [1-9]/.test(document.querySelector('#stand').textContent)"
            until(page, look + advanced, 60)
            assert building.wait(120) == 0
        until(page, look + "document.querySelector('#stand').textContent === '11 videos'", 60)
        until(page, "document.querySelectorAll('.card').length === 11")
        page.context.close()


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
        if "temple" in path:
            page.click("#tune")
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
