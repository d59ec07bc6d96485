import errno
import fcntl
import subprocess
import sys

import pytest

from tests.engine.corpus import Corpus
from unify.engine import claims, verify
from unify.engine.manifest import read_manifest
from unify.engine.writer import IndexWriter


@pytest.fixture
def path(tmp_path):
    (tmp_path / "videos-1.npy").write_bytes(b"x")
    return tmp_path / "videos-1.npy"


def test_readers_share_and_a_writer_waits_for_the_last(path):
    first = claims.share(path)
    with claims.share(path):
        assert claims.take(path) is None
    assert claims.take(path) is None
    del first
    assert claims.take(path) is not None


def test_a_claim_ends_with_its_process(path):
    code = (
        "import os, sys; from pathlib import Path; from unify.engine import claims\n"
        "claim = claims.share(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as reader:
        assert reader.stdout.readline() == b"held\n"
        assert claims.take(path) is None
        reader.kill()
    assert claims.take(path) is not None


def test_without_locks_nothing_is_held(path, monkeypatch):
    def unsupported(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    with claims.share(path):
        assert claims.take(path) is not None


def test_a_missing_table_is_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        claims.share(tmp_path / "videos-1.npy")


def test_what_is_being_verified_is_not_removed(tmp_path, monkeypatch):
    corpus = Corpus.make(tmp_path / "index", segments=1)
    generation = read_manifest(corpus.directory).generation
    check = verify.check_file

    def publish_meanwhile(path, file):
        if read_manifest(corpus.directory).generation == generation:
            with IndexWriter.open(corpus.directory, corpus.pack.settings()) as writer:
                for _ in range(3):
                    writer.publish(writer.roots, corpus.videos)
        return check(path, file)

    monkeypatch.setattr(verify, "check_file", publish_meanwhile)
    seen = []
    assert verify.verify(corpus.directory, lambda done, total: seen.append(done)) == []
    assert seen == sorted(seen)  # once: it did not have to begin anew
