"""A Milvus collection as a `Backend`: the server finds, the planner here decides and explains.

Each side's search returns ids and the server's own scores, which only say where to look. The rows
of all candidates are then fetched once, and both sides are scored from them exactly as an index
directory does, bit for bit. Rows are remembered: their ids are hashes of what they say.

What is certain. The server's sparse index misses no row, and a FLAT index over latents misses
none: with it answers are `exact` by the same certificate as locally, of the rows that the server
showed (consistency "Bounded": what was written within the last seconds may be missing). With HNSW,
IVF or CAGRA answers are `approximate`, unless every allowed row was scored. Numbers of rows are
those of the last push, read when this backend was opened.
"""

from __future__ import annotations

import os
from functools import cached_property
from typing import Any

import numpy as np

from unify.engine import rescore
from unify.engine.backend import Allowed, Condition, Fetched, MomentFacts, Statistics
from unify.engine.costs import Costs
from unify.engine.errors import IncompatibleIndex, UsageError
from unify.engine.manifest import IndexSettings
from unify.engine.milvus.collection import (
    Collection,
    Counts,
    LatentIndex,
    named,
    no_collection,
    search_params,
    unfinished_push,
)
from unify.engine.milvus.filter import expression, meets, needs_check
from unify.engine.milvus.link import MOST, Link
from unify.engine.milvus.place import MilvusPlace
from unify.engine.milvus.store import Store
from unify.engine.not_indexed import not_indexed
from unify.engine.query import Filters
from unify.engine.types import EncodedQuery, Float16, Float32, Float64, Int64, UInt16

# Fetching a row takes far longer than scoring it; the server's own work is not ours to weigh.
COSTS = Costs(posting=0.0, row=0.0, latent_byte=0.0, rescore=50_000.0, call=50_000.0)
_EPS = float(np.finfo(np.float32).eps)
_HALF_EPS = 2.0**-11  # a query is rounded to float16 where latents are


def open_collection(place: MilvusPlace) -> MilvusBackend:
    """Open the collection of an address.

    Raises:
        MissingPackage: the client is not installed.
        NoIndex: there is no such collection, or its first push has not finished.
        IncompatibleIndex: another program or another version of unify made it.
        IndexUnavailable: the server does not answer.
    """
    link = Link(place)
    collection = named(link)
    if collection is None:
        raise no_collection(link)
    return MilvusBackend(collection)


class MilvusBackend:
    """Implements `Backend` over one tenant's rows of a collection."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection
        self.about = collection.about
        self._link = collection.link
        self.store = Store(collection)
        self._link.load("load_collection", collection.name)

    @property
    def settings(self) -> IndexSettings:
        """See `Backend`."""
        return self.about.settings

    @property
    def name(self) -> str:
        """See `Backend`."""
        return str(self._link.place)

    def costs(self) -> Costs:
        """See `Backend`."""
        return COSTS

    @cached_property
    def _counts(self) -> Counts:
        if (counts := self.collection.counts()) is not None:
            return counts
        raise unfinished_push(self._link) if self.collection.pushing else no_collection(self._link)

    def statistics(self) -> Statistics:
        """See `Backend`. How the server cuts its rows into parts is its own business."""
        return self._statistics

    @cached_property
    def _statistics(self) -> Statistics:
        moments, videos = self._counts.moments, self._counts.videos
        if self.collection.pushing:  # the counts are those of the push before
            moments, videos = self.store.count(""), self.store.count("part == 0")
        return Statistics(moments, videos, 1, 1)

    def allowed(self, filters: Filters, conditions: list[Condition], shows: float) -> Allowed:
        """See `Backend`. Beside conditions on terms, videos are not counted beyond some rows."""
        if conditions:
            self._check(shows)
        asked = expression(filters, conditions)
        if not asked:
            return Allowed(self._statistics.moments, self._statistics.videos, None)
        if needs_check(filters):
            asked += self._checked(filters)
        moments = self.store.count(asked)
        if not conditions:
            videos = self.store.count(f"{asked} and part == 0")
        elif moments <= MOST:
            videos = len(set(self.store.owners(asked)))
        else:
            videos = min(moments, self._statistics.videos)
        return Allowed(moments, videos, asked)

    def _checked(self, filters: Filters) -> str:
        """Return what an expression lacks to let through only paths that meet the filters."""
        loosely = self.store.paths(expression(Filters(filters.paths), []))
        found = {video: meets(filters, [shown for shown, _ in paths]) for video, paths in loosely}
        right, wrong = ([video for video in found if found[video] is met] for met in (True, False))
        if len(wrong) < len(right):
            return f" and video not in {wrong}" if wrong else ""
        return f" and video in {right or [-1]}"  # there is no such video

    def approximates(self, allowed: Allowed) -> bool:
        """See `Backend`."""
        return self.about.latent_index is not LatentIndex.FLAT

    def latent_topk(
        self, latents: Float32, k: int, allowed: Allowed, exact: bool, threads: int
    ) -> list[Fetched]:
        """See `Backend`. The server returns so many rows at most: `LatentIndex.most`."""
        kind = self.about.latent_index
        surely = kind is LatentIndex.FLAT
        if exact and not surely:
            raise UsageError(
                f"{self.name} looks for latents by {kind}, which may miss moments",
                "leave --exact out, or push it with --latent-index flat",
            )
        depth = min(k, kind.most)
        data = [self._stored(query) for query in latents]
        found = self._search("latent", data, depth, allowed, search_params(kind, depth))
        fetched = []
        for query, (ids, scores) in zip(latents, found, strict=True):
            length = float(np.linalg.norm(query)) * 1.01
            slack = length * (len(query) * _EPS + _HALF_EPS * self.about.half)
            bound = _bound(ids, scores, depth, allowed, slack if surely else np.inf)
            fetched.append(Fetched(ids, scores, bound))
        return fetched

    def lexicon_topk(
        self, terms: UInt16, weights: Float32, k: int, allowed: Allowed, threads: int
    ) -> Fetched:
        """See `Backend`. Weights below 0, which Milvus knows not, only lower what is found."""
        query, depth = _above(terms, weights), min(k, MOST)
        ids, scores = np.zeros(0, np.int64), np.zeros(0, np.float32)
        if query:
            ((ids, scores),) = self._search("lexicon", [query], depth, allowed, {})
        if len(ids) == depth:  # there may be more: a float32 sum bounds them
            slack = (len(query) + 2) * _EPS * float(scores[-1])
            return Fetched(ids, scores, _bound(ids, scores, depth, allowed, slack))
        others = [i for i in self.store.some(allowed.rows, depth) if i not in set(ids.tolist())]
        ids = np.concatenate([ids, np.array(others[: depth - len(ids)], np.int64)])
        scores = np.concatenate([scores, np.zeros(len(ids) - len(scores), np.float32)])
        return Fetched(ids, scores, -np.inf if len(ids) >= allowed.moments else 0.0)

    def _stored(self, latent: Float32) -> Float16 | Float32:
        """Return a query's latent in the type of the field."""
        return latent.astype(np.float16) if self.about.half else latent.astype(np.float32)

    def _search(
        self, field: str, data: list[Any], depth: int, allowed: Allowed, params: dict[str, object],
    ) -> list[tuple[Int64, Float32]]:  # fmt: skip
        """Return the ids and scores of each query of one side, best first."""
        found = self._link.read(
            "search", self.collection.name, data=data, anns_field=field, limit=depth,
            filter=self.store.where(allowed.rows), output_fields=["id"],
            search_params={"metric_type": "IP", "params": params},
        )  # fmt: skip
        return [_side(hits) for hits in found]

    def fused_topk(self, query: EncodedQuery, k: int, allowed: Allowed) -> Fetched:
        """See `Backend`: the server's reciprocal rank fusion, its constant 60."""
        from pymilvus import AnnSearchRequest, RRFRanker

        depth, where = min(k, self.about.latent_index.most), self.store.where(allowed.rows)
        requests = []
        for field, data, params in (
            ("latent", query.latent, search_params(self.about.latent_index, depth)),
            ("lexicon", _above(query.terms, query.weights) or None, {}),
        ):
            if data is not None:
                how = {"metric_type": "IP", "params": params}
                stored = data if isinstance(data, dict) else self._stored(data)
                requests.append(AnnSearchRequest([stored], field, how, depth, where))
        if not requests:  # words that shall rather not show are all that is asked for
            return Fetched(*_side([]), np.inf)
        (hits,) = self._link.read(
            "hybrid_search", self.collection.name, requests, RRFRanker(60), limit=depth
        )
        return Fetched(*_side(hits), np.inf)

    def every(self, allowed: Allowed) -> Int64:
        """See `Backend`."""
        return self.store.ids(allowed.rows)

    def latent_scores(self, ids: Int64, latent: Float32) -> Float64:
        """See `Backend`."""
        rows = self.store.rows(ids)
        if not rows:
            return np.zeros(0)
        stored, query = np.stack([row.latent for row in rows]), latent.astype(np.float64)
        return rescore.latent_scores(stored, np.arange(len(rows)), query, False)

    def lexicon_scores(self, ids: Int64, terms: UInt16, weights: Float32) -> Float64:
        """See `Backend`."""
        query = rescore.sought(terms, weights, self.settings.stored_terms)
        return rescore.lexicon_scores(self.store.forward(ids), np.arange(len(ids)), query, False)

    def term_weights(self, ids: Int64, terms: UInt16) -> Float64:
        """See `Backend`."""
        rows, size = self.store.forward(ids), self.settings.stored_terms
        return rescore.weights_of(rows, np.arange(len(ids)), terms, size)

    def latents(self, ids: Int64) -> Float32:
        """See `Backend`."""
        stored = [row.latent for row in self.store.rows(ids)]
        return np.array(stored, np.float32).reshape(len(ids), self.settings.latent_dim)

    def video_ids(self, ids: Int64) -> Int64:
        """See `Backend`."""
        return self.store.videos(ids)

    def postings_count(self, terms: UInt16) -> Int64:
        """See `Backend`. As the last push has counted them."""
        return self._counts.held[terms]

    def facts(self, moment: int) -> MomentFacts:
        """See `Backend`."""
        (row,) = self.store.rows(np.array([moment], np.int64))
        (shown, path), *copies = row.paths()
        absolute = tuple(copy for _, copy in copies)
        return MomentFacts(row.video, shown, path, row.start_s, row.end_s, absolute)

    def tracks(self, moment: int, terms: UInt16) -> tuple[Float64, Float64]:
        """See `Backend`."""
        (row,) = self.store.rows(np.array([moment], np.int64))
        frames, size = np.arange(len(row.times_s)), self.settings.stored_terms
        return row.times_s, rescore.weights_of(row.tracks, frames, terms, size)

    def term_counts(self, shows: float) -> Int64:
        """See `Backend`. As the last push has counted them."""
        self._check(shows)
        return self._counts.shown

    def moments_of(self, video: str) -> Int64:
        """See `Backend`."""
        wanted = (os.path.normpath(video), os.path.abspath(video))  # noqa: PTH100 - links stay
        name = Filters((os.path.basename(wanted[0]),))  # noqa: PTH119
        near: list[str] = []
        for found, paths in self.store.paths(expression(name, [])):
            near += [shown for shown, _ in paths]
            if any(wanted[0] == shown or path in wanted for shown, path in paths):
                own = sorted(self.store.listed(f"video == {found}"), key=lambda row: row.part)
                return np.array([row.id for row in own], np.int64)
        raise not_indexed(video, near)

    def _check(self, shows: float) -> None:
        if shows != self.about.shows:
            raise IncompatibleIndex(
                f"{self.name} was pushed with {self.about.shows:g} as the weight from which a "
                f"term shows, the pack now says {shows:g}",
                "push it again: unify index push --anew",
            )


def _above(terms: UInt16, weights: Float32) -> dict[int, float]:
    """Return the weights above 0 by term, as the client takes a sparse vector."""
    above = weights > 0
    return dict(zip(terms[above].tolist(), weights[above].tolist(), strict=True))


def _side(hits: Any) -> tuple[Int64, Float32]:
    """Return the ids and scores of what a search found."""
    ids, scores = [hit["id"] for hit in hits], [hit["distance"] for hit in hits]
    return np.array(ids, np.int64), np.array(scores, np.float32)


def _bound(ids: Int64, scores: Float32, depth: int, allowed: Allowed, slack: float) -> float:
    """Bound what was not returned by the last that was."""
    if len(ids) >= allowed.moments:
        return -np.inf
    return float(scores[-1]) + slack if len(ids) == depth else np.inf
