"""From an index directory into a Milvus collection, so that what is there is what is here.

What the server holds is the record of how far a push came: its ids are compared with ours, what
it lacks is sent and what is too much is deleted. So a push that was stopped anywhere, or whose
batch was sent twice, is put right by the next one, and a push after a build sends what is new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from unify.engine.ann import ANN_FROM
from unify.engine.errors import IncompatibleIndex, IndexUnavailable, UsageError
from unify.engine.local import LocalBackend
from unify.engine.milvus.collection import (
    About,
    Collection,
    Counts,
    LatentIndex,
    create,
    name_it,
    named,
    unfinished,
)
from unify.engine.milvus.link import Link
from unify.engine.milvus.rows import Row, encode, local_rows
from unify.engine.milvus.store import Store
from unify.engine.types import Int64
from unify.engine.writer import check_settings

BATCH = 500  # rows of one request: some 2 MB
SAMPLED = 100  # rows that are read back


@dataclass(frozen=True, slots=True)
class Wish:
    """How a collection shall be made; None takes what is there, or the default for a new one.

    Attributes:
        latent_index: how the server looks for latents. Default: flat, and HNSW from as many
            moments on as a directory would have lists of its own.
        half: latents as FLOAT16_VECTOR. Default: FLOAT_VECTOR, which Milvus Lite knows, too.
        anew: fill a new collection, and let the name mean it when it is whole. Where other tenants
            have moments in the one that is there, it stays, and only this tenant's are replaced.
    """

    latent_index: LatentIndex | None = None
    half: bool | None = None
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did.

    Attributes:
        collection: its own name on the server.
        moments: there at the end.
        sent: that the server lacked.
        deleted: that it had too much.
        compared: rows that were read back and are the same bit for bit.
    """

    collection: str
    moments: int
    sent: int
    deleted: int
    compared: int


def push(
    snapshot: LocalBackend, link: Link, shows: float, wish: Wish,
    progress: Callable[[int, int], None] | None = None,
) -> Pushed:  # fmt: skip
    """Make a collection hold what an index directory holds.

    Args:
        snapshot: the index directory.
        link: where to.
        shows: least weight at which a moment shows a term, from the pack.
        wish: how to make the collection.
        progress: called with rows acknowledged and rows to be sent.

    Raises:
        IncompatibleIndex: the collection is of another pack or of other settings.
        UsageError: the collection is made in another way than wished, or what it holds shares no
            moment with the directory.
        IndexUnavailable: the server does not acknowledge; the next push goes on there.
    """
    target = _target(snapshot, link, shows, wish)
    link.load("load_collection", target.name)
    tenant = link.place.tenant
    local, counts = _survey(snapshot, tenant, shows)
    there = Store(target, "Strong").ids(None)
    missing, surplus = np.setdiff1d(local, there), np.setdiff1d(there, local)
    replaced = not wish.anew and len(surplus) == len(there) > 0 and named(link)
    if replaced and _is_another(target, there, local_rows(snapshot, tenant)):
        raise UsageError(
            f"{link.place.collection} holds {len(there):,} moments of another library, which this "
            "push would delete", "push to another name, or with --anew to replace them",
        )  # fmt: skip
    target.begin()
    rows = (row for row in local_rows(snapshot, tenant) if _among(missing, row.id))
    for done in _send(target, rows):
        if progress:
            progress(done, len(missing))
    for at in range(0, len(surplus), BATCH):  # last: a changed video is found all the time
        link.write("delete", target.name, ids=surplus[at : at + BATCH].tolist())
    link.load("flush", target.name)
    link.load("load_collection", target.name)  # once more, had the server been started anew
    compared = _verify(target, local)
    target.finish(counts)
    name_it(link, target)
    return Pushed(target.name, len(local), len(missing), len(surplus), compared)


def _is_another(target: Collection, there: Int64, rows: Iterator[Row]) -> bool:
    """Return whether no row there, of some, has the latent of one of ours.

    That ids differ does not say it: they change with paths, dates and the numbers of videos.
    """
    known = {row.latent.tobytes() for row in Store(target, "Strong").rows(_some(there))}
    return not any(row.latent.tobytes() in known for row in rows)


def _target(snapshot: LocalBackend, link: Link, shows: float, wish: Wish) -> Collection:
    """Return the collection to fill: the named one, one that a push began, or a new one."""
    at_hand = named(link)
    if at_hand and not (wish.anew and _alone(link, at_hand)):
        _check(at_hand, snapshot, shows, wish)
        return at_hand
    large = snapshot.statistics().moments >= ANN_FROM
    usual = LatentIndex.HNSW if large else LatentIndex.FLAT
    about = About(snapshot.settings, shows, wish.latent_index or usual, bool(wish.half))
    begun = unfinished(link)
    if begun and begun.about == about:
        return begun
    if begun:
        begun.drop()
    return create(link, about)


def _alone(link: Link, target: Collection) -> bool:
    """Return whether no other tenant has moments in a collection."""
    return link.count(target.name, "id >= 0") == Store(target).count("")


def _check(target: Collection, snapshot: LocalBackend, shows: float, wish: Wish) -> None:
    """See that rows of a directory may go into a collection that is there."""
    about = target.about
    check_settings(about.settings, snapshot.settings)
    if about.shows != shows:
        raise IncompatibleIndex(
            f"{target.name} takes a term to show from {about.shows:g}, not {shows:g}",
            "push into a new collection: --anew",
        )
    if wish.latent_index not in (None, about.latent_index) or wish.half not in (None, about.half):
        bits = 16 if about.half else 32
        raise UsageError(
            f"{target.name} has latents of {bits} bits, looked for by {about.latent_index}",
            "leave these options out, or fill a new collection: --anew",
        )


def _survey(snapshot: LocalBackend, tenant: str, shows: float) -> tuple[Int64, Counts]:
    """Return the ids of all rows of a directory, ascending, and what the rows come to."""
    held = np.zeros(snapshot.settings.stored_terms, np.int64)
    statistics = snapshot.statistics()
    ids = np.zeros(statistics.moments, np.int64)
    for at, row in enumerate(local_rows(snapshot, tenant)):
        held[row.terms] += 1
        ids[at] = row.id
    counts = Counts(statistics.moments, statistics.videos, held, snapshot.term_counts(shows))
    return np.sort(ids), counts


def _among(ids: Int64, id_: int) -> bool:
    """Return whether an id is among some, which are ascending."""
    at = int(np.searchsorted(ids, id_))
    return at < len(ids) and int(ids[at]) == id_


def _send(target: Collection, rows: Iterator[Row]) -> Iterator[int]:
    """Write rows in batches; yield how many the server has acknowledged so far."""
    about, done = target.about, 0
    while batch := list(islice(rows, BATCH)):
        size = about.settings.lexicon_size
        data = [encode(row, size, about.shows, about.half) for row in batch]
        target.link.write("upsert", target.name, data)
        done += len(batch)
        yield done


def _verify(target: Collection, local: Int64) -> int:
    """Compare the ids there with ours and read some rows back; return how many of these.

    Raises:
        IndexUnavailable: the ids are not the same.
        DamagedIndex: a row is not what was sent.
    """
    store = Store(target, "Strong")
    there = store.ids(None)
    if not np.array_equal(there, local):
        raise IndexUnavailable(
            f"{target.name} holds {len(there):,} moments after a push of {len(local):,}, "
            f"{len(np.setxor1d(there, local)):,} of them on one side alone: does another push run?",
            "run the push again",
        )
    return len(store.rows(_some(local)))  # each is checked against the hash of ours


def _some(ids: Int64) -> Int64:
    """Return `SAMPLED` ids at most, from all over."""
    return ids[:: max(1, len(ids) // SAMPLED)][:SAMPLED]
