"""Makes the pictures of the documents from what the program shows, on the sample videos.

    python docs/pictures/make.py [--browser chromium]

`terminal.svg` is a search as rich exports it, `page.jpg` the page of `unify serve` in a headless
browser. Both are of a fresh index of `samples/`, in a folder and a state of their own.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import ViewportSize, sync_playwright
from rich.console import Console
from rich.text import Text

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
QUERY = "a man with a camera"
COLUMNS = 100


def unify(*arguments: str) -> list[str]:
    """Return the command that runs unify from this checkout."""
    return [sys.executable, "-m", "unify", *arguments]


def terminal(home: Path, environment: dict[str, str]) -> None:
    """Draw a search and the terms of a video."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    for words in (
        ["search", *QUERY.split(), "-k", "3"],
        ["terms", "samples/tour.mp4", "--top", "8"],
    ):
        console.print(Text(f"$ unify {' '.join(words)}", style="bold"))
        done = subprocess.run(
            unify(*words), cwd=home, env=environment, capture_output=True, text=True, check=True
        )
        console.print(Text.from_ansi(done.stdout))
    drawn = console.export_svg(title="unify", unique_id="unify")
    local = re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)  # asks no other host
    (HERE / "terminal.svg").write_text(local, encoding="utf-8")


def page(home: Path, environment: dict[str, str], browser: str) -> None:
    """Draw the page after a search, with its first hit open in the player."""
    server = subprocess.Popen(
        unify("serve", "--port", "0"), cwd=home, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        assert server.stdout
        address = next(m[0] for line in server.stdout if (m := re.search(r"http://\S+", line)))
        with sync_playwright() as driver:
            window = driver.chromium.launch(executable_path=browser, args=["--no-sandbox"])
            size: ViewportSize = {"width": 1280, "height": 960}
            sheet = window.new_page(viewport=size, color_scheme="light", bypass_csp=True)
            sheet.goto(address)
            sheet.fill("#box", QUERY)
            sheet.keyboard.press("Enter")
            sheet.wait_for_load_state("networkidle")
            sheet.click(".card a")
            sheet.wait_for_function("document.querySelector('#player video')?.readyState > 2")
            stop = "video => { video.pause(); video.currentTime = 3; }"
            sheet.eval_on_selector("#player video", stop)
            sheet.wait_for_timeout(1500)  # pictures fade in
            sheet.screenshot(path=HERE / "page.jpg", type="jpeg", quality=85)
            window.close()
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)


def main() -> None:
    """Make both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--browser", default=shutil.which("chromium") or "chromium")
    browser = parser.parse_args().browser
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        shutil.copytree(ROOT / "samples", home / "samples")
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(home / "state")}
        environment.pop("UNIFY_INDEX", None)
        subprocess.run(unify("index", "build", "samples"), cwd=home, env=environment, check=True)
        terminal(home, environment)
        page(home, environment, browser)


if __name__ == "__main__":
    main()
