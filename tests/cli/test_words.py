"""The user's dictionary on the command line: the file, and what a search makes of it."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cli.conftest import run_unify
from unify.cli import wordsfile
from unify.engine.dictionary import Entry
from unify.engine.errors import UsageError

MINE = "# mine\r\n\r\nnailong = yellow dinosaur  # a toy\r\npets = cat OR horse\n\n# the end"


@pytest.fixture
def file(tmp_path: Path, monkeypatch) -> Path:
    path = tmp_path / "config" / "words.txt"
    monkeypatch.setenv(wordsfile.VARIABLE, str(path))
    return path


@pytest.fixture
def mine(file: Path) -> Path:
    file.parent.mkdir()
    file.write_bytes(MINE.encode())
    return file


def test_a_name_is_added_replaced_listed_and_removed(file):
    done = run_unify("words", "add", "nailong", "yellow", "dinosaur^2")
    assert (done.code, done.out) == (0, "nailong = yellow dinosaur^2\n")
    assert done.err == f"added in {file}\n"
    again = run_unify("words", "add", "Nailong", "cat OR dog", "--json")
    assert again.rows == [
        {"schema": 1, "name": "Nailong", "definition": "cat OR dog", "terms": ["cat", "dog"],
         "either": True, "replaced": True}
    ]  # fmt: skip
    assert run_unify("words", "list").out == "Nailong = cat OR dog\n"
    assert run_unify("words", "list", "--json").rows[0]["terms"] == ["cat", "dog"]
    assert run_unify("words", "remove", "nailong").code == 0
    assert "defines nothing yet" in run_unify("words", "list").err
    gone = run_unify("words", "remove", "nailong")
    assert gone.code == 2
    assert gone.complaint.endswith("does not define 'nailong'; see unify words list")


def test_words_that_the_lexicon_lacks_are_told_with_those_it_has(file):
    done = run_unify("words", "add", "nailong", "yellow", "dinosaurr", "qwertyuiop")
    assert done.code == 0
    assert "dinosaurr is not in the lexicon of mini; did you mean dinosaur" in done.err
    assert "qwertyuiop is not in the lexicon of mini; a query can only guess at it" in done.err
    assert "yellow is" not in done.err


def test_what_is_not_changed_stays_as_it_is(mine):
    wordsfile.add(mine, Entry.read("nailong = dinosaur dress"))
    changed = MINE.replace(
        "nailong = yellow dinosaur  # a toy\r", "nailong = dinosaur dress  # a toy\r"
    )
    assert mine.read_bytes() == changed.encode()
    wordsfile.add(mine, Entry.read("x = y"))
    assert mine.read_bytes() == f"{changed}\nx = y\n".encode()
    wordsfile.remove(mine, "NAILONG")
    assert mine.read_bytes().startswith(b"# mine\r\n\r\npets")
    assert [path.name for path in mine.parent.iterdir()] == ["words.txt"]


def test_a_link_and_the_rights_of_the_file_stay(mine, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(mine)
    mine.chmod(0o640)
    wordsfile.add(link, Entry.read("x = y"))
    assert link.is_symlink()
    assert stat.S_IMODE(mine.stat().st_mode) == 0o640


def test_a_link_to_itself_gives_way_to_a_file(tmp_path):
    ring = tmp_path / "ring"
    ring.symlink_to(ring)
    wordsfile.add(ring, Entry.read("x = y"))
    assert ring.read_text() == "x = y\n"


def test_changes_at_once_are_all_kept(file):
    entries = [Entry.read(f"n{i} = dog") for i in range(20)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda entry: wordsfile.add(file, entry), entries))
    assert {entry.name for entry in wordsfile.read_words().entries} == {e.name for e in entries}


def test_a_file_that_cannot_be_read_is_not_changed(mine):
    mine.write_text("x = (")
    with pytest.raises(UsageError, match="line 1: the definition of 'x'"):
        wordsfile.add(mine, Entry.read("y = z"))
    assert mine.read_text() == "x = ("
    mine.write_bytes(b"\xff = y")
    with pytest.raises(UsageError, match=r"is no UTF-8 text; .*--no-words"):
        wordsfile.read_words()


def test_where_the_file_is(tmp_path, monkeypatch):
    monkeypatch.delenv(wordsfile.VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert wordsfile.words_path() == tmp_path / "unify" / "words.txt"
    assert not wordsfile.read_words().entries
    monkeypatch.setenv(wordsfile.VARIABLE, "")
    assert wordsfile.words_path() is None
    assert not wordsfile.read_words().entries
    monkeypatch.setenv(wordsfile.VARIABLE, str(tmp_path / "no"))
    with pytest.raises(UsageError, match="which is not there; unify words add makes it"):
        wordsfile.read_words()


def test_a_search_reads_names_and_tells_so(unify, mine):
    done = unify("search", "a nailong", "-k", 2, "--json", "--plan")
    assert done.err == "nailong: yellow, dinosaur (your dictionary)\n"
    same = unify("search", "a yellow dinosaur", "-k", 2, "--json", "--no-words").rows
    assert done.rows[:2] == same
    (told,) = done.rows[-1]["defined"]
    assert (told["name"], told["terms"], told["either"]) == (
        "nailong",
        ["yellow", "dinosaur"],
        False,
    )
    assert unify("search", "a nailong", "--json", "--no-words").rows != same
    assert "pets: cat or horse (your dictionary)" in unify("explain", "+pets").err


def test_a_batch_and_a_run_read_names_and_tell_so(unify, mine, tmp_path):
    queries = tmp_path / "queries.txt"
    queries.write_text("a cat\na nailong\n")
    for shape in ("json", "trec"):
        done = unify("search", "--queries", queries, "--format", shape, "-k", 1)
        assert done.err == "nailong: yellow, dinosaur (your dictionary)\n"


def test_a_name_can_be_defined_for_one_search(unify, mine):
    done = unify("search", "felix", "--define", "felix = cat^2 black", "-k", 1)
    assert done.err.startswith("felix: cat^2, black (your dictionary)\n")
    assert (
        unify("search", "cat", "--define", "felix=dog", "--define", "cat=cat", "-k", 1).err[:70]
        == "--define felix: the query does not have this name, so nothing changes\n"
    )
    dropped = unify("search", "a cat", "--define", "pets=cat OR dog", "--drop", "pets", "-k", 1)
    assert dropped.code == 0
    assert "--d" not in dropped.err  # neither name nor option did nothing
    over = unify("search", "nailong", "--define", "nailong=coffee", "-k", 1, "--json").rows
    assert over == unify("search", "coffee", "-k", 1, "--json").rows
    wrong = unify("search", "felix", "--define", "felix")
    assert wrong.code == 2
    assert wrong.complaint.startswith("unify: no = in 'felix'; write it as in")
    assert unify("search", "-nailong cat").complaint.startswith(
        "unify: 'nailong' stands for several words together at character 1; write out"
    )


def test_a_broken_dictionary_stops_a_search_but_not_one_without_it(unify, mine):
    mine.write_text("nailong yellow")
    done = unify("search", "a cat")
    assert (done.code, done.out) == (2, "")
    assert done.complaint.startswith(f"unify: {mine}, line 1: no = in 'nailong yellow'")
    assert unify("search", "a cat", "--no-words", "-k", 1).code == 0
