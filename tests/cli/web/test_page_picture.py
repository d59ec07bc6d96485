"""Searching by a picture or clip of one's own, in the page."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.cli.web.browsing import asked, hits, opened, search, settled, until
from tests.cli.web.conftest import ROOT, serving
from tests.indexer.media import make_still
from unify.indexer.jobs import JobProcess

COFFEE = ROOT / "samples" / "coffee.mp4"
SHOW = "[aria-label='Search by picture or clip']"


@pytest.fixture(scope="module")
def frame(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("shown") / "frame.jpg"
    with JobProcess() as process:
        path.write_bytes(process.picture(str(COFFEE), 3.0, 320)[1])
    return path


@pytest.fixture(scope="module")
def server(samples_index):
    """A server that keeps one picture alone."""
    code = (
        "import unify.cli.web.pictures as pictures; pictures.KEPT = 1\n"
        "from unify.cli.main import app; app()\n"
    )
    with serving(samples_index, program=code) as server:
        yield server


def forget(page) -> None:
    """Let another picture take its place."""
    headers = {"content-type": "image/png"}
    assert page.request.post("api/v1/pictures", data=make_still(7), headers=headers).status == 201


def chosen(page, path: Path) -> None:
    """Choose a file as a user does."""
    with page.expect_file_chooser() as choosing:
        page.click(SHOW)
    choosing.value.set_files(path)
    found(page, path.name)


def found(page, name: str) -> None:
    until(page, f"document.querySelector('#origin').innerText.includes({name!r})")
    settled(page)


def first(page) -> str:
    return hits(page).first.locator("a").get_attribute("aria-label")


def given(page, path: Path, kind: str, event: str) -> None:
    """Drop or paste a file."""
    page.evaluate(
        """([data, name, type, event]) => {
          const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
          const held = new DataTransfer();
          held.items.add(new File([bytes], name, { type }));
          const made = event === "paste"
            ? new ClipboardEvent(event, { clipboardData: held, bubbles: true })
            : new DragEvent(event, { dataTransfer: held, bubbles: true, cancelable: true });
          document.querySelector("#results").dispatchEvent(made);
        }""",
        [base64.b64encode(path.read_bytes()).decode(), path.name, kind, event],
    )


def test_a_frame_finds_its_moment_and_words_go_with_it(page, frame):
    opened(page)
    chosen(page, frame)
    assert first(page).startswith("1. coffee.mp4, 0:00–0:07")
    assert "most alike" in page.inner_text("#found") and "weak" not in first(page)
    assert page.evaluate("document.activeElement.id") == "found"
    until(page, "document.querySelector('#origin img').naturalWidth > 0")
    assert page.get_attribute("#box", "placeholder").startswith("Add words")
    name = asked(page)["picture"]
    search(page, "outdoors -coffee")
    assert asked(page)["picture"] == name and "with “outdoors -coffee”" in page.inner_text(
        "#origin"
    )
    page.reload()
    found(page, "More like")  # the server still has it, if the tab does not know its name
    assert asked(page)["picture"] == name and hits(page).count()
    page.click("#origin [aria-label='Without it']")
    settled(page)
    assert "picture" not in asked(page) and not page.is_visible("#origin")
    assert page.get_attribute("#box", "placeholder").startswith("Try")
    page.go_back()
    found(page, "More like")
    hits(page).first.locator(".like").click()
    found(page, ".mp4")
    assert "picture" not in asked(page) and "like" in asked(page)


def test_a_clip_is_dropped_and_a_picture_pasted(page, frame):
    opened(page)
    given(page, COFFEE, "video/mp4", "dragover")
    assert page.is_visible("#drop")
    given(page, COFFEE, "video/mp4", "drop")
    assert not page.is_visible("#drop")
    found(page, "coffee.mp4")
    assert first(page).startswith("1. coffee.mp4")
    given(page, frame, "image/jpeg", "paste")
    found(page, "frame.jpg")
    assert first(page).startswith("1. coffee.mp4")


def test_what_cannot_be_sent_or_read_is_told(page, frame, tmp_path):
    opened(page)
    before = page.url
    notes, half = tmp_path / "notes.txt", tmp_path / "half.jpg"
    notes.write_text("no picture")
    half.write_bytes(frame.read_bytes()[:3000])
    given(page, notes, "text/plain", "drop")
    assert "notes.txt is neither a picture nor a clip" in page.inner_text("#fault")
    page.set_input_files("#file", half)
    until(page, "document.querySelector('#fault').innerText.includes('cannot be used')")
    assert "give a JPEG" in page.inner_text("#fault") and not page.is_visible("#sending")
    assert page.url == before
    assert any("400" in line for line in page.complaints)
    page.complaints.clear()  # the browser logs what the server refuses
    chosen(page, frame)
    assert page.inner_text("#fault") == ""


def test_a_forgotten_picture_is_sent_again_or_asked_for(page, frame):
    opened(page)
    chosen(page, frame)
    forget(page)
    search(page, "a cup")
    found(page, "with “a cup”")
    assert first(page).startswith("1. coffee.mp4") and page.inner_text("#fault") == ""
    forget(page)
    page.reload()  # now the tab has the file no more
    until(page, "!document.querySelector('#origin').hidden")
    assert "choose it again" in page.inner_text("#fault")
    with page.expect_file_chooser() as choosing:
        page.click("#origin >> text=Choose it again")
    choosing.value.set_files(frame)
    found(page, "frame.jpg")
    assert first(page).startswith("1. coffee.mp4") and page.inner_text("#fault") == ""
    assert asked(page)["q"] == ["a cup"]  # the words stay
    assert page.complaints and all("404" in line for line in page.complaints)
    page.complaints.clear()  # the browser logs what the server has not


def test_a_large_file_can_be_given_up(page, frame):
    opened(page)
    page.route("**/api/v1/pictures", lambda route: None)  # it never ends
    page.set_input_files("#file", frame)
    page.wait_for_selector("#sending progress")
    assert "Sending frame.jpg" in page.inner_text("#live")
    page.click("#sending [aria-label='Do not send it']")
    assert not page.is_visible("#sending") and page.inner_text("#fault") == ""
    page.unroute("**/api/v1/pictures")
    assert "picture" not in asked(page)


@pytest.mark.parametrize("page", [(1280, 900), (390, 844)], indirect=True)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_accessible(page, frame, theme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe").Axe()
    page.emulate_media(color_scheme=theme)
    opened(page)
    chosen(page, frame)
    found = axe.run(page).response["violations"]
    assert not [rule for rule in found if rule["impact"] in ("serious", "critical")], found
