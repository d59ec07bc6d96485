"""Addresses of collections."""

from __future__ import annotations

from pathlib import Path

import pytest

from unify.engine.errors import UsageError
from unify.engine.location import elsewhere, known_as, locate
from unify.engine.milvus.place import MilvusPlace, milvus_place


@pytest.mark.parametrize(
    "text", ["milvus:clips", "milvus://host", "milvus://h:1/a-b", "milvus:x/y"]
)
def test_an_address_that_cannot_be_read_says_how_to_write_it(text):
    with pytest.raises(UsageError, match="write milvus://HOST"):
        milvus_place(text)


def test_addresses(monkeypatch):
    assert milvus_place("library") is None
    server = milvus_place("milvus://db.example:19530/clips?tenant=acme")
    assert server == MilvusPlace("http://db.example:19530", "clips", "acme")
    assert milvus_place(Path("milvus://db.example:19530/clips?tenant=acme")) == server
    assert milvus_place(str(server)) == server
    file = milvus_place(Path("milvus:lib/all.db/clips"))
    assert file == MilvusPlace("lib/all.db", "clips")
    assert milvus_place(str(file)) == file
    monkeypatch.setenv("UNIFY_MILVUS_TOKEN", "secret")
    monkeypatch.setenv("UNIFY_MILVUS_TLS", "/etc/ca.pem")
    found = milvus_place("milvus://db.example:19530/clips")
    assert found == MilvusPlace("https://db.example:19530", "clips", "", "secret", "/etc/ca.pem")
    assert "secret" not in str(found)
    monkeypatch.setenv("UNIFY_MILVUS_TLS", "1")
    found = milvus_place("milvus://db.example:19530/clips")
    assert found is not None
    assert (found.uri, found.authority) == ("https://db.example:19530", "")


def test_what_a_push_names_itself_is_no_address():
    assert milvus_place("milvus://h:1/clips_1") == MilvusPlace("http://h:1", "clips_1")
    with pytest.raises(UsageError, match="'clips__1' is how a push names what it fills"):
        milvus_place("milvus://h:1/clips__1?tenant=acme")
    with pytest.raises(UsageError, match="a token goes into UNIFY_MILVUS_TOKEN"):
        milvus_place("milvus://root:secret@h:1/clips")


def test_an_index_may_be_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("UNIFY_INDEX", "milvus://h:1/clips")
    assert elsewhere() == milvus_place("milvus://h:1/clips")
    assert elsewhere(tmp_path) is None
    with pytest.raises(UsageError, match="needs an index directory, not milvus://h:1/clips"):
        locate()
    monkeypatch.chdir(tmp_path)
    here, other = known_as(), known_as("milvus://h:1/clips?tenant=a")
    assert here.is_absolute()
    assert here != other
    assert known_as(tmp_path) == tmp_path
