"""`unify index push` and `pull`, and searching where an index was pushed to."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import run_unify
from tests.engine.backends import NEEDS_LITE

pytestmark = NEEDS_LITE
QUERY = ("a", "man", "with", "a", "camera", "-k", "3", "--json")


@pytest.fixture(scope="module")
def pushed(samples_index: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    address = f"milvus:{tmp_path_factory.mktemp('pushed')}/lite.db/samples"
    done = run_unify("index", "push", address, "--index", samples_index, "--json")
    assert done.code == 0, done.err
    (row,) = done.rows
    assert row["sent"] == row["moments"] == row["compared"] > 0
    assert done.complaint == (
        f"{address} holds {row['moments']} moments: {row['sent']} sent, 0 deleted, "
        f"{row['compared']} read back and the same"
    )
    return address


def test_a_pushed_index_answers_as_the_directory_does(pushed, samples_index):
    here = run_unify("search", *QUERY, "--index", samples_index).rows
    there = run_unify("search", *QUERY, "--index", pushed).rows
    assert [{**row, "moment": 0} for row in there] == [{**row, "moment": 0} for row in here]
    assert there[0]["exact"]
    assert there[0]["terms"]


def test_what_follows_a_search_works(pushed):
    assert run_unify("search", *QUERY, UNIFY_INDEX=pushed).code == 0
    opened = run_unify("open", "1", "--dry-run", "--json", UNIFY_INDEX=pushed)
    assert opened.rows[0]["path"].endswith("photographer.mp4")
    shown = run_unify("explain", "a", "camera", "--index", pushed).out
    assert "when each term shows:\n  camera" in shown
    assert run_unify("terms", "--top", "3", "--json", "--index", pushed).rows[0]["moments"] > 1
    like = f"{opened.rows[0]['path']}@3"
    assert run_unify("search", "--like", like, "--json", "--index", pushed).rows


def test_a_second_push_sends_nothing_and_a_pull_brings_all_back(pushed, samples_index, tmp_path):
    again = run_unify("index", "push", pushed, "--index", samples_index, "--json").rows[0]
    assert (again["sent"], again["deleted"]) == (0, 0)
    back = tmp_path / "back"
    done = run_unify("index", "pull", pushed, "--index", back, "--json").rows[0]
    assert (done["moments"], done["fetched"]) == (again["moments"], again["moments"])
    assert run_unify("index", "verify", "--index", back).code == 0
    here, there = (run_unify("search", *QUERY, "--index", at).rows for at in (samples_index, back))
    assert [row["score"] for row in here] == [row["score"] for row in there]


def test_what_cannot_be_done_is_one_clear_line(pushed, samples_index):
    for arguments, code, line in (
        (("index", "status", "--index", pushed), 2, "this needs an index directory"),
        (("serve", "--index", pushed), 2, "this needs an index directory"),
        (("index", "push", "elsewhere", "--index", samples_index), 2, "is no Milvus address"),
        (("search", "dog", "--index", "milvus:x"), 2, "cannot read the address 'milvus:x'"),
        (("search", "dog", "--index", "milvus:none.db/x"), 3, "no file none.db"),
        (("index", "pull", pushed + "x", "--index", "new"), 3, "no collection samplesx"),
    ):
        done = run_unify(*arguments)
        assert done.code == code, done.err
        assert done.complaint.startswith("unify: ")
        assert line in done.complaint
        assert done.err.count("\n") == 1
