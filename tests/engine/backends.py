"""The backends that the conformance suite runs on: each opens what a corpus holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

import pytest

from tests.engine.corpus import Corpus
from unify.engine.backend import Backend
from unify.engine.local import open_snapshot
from unify.engine.milvus.collection import LatentIndex
from unify.engine.milvus.link import Link
from unify.engine.milvus.place import milvus_place

LITE = find_spec("pymilvus") is not None and find_spec("milvus_lite") is not None
NEEDS_LITE = pytest.mark.skipif(not LITE, reason="milvus-lite is not installed")


@contextmanager
def local(corpus: Corpus) -> Iterator[Backend]:
    yield open_snapshot(corpus.directory)


@contextmanager
def milvus(corpus: Corpus, latent_index: LatentIndex | None = None) -> Iterator[Backend]:
    """Push the corpus into a file beside it, where what was pushed before stays."""
    from unify.engine.milvus.backend import open_collection
    from unify.engine.milvus.push import Wish, push

    place = milvus_place(f"milvus:{corpus.directory.parent}/lite.db/clips?tenant=acme")
    assert place is not None
    link = Link(place, create=True)
    shows = corpus.pack.calibration.shows
    push(open_snapshot(corpus.directory), link, shows, Wish(latent_index))
    yield open_collection(place)
    link.close()


@contextmanager
def milvus_hnsw(corpus: Corpus) -> Iterator[Backend]:
    with milvus(corpus, LatentIndex.HNSW) as backend:
        yield backend


@contextmanager
def milvus_ivf(corpus: Corpus) -> Iterator[Backend]:
    with milvus(corpus, LatentIndex.IVF) as backend:
        yield backend


EXACT = [pytest.param(local, id="local"), pytest.param(milvus, id="milvus", marks=NEEDS_LITE)]
EVERY = [
    *EXACT,
    pytest.param(milvus_hnsw, id="milvus-hnsw", marks=NEEDS_LITE),
    pytest.param(milvus_ivf, id="milvus-ivf", marks=NEEDS_LITE),
]
