"""What the tests of the page do in the browser, as a user would."""

from __future__ import annotations

import time
from urllib.parse import parse_qs, urlsplit

QUERY = "a temple by a lake"


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


def settled(page) -> None:
    until(page, "!document.querySelector('#results').classList.contains('stale')")
