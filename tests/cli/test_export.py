from pathlib import Path

import pytest


@pytest.fixture
def after(unify, tmp_path):
    """Run `unify` after a search, in a folder of its own."""
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    assert unify("search", "a", "man", "-k", 3, **state).code == 0
    (tmp_path / "work").mkdir()

    def run(*arguments):
        return unify(*arguments, cwd=tmp_path / "work", **state)

    return run


def test_both_kinds_are_read_back(after, tmp_path):
    otio = pytest.importorskip("opentimelineio")
    done = after("export", "--edl", "a.edl", "--fcpxml", "a.fcpxml", "--json")
    assert done.code == 0, done.err
    (row,) = done.rows
    assert row == {
        "schema": 1, "events": 3, "rate": "25", "edl": "a.edl", "fcpxml": "a.fcpxml",
    }  # fmt: skip
    work = tmp_path / "work"
    edl = otio.adapters.read_from_file(str(work / "a.edl"), rate=25)
    text = (work / "a.fcpxml").read_text("utf-8")
    (fcpxml,) = otio.adapters.read_from_string(text, "fcpx_xml")
    first, second = ([c.source_range for c in t.find_clips()] for t in (edl, fcpxml))
    assert first == second
    assert len(first) == 3


def test_stdout_a_choice_and_a_rate(after):
    done = after("export", "2", "--edl", "-", "--rate", "29.97")
    assert done.code == 0
    assert done.out.startswith("TITLE: a man\nFCM: DROP FRAME\n\n001  AX ")
    assert "002" not in done.out.replace(".002", "")
    assert done.complaint.startswith("1 cut at 29.97 ")
    assert "that does not fit into the EDL's 29.97 drop-frame: 1 of 1; their times" in done.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "say what to write"),
        (["--edl", "a.edl", "--rate", "fast"], "cannot read the frame rate 'fast'"),
        (["9", "--edl", "a.edl"], "there is no hit 9"),
        (["--edl", "cuts/a.edl"], "there is no folder cuts for a.edl; make it first"),
    ],
)
def test_what_cannot_be_exported(after, tmp_path, arguments, says):
    done = after("export", *arguments)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert says in done.complaint
    assert not list((tmp_path / "work").iterdir())


def test_no_file_is_replaced_unasked(after, tmp_path):
    path = tmp_path / "work" / "a.edl"
    path.write_text("mine")
    done = after("export", "--fcpxml", "a.fcpxml", "--edl", "a.edl")
    assert (done.code, "--force" in done.complaint) == (2, True)
    assert (path.read_text(), Path(path.parent / "a.fcpxml").exists()) == ("mine", False)
    assert after("export", "--edl", "a.edl", "--force").code == 0
    assert path.read_text().startswith("TITLE")
