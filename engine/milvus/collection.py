"""The collection that holds an index: its fields, its properties, and its name.

The name that people use is an alias. The first push fills `NAME__1` and then names it; a push
`--anew` fills the next one and then moves the name in one step, so a search sees the old rows or
the new, never a half. No address can name such a collection itself, so none is ever taken for
another library's.

The properties say what an index directory's manifest says (pack, fingerprint, settings), what the
rows were made with, and for each tenant what a planner and `unify terms` need to know of the whole:
numbers of moments, videos, and moments by term. The server keeps all properties in one record of
its metadata, 1.5 MB where etcd is as it comes, so the numbers are compressed.
"""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from unify.engine.errors import IncompatibleIndex, IndexUnavailable, NoIndex
from unify.engine.manifest import IndexSettings
from unify.engine.milvus.link import MOST, Link
from unify.engine.milvus.rows import LISTED, TEXT
from unify.engine.types import Int64

FORMAT = 2
_ABOUT, _COUNTS, _PUSHING = "unify.about", "unify.counts.", "unify.pushing."


class LatentIndex(StrEnum):
    """How the server looks for latents. All but FLAT may miss moments."""

    FLAT = "flat"
    HNSW = "hnsw"
    IVF = "ivf_flat"
    CAGRA = "gpu_cagra"

    @property
    def most(self) -> int:
        """Rows that a search returns at most; a graph on a GPU gives fewer."""
        return 1_024 if self is LatentIndex.CAGRA else MOST


_BUILD: dict[LatentIndex, dict[str, Any]] = {
    LatentIndex.FLAT: {},
    LatentIndex.HNSW: {"M": 32, "efConstruction": 200},
    LatentIndex.IVF: {"nlist": 1024},
    LatentIndex.CAGRA: {"intermediate_graph_degree": 64, "graph_degree": 32},
}


def search_params(kind: LatentIndex, k: int) -> dict[str, Any]:
    """Return how wide a search of k rows looks."""
    wide: dict[LatentIndex, dict[str, Any]] = {
        LatentIndex.FLAT: {},
        LatentIndex.HNSW: {"ef": max(128, 2 * k)},
        LatentIndex.IVF: {"nprobe": 64},
        LatentIndex.CAGRA: {"itopk_size": max(128, 2 * k)},
    }
    return wide[kind]


@dataclass(frozen=True, slots=True)
class About:
    """What all rows of a collection have in common.

    Attributes:
        settings: of the index that was pushed.
        shows: least weight at which a moment was taken to show a term.
        latent_index: how latents are looked for.
        half: whether latents are FLOAT16_VECTOR; otherwise FLOAT_VECTOR.
    """

    settings: IndexSettings
    shows: float
    latent_index: LatentIndex = LatentIndex.FLAT
    half: bool = False


@dataclass(frozen=True, slots=True)
class Counts:
    """What a tenant's rows come to.

    Attributes:
        moments: rows.
        videos: that they belong to.
        held: (2V,) rows that hold each term.
        shown: (V,) rows that show each word.
    """

    moments: int
    videos: int
    held: Int64
    shown: Int64


class Collection:
    """One collection of a server, under its own name."""

    def __init__(self, link: Link, name: str, properties: dict[str, str]) -> None:
        self.link, self.name = link, name
        self._properties = properties
        self.about = _about(link, name, properties)

    def counts(self) -> Counts | None:
        """Return what a finished push has counted, or None where none has finished."""
        record = json.loads(self._properties.get(_COUNTS + self.link.place.tenant, "null"))
        if record is None:
            return None
        return Counts(record["moments"], record["videos"], _read(record["held"]),
                      _read(record["shown"]))  # fmt: skip

    @property
    def pushing(self) -> bool:
        """Whether a push had begun and not finished when this was looked up."""
        return self._properties.get(_PUSHING + self.link.place.tenant) == "1"

    def begin(self) -> None:
        """Note that rows are being changed: the counts may not fit them."""
        self._write({_PUSHING: "1"})

    def finish(self, counts: Counts) -> None:
        """Note what the rows come to, and that they stay as they are."""
        record = {
            "moments": counts.moments, "videos": counts.videos,
            "held": _written(counts.held), "shown": _written(counts.shown),
        }  # fmt: skip
        self._write({_COUNTS: json.dumps(record), _PUSHING: "0"})

    def _write(self, values: dict[str, str]) -> None:
        properties = {key + self.link.place.tenant: value for key, value in values.items()}
        self.link.write("alter_collection_properties", self.name, properties)
        self._properties |= properties

    def drop(self) -> None:
        """Remove it with its rows."""
        self.link.write("drop_collection", self.name)


def named(link: Link) -> Collection | None:
    """Return the collection that the place's name means, an alias or its own, or None."""
    return _found(link, link.place.collection)


def unfinished(link: Link) -> Collection | None:
    """Return the collection that a push began to fill and the name does not mean yet, or None."""
    return _found(link, numbered(link, _number(named(link)) + 1))


def create(link: Link, about: About) -> Collection:
    """Make the collection that a push fills, with its indexes.

    Args:
        link: the server.
        about: what its rows will have in common.
    """
    from pymilvus import DataType, MilvusClient

    name = numbered(link, _number(named(link)) + 1)
    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("tenant", DataType.VARCHAR, max_length=64, is_partition_key=True)
    for field in ("video", "part"):
        schema.add_field(field, DataType.INT64)
    for field in ("start_s", "end_s", "duration_s", "recorded"):
        schema.add_field(field, DataType.DOUBLE)
    for field in ("paths", "places", "tracks"):
        schema.add_field(field, DataType.VARCHAR, max_length=TEXT)
    schema.add_field("shown", DataType.ARRAY, element_type=DataType.INT32, max_capacity=LISTED)
    kind = DataType.FLOAT16_VECTOR if about.half else DataType.FLOAT_VECTOR
    schema.add_field("latent", kind, dim=about.settings.latent_dim)
    schema.add_field("lexicon", DataType.SPARSE_FLOAT_VECTOR)
    indexes = MilvusClient.prepare_index_params()
    indexes.add_index(
        "latent", index_type=about.latent_index.upper(), metric_type="IP",
        params=_BUILD[about.latent_index],
    )  # fmt: skip
    indexes.add_index("lexicon", index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
    properties = {_ABOUT: json.dumps({"format": FORMAT, **asdict(about)})}
    link.write(
        "create_collection", name, schema=schema, index_params=indexes, properties=properties,
        consistency_level="Bounded",
    )  # fmt: skip
    made = _found(link, name)
    assert made is not None
    return made


def name_it(link: Link, collection: Collection) -> None:
    """Let the place's name mean a collection, in one step; the one it meant before is dropped.

    It is dropped by its number: a push that was stopped after that one step may have left it.
    """
    before = named(link)
    alias = link.place.collection
    if before is None:
        link.write("create_alias", collection.name, alias)
    elif before.name != collection.name:
        link.write("alter_alias", collection.name, alias)
    if left := _found(link, numbered(link, _number(collection) - 1)):
        left.drop()


def _found(link: Link, name: str) -> Collection | None:
    if not link.read("has_collection", name):
        return None
    described = link.read("describe_collection", name)
    return Collection(link, described["collection_name"], dict(described["properties"]))


def numbered(link: Link, number: int) -> str:
    """Return a collection's own name, which no address can give."""
    return f"{link.place.collection}__{number}"


def _number(collection: Collection | None) -> int:
    """Return the number in a collection's own name, 0 where there is none."""
    return int(collection.name.rpartition("__")[2]) if collection else 0


def _about(link: Link, name: str, properties: dict[str, str]) -> About:
    try:
        record = json.loads(properties[_ABOUT])
        if record.pop("format") != FORMAT:
            raise ValueError
        settings = IndexSettings(**record.pop("settings"))
        kind = LatentIndex(record.pop("latent_index"))
        return About(settings, latent_index=kind, **record)
    except (KeyError, ValueError, TypeError):
        raise IncompatibleIndex(
            f"the collection {name} at {link.place.uri} is none that this version of unify wrote",
            "choose another name",
        ) from None


def _written(values: Int64) -> str:
    return base64.b64encode(zlib.compress(values.astype("<i8").tobytes())).decode("ascii")


def _read(text: str) -> Int64:
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), "<i8")


def unfinished_push(link: Link) -> IndexUnavailable:
    """Return the error that says that a collection is not what a push made of it."""
    return IndexUnavailable(
        f"a push into {link.place} has not finished", "run it again: unify index push"
    )


def no_collection(link: Link) -> NoIndex:
    """Return the error that says that the place's name means nothing."""
    return NoIndex(
        f"no collection {link.place.collection} at {link.place.uri}",
        f"fill it: unify index push '{link.place}' --index DIR",
    )
