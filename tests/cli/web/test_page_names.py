"""Names on the page: what stands for them, and saying what an unknown word looks like."""

import os
from pathlib import Path

import pytest

from tests.cli.web.browsing import asked, hits, opened, search, settled, until


@pytest.fixture
def dictionary():
    """The file that the server reads."""
    path = Path(os.environ["XDG_CONFIG_HOME"], "unify", "words.txt")
    path.parent.mkdir(exist_ok=True)
    path.write_text("nailong = yellow dinosaur^2\n")
    yield path
    path.unlink()


def names(page) -> str:
    return page.inner_text("#names") if page.is_visible("#names") else ""


def button(page, text: str):
    return page.get_by_role("button", name=text, exact=True)


def test_a_name_of_the_dictionary_is_told_and_can_be_read_as_written(page, dictionary):
    opened(page, "?q=a+nailong")
    assert "“nailong” stands for yellow, dinosaur^2 (your dictionary)" in names(page)
    assert "Looks for dinosaur, yellow" in page.inner_text("#read summary")
    button(page, "Search for it as written").click()
    settled(page)
    until(page, "document.querySelector('#names').textContent.includes('as it is written')")
    assert asked(page)["define"] == ["nailong=nailong"]
    page.reload()
    hits(page).first.wait_for()
    button(page, "Ask the dictionary").click()
    until(page, "document.querySelector('#names').textContent.includes('stands for')")
    assert "define" not in asked(page)


def test_an_unknown_word_is_defined_in_the_address_by_the_keyboard(page):
    opened(page, "?q=a+xylofant")
    button(page, "Say what it looks like").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("cat (OR")
    page.keyboard.press("Escape")
    focused = page.evaluate("document.activeElement.textContent")
    assert focused == "Say what it looks like" and page.locator(".teach").count() == 0
    page.keyboard.press("Enter")
    assert page.get_by_label("“xylofant” looks like").evaluate("n => n === document.activeElement")
    page.keyboard.type("cat OR horse")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#names').textContent.includes('stands for')")
    assert "“xylofant” stands for cat or horse (this link alone)" in names(page)
    assert page.inner_text("#names code") == "unify words add xylofant cat OR horse"
    assert asked(page)["define"] == ["xylofant=cat OR horse"]
    assert page.is_hidden("#replaced")
    search(page, "xylofant +horse")  # it holds for the next question, too
    until(page, "document.querySelectorAll('#results .card').length === 1")
    page.reload()
    hits(page).first.wait_for()
    assert "stands for cat or horse" in names(page)
    button(page, "Take it back").click()
    until(page, "!location.search.includes('define')")


def test_a_word_of_another_script_can_be_defined(page):
    opened(page, "?q=a+%E5%A5%B6%E9%BE%99")
    assert "“奶龙” is not in the lexicon" in page.inner_text("#replaced")
    button(page, "Say what it looks like").click()
    page.keyboard.type("yellow dinosaur")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#names').textContent.includes('stands for')")
    assert asked(page)["define"] == ["奶龙=yellow dinosaur"]
    assert page.inner_text("#names code") == "unify words add 奶龙 yellow dinosaur"


def test_what_cannot_be_read_is_told_in_the_form(page):
    opened(page, "?q=a+xylofant")
    before = page.url
    button(page, "Say what it looks like").click()
    page.keyboard.type("cat -dog")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('.teach .fault').textContent !== ''")
    assert "holds '-dog', which is no word" in page.inner_text(".teach .fault")
    assert page.url == before
    assert any("400" in line for line in page.complaints)
    page.complaints.clear()
    assert page.input_value(".teach input") == "cat -dog"


@pytest.mark.parametrize("page", [(1280, 900), (390, 844)], indirect=True)
def test_nothing_keeps_anyone_out(page, dictionary):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    opened(page, "?q=a+nailong+felix+xylofant&define=felix=cat+dog")
    settled(page)  # what is asked again is pale
    button(page, "Say what it looks like").click()
    found = axe.run(page, options={"resultTypes": ["violations"]})
    serious = [v for v in found.response["violations"] if v["impact"] in ("serious", "critical")]
    assert serious == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_broken_dictionary_is_told(page, dictionary):
    dictionary.write_text("nailong\n")
    opened(page)
    until(page, "document.querySelector('#stand').classList.contains('alert')")
    page.click("#stand")
    assert "The dictionary is left out:" in page.inner_text("#state")
