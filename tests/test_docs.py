"""The documents: what they show is what the program says, and what they name is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from tests.examples import (
    HOME,
    NAMES,
    ROOT,
    blocks,
    gist,
    indexed_folder,
    inside,
    outputs,
    run,
    words_of,
)
from unify.cli.main import app

DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
OURS = [ROOT / name for name in (*NAMES, "docs/index-format.md")]


def text_of(name: str | Path) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def anchors(text: str) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


LONG = ("docs/tutorial.md", "docs/howto.md")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.soak] if n in LONG else []) for n in NAMES]
)
def test_commands_print_what_the_document_shows(name):
    for example, printed in outputs(text_of(name)):
        assert gist(printed) == gist(example.shown), f"$ {example.command}"


def test_every_operator_and_filter_of_the_grammar_has_an_example():
    commands = "\n".join(blocks(text_of("docs/query-language.md")))
    for sign in (" +", " -", "^3", "^-1", " OR ", "-(", "+(", '+"', "path:", "len:", "after:"):
        assert sign in commands, sign


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if re.match(r"https?://", target):
            continue
        file, _, anchor = target.partition("#")
        linked = path.parent / file if file else path
        assert linked.exists(), f"{path.name}: {target}"
        if anchor:
            assert anchor in anchors(linked.read_text(encoding="utf-8")), f"{path.name}: {target}"


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_commands_and_options_exist(path):
    text = path.read_text(encoding="utf-8")
    lines = re.findall(r"^(?:    |\$ )(unify .*)$", text, re.M) + re.findall(r"`(unify .*?)`", text)
    for line in lines:
        words = words_of(re.sub(r"(  +#.*| 2>&1)? *(\|.*)?$", "", line))[1:]
        command = typer.main.get_command(app)
        while words and words[0] in getattr(command, "commands", ()):
            command = command.commands[words.pop(0)]
        known = {
            name for option in command.params for name in (*option.opts, *option.secondary_opts)
        }
        for word in words:
            assert not word.startswith("--") or word in known | {"--help"}, line
        assert words == [] or not hasattr(command, "commands") or words[0].startswith("-"), line


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_scripts_that_are_named_exist(path):
    for script in re.findall(r"python (\S+\.py)", path.read_text(encoding="utf-8")):
        assert script == "reader.py" or (ROOT / script).is_file(), script


def test_the_reader_of_the_format_reads_an_index(tmp_path):
    (code,) = re.findall(r"^```python\n(.*?)^```$", text_of("docs/index-format.md"), re.M | re.S)
    (tmp_path / "reader.py").write_text(code, encoding="utf-8")
    lexicon = ROOT / "encoders/packs/mini/lexicon.txt"
    with inside(indexed_folder()) as here:
        done = subprocess.run(
            [sys.executable, str(tmp_path / "reader.py"), ".unify", str(lexicon)],
            cwd=here, capture_output=True, text=True, check=True,
        )  # fmt: skip
        top = run("unify terms samples/flower.mp4 --top 1", here).splitlines()[1].split()[0]
    read = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert set(read) == {path.name for path in (ROOT / "samples").glob("*.mp4")}
    assert top in read["flower.mp4"]
    assert all(" 1.0 " in line for line in read.values())  # latents are of length 1


def test_examples_differ_where_the_program_says_something_else():
    assert gist("  1  a.mp4  0:00\n") != gist("  1  b.mp4  0:00\n")
    assert gist("     █▏  5.03\n  1  a 0:01\n") == gist("     ███ 4.99\n  1  a 0:02\n")
    with pytest.raises(ValueError, match="needs quotes"):
        words_of("unify search water len:>10")
    assert HOME not in run("unify --version", Path.cwd())
